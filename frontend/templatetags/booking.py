"""Tags of the booking pages: ``{% load booking %}``."""

from __future__ import annotations

from dataclasses import replace

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from booking.service_wording import DIRECTIONS, fund_source_names
from config.kernel.errors import Reason
from config.kernel.messages import reason_sentence
from frontend.booking_form import BookingForm
from frontend.presenters.quote import Alternative, Panel
from instruments.registry_wording import SERVICE_MODE_NAMES

register = template.Library()


@register.filter
def service_way(mode: str) -> str:
    """``{{ mode|service_way }}``: how a user is served, in words."""
    return str(SERVICE_MODE_NAMES.get(mode, mode))


@register.filter
def reason_words(reason: Reason) -> str:
    """``{{ reason|reason_words }}``: the sentence of a refusal's reason."""
    return reason_sentence(reason)


@register.simple_tag
def booking_invalid(panel: Panel | str, input_id: str) -> SafeString:
    """Marks an input that a problem of the form is about; a page without a panel has none."""
    if isinstance(panel, str):
        return SafeString("")
    wrong = any(target == input_id for target, _ in [*panel.problems, *panel.unreadable])
    return SafeString(' aria-invalid="true"') if wrong else SafeString("")


@register.simple_tag
def booking_query(panel: Panel, other: Alternative) -> str:
    """The form's values at another time, as a query."""
    return _at(panel.form, other).query()


@register.simple_tag
def booking_hidden(panel: Panel, other: Alternative) -> SafeString:
    """The form's values at another time as hidden inputs, with the figures that stand on the button."""
    form = _at(panel.form, other)
    values = [
        ("key", panel.key),
        ("on", form.on),
        ("from", form.from_time),
        ("to", form.to_time),
        ("to_on", form.to_on),
        ("organisation", form.organisation),
        ("service_mode", form.service_mode),
        ("purpose", form.purpose),
        ("research_project", form.research_project),
        ("service_direction", form.service_direction),
        ("fund_source", form.fund_source),
        ("service_kind", form.service_kind),
        ("settlement", form.settlement),
        ("rate", form.rate),
        ("answers", form.answers),
        ("fund_card", form.fund_card),
        ("for_person", form.for_person),
        ("override_reason", form.override_reason),
        ("whom", form.whom),
        ("has_yes", form.has_yes),
        ("customer_yes", form.customer_yes),
        ("addons", form.addons),
        ("expected_payable_now_fen", "" if other.payable_now_fen is None else str(other.payable_now_fen)),
        ("expected_final_cost_fen", "" if other.final_cost_fen is None else str(other.final_cost_fen)),
    ]
    return format_html("{}", format_html_join("", '<input type="hidden" name="{}" value="{}">', values))


def _at(form: BookingForm, other: Alternative) -> BookingForm:
    return replace(form, on=other.on, from_time=other.from_time, to_time=other.to_time, to_on=other.to_on)


@register.simple_tag
def service_directions() -> list[tuple[str, str]]:
    """What a service can be for, with its word."""
    return [(value, str(word)) for value, word in DIRECTIONS.items()]


@register.simple_tag
def fund_sources() -> list[tuple[str, str]]:
    """The national list of fund sources in the reader's language."""
    return fund_source_names()
