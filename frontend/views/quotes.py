"""The booking panel of an instrument: price, policy, a week of free slots, the form and its live quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from billing.settlement.services import quotes, session_extras
from billing.settlement.services.assessing import SERVICE_KIND
from billing.settlement.services.quotes import QuotePreview
from booking import queries
from booking.models import Reservation
from booking.queries import Week, again, consents
from booking.rules.assistance import NOBODY_ASSISTS
from booking.rules.service_facts import Said
from booking.rules.standing import only_own_rules
from booking.services import auto_approval, deciders, downtime_rows, holds, only_with_approval, reservations
from booking.services import context as booking_context
from booking.services.context import BookingContext
from booking.services.refusing import refusal_reasons
from config.kernel.access import Actor
from config.kernel.errors import Reason, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.time_range import TimeRange
from frontend import whom
from frontend.booking_form import BookingForm, read_day, read_id
from frontend.http import actor_of, is_fragment
from frontend.presenters import prices
from frontend.presenters.cards import NO_CARDS, card_part
from frontend.presenters.choices import choices_view
from frontend.presenters.deciders import decided_by
from frontend.presenters.policy import policy_words
from frontend.presenters.quote import Alternative, HoldView, Panel, QuoteView, addon_rows, hold_view, quote_view, range_words
from frontend.presenters.slots import DAYS, WeekView, wait_address, week_view
from frontend.whom import Whom
from instruments.models import BOOKABLE_STATUSES, Instrument, Organisation
from instruments.queries import actor_for
from instruments.rules.spending import is_in_house

#: Which input of the form a reason's field is about.
INPUTS = {
    "": "booking-on",
    "on": "booking-on",
    "to_on": "booking-to-on",
    "starts_at": "booking-from",
    "ends_at": "booking-to",
    "service_mode": "booking-service-mode",
    "organisation": "booking-organisation",
    "purpose": "booking-purpose",
    "research_project": "booking-project",
    "service_direction": "booking-direction",
    "fund_source": "booking-source",
    "service_kind": "booking-kind",
    "settlement": "booking-settlement",
    "rate": "booking-rate",
    "answers": "booking-answers",
    "fund_card": "booking-card",
    "for_person": "booking-organisation",
    "override_reason": "booking-override",
    "customer_yes": "booking-yes",
    "addons": "booking-addons",
}


def booking_panel_context(request: HttpRequest, instrument: Instrument) -> dict[str, Any]:
    """Everything ``booking/_panel.html`` needs on an instrument's page: ``panel``, ``week``, ``price``, ``policy_sentences``; and the
    ``booking_context`` that it was made from.

    ``instrument`` is one that the actor may see. The address may carry ``week`` (a first day), ``on``, ``from``, ``to``, ``to_on``,
    ``organisation``, ``service_mode``, ``purpose``, ``research_project`` and ``fund_card``; what cannot be read is shown as it was typed.
    """
    actor, now = actor_of(request), timezone.now()
    form = BookingForm.read(request.GET)
    week = _week(actor, instrument.pk, request.GET, form, now)
    panel = make_panel(actor, week.context, form, now, whom.read(actor, week.context.instrument, form.whom))
    panel = replace(panel, again=_again(actor, week.context, request.GET, panel.form, now))
    form = panel.form
    customers = [panel.organisation] if panel.organisation else []
    return {
        "panel": panel,
        **_slots(week, form, request.GET, now),
        "price": prices.price_words(week.context.instrument, customers, week.context.local_day(now)),
        "policy_sentences": policy_words(week.context.policy),
        "booking_context": week.context,
    }


def _again(actor: Actor, context: BookingContext, query: QueryDict, form: BookingForm, now: datetime) -> list[Alternative]:
    """When a booking could be had once more, where the address names one of this instrument (``again``)."""
    reservation_id = read_id(query.get("again", ""))
    reservation = queries.one_of_mine(actor, reservation_id) if reservation_id else None
    if reservation is None or reservation.instrument_id != context.instrument.pk:
        return []
    return [as_alternative(form, during, context) for during in again.next_times(actor, reservation, now)]


def _week(actor: Actor, instrument_id: int, query: QueryDict, form: BookingForm, now: datetime) -> Week:
    chosen = read_day(query.get("week", "")) or read_day(form.on)
    return queries.free_slots(actor, instrument_id, chosen, DAYS, now, form.organisation_id(), form.service_mode)


def _slots(week: Week, form: BookingForm, query: QueryDict, now: datetime) -> dict[str, Any]:
    address = reverse("instrument_detail", args=[week.context.instrument.pk])
    view: WeekView = week_view(week, form, query, address, now)
    return {"week": view, "slots_address": address, "instrument_id": week.context.instrument.pk}


def make_panel(
    actor: Actor,
    context: BookingContext,
    form: BookingForm,
    now: datetime,
    for_whom: Whom | None,
    *,
    problems: Sequence[tuple[str, str]] = (),
    alternatives: Sequence[Alternative] = (),
) -> Panel:
    """The panel for what was typed. ``for_whom``: whom the form's link names, where a manager of the lab enters it for them; ``problems``
    stand above the form."""
    if for_whom is not None:
        panel = _panel_for(actor, context, form, for_whom, now)
    else:
        panel = _own_panel(actor, context, form, now, opens=not problems)
    return replace(panel, problems=list(problems), alternatives=list(alternatives))


def _own_panel(actor: Actor, context: BookingContext, form: BookingForm, now: datetime, *, opens: bool) -> Panel:
    """The panel of who books; empty fields are filled from the person's last booking. ``opens``: the form was not refused just now."""
    organisations = queries.bookable_organisations(actor)
    form = prefilled(actor, context, form, organisations)
    chosen = next((each for each in organisations if str(each.pk) == form.organisation), None)
    context = context.for_customer(chosen) if chosen else context
    during, unreadable = _read_time(form, context)
    people = consents.bookable_people(actor, chosen.pk, now) if chosen else []
    named = next((one for one in people if str(one.giver_id) == form.for_person), None)
    whose = actor_for(named.giver) if named else actor
    if chosen:
        context = only_with_approval.applied(context, whose.user_id, chosen.pk, now)
    quote = make_quote(actor, context, form, during, chosen, now, whose) if during and not actor.is_anonymous else None
    keeps = quote is not None and quote.rows is not None and not quote.problems
    cards = card_part(whose, context, chosen, form.fund_card, during, _payable_fen(quote), now)
    return replace(
        _panel(context, form, quote, unreadable, now),
        organisations=organisations,
        organisation=chosen,
        needs_approval=(quote.needs_approval if quote else context.policy.approval_required) or bool(cards.leader),
        people=people,
        for_person=named.giver_id if named else None,
        manages=reservations.may_override(actor, context.instrument),
        cards=cards,
        hold=_kept(actor, context, form, quote.during, now, opens=opens) if quote and keeps else None,
    )


