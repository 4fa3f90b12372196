"""The waiting list: what one waits for, what is offered, and waiting for a time of an instrument."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.settlement.services import quotes
from billing.settlement.services.quotes import QuotePreview
from booking import queries
from booking.models import WaitEntry
from booking.queries import Before
from booking.rules.states import ReservationState
from booking.rules.waiting import WaitState, most_within
from booking.services import auto_approval, only_with_approval, waiting
from booking.services import context as booking_context
from booking.services.auto_approval import Look
from booking.services.context import BookingContext
from booking.services.waiting import Paying, Wish
from config.kernel.access import Actor, visible_to
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.booking_form import BookingForm, read_card, read_day, read_expected, read_range, window_between
from frontend.hours_text import hours_text, read_hours
from frontend.http import actor_of, stands_at
from frontend.presenters.cards import CardPart, cards_for, chosen_card
from frontend.refusals import sentences, status_of
from instruments.queries import spending
from instruments.rules.spending import days_of, is_in_house
from instruments.rules.wall_time import to_wall

SHOWN = 50
#: Empty, these are filled in; an empty time means all of the day.
_NEEDED = ("first_on", "last_on", "hours")


@login_required
@require_GET
def wait_list(request: HttpRequest) -> HttpResponse:
    """What one waits for, offers first."""
    return _list(request, None)


def _list(request: HttpRequest, refusal: Refusal | None) -> HttpResponse:
    actor = actor_of(request)
    rows = visible_to(WaitEntry.objects.filter(requested_by_id=actor.user_id), actor)
    rows = rows.select_related("instrument__site", "instrument__organisation", "organisation", "reservation")
    entries = sorted(rows.order_by("-created_at")[:SHOWN], key=lambda entry: entry.state not in ("offered", "waiting"))
    offered = {(entry.organisation_id, entry.instrument_id) for entry in entries if entry.state == WaitState.OFFERED}
    before = queries.before_of_each(actor, offered)
    at_once = _counts_at_once(actor, [entry for entry in entries if entry.state == WaitState.OFFERED], timezone.now())
    now = timezone.now()
    spends = _spends_for(actor, [entry for entry in entries if entry.state == WaitState.OFFERED], now)
    rows_shown = [
        (entry, _booking_address(entry, before), entry.pk in at_once, _paid_from(actor, entry, spends, request.POST, now))
        for entry in entries
    ]
    context = {"rows": rows_shown, "problems": sentences(refusal) if refusal else []}
    stands_at(request, "wait_list")
    return render(request, "waiting/list.html", context, status=status_of(refusal) if refusal else 200)


@dataclass(frozen=True, slots=True)
class PaidFrom:
    """The cards from which an offer may be paid, and what it costs (None: there is no price)."""

    cards: CardPart
    preview: QuotePreview | None


def _spends_for(actor: Actor, offered: Sequence[WaitEntry], now: datetime) -> set[int]:
    """The customers among these for whom the person spends from cards, or has to: one query, and one for each house that is asked."""
    customers = {entry.organisation_id for entry in offered}
    if not customers:
        return set()
    cards = spending.spent_by(actor.person_id, spending.today(now)).filter(organisation_id__in=customers)
    found = set(cards.values_list("organisation_id", flat=True))
    own = {entry.organisation_id for entry in offered if is_in_house(entry.organisation_id, entry.instrument.organisation_id)}
    return found | {pk for pk in own - found if spending.card_needed(pk)}


def _paid_from(
    actor: Actor, entry: WaitEntry, spends: Collection[int], typed: Mapping[str, str], now: datetime
) -> PaidFrom | None:
    """For what is on offer to somebody who ``spends`` from cards, or has to: what is paid, seen before the one press that takes it."""
    if entry.state != WaitState.OFFERED or entry.offered is None or entry.organisation_id not in spends:
        return None
    zone = ZoneInfo(entry.instrument.site.time_zone)
    days = days_of(entry.offered, zone)
    asked = (actor, entry.instrument.organisation_id, entry.organisation, typed.get("fund_card", ""), days)
    if not cards_for(*asked, None, now).shown:
        return None
    preview = _preview(actor, entry, entry.offered, now)
    return PaidFrom(cards_for(*asked, preview.assessment.payable_now_fen if preview else None, now), preview)


def _counts_at_once(actor: Actor, offered: Sequence[WaitEntry], now: datetime) -> set[int]:
    """The ids of those that would be booked at once; the lab looks at the others first. A price is asked for only where it decides."""
    contexts = booking_context.load_many(actor, [entry.instrument_id for entry in offered]) if offered else {}
    held = {pk: _held(actor, pk, contexts, now) for pk in {entry.organisation_id for entry in offered}}
    counts: set[int] = set()
    looks: dict[int, Look] = {}
    for entry in offered:
        context = held[entry.organisation_id].get(entry.instrument_id)
        if context is None or entry.offered is None or actor.user_id is None:
            continue
        if not context.policy.approval_required:
            counts.add(entry.pk)
            continue
        rule = context.policy.auto_approval
        fen = _payable_now_fen(actor, entry, entry.offered, now) if rule is not None and rule.most_fen is not None else None
        looks[entry.pk] = Look(context.for_customer(entry.organisation), entry.offered, fen)
    if looks and actor.user_id is not None:
        lets = auto_approval.would_let_many(list(looks.values()), actor.user_id)
        counts |= {pk for pk, let in zip(looks, lets, strict=True) if let}
    return counts


def _held(actor: Actor, customer_id: int, contexts: Mapping[int, BookingContext], now: datetime) -> dict[int, BookingContext]:
    """The contexts as they are for the actor and that customer."""
    found = only_with_approval.applied_to_all(list(contexts.values()), actor.user_id, customer_id, now)
    return {one.instrument.pk: one for one in found}


def _payable_now_fen(actor: Actor, entry: WaitEntry, during: TimeRange, now: datetime) -> int | None:
    """What would be paid for the time on offer; None without a price."""
    preview = _preview(actor, entry, during, now)
    return preview.assessment.payable_now_fen if preview else None


def _preview(actor: Actor, entry: WaitEntry, during: TimeRange, now: datetime) -> QuotePreview | None:
    """What the time on offer costs as it was asked for last; None without a price."""
    asked = (entry.organisation_id, entry.instrument_id)
    before = queries.before_of_each(actor, [asked])[asked]
    told = (entry.service_mode, before.research_project, actor.user_id, before.service_direction)
    try:
        return quotes.preview(actor, entry.instrument_id, entry.organisation_id, during, now, *told)
    except Refusal:
        return None


@login_required
@require_http_methods(["GET", "POST"])
def wait_join(request: HttpRequest, pk: int) -> HttpResponse:
    """Wait for an exact time (``start`` and ``end`` of the query), or for a length of time between two days."""
    actor, now = actor_of(request), timezone.now()
    context = booking_context.load(actor, pk, lock=False)
    typed = _typed(request, context, now)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            waiting.join(actor, _wish(context, typed), now)
        except NotFound:
            raise
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("You are on the list. When the time is free, it is kept for you and you are told."))
            return redirect("wait_list")
    organisations = queries.bookable_organisations(actor)
    page = {
        "instrument": context.instrument,
        "typed": typed,
        "organisations": organisations,
        "modes": context.instrument.service_modes,
        "zone_label": display.zone_label(now, context.zone.key),
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "waiting/join.html", page, status=status_of(refusal) if refusal else 200)


def _typed(request: HttpRequest, context: BookingContext, now: datetime) -> dict[str, str]:
    """The fields as typed, or as they begin."""
    data = request.POST if request.method == "POST" else request.GET
    usual = _usual(context, read_range(f"{data.get('start', '')}/{data.get('end', '')}"), now)
    return {name: str(data.get(name, value)).strip() or (value if name in _NEEDED else "") for name, value in usual.items()}


def _usual(context: BookingContext, exact: TimeRange | None, now: datetime) -> dict[str, str]:
    """What the fields begin with: a time that the address names, else three hours within a week."""
    rest = {"organisation": "", "service_mode": ""}
    if exact is None:
        first, last = (context.local_day(now) + timedelta(days=days) for days in (1, 7))
        return {"first_on": first.isoformat(), "from": "", "last_on": last.isoformat(), "to": "", "hours": "3", **rest}
    starts, ends = to_wall(exact.starts_at, context.zone), to_wall(exact.ends_at, context.zone)
    days = {"first_on": starts.date().isoformat(), "last_on": ends.date().isoformat()}
    minutes = most_within(exact, context.policy)
    return {**days, "from": f"{starts:%H:%M}", "to": f"{ends:%H:%M}", "hours": hours_text(minutes), **rest}


def _wish(context: BookingContext, typed: dict[str, str]) -> Wish:
    """What was typed. Raises Refusal with everything that cannot be read."""
    first, last = read_day(typed["first_on"]), read_day(typed["last_on"])
    reasons = [
        Reason("booking.day_unreadable", {}, name) for name, day in (("first_on", first), ("last_on", last)) if day is None
    ]
    if first is not None and last is not None and last < first:
        reasons.append(Reason("time_search.last_before_first", {}, "last_on"))
    minutes = read_hours(typed["hours"]) or 0
    if not 1 <= minutes <= 31 * 24 * 60:
        reasons.append(Reason("time_search.duration_unreadable", {}, "hours"))
    organisation = typed["organisation"]
    if not (organisation.isascii() and organisation.isdigit() and len(organisation) < 19):
        reasons.append(Reason("booking.organisation_missing", {}, "organisation"))
    if reasons or first is None or last is None:
        raise Refusal(*reasons)
    window = window_between(first, typed["from"], last, typed["to"], context.zone)
    modes = context.instrument.service_modes
    mode = typed["service_mode"] if typed["service_mode"] in modes else (modes or ["assisted"])[0]
    return Wish(context.instrument.pk, int(organisation), window, minutes, mode)


def _booking_address(entry: WaitEntry, before: Mapping[tuple[int, int], Before]) -> str:
    """Where the time on offer can be booked with its price, a card or a project, as any other time; empty while nothing is offered."""
    if entry.state != WaitState.OFFERED or entry.offered is None:
        return ""
    asked = BookingForm(organisation=str(entry.organisation_id), service_mode=entry.service_mode)
    asked = asked.as_before(before[entry.organisation_id, entry.instrument_id])
    zone = ZoneInfo(entry.instrument.site.time_zone)
    return reverse("reservation_create", args=[entry.instrument_id]) + "?" + asked.at(entry.offered, zone).query()


@login_required
@require_POST
def wait_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the time on offer: it is booked, or asked for where the lab looks at it first."""

    def act(actor: Actor, now: datetime) -> Done:
        card = chosen_card(actor, read_card(request.POST.get("fund_card", "")), now)
        taken = waiting.accept(actor, pk, now, Paying(card, None, read_expected(request.POST)))
        asked = taken.state == ReservationState.REQUESTED
        said = _("Request sent: the time is yours once the lab says yes.") if asked else _("Booked: the time is yours.")
        return Done(said, taken.reservation_id)

    return _answer(request, act)


@login_required
@require_POST
def wait_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the offer pass and wait on."""

    def act(actor: Actor, now: datetime) -> Done:
        waiting.decline(actor, pk, now)
        return Done(_("Passed on. You are still waiting."))

    return _answer(request, act)


@login_required
@require_POST
def wait_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Wait no longer."""

    def act(actor: Actor, now: datetime) -> Done:
        waiting.withdraw(actor, pk, now)
        return Done(_("You are no longer on the list."))

    return _answer(request, act)


@dataclass(frozen=True, slots=True)
class Done:
    """What an answer did, in words, and the booking that it made, if any."""

    said: str
    reservation_id: int | None = None


def _answer(request: HttpRequest, act: Callable[[Actor, datetime], Done]) -> HttpResponse:
    try:
        done = act(actor_of(request), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _list(request, refusal)
    messages.success(request, done.said)
    return redirect("reservation_detail", done.reservation_id) if done.reservation_id else redirect("wait_list")
