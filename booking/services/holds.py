"""A time kept for the one who is filling in the form, for minutes, or for the one who was offered it: the one writer of both.

A person has one hold on a calendar and a few in all. What has expired goes when somebody needs the time, and with a job. What the
person does with a hold leaves offers alone: those are ended by their answer (``booking.services.waiting``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef
from psycopg.types.range import TimestamptzRange

from booking.models import InstrumentAssistant, Occupancy, OccupancySource, Reservation, WaitEntry
from booking.rules.assistance import ASSISTED, meant_mode
from booking.rules.states import ReservationState
from booking.rules.waiting import MOST_OFFERS, WaitEvent, WaitState, next_wait_state
from booking.services import assisting, conflicts, consents
from booking.services import context as booking_context
from booking.services.context import BookingContext
from booking.services.refusing import BOOKING_ROLES, refusal_reasons
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, Reason, Refusal
from config.kernel.services import transactions
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange
from instruments.models import Organisation
from instruments.services.notices import settle
from instruments.services.people import one_at_a_time

MOST_HOLDS = 3
OFFERED = "waiting.offered"
LONGEST_TIMES = 3
"""A hold can be renewed until it has lasted so many times the lab's minutes."""


@dataclass(frozen=True, slots=True)
class Held:
    """Until when ``during`` is kept; ``renewable``: whether that can be made later once more."""

    during: TimeRange
    expires_at: datetime
    renewable: bool


def hold(
    actor: Actor,
    instrument_id: int,
    during: TimeRange,
    now: datetime,
    customer_id: int | None = None,
    service_mode: str = "",
    for_person_id: int | None = None,
    *,
    renew: bool = True,
) -> Held:
    """Keep ``during`` (without buffers) for the person, instead of what they held of this calendar; a time that overlaps it is the same
    hold, renewed. Without a customer it is for any organisation for which the person may book, without a mode of service for any that the
    instrument has. For assisted use the time of somebody who can assist is kept too.

    For a colleague (``for_person_id``, with a customer) the rules are theirs; the hold stays the actor's. Without ``renew`` a time that
    they hold already is kept as long as it was: a form that is opened twice, or looked at again, keeps it no longer.

    Raises NotFound, Forbidden for who may book for nobody, Refusal with every rule that is broken, ``consent.missing``, ``hold.past``,
    ``hold.too_many``, ``hold.over``, ``hold.offered`` (it is kept for the person by the waiting list), Conflict ``booking.just_taken``,
    ``booking.nobody_assists``.
    """

    def work() -> Held:
        person_id = one_at_a_time(actor)
        mine = actor.organisations(*BOOKING_ROLES)
        if not mine or (customer_id is not None and customer_id not in mine):
            raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
        context = booking_context.load(actor, instrument_id, lock=True)
        if during.starts_at <= now:
            raise Refusal.of("hold.past", "starts_at")
        whose = actor if customer_id is None else consents.in_the_name_of(actor, customer_id, for_person_id, now)
        modes = [service_mode] if service_mode else context.instrument.service_modes or [""]
        customers = mine if customer_id is None else {customer_id}
        _refuse_broken(context, whose.person_id, customers, modes, during, now, holder_id=person_id)
        return _hold(context, person_id, during, service_mode, now, renew=renew)

    with conflicts.answered(actor, instrument_id, during, now, customer_id, service_mode):
        return transactions.run(work)


def _refuse_broken(
    context: BookingContext,
    person_id: int,
    customer_ids: Iterable[int],
    modes: Sequence[str],
    during: TimeRange,
    now: datetime,
    *,
    holder_id: int,
) -> None:
    """Who could not book the time for any of these customers, used in any of these modes, does not keep it from others; then what stands
    least against it is said."""
    least: list[Reason] | None = None
    for customer, mode in product(Organisation.objects.filter(pk__in=customer_ids).order_by("pk"), modes):
        reasons = refusal_reasons(context, person_id, customer, during, mode, now, holder_id=holder_id)
        least = reasons if least is None or len(reasons) < len(least) else least
        if not least:
            return
    Refusal.raise_any(least or [])


