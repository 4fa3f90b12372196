"""A booking from the form to its end: ask, see, cancel, accept new figures, take into one's own calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.payments.prepaid_queries import order_number
from billing.settlement import fee_figures, reservation_figures
from billing.settlement.reservation_figures import Figures, Money
from billing.settlement.services import quotes
from booking import calendar_queries, licence_queries, queries, record_queries
from booking.models import Reservation
from booking.queries import assistants
from booking.queries.enquiries import asking_about
from booking.queries.together import asked_with
from booking.rules.calendar_text import MEDIA_TYPE
from booking.rules.states import ReservationState
from booking.services import context as booking_context
from booking.services import decisions, inbox, reject_reasons, reservations, transitions
from booking.services.context import BookingContext
from booking.services.entering import Entered
from booking.services.refusing import BOOKING_ROLES, refusal_reasons
from booking.services.reservations import ReservationRequest
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.messages import sentence
from config.kernel.time_range import TimeRange
from frontend import display, whom
from frontend.booking_form import BookingForm, read_addons, read_expected, read_key
from frontend.calendar_file import reservation_file
from frontend.http import actor_of, is_fragment, stands_at
from frontend.presenters import assessment, fees, life
from frontend.presenters.card_of_booking import card_context
from frontend.presenters.cards import chosen_card
from frontend.presenters.inbox import undo_of
from frontend.presenters.open_change import open_change
from frontend.presenters.quote import Alternative, Elsewhere, range_words
from frontend.presenters.service_facts import corrections, facts_panel
from frontend.presenters.session_extras import extras_panel
from frontend.presenters.slots import wait_address
from frontend.presenters.usage import review_panel
from frontend.refusals import sentences, status_of
from frontend.views.quotes import as_alternative, make_panel, problems_of
from frontend.whom import Whom
from instruments.models import Instrument
from instruments.queries import actor_for, records

PER_PAGE = 20
FEN_DIGITS = 16
_AHEAD = [ReservationState.REQUESTED, ReservationState.APPROVED, ReservationState.IN_USE]
SHOWN = ("upcoming", "past", "all")
_STATES = [state.value for state in ReservationState]


# --- Asking for time -------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "POST"])
def reservation_create(request: HttpRequest, pk: int) -> HttpResponse:
    """The booking form of an instrument on a page of its own, and its answer."""
    actor, now = actor_of(request), timezone.now()
    if actor.is_anonymous:
        return _log_in_first(request, pk)
    context = booking_context.load(actor, pk, lock=False)
    named = BookingForm.read(request.POST if request.method == "POST" else request.GET)
    for_whom = whom.read(actor, context.instrument, named.whom)
    if named.whom and for_whom is None:
        return _search_again(request, context, named)
    if request.method == "POST":
        return _answer(request, actor, context, named, for_whom, now)
    panel = make_panel(actor, context, named, now, for_whom)
    return _form_response(request, {"panel": panel})


def _log_in_first(request: HttpRequest, pk: int) -> HttpResponse:
    """To the log-in and back to the form, with everything that was typed."""
    form = BookingForm.read(request.POST if request.method == "POST" else request.GET)
    back = f"{reverse('reservation_create', args=[pk])}?{form.query()}"
    address = f"{reverse('account_login')}?{urlencode({'next': back})}"
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def _search_again(request: HttpRequest, context: BookingContext, form: BookingForm) -> HttpResponse:
    """The choice of a customer is too old or another's: it is made once more, with everything else as it was typed."""
    messages.error(request, sentence("entry.link_over", {}))
    address = f"{reverse('booking_for', args=[context.instrument.pk])}?{replace(form, whom='').query()}"
    return HttpResponse(status=204, headers={"HX-Redirect": address}) if is_fragment(request) else redirect(address)


def _answer(
    request: HttpRequest, actor: Actor, context: BookingContext, form: BookingForm, for_whom: Whom | None, now: datetime
) -> HttpResponse:
    try:
        asked = _request(actor, form, context, for_whom, request, now)
        reserved = reservations.reserve(actor, asked, now, idempotency_key=read_key(request.POST))
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(request, actor, context, form, for_whom, refusal, now)
    if not reserved.replayed:
        messages.success(request, _done(form, reserved.state))
    address = reverse("reservation_detail", args=[reserved.reservation_id])
    return HttpResponse(status=204, headers={"HX-Redirect": address}) if is_fragment(request) else redirect(address)


