"""Tags and filters of every page: ``{% load jishi %}``. ``docs/design-system.md`` shows them with the components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext, pgettext

from billing.ledger.rules.money import plain_yuan
from billing.wording import document_text
from config.kernel.messages import duration_words
from frontend import display
from frontend.icons import icon_svg
from frontend.once import FIELD
from frontend.states import look_of
from instruments.rules.persistent_ids import cstr_url, doi_url

register = template.Library()


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """``{% icon "calendar" %}``: decorative, hidden from screen readers; the word stands beside it."""
    return icon_svg(name, classes)


@register.simple_tag
def once_key() -> SafeString:
    """``{% once_key %}``: the hidden field of a form whose second sending changes nothing (``frontend.once``)."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, uuid4())


@register.simple_tag
def colon() -> str:
    """``{% colon %}`` between a label and what it says, as the reader's language sets it."""
    return pgettext("between a label and what it says", ": ")


@register.simple_tag
def money(fen: int | None, minus: bool = False) -> SafeString:
    """``{% money fen %}``: fen as yuan with tabular figures; ``minus=True`` shows an amount taken off. None is a dash."""
    if fen is None:
        return format_html('<span class="money">{}</span>', "–")
    if minus:
        return format_html('<span class="money money-minus">{}</span>', display.yuan(-fen))
    return format_html('<span class="money">{}</span>', display.yuan(fen))


@register.filter
def yuan(fen: int | None) -> str:
    """``{{ fen|yuan }}``: plain text for sentences and attributes."""
    return "" if fen is None else display.yuan(fen)


@register.filter
def yuan_plain(fen: int) -> str:
    """``{{ fen|yuan_plain }}``: as it is typed into a field, without sign and separators."""
    return plain_yuan(fen)


@register.simple_tag
def local_dt(moment: datetime | None, zone: str = "") -> SafeString:
    """``{% local_dt moment site.time_zone %}``: local date and time; the zone is written when its clock is not the reader's."""
    if moment is None:
        return format_html("{}", "–")
    local = display.in_zone(moment, zone)
    return _time(local.isoformat(), display.moment_words(local), display.zone_label(moment, zone))


@register.simple_tag
def local_time(moment: datetime, zone: str = "") -> SafeString:
    """``{% local_time moment zone %}``: only the hour and minute."""
    local = display.in_zone(moment, zone)
    return _time(local.isoformat(), f"{local:%H:%M}", display.zone_label(moment, zone))


@register.simple_tag
def local_range(starts: datetime, ends: datetime, zone: str = "") -> SafeString:
    """``{% local_range starts ends zone %}``: from–to, the date once when both are on one day."""
    words = display.range_words(display.in_zone(starts, zone), display.in_zone(ends, zone))
    return _time(display.in_zone(starts, zone).isoformat(), words, display.zone_label(starts, zone))


@register.simple_tag
def local_date(value: date | datetime | None, zone: str = "") -> SafeString:
    """``{% local_date day %}``: a date with its weekday; of an instant, its local date."""
    if value is None:
        return format_html("{}", "–")
    day = display.in_zone(value, zone).date() if isinstance(value, datetime) else value
    return _time(day.isoformat(), display.date_words(day), "")


@register.simple_tag
def day_tile(moment: datetime, zone: str = "") -> SafeString:
    """``{% day_tile moment zone %}``: a small calendar leaf (weekday, day, month); the full date stands beside it."""
    local = display.in_zone(moment, zone)
    parts = (display.weekday(local), local.day, display.month_label(local.month))
    return format_html('<span class="day" aria-hidden="true"><span>{}</span><b>{}</b><span>{}</span></span>', *parts)


@register.simple_tag
def platform_clock() -> str:
    """``{% platform_clock %}``: whose clock times are of beside which no zone is written."""
    return display.platform_clock(timezone.now())


@register.filter
def day_words(value: date) -> str:
    """``{{ day|day_words }}``: a date with its weekday inside a sentence."""
    return display.date_words(value)


@register.filter
def zone_words(zone: str) -> str:
    """``{{ zone|zone_words }}``: what people call the clock of a place; a zone without such a name by its own."""
    return display.zone_words(zone)


@register.filter
def month(value: date) -> str:
    """``{{ day|month }}``: month and year."""
    return display.month_words(value)


@register.filter
def duration(minutes: int | None) -> str:
    """``{{ minutes|duration }}``: hours and minutes."""
    return "–" if minutes is None else duration_words(minutes)


@register.filter
def file_size(size: int) -> str:
    return display.bytes_words(size)


@register.simple_tag
def state_badge(kind: str, state: str) -> SafeString:
    """``{% state_badge "reservation" r.state %}``: icon, word and colour (kinds and states in ``frontend.states``)."""
    look = look_of(kind, state)
    return format_html('<span class="state state-{}">{}{}</span>', look.tone, icon_svg(look.icon), look.word)