def _panel_for(actor: Actor, context: BookingContext, form: BookingForm, for_whom: Whom, now: datetime) -> Panel:
    """The panel by which one of the lab's managers enters a booking for a customer: rules and figures are those of that person and
    organisation; what is theirs alone, as cards and what is left for them, is not shown. With it the lab has looked."""
    customer = for_whom.organisation
    modes = context.instrument.service_modes
    form = replace(form, organisation=str(customer.pk), service_mode=form.service_mode or (modes[0] if modes else "assisted"))
    context = replace(context.for_customer(customer), policy=replace(context.policy, approval_required=False))
    during, unreadable = _read_time(form, context)
    whose, quote = actor_for(for_whom.person), None
    if during:
        quote = make_quote(whose, context, form, during, customer, now, by=actor)
        quote = replace(quote, own_limits=[], once_verified=None, wait_url="")
    in_house = is_in_house(customer.pk, context.instrument.organisation_id)
    return replace(
        _panel(context, form, quote, unreadable, now),
        organisations=[customer],
        organisation=customer,
        manages=True,
        cards=card_part(whose, context, customer, form.fund_card, during, _payable_fen(quote), now) if in_house else NO_CARDS,
        whom=for_whom,
    )


def _panel(
    context: BookingContext, form: BookingForm, quote: QuoteView | None, unreadable: list[tuple[str, str]], now: datetime
) -> Panel:
    """What every panel shows, for nobody yet."""
    return Panel(
        instrument=context.instrument,
        form=form,
        organisations=[],
        organisation=None,
        quote=quote,
        unreadable=unreadable,
        key=str(uuid4()),
        step_seconds=context.policy.granularity_minutes * 60,
        asks_last_day=bool(form.to_on) or context.policy.max_minutes > 24 * 60 or _opens_overnight(context, now),
        needs_approval=False,
        bookable=_may_be_booked(context.instrument, now) and context.rules.opens_at_all,
        zone=context.zone.key,
        today=context.local_day(now),
        login_query=form.query(),
        problems=[],
        alternatives=[],
    )