def _hold(context: BookingContext, person_id: int, during: TimeRange, service_mode: str, now: datetime, *, renew: bool) -> Held:
    calendar_id, occupied = context.instrument.calendar_id, context.policy.occupied(during)
    own = Occupancy.objects.filter(source=OccupancySource.HOLD, holder=person_id)
    before = own.filter(calendar_id=calendar_id).first()
    since, stays_until = now, None
    if before is not None and before.held_since is not None:
        kept = TimeRange(before.during.lower, before.during.upper)
        since = before.held_since if kept.overlaps(occupied) else now
        stays_until = before.expires_at if kept == occupied and not renew else None
    minutes = timedelta(minutes=context.policy.hold_minutes)
    expires_at = min(now + minutes, since + LONGEST_TIMES * minutes, during.starts_at)
    if stays_until is not None and now < stays_until:
        expires_at = min(expires_at, stays_until)
    if expires_at <= now:
        raise Refusal.of("hold.over", "starts_at")
    if own.filter(expires_at__gt=now).exclude(calendar_id=calendar_id).count() >= MOST_HOLDS:
        raise Refusal.of("hold.too_many", "starts_at", most=MOST_HOLDS)
    clear(calendar_id, occupied, now, person_id)
    _refuse_offered(context, person_id, occupied)
    own.filter(calendar_id=calendar_id).delete()
    keep(context, person_id, during, service_mode, now, since=since, expires_at=expires_at)
    return Held(during, expires_at, _renewable(context, since, expires_at))


def _renewable(context: BookingContext, since: datetime, expires_at: datetime) -> bool:
    return expires_at < since + LONGEST_TIMES * timedelta(minutes=context.policy.hold_minutes)


def held(context: BookingContext, person_id: int | None, during: TimeRange, service_mode: str, now: datetime) -> Held | None:
    """What the person holds already, where it is just this time in this mode; only looks."""
    occupied = context.policy.occupied(during)
    rows = Occupancy.objects.filter(
        source=OccupancySource.HOLD,
        holder=person_id,
        calendar_id=context.instrument.calendar_id,
        during=TimestamptzRange(occupied.starts_at, occupied.ends_at),
        expires_at__gt=now,
    )
    named = InstrumentAssistant.objects.filter(instrument=context.instrument)
    kept = rows.annotate(helped=Exists(Occupancy.objects.filter(beside=OuterRef("pk"))), named=Exists(named)).first()
    if kept is None or kept.held_since is None or kept.expires_at is None:
        return None
    assisted = meant_mode(service_mode, context.instrument.service_modes) == ASSISTED
    if kept.helped != (assisted and kept.named):
        return None  # it keeps the time of somebody who is not needed, or nobody's where somebody is
    return Held(during, kept.expires_at, _renewable(context, kept.held_since, kept.expires_at))


def is_asked_for(context: BookingContext, during: TimeRange) -> bool:
    """Whether somebody waits for an answer about the time without keeping others from it: who only opened a form should not keep the lab
    from saying yes to them."""
    occupied = context.policy.occupied(during)
    return Occupancy.objects.filter(
        source=OccupancySource.RESERVATION,
        blocking=False,
        calendar_id=context.instrument.calendar_id,
        during__overlap=TimestamptzRange(occupied.starts_at, occupied.ends_at),
        reservation__state=ReservationState.REQUESTED,
    ).exists()


def _refuse_offered(context: BookingContext, person_id: int, occupied: TimeRange) -> None:
    """What the person was offered is kept for them already. Raises Refusal ``hold.offered``."""
    span = TimestamptzRange(occupied.starts_at, occupied.ends_at)
    offers = Occupancy.objects.filter(
        source=OccupancySource.OFFER, holder=person_id, calendar_id=context.instrument.calendar_id, during__overlap=span
    )
    until_at = offers.order_by("expires_at").values_list("expires_at", flat=True).first()
    if until_at is not None:
        raise Refusal.of("hold.offered", "starts_at", until_at=until_at.astimezone(context.zone).isoformat())


def keep(
    context: BookingContext,
    person_id: int,
    during: TimeRange,
    service_mode: str,
    now: datetime,
    *,
    since: datetime,
    expires_at: datetime,
    entry_id: int | None = None,
) -> None:
    """Write the hold, or the offer of an entry of the waiting list, with the time of somebody who can assist where it is for assisted use;
    the calendar is locked. Raises ``conflicts.Taken``."""
    occupied = context.policy.occupied(during)
    if booking_context.busy_ranges(context.instrument.calendar_id, occupied):
        raise conflicts.Taken
    kept = Occupancy.objects.create(
        calendar_id=context.instrument.calendar_id,
        during=TimestamptzRange(occupied.starts_at, occupied.ends_at),
        blocking=True,
        source=OccupancySource.HOLD if entry_id is None else OccupancySource.OFFER,
        wait_entry_id=entry_id,
        holder_id=person_id,
        held_since=since,
        expires_at=expires_at,
    )
    if meant_mode(service_mode, context.instrument.service_modes) == ASSISTED:
        assisting.keep(context.instrument, kept, during, context.zone, now)


