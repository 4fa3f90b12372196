"""The waiting list: when time frees, who has waited longest is offered it first, alone, for an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse

from booking import queries
from booking.models import Occupancy, OccupancySource, WaitEntry
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.rules.slots import first_fit
from booking.rules.waiting import LEAST_TO_ANSWER, REST, WaitEvent, WaitState, look_on_from, next_wait_state, offer_expires
from booking.services import context as booking_context
from booking.services import downtime_rows, holds, reservations
from booking.services.context import BookingContext
from booking.services.holds import OFFERED
from booking.services.refusing import BOOKING_ROLES, refusal_reasons
from booking.services.reservations import ReservationRequest, Reserved
from booking.services.taken import NobodyCan
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import transactions
from config.kernel.services.parking import each_parked
from config.kernel.time_range import TimeRange
from instruments.models import InstrumentStatus, Membership, OrganisationStatus
from instruments.services.notices import News, person, settle, tell
from instruments.services.people import one_at_a_time

MOST_WAITING = 10
LONGEST_WINDOW = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class Wish:
    """``minutes`` anywhere in ``window``; for an exact time the window is that time."""

    instrument_id: int
    organisation_id: int
    window: TimeRange
    minutes: int
    service_mode: str


def join(actor: Actor, wish: Wish, now: datetime) -> WaitEntry:
    """Wait for a time. Raises NotFound, Forbidden, Refusal ``wait.too_many``, ``wait.already`` (for just this), ``wait.window``,
    ``wait.length``, ``wait.past``, ``wait.retired``, ``booking.service_mode_unknown``."""

    def work() -> WaitEntry:
        person_id = one_at_a_time(actor)
        if wish.organisation_id not in actor.organisations(*BOOKING_ROLES):
            raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
        context = booking_context.load(actor, wish.instrument_id, lock=False, customer_id=wish.organisation_id)
        _refuse_wish(context, wish, now)
        open_ones = WaitEntry.objects.filter(requested_by=person_id, state__in=[WaitState.WAITING, WaitState.OFFERED])
        wanted = {
            "instrument": context.instrument,
            "organisation_id": wish.organisation_id,
            "service_mode": wish.service_mode,
            "minutes": wish.minutes,
            "first_at": wish.window.starts_at,
            "last_at": wish.window.ends_at,
        }
        if open_ones.filter(**wanted).exists():
            raise Refusal.of("wait.already")
        if open_ones.count() >= MOST_WAITING:
            raise Refusal.of("wait.too_many", most=MOST_WAITING)
        return WaitEntry.objects.create(requested_by_id=person_id, state=WaitState.WAITING, created_at=now, **wanted)

    return transactions.run(work)


def _refuse_wish(context: BookingContext, wish: Wish, now: datetime) -> None:
    minutes = timedelta(minutes=wish.minutes)
    if context.instrument.status == InstrumentStatus.RETIRED:
        raise Refusal.of("wait.retired")
    if wish.window.ends_at <= now + minutes:
        raise Refusal.of("wait.past", "ends_at")
    if wish.window.duration > LONGEST_WINDOW:
        raise Refusal.of("wait.window", "ends_at", days=LONGEST_WINDOW.days)
    modes = context.instrument.service_modes
    if wish.service_mode not in (modes or [wish.service_mode]):
        raise Refusal.of("booking.service_mode_unknown", "service_mode", known=modes)
    policy = context.policy
    if not policy.may_last(wish.minutes) or minutes > wish.window.duration:
        limits = {"shortest_minutes": policy.shortest_on_grid_minutes, "longest_minutes": policy.max_minutes}
        raise Refusal.of("wait.length", "minutes", step=policy.granularity_minutes, **limits)


def withdraw(actor: Actor, entry_id: int, now: datetime) -> None:
    """Wait no longer. Raises NotFound, Refusal ``wait.not_now``."""
    _answer(actor, entry_id, WaitEvent.WITHDRAW, now)


def decline(actor: Actor, entry_id: int, now: datetime) -> None:
    """Let an offer pass and wait on; the next in the list is asked. Raises NotFound, Refusal ``wait.not_now``."""
    _answer(actor, entry_id, WaitEvent.PASS, now)


@dataclass(frozen=True, slots=True)
class Paying:
    """What takes an offer beside the time: the card that pays, the project (None: that of last time), and the figures that were seen."""

    fund_card_id: int | None = None
    research_project: str | None = None
    expected: ExpectedFigures = NOTHING_EXPECTED


AS_BEFORE = Paying()


def accept(actor: Actor, entry_id: int, now: datetime, paying: Paying = AS_BEFORE) -> Reserved:
    """Take what is offered: it is booked (or asked for) in one transaction, for what the person asked for last.

    Raises as ``reservations.reserve``, and ``wait.not_now``.
    """

    def work() -> Reserved:
        entry = _locked(actor, entry_id)
        during = entry.offered
        after = next_wait_state(WaitState(entry.state), WaitEvent.ACCEPT)
        if during is None or entry.offer_expires_at is None or entry.offer_expires_at <= now:
            raise Refusal.of("wait.offer_over")
        request = _request(actor, entry, during, paying)
        reserved = reservations.reserve(actor, request, now, idempotency_key=f"wait-{entry.pk}-{entry.offers}")
        entry.state, entry.reservation_id = after, reserved.reservation_id
        entry.save(update_fields=["state", "reservation"])
        settle(entry, [OFFERED], now)
        return reserved

    return transactions.run(work)


def _request(actor: Actor, entry: WaitEntry, during: TimeRange, paying: Paying) -> ReservationRequest:
    """One press fills in what the form would; a card only where it was chosen."""
    asked = (entry.organisation_id, entry.instrument_id)
    before = queries.before_of_each(actor, [asked])[asked]
    return ReservationRequest(
        entry.instrument_id,
        entry.organisation_id,
        during,
        entry.service_mode,
        purpose=before.purpose,
        research_project=before.research_project if paying.research_project is None else paying.research_project,
        service_direction=before.service_direction,
        fund_source=before.fund_source,
        fund_card_id=paying.fund_card_id,
        expected=paying.expected,
    )


def offer_free_time(now: datetime) -> int:
    """Offer what is free to those who wait, the longest waiting first; returns how many were asked. Safe to repeat.

    Who let an offer pass rests, and then stands behind those who were waiting already: the others come first. Nobody is asked who could
    not say yes: what is waited for by who has left is closed, and for a suspended organisation it waits.
    """
    _end_what_is_over(now)
    waiting = WaitEntry.objects.filter(Q(passed_at=None) | Q(passed_at__lte=now - REST), state=WaitState.WAITING)
    in_turn = (
        waiting.exclude(organisation__status=OrganisationStatus.SUSPENDED)
        .order_by(Coalesce("passed_at", "created_at"), "pk")
        .values_list("pk", flat=True)
    )
    seen: dict[int, BookingContext] = {}
    return each_parked(list(in_turn), lambda pk: _offered(pk, seen, now), "entry of the waiting list")


def _offered(entry_id: int, seen: dict[int, BookingContext], now: datetime) -> bool:
    """Whether it was; not where whoever would have assisted got something else at that moment."""
    try:
        return transactions.run(lambda: _offer(entry_id, seen, now))
    except NobodyCan:
        return False


def _offer(entry_id: int, seen: dict[int, BookingContext], now: datetime) -> bool:
    """Locks the calendar only where a look without a lock (the contexts in ``seen``, each read once) finds something."""
    entry = WaitEntry.objects.select_related("organisation").filter(pk=entry_id, state=WaitState.WAITING).first()
    if entry is None or _is_asked_already(entry):
        return False
    if entry.instrument_id not in seen:
        seen[entry.instrument_id] = booking_context.load_unlocked(entry.instrument_id)
    if _fit(seen[entry.instrument_id].for_customer(entry.organisation), entry, now, lock=False) is None:
        return False
    context = booking_context.load_locked(entry.instrument_id).for_customer(entry.organisation)
    entry = WaitEntry.objects.select_for_update(no_key=True).select_related("organisation").get(pk=entry_id)
    is_next = entry.state == WaitState.WAITING and not _is_asked_already(entry)
    during = _fit(context, entry, now, lock=True) if is_next else None
    if during is None:
        return False
    expires_at = offer_expires(now, during.starts_at)
    kept_for = (entry.requested_by_id, during, entry.service_mode, now)
    holds.keep(context, *kept_for, since=now, expires_at=expires_at, entry_id=entry.pk)
    entry.state = next_wait_state(WaitState.WAITING, WaitEvent.OFFER)
    entry.offers += 1
    entry.offered_starts_at, entry.offered_ends_at, entry.offer_expires_at = during.starts_at, during.ends_at, expires_at
    entry.save()
    _tell(context, entry, now)
    return True


def _is_asked_already(entry: WaitEntry) -> bool:
    """Whether another time of the instrument is on offer to the same person: one at a time, so that the next in the list is asked too."""
    open_ones = WaitEntry.objects.filter(state=WaitState.OFFERED, requested_by=entry.requested_by_id)
    return open_ones.filter(instrument=entry.instrument_id).exists()


def _tell(context: BookingContext, entry: WaitEntry, now: datetime) -> None:
    """The person has an hour: this cannot wait for a digest."""
    instrument, during = context.instrument, entry.offered
    if during is None or entry.offer_expires_at is None:
        return
    times = {"starts_at": during.starts_at, "ends_at": during.ends_at, "until_at": entry.offer_expires_at}
    params = {name: moment.astimezone(context.zone).isoformat() for name, moment in times.items()}
    params |= {"instrument": instrument.name, "instrument_en": instrument.name_en, "zone": context.zone.key}
    news = News(OFFERED, params, reverse("wait_list"), entry, instrument.organisation_id)
    tell(news, person(entry.requested_by_id), now)


def _fit(context: BookingContext, entry: WaitEntry, now: datetime, *, lock: bool) -> TimeRange | None:
    """The first free range within the window that the person may book and has time to answer for."""
    earliest = max(entry.first_at, now + LEAST_TO_ANSWER)
    window = TimeRange(earliest, entry.last_at) if entry.last_at > earliest else None
    if window is None:
        return None
    policy, person_id = context.policy, entry.requested_by_id
    calendar_id, around = context.instrument.calendar_id, window.widened(timedelta(days=1), timedelta(days=1))
    busy = [*booking_context.busy_ranges(calendar_id, around), *downtime_rows.in_the_way(calendar_id, around)]
    free = booking_context.free_times(context, window, busy, now, entry.service_mode)
    while window is not None:
        during = first_fit(timedelta(minutes=entry.minutes), free, policy, context.zone, now, window)
        if during is None or during.ends_at > entry.last_at:
            return None
        reasons = refusal_reasons(context, person_id, entry.organisation, during, entry.service_mode, now, lock=lock)
        if not reasons:
            return during
        later = look_on_from(reasons, during, policy, context.zone)
        window = TimeRange(later, entry.last_at) if later is not None and during.starts_at < later < entry.last_at else None
    return None


def _end_what_is_over(now: datetime) -> None:
    """Offers that nobody took or could take, or whose time nothing keeps any more, pass on; entries whose window is over lapse, and those
    of who has left their organisation or the platform: nobody is told of that."""
    kept = Occupancy.objects.filter(source=OccupancySource.OFFER, wait_entry=OuterRef("pk"))
    suspended = Q(organisation__status=OrganisationStatus.SUSPENDED)
    over = Q(offer_expires_at__lte=now) | ~Exists(kept) | suspended
    books = Membership.objects.filter(
        user=OuterRef("requested_by"), organisation=OuterRef("organisation"), role__in=BOOKING_ROLES, user__is_active=True
    )
    left = WaitEntry.objects.filter(~Exists(books), state__in=[WaitState.WAITING, WaitState.OFFERED]).order_by("pk")
    passed = WaitEntry.objects.filter(over, state=WaitState.OFFERED).order_by("pk")
    lapsed = WaitEntry.objects.filter(state=WaitState.WAITING, last_at__lte=now).order_by("pk")
    for rows, event in ((left, WaitEvent.LAPSE), (passed, WaitEvent.PASS), (lapsed, WaitEvent.LAPSE)):
        _end_each(rows, event, now)


def _end_each(rows: QuerySet[WaitEntry], event: WaitEvent, now: datetime) -> None:
    """One step for each; what somebody answered meanwhile is as they said."""

    def work(pk: int) -> None:
        entry = _row(pk)
        if rows.filter(pk=pk).exists():
            holds.step(entry, event, now)

    each_parked(list(rows.values_list("pk", flat=True)), work, "entry of the waiting list")


def _answer(actor: Actor, entry_id: int, event: WaitEvent, now: datetime) -> None:
    transactions.run(lambda: holds.step(_locked(actor, entry_id), event, now))


def _locked(actor: Actor, entry_id: int) -> WaitEntry:
    """The actor's own entry: nobody answers for another."""
    entry = get_visible(WaitEntry.objects.all(), actor, pk=entry_id)
    if entry.requested_by_id != actor.user_id:
        raise Forbidden.of("wait.not_yours")
    return _row(entry_id)


def _row(entry_id: int) -> WaitEntry:
    """The entry behind its calendar's lock and its own: the same order as everywhere."""
    entry = WaitEntry.objects.get(pk=entry_id)
    booking_context.load_locked(entry.instrument_id)
    return WaitEntry.objects.select_for_update(of=("self",), no_key=True).select_related("instrument").get(pk=entry_id)