def _done(form: BookingForm, state: str) -> str:
    """What has happened, in a sentence."""
    if state != ReservationState.REQUESTED:
        return _("Booked.")
    if form.whom and not form.has_yes:
        return _("Entered. The person is asked to say yes; until then it is a request.")
    return _("Entered. The leader of the group is asked first.") if form.whom else _("Request sent.")


def _request(
    actor: Actor, form: BookingForm, context: BookingContext, for_whom: Whom | None, request: HttpRequest, now: datetime
) -> ReservationRequest:
    """Raises Refusal with everything that cannot be read; ``booking.figures_not_seen`` when the form carries no figures."""
    reasons: list[Reason] = []
    during: TimeRange | None = None
    service_mode = ""
    organisation_id = form.organisation_id()
    try:
        during = form.during(context.zone)
    except Refusal as refusal:
        reasons += refusal.reasons
    try:
        service_mode = form.known_service_mode()
    except Refusal as refusal:
        reasons += refusal.reasons
    if organisation_id is None:
        reasons.append(Reason("booking.organisation_missing", {}, "organisation"))
    fund_card_id: int | None = None
    for_person_id: int | None = None
    entered: Entered | None = None
    if for_whom is not None:
        organisation_id, form = for_whom.organisation.pk, replace(form, for_person=str(for_whom.person.pk))
        try:
            entered = for_whom.entered(form.evidence())
        except Refusal as refusal:
            reasons += refusal.reasons
    try:
        for_person_id = form.for_person_id()
        own = for_person_id in (None, actor.user_id)
        fund_card_id = chosen_card(actor, form.fund_card_id(), now) if own else form.fund_card_id()
    except Refusal as refusal:
        reasons += refusal.reasons
    if reasons or during is None or organisation_id is None:
        raise Refusal(*reasons)
    asked = ReservationRequest(
        instrument_id=context.instrument.pk,
        organisation_id=organisation_id,
        during=during,
        service_mode=service_mode,
        purpose=form.purpose,
        research_project=form.research_project,
        service_direction=form.service_direction,
        fund_source=form.fund_source,
        said=form.said(),
        expected=read_expected(request.POST),
        addons=read_addons(form, request.POST),
        fund_card_id=fund_card_id,
        for_person_id=for_person_id,
        override_reason=form.override_reason,
        entered=entered,
    )
    if None in (asked.expected.payable_now_fen, asked.expected.final_cost_fen):
        reasons = refusal_reasons(context, None, None, during, service_mode, now)
        raise Refusal(*(reasons or [Reason("booking.figures_not_seen")]))
    return asked


def _refused(
    request: HttpRequest,
    actor: Actor,
    context: BookingContext,
    form: BookingForm,
    for_whom: Whom | None,
    refusal: Refusal,
    now: datetime,
) -> HttpResponse:
    """The form again with what was typed, every reason, the new figures and other times where there are any."""
    reasons = [Reason("booking.form_used") if one.code == "idempotency.other_payload" else one for one in refusal.reasons]
    others = refusal.extra.get("alternatives", []) if isinstance(refusal, Conflict) else []
    alternatives = _alternatives(actor, context, form, for_whom, others, now)
    panel = make_panel(actor, context, form, now, for_whom, problems=problems_of(reasons), alternatives=alternatives)
    if panel.quote is not None and panel.quote.problems:
        known = {sentence for _input, sentence in panel.problems}
        still = [problem for problem in panel.quote.problems if problem[1] not in known]
        panel = replace(
            panel, quote=replace(panel.quote, problems=still if not alternatives else [], alternatives=[], wait_url="")
        )
    if isinstance(refusal, Conflict) and "elsewhere" in refusal.extra:
        url = wait_address(context, form.during(context.zone), panel.form)
        panel = replace(panel, wait_url=url, elsewhere=_elsewhere(actor, panel.form, refusal.extra["elsewhere"]))
    first = next((one.params["reservation_id"] for one in refusal.reasons if one.code == "booking.asked_already"), None)
    return _form_response(request, {"panel": replace(panel, first_id=first)}, status=status_of(refusal))


def _alternatives(
    actor: Actor, context: BookingContext, form: BookingForm, for_whom: Whom | None, pairs: list[list[str]], now: datetime
) -> list[Alternative]:
    """Free times with their figures, so that one press books one of them."""
    customer = for_whom.organisation.pk if for_whom else form.organisation_id()
    asking = actor_for(for_whom.person) if for_whom else actor
    found = []
    for starts_at, ends_at in pairs:
        during = TimeRange(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))
        try:
            whose_time = (context.instrument.pk, customer or 0, during)
            preview = quotes.preview(
                asking,
                *whose_time,
                now,
                form.service_mode,
                form.research_project,
                form.for_person_id(),
                form.service_direction,
                form.said(),
            )
        except Refusal:
            preview = None
        found.append(as_alternative(form, during, context, preview))
    return found