_CLEAR = """
DELETE FROM booking_occupancy
 WHERE source IN ('hold', 'offer') AND int8range(calendar_id, calendar_id, '[]') && int8range(%(calendar)s, %(calendar)s, '[]')
   AND during && %(during)s
   AND (expires_at <= %(now)s OR (source = 'hold' AND holder_id = %(person)s)
        OR wait_entry_id IN (SELECT id FROM booking_waitentry
                              WHERE requested_by_id = %(person)s AND organisation_id = %(customer)s))
RETURNING wait_entry_id, expires_at <= %(now)s
"""


def clear(
    calendar_id: int, occupied: TimeRange, now: datetime, person_id: int | None = None, customer_id: int | None = None
) -> list[int]:
    """Take away what keeps a person from a time and does not count: what has expired, the person's own holds, and what the person was
    offered for the customer that books now. What they keep of the time of somebody who assists goes with them. Returns the entries of the
    waiting list whose offers those were; the calendar is an instrument's, and locked.
    """
    values: dict[str, Any] = {"calendar": calendar_id, "during": TimestamptzRange(occupied.starts_at, occupied.ends_at), "now": now,
                              "person": person_id, "customer": customer_id}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR, values)
        return [entry_id for entry_id, expired in cursor.fetchall() if entry_id is not None and not expired]


_IDLE = "SELECT during FROM booking_occupancy WHERE reservation_id = %s AND source = 'reservation' AND NOT blocking"


def clear_for(reservation: Reservation, now: datetime, person_id: int | None = None) -> None:
    """As ``clear`` where a reservation lies that keeps nobody out yet and is about to; its calendar is locked."""
    with planned_once() as cursor:
        cursor.execute(_IDLE, [reservation.pk])
        idle = cursor.fetchall()
    for (during,) in idle:
        clear(reservation.instrument.calendar_id, TimeRange(during.lower, during.upper), now, person_id)


def take_offers(entry_ids: Iterable[int], reservation_id: int, during: TimeRange, now: datetime) -> None:
    """Who books what was offered waits no longer, whichever page it was booked on; who books only beside it has let the offer pass."""
    taken = next_wait_state(WaitState.OFFERED, WaitEvent.ACCEPT)
    for entry in WaitEntry.objects.filter(pk__in=entry_ids, state=WaitState.OFFERED):
        if entry.offered is None or not during.contains(entry.offered):
            step(entry, WaitEvent.PASS, now)
            continue
        entry.state, entry.reservation_id = taken, reservation_id
        entry.save(update_fields=["state", "reservation"])
        settle(entry, [OFFERED], now)


def step(entry: WaitEntry, event: WaitEvent, now: datetime) -> None:
    """One step that ends an offer or the waiting; the time that was kept is free at once. The entry is locked, or its calendar is."""
    after = next_wait_state(WaitState(entry.state), event)
    if entry.state == WaitState.OFFERED:
        Occupancy.objects.filter(source=OccupancySource.OFFER, wait_entry=entry).delete()
        entry.offered_starts_at = entry.offered_ends_at = entry.offer_expires_at = None
    if event is WaitEvent.PASS:
        entry.passed_at = now
        after = WaitState.LAPSED if entry.offers >= MOST_OFFERS else after
    entry.state = after
    entry.save()
    settle(entry, [OFFERED], now)


def release(actor: Actor, instrument_id: int) -> None:
    """Give back what the person holds of an instrument's calendar. Raises NotFound."""

    def work() -> None:
        context = booking_context.load(actor, instrument_id, lock=True)
        Occupancy.objects.filter(
            source=OccupancySource.HOLD, holder=actor.person_id, calendar_id=context.instrument.calendar_id
        ).delete()

    transactions.run(work)


def release_expired(now: datetime) -> int:
    """Take away every hold that has expired; returns how many. Safe to repeat."""
    count, _by_model = Occupancy.objects.filter(source=OccupancySource.HOLD, expires_at__lte=now).delete()
    return count