@register.simple_tag
def stars(count: float | None) -> SafeString:
    """``{% stars 4 %}``: five stars, so many of them full; read as words."""
    full = min(5, max(0, int((count or 0) + 0.5)))
    drawn = format_html_join("", "{}", ((icon_svg("star", "star-full" if place < full else ""),) for place in range(5)))
    words = ngettext("%(count)s of 5 stars", "%(count)s of 5 stars", full) % {"count": full}
    return format_html('<span class="stars">{}<span class="visually-hidden">{}</span></span>', drawn, words)


@register.filter
def media_word(media_type: str) -> str:
    """``{{ file.media_type|media_word }}``: PDF, JPEG, PNG."""
    return media_type.rpartition("/")[2].upper()


@register.filter
def state_word(state: str, kind: str) -> str:
    """``{{ r.state|state_word:"reservation" }}``: only the word."""
    return str(look_of(kind, state).word)


@register.filter
def bilingual(thing: Any, name: str = "name") -> str:
    """``{{ instrument|bilingual }}``: the English name on English pages when there is one; ``bilingual:"description"`` likewise."""
    if (get_language() or "").startswith("en"):
        return getattr(thing, f"{name}_en", "") or getattr(thing, name, "")
    return getattr(thing, name, "")


@register.filter
def in_language(text: Mapping[str, str]) -> str:
    """``{{ document.budget_item|in_language }}``: a text of a programme's document in the reader's language."""
    return document_text(text)


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: str = "", wide: bool = False, plain: bool = False) -> dict[str, Any]:
    """``{% field form.email %}``: label, hint, control and errors, tied together for assistive technology.

    ``plain=True`` leaves out a placeholder that only repeats the label.
    """
    widget = bound.field.widget
    single = isinstance(widget, CheckboxInput)
    group = isinstance(widget, (RadioSelect, CheckboxSelectMultiple))
    text = hint or bound.help_text
    described = [f"{bound.auto_id}_hint"] if text else []
    described += [f"{bound.auto_id}_problem"] if bound.errors else []
    attrs: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if plain and "placeholder" in widget.attrs:
        attrs["placeholder"] = ""
    if not single and not group:
        base = "form-select" if isinstance(widget, Select) else "form-control"
        attrs["class"] = f"{base} {widget.attrs.get('class', '')}".strip()
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attrs),
        "hint": text,
        "single": single,
        "group": group,
        "wide": wide,
        "hidden": bound.is_hidden,
        "described": " ".join(described),
    }


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: Any) -> dict[str, Any]:
    """``{% error_summary form %}``: every problem, named by and linked to its field; takes the focus. Nothing when there is none."""
    problems = [
        (form[name].id_for_label or form[name].auto_id, form[name].label, text)
        for name in form.fields
        for text in form[name].errors
    ]
    return {"problems": problems, "general": form.non_field_errors(), "any": bool(form.errors)}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, page: Page[Any], parameter: str = "page") -> dict[str, Any]:
    """``{% pagination page %}`` for a Django Page; keeps the other query parameters."""
    query: QueryDict = context["request"].GET.copy()
    query.pop(parameter, None)
    prefix = f"{context.get('page_url', '')}{_prefix(query, parameter)}"
    return {"page": page, "links": list(_page_links(page, prefix)), "prefix": prefix}


@register.simple_tag
def identifier_link(text: str) -> str:
    """A DOI or CSTR identifier as a link to what it stands for; what is neither stays text."""
    address = doi_url(text) or cstr_url(text)
    return format_html('<a href="{}" rel="noopener">{}</a>', address, text) if address else text


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """``{% query class_code="01" page=None %}``: the address's query with these changes; None takes a parameter away."""
    params: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        params.pop(name, None)
        if value not in (None, ""):
            params[name] = str(value)
    return f"{context.get('page_url', '')}?{params.urlencode()}"


@register.simple_tag(takes_context=True)
def kept(context: template.Context) -> str:
    """``<form method="post" action="{% url "month_line" line.pk %}{% kept %}">``: the page's query, so that the same page and the same
    filters are shown when the form is refused."""
    asked = context["request"].GET.urlencode()
    return f"?{asked}" if asked else ""


@register.simple_tag(takes_context=True)
def again(context: template.Context, route: str, *args: Any, **sent: Any) -> Mapping[str, Any]:
    """``{% again "bill_dispute" bill.pk as again %}``: what was just sent to the form of that address and was refused, so that the form
    shows it again; nothing on any other page. ``act="reject"`` tells forms of one address apart by what else is sent."""
    request = context.get("request")
    if request is None or request.method != "POST" or request.path != reverse(route, args=args):
        return {}
    return request.POST if all(request.POST.get(name) == str(value) for name, value in sent.items()) else {}


def _time(machine: str, words: str, label: str) -> SafeString:
    shown = format_html('<time datetime="{}">{}</time>', machine, words)
    return format_html('<span>{} <span class="zone">({})</span></span>', shown, label) if label else shown


def _page_links(page: Page[Any], prefix: str) -> Iterator[tuple[str, str]]:
    for number in page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1):
        yield str(number), f"{prefix}{number}" if isinstance(number, int) else ""


def _prefix(params: QueryDict, parameter: str) -> str:
    others = params.urlencode()
    return f"?{others}&{parameter}=" if others else f"?{parameter}="