def _elsewhere(actor: Actor, form: BookingForm, found: dict[str, Any] | None) -> Elsewhere | None:
    if found is None:
        return None
    instrument = get_visible(Instrument.objects.select_related("site"), actor, pk=found["instrument"])
    during = TimeRange(datetime.fromisoformat(found["starts_at"]), datetime.fromisoformat(found["ends_at"]))
    zone = instrument.site.time_zone
    there = replace(form.at(during, ZoneInfo(zone)), addons="", override_reason="")
    address = f"{reverse('instrument_detail', args=[instrument.pk])}?{there.query()}#booking-panel"
    return Elsewhere(instrument, range_words(during, zone), address)


def _form_response(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    template = "booking/_form.html" if is_fragment(request) else "booking/reserve.html"
    return render(request, template, context, status=status)


# --- My bookings -----------------------------------------------------------------------------------------------------
@login_required
@require_GET
def reservation_list(request: HttpRequest) -> HttpResponse:
    """What the actor's organisations booked; the filter and the page stand in the address."""
    actor, now = actor_of(request), timezone.now()
    show = request.GET.get("show", "")
    show = show if show in SHOWN else "upcoming"
    rows = _filtered(queries.my_reservations(actor), show, now)
    state = request.GET.get("state", "")
    if state in _STATES:
        rows = rows.filter(state=state)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    figures = reservation_figures.figures_of(actor, page.object_list)
    context = {
        "page": page,
        "rows": with_figures(page, figures),
        "show": show,
        "chosen_state": state if state in _STATES else "",
        "states": _STATES,
        "tabs": [("upcoming", _("Upcoming")), ("past", _("Past")), ("all", _("All"))],
        "several_organisations": len(actor.organisations()) > 1,
        "bookable": actor.organisations(*BOOKING_ROLES),
    }
    return render(request, "booking/list.html", context)


def _filtered(rows: QuerySet[Reservation], show: str, now: datetime) -> QuerySet[Reservation]:
    ahead = Q(state__in=_AHEAD, ends_at__gt=now) | Q(state=ReservationState.IN_USE)
    if show == "upcoming":
        return rows.filter(ahead).order_by("starts_at", "pk")
    return rows.exclude(ahead) if show == "past" else rows


def with_figures(page: Page[Reservation], figures: dict[int, Figures]) -> list[tuple[Reservation, Figures | None]]:
    """Each reservation with its figures."""
    return [(reservation, figures.get(reservation.pk)) for reservation in page.object_list]


# --- One booking -----------------------------------------------------------------------------------------------------
@login_required
@require_GET
def reservation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one reservation that the actor may see."""
    return detail_response(request, pk, timezone.now())


#: A licence counts as long as the session has not begun.
_COMING = frozenset({ReservationState.REQUESTED, ReservationState.APPROVED})
#: The lab may still say who assists.
_ASSISTED = frozenset({*_COMING, ReservationState.IN_USE})


def detail_response(request: HttpRequest, pk: int, now: datetime, refusal: Refusal | None = None) -> HttpResponse:
    """The page of a reservation; with a refusal, its reasons on top and its status."""
    actor = actor_of(request)
    reservation = get_visible(queries.reservation_detail(actor), actor, pk=pk)
    money = reservation_figures.money_of(actor, reservation)
    waits = money.waiting is not None
    rights = life.rights(actor, reservation, now, waits_for_customer=waits)
    rating = record_queries.rating_of(actor, reservation)
    cards = card_context(actor, reservation, now)
    fee = fees.fee_view(fee_figures.fee_of(actor, reservation))
    context = {
        "reservation": reservation,
        "zone": reservation.instrument.site.time_zone,
        "review": review_panel(actor, reservation, now),
        "extras": extras_panel(actor, reservation, now),
        "facts": facts_panel(
            actor, reservation, now, refusal if request.path == reverse("reservation_facts", args=[pk]) else None, request.POST
        ),
        "entries": life.timeline(
            reservation,
            reservation.transitions.all(),
            decisions.in_place_of(actor, reservation) if rights.is_lab else {},
            corrections(reservation, now),
        ),
        "next_words": life.next_words(
            reservation, waits_for_customer=waits, waits_for_leader=cards["awaits_leader"], has_fee=fee is not None
        ),
        "fee": fee,
        "rights": rights,
        "shows_next": rights.is_customer,
        "reject_templates": reject_reasons.offered(actor) if rights.may_decide else [],
        "rivals": inbox.rivals_of(actor, reservation.pk, where_they_compete=True) if rights.may_decide else [],
        "undo": undo_of(actor, now, reservation.pk) if rights.is_lab else None,
        "problems": sentences(refusal) if refusal else [],
        "typed": request.POST,
        "now": now,
        "rating": rating,
        "may_rate": record_queries.may_rate(actor, reservation, rating),
        "star_words": life.STAR_WORDS,
        "without_licence": reservation.state in _COMING and bool(licence_queries.without_licence([reservation], now)),
        "change": open_change(actor, reservation, now),
        "asked_with": asked_with(actor, reservation),
        "asking": asking_about(actor, *_parties(reservation), reservation.requested_by_id, reservation_id=pk),
        "customs_warning": rights.may_decide and records.customs_unclear(actor, reservation.instrument),
        "order_number": order_number(actor, reservation.pk),
        "assisted_by": assistants.names_of([reservation]).get(reservation.pk, ""),
        "assistant_choices": assistants.choices(reservation, now) if rights.is_lab and reservation.state in _ASSISTED else [],
        **_money_context(reservation, money, whole=rights.is_lab and not rights.is_customer),
        **cards,
    }
    stands_at(request, "reservation_detail", pk)
    return render(request, "booking/detail.html", context, status=status_of(refusal) if refusal else 200)


def _parties(reservation: Reservation) -> tuple[int, int]:
    """(the customer, the owner of the instrument)."""
    return reservation.organisation_id, reservation.instrument.organisation_id


def _money_context(reservation: Reservation, money: Money, *, whole: bool) -> dict[str, Any]:
    # What its lab entered has no quote that was accepted until somebody says yes for the customer.
    shown = money.charge or money.quote or money.waiting
    return {
        "money": money,
        "lost": assessment.lost_rows(money.lost),
        "otherwise": assessment.otherwise_rows(money.otherwise),
        "figures": assessment.of_reservation(reservation, shown, whole=whole) if shown else None,
        "new_figures": assessment.of_reservation(reservation, money.waiting, whole=whole)
        if money.waiting and money.quote
        else None,
        "entry": life.entry_that_waits(reservation),
    }


@login_required
@require_http_methods(["GET", "POST"])
def reservation_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """What cancelling would do, then doing it."""
    actor, now = actor_of(request), timezone.now()
    reason = request.POST.get("reason", "")
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            given = transitions.cancel(actor, pk, now, " ".join(reason.split())[:300].replace("\x00", ""), _seen_fee(request))
        except NotFound:
            raise
        except Refusal as refused:
            refusal = refused
        else:
            said = (
                _("Cancelled for a fee of %(fee)s. The time is free again.")
                if given.fee_fen
                else _("Cancelled. The time is free again.")
            )
            messages.success(request, said % {"fee": display.yuan(given.fee_fen)})
            return redirect("reservation_detail", pk)
    reservation = get_visible(queries.reservations_visible(actor).select_related("instrument__policy"), actor, pk=pk)
    rights = life.rights(actor, reservation, now, waits_for_customer=False)
    effect = fee_figures.if_cancelled(actor, reservation, now)
    context = {
        "reservation": reservation,
        "zone": reservation.instrument.site.time_zone,
        "rights": rights,
        "effect": effect,
        "effect_steps": fees.step_rows(effect.steps),
        "reason": reason,
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "booking/cancel.html", context, status=status_of(refusal) if refusal else 200)


def _seen_fee(request: HttpRequest) -> int:
    """The fee that the page showed; one that cannot be read was not seen."""
    text = request.POST.get("expected_fee_fen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < FEN_DIGITS else 0


@login_required
@require_POST
def reservation_accept_quote(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer says yes to the figures that wait."""
    actor, now = actor_of(request), timezone.now()
    try:
        quotes.accept_quote(actor, pk, now, read_expected(request.POST))
    except NotFound:
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, _("Accepted. The lab can approve now."))
    return redirect("reservation_detail", pk)


@login_required
@require_GET
def reservation_calendar(request: HttpRequest, pk: int) -> HttpResponse:
    """The reservation as an .ics file."""
    actor = actor_of(request)
    rows = calendar_queries.with_history(queries.reservations_visible(actor))
    reservation = get_visible(rows, actor, pk=pk)
    body = reservation_file(reservation)
    response = HttpResponse(body, content_type=MEDIA_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{reservation.reference}.ics"'
    response["Cache-Control"] = "private, no-store"
    return response