def _payable_fen(quote: QuoteView | None) -> int | None:
    """What would be paid now; None without a price."""
    return quote.payable_now_with_fen if quote and quote.rows else None


def _kept(actor: Actor, context: BookingContext, form: BookingForm, during: TimeRange, now: datetime, *, opens: bool) -> HoldView:
    """What the person keeps of the time. Where that is nothing the form keeps it as it opens: not for the lab's managers, who look for
    others, not again for who let it go or kept it as long as it is, and not where the lab has somebody's request to answer."""
    held = holds.held(context, actor.person_id, during, form.service_mode, now)
    looks = form.unheld or reservations.may_override(actor, context.instrument)
    by_itself = opens and held is None and not looks and not holds.is_asked_for(context, during)
    return hold_view(held, now, by_itself=by_itself, unheld="" if held else form.unheld)


def _may_be_booked(instrument: Instrument, now: datetime) -> bool:
    """It runs, or its lab said when it will."""
    return instrument.status in BOOKABLE_STATUSES or downtime_rows.works_again_at(instrument, now) is not None


def _opens_overnight(context: BookingContext, now: datetime) -> bool:
    """Whether a window of the coming week goes on after midnight."""
    window = TimeRange(now, now + timedelta(days=DAYS + 1))
    return any(
        context.local_day(opened.ends_at - timedelta(microseconds=1)) != context.local_day(opened.starts_at)
        for opened in context.opening(window)
    )


def prefilled(actor: Actor, context: BookingContext, form: BookingForm, organisations: list[Organisation]) -> BookingForm:
    """The form with what is empty filled in: as the person asked last, else as it is usual."""
    modes = context.instrument.service_modes
    last = queries.last_reservation_of(actor, context.instrument.pk) if organisations and not form.organisation else None
    if last is not None:
        form = _as_before(form, last, context.instrument)
    if not any(str(each.pk) == form.organisation for each in organisations):
        form = replace(form, organisation=str(organisations[0].pk) if organisations else "")
    return replace(form, service_mode=form.service_mode or (modes[0] if modes else "assisted"))


def _as_before(form: BookingForm, last: Reservation, instrument: Instrument) -> BookingForm:
    """What is empty as it was asked for last."""
    before = queries.as_before(last, instrument.pk)
    mode = last.service_mode if last.service_mode in instrument.service_modes else ""
    return replace(form.as_before(before), organisation=str(last.organisation_id), service_mode=form.service_mode or mode)


def _read_time(form: BookingForm, context: BookingContext) -> tuple[TimeRange | None, list[tuple[str, str]]]:
    """The time that was typed, or what is wrong with it; neither while the fields are not all filled in."""
    if not form.has_time:
        return None, []
    try:
        return form.during(context.zone), []
    except Refusal as refusal:
        return None, problems_of(list(refusal.reasons))


def make_quote(
    actor: Actor,
    context: BookingContext,
    form: BookingForm,
    during: TimeRange,
    customer: Organisation | None,
    now: datetime,
    whose: Actor | None = None,
    by: Actor | None = None,
) -> QuoteView:
    """The live quote, with everything that still stands against the time. ``whose``: in whose name, where not in the actor's own; ``by``:
    who enters it for the actor."""
    reasons = refusal_reasons(
        context, (whose or actor).user_id, customer, during, form.service_mode, now, holder_id=actor.user_id
    )
    problems = problems_of(reasons)
    alternatives: list[Alternative] = []
    occupied = context.policy.occupied(during)
    unhelped = [one.code for one in reasons] == [NOBODY_ASSISTS]
    taken = not reasons and booking_context.busy_ranges(context.instrument.calendar_id, occupied, holder_id=actor.user_id)
    if taken or unhelped:
        others = booking_context.alternatives(context, during, now, service_mode=form.service_mode)
        alternatives = [as_alternative(form, other, context) for other in others]
    if taken:
        problems = [("booking-from", _("This time is taken. Choose one of the free times, or one of these."))]
    preview: QuotePreview | None = None
    if customer is not None:
        preview, refused = _previewed(actor, context.instrument.pk, customer.pk, during, form, (whose or actor).user_id, now)
        problems += problems_of(refused)
    addons = addon_rows(preview.addons, form) if preview else []
    problems += problems_of(session_extras.faults_of_choice(preview.addons, form.chosen_addons())) if preview else []
    payable_now_fen = preview.assessment.payable_now_fen + sum(row.amount_fen for row in addons) if preview else None
    at_once = auto_approval.would_let(context, (whose or actor).user_id, during, payable_now_fen)
    needs_approval = context.policy.approval_required and not at_once
    own = None
    if needs_approval and customer is not None:
        own = deciders.of_own((actor, whose or actor), context.instrument.organisation_id, customer.pk)
    problems += problems_of(deciders.reasons_against(own))
    view = quote_view(context, during, preview, customer, problems, alternatives, now, needs_approval=needs_approval)
    lab_may = len(problems) == len(reasons) and only_own_rules(reasons)
    may = lab_may and reservations.may_override(by or actor, context.instrument)
    return replace(
        view,
        lab_may=may,
        wait_url=wait_address(context, during, form) if taken else "",
        addons=addons,
        choices=choices_view(preview.offered, form.said(), form.rate, SERVICE_KIND) if preview else None,
        decided_by=decided_by(own),
    )


def _previewed(
    actor: Actor, instrument_id: int, customer_id: int, during: TimeRange, form: BookingForm, whose_id: int | None, now: datetime
) -> tuple[QuotePreview | None, list[Reason]]:
    """The quote, and what is wrong. Where that is only what programmes were told, it is quoted without, so that one can choose again."""
    told = (form.service_mode, form.research_project, whose_id, form.service_direction)
    try:
        return quotes.preview(actor, instrument_id, customer_id, during, now, *told, form.said()), []
    except Refusal as refusal:
        reasons = list(refusal.reasons)
    if not {reason.field for reason in reasons} <= set(Said._fields):
        return None, reasons
    try:
        return quotes.preview(actor, instrument_id, customer_id, during, now, *told), reasons
    except Refusal as refusal:
        return None, list(refusal.reasons)


def as_alternative(
    form: BookingForm, during: TimeRange, context: BookingContext, preview: QuotePreview | None = None
) -> Alternative:
    """Another time for the same request."""
    at = form.at(during, context.zone)
    figures = (preview.assessment.payable_now_fen, preview.assessment.final_cost_fen) if preview else (None, None)
    return Alternative(range_words(during, context.zone.key), at.on, at.from_time, at.to_time, at.to_on, *figures)


def problems_of(reasons: list[Any]) -> list[tuple[str, str]]:
    """Every reason as (id of the input to mend, sentence)."""
    return [(INPUTS.get(reason.field, INPUTS[""]), reason_sentence(reason)) for reason in reasons]


@require_GET
def instrument_slots(request: HttpRequest, pk: int) -> HttpResponse:
    """The week of free slots alone (htmx); anybody else is led to the instrument's page."""
    actor, now = actor_of(request), timezone.now()
    if not is_fragment(request):
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(reverse("instrument_detail", args=[pk]) + query)
    form = BookingForm.read(request.GET)
    week = _week(actor, pk, request.GET, form, now)
    return render(request, "booking/_slots.html", {**_slots(week, form, request.GET, now), "fragment": True})


@require_GET
def quote_preview(request: HttpRequest) -> HttpResponse:
    """The live quote for what stands in the form (htmx); anybody else is led to the instrument's page with the same values."""
    actor, now = actor_of(request), timezone.now()
    instrument_id = read_id(request.GET.get("instrument", ""))
    if not is_fragment(request):
        address = reverse("instrument_detail", args=[instrument_id])
        return redirect(f"{address}?{BookingForm.read(request.GET).query()}")
    context = booking_context.load(actor, instrument_id, lock=False)
    form = BookingForm.read(request.GET)
    panel = make_panel(actor, context, form, now, whom.read(actor, context.instrument, form.whom))
    return render(request, "booking/_quote.html", {"panel": panel})
