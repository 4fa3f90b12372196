"""A running session goes on for longer, behind the calendar's lock, with the money held anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg.types.range import TimestamptzRange

from booking import credit_queries, ports
from booking.models import Means, Occupancy, OccupancySource, Reservation, UsageSession
from booking.ports import ExpectedFigures
from booking.rules.changes import ChangeState, Side, counting
from booking.rules.extension import MOST_OFFERED, Room, extension_faults, nothing_offered, offered_ends, room_after
from booking.rules.licensing import OF_TRAINING
from booking.rules.states import Action, ReservationState, next_state
from booking.services import acting, assisting, conflicts, downtime_rows, holds, notices, spending, times
from booking.services.context import BookingContext, of_reservation
from booking.services.refusing import refusal_reasons
from booking.services.sides import require_lab
from booking.services.standing import licences_count
from booking.services.state_writing import lock_row as behind_lock
from booking.services.state_writing import move
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit, transactions
from config.kernel.time_range import TimeRange
from instruments.models import User
from instruments.rules.registry_values import clean_text

LOOK_AHEAD = timedelta(days=2)
REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Extensible:
    """The ends to which a session can go on now, soonest first, in ``zone``; without any, ``reasons`` say why the soonest is none."""

    ends: list[datetime]
    zone: ZoneInfo
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wish:
    """``side``: who makes the session longer. ``require`` raises where they may not, behind the lock; ``tell`` says that it was done."""

    ends_at: datetime
    expected: ExpectedFigures
    side: Side
    require: Callable[[Reservation], None]
    tell: Callable[[Reservation], None]
    reason: str = ""


def extend(actor: Actor, reservation_id: int, ends_at: datetime, expected: ExpectedFigures, now: datetime) -> None:
    """The customer lets the own running session end later. ``expected``: the figures of the whole session that were shown for it.

    Raises NotFound, Forbidden ``booking.not_your_time`` / ``card.not_your_spending``, Refusal ``consent.over``,
    ``booking.illegal_transition``, ``booking.extension_*`` (each says what is free) and every rule of a new booking that the longer time
    breaks (licences, quotas, measures, ...), Conflict ``booking.just_taken``, ``billing.figures_differ``.
    """
    found = get_visible(Reservation.objects.select_related("instrument"), actor, pk=reservation_id)
    acting.require_acting(found, actor, now)

    def require(locked: Reservation) -> None:
        acting.require_acting(locked, actor, now, lock=True)
        acting.require_paying(locked, actor, now)

    def tell(locked: Reservation) -> None:
        notices.defer(locked, "extended", now)

    _go_on(actor, found, _Wish(ends_at, expected, Side.CUSTOMER, require, tell), now)


def extend_for_customer(
    actor: Actor, reservation_id: int, ends_at: datetime, expected: ExpectedFigures, reason: str, now: datetime
) -> None:
    """The lab's staff let a customer's running session end later, because the customer asked: ``reason`` says who did and how. It stands in
    the history, and the customer is told, with what is to pay.

    Raises what ``extend`` does, Forbidden for who does not manage the instrument, ``booking.person_does_not_spend`` (``person``,
    ``leader``) where whom it is booked for no longer spends from its card, Refusal ``booking.extension_reason_missing`` (``reason``).
    """
    found = get_visible(Reservation.objects.select_related("instrument"), actor, pk=reservation_id)
    require_lab(found, actor)
    words = clean_text(reason, REASON_LENGTH, "reason")
    if not words:
        raise Refusal.of("booking.extension_reason_missing", "reason")

    def require(locked: Reservation) -> None:
        require_lab(locked, actor)
        acting.require_person_paying(locked, now)

    def tell(locked: Reservation) -> None:
        notices.defer(locked, "extended", now, not_to={"reservation.extended"})
        payable_now_fen = ports.money().payable_now_fen(locked)
        notices.defer(locked, "extended_for_you", now, staff=actor.name, reason=words, payable_now_fen=payable_now_fen)

    _go_on(actor, found, _Wish(ends_at, expected, Side.LAB, require, tell, words), now)


def _go_on(actor: Actor, found: Reservation, wish: _Wish, now: datetime) -> None:
    ends_at, expected = wish.ends_at, wish.expected

    def work() -> None:
        locked = behind_lock(found.pk)
        wish.require(locked)
        next_state(ReservationState(locked.state), Action.EXTEND)
        context = of_reservation(locked)
        room = _room(context, locked, now)
        Refusal.raise_any(extension_faults(locked.during, ends_at, room, context.policy, context.zone, now))
        longer = TimeRange(locked.starts_at, ends_at)
        Refusal.raise_any(_broken_rules(context, locked, longer, now, lock=True))
        before = locked.ends_at
        move(locked, Action.EXTEND, actor, now, wish.reason)
        times.record(locked, longer, wish.side, ChangeState.MADE, actor, expected, now, wish.reason)
        occupied = _occupied(context, locked, longer)
        holds.clear(context.instrument.calendar_id, occupied, now, locked.requested_by_id)
        assisting.end_expired(assisting.calendars_of(locked), occupied, now)
        times.set_time(locked, longer, occupied)
        after = {"ends_at": ends_at.isoformat()}
        audit.record(
            actor, "reservation.longer", locked, now, before={"ends_at": before.isoformat()}, after=after, reason=wish.reason
        )
        spending.refuse_other_days(locked, longer, actor)
        settled_fen = spending.settled_fen(locked)
        ports.money().on_extend(locked, actor, expected, now)
        spending.judge(locked, now, settled_fen)
        wish.tell(locked)

    wanted = TimeRange(found.starts_at, max(ends_at, found.ends_at))
    with conflicts.answered(actor, found.instrument_id, wanted, now, found.organisation_id):
        transactions.run(work)


def extensible(reservation: Reservation, now: datetime, most: int = MOST_OFFERED) -> Extensible:
    """What may be offered for a reservation in hand (with instrument, site, policy and customer), ``most`` ends at most; writes and
    locks nothing."""
    context = of_reservation(reservation)
    if reservation.state != ReservationState.IN_USE:
        return Extensible([], context.zone)
    window = context.policy.occupied(TimeRange(reservation.starts_at, reservation.ends_at + LOOK_AHEAD))
    context = replace(
        context,
        keeps_standing=credit_queries.keeps_standing(reservation.instrument_id),
        has_outages=bool(downtime_rows.in_the_way(context.instrument.calendar_id, window)),
    )
    room = _room(context, reservation, now)
    ends = offered_ends(reservation.during, room, context.policy, context.zone, now)
    if not ends:
        return Extensible([], context.zone, (nothing_offered(reservation.during, room, context.policy, context.zone, now),))
    first: list[Reason] = []
    allowed: list[datetime] = []
    for end in ends:
        broken = _broken_rules(context, reservation, TimeRange(reservation.starts_at, end), now, lock=False)
        first = first or broken
        if not broken:
            allowed.append(end)
        if len(allowed) == most:
            break
    return Extensible(allowed, context.zone, () if allowed else tuple(first))


def _room(context: BookingContext, reservation: Reservation, now: datetime) -> Room:
    """Holds that have expired, or are the person's own of this instrument, leave room."""
    window = TimeRange(reservation.starts_at, reservation.ends_at + LOOK_AHEAD)
    own = Occupancy.objects.filter(
        calendar_id=context.instrument.calendar_id, source=OccupancySource.HOLD, holder_id=reservation.requested_by_id
    )
    others = (
        Occupancy.objects.filter(
            calendar_id__in=assisting.calendars_of(reservation),
            blocking=True,
            during__overlap=TimestamptzRange(window.starts_at, window.ends_at),
        )
        .exclude(reservation_id=reservation.pk)
        .exclude(expires_at__lte=now)
        .exclude(pk__in=own)
        .exclude(beside__in=own)
    )
    busy = [TimeRange(one.lower, one.upper) for one in others.values_list("during", flat=True)]
    return room_after(reservation.during, context.opening(window), busy)


def _broken_rules(
    context: BookingContext, reservation: Reservation, longer: TimeRange, now: datetime, *, lock: bool
) -> list[Reason]:
    """The lab's rules that the longer time would break; the session itself is not counted twice, nor its start judged again.

    Quotas and measures are those of whom it is booked for; the licence is that of who works at the instrument. Where they are two, a
    refusal for want of a licence names the one whose it is.
    """
    there_id = _who_is_there(context, reservation)
    reasons = refusal_reasons(
        context,
        reservation.requested_by_id,
        reservation.organisation,
        longer,
        reservation.service_mode,
        now,
        lock=lock,
        without_id=reservation.pk,
        assistance=False,
        licensed_id=there_id,
    )
    broken = counting(reasons, reservation.during, longer)
    if there_id not in (None, reservation.requested_by_id) and any(one.code in OF_TRAINING for one in broken):
        broken.append(Reason("booking.extension_licence_of", {"person": str(User.objects.get(pk=there_id))}))
    return broken


def _who_is_there(context: BookingContext, reservation: Reservation) -> int | None:
    """Who started it at the instrument works there. None: whom it is booked for, since the lab or a device checked in, or where no licence
    is asked for."""
    if not licences_count(context, reservation.service_mode):
        return None
    begun = UsageSession.objects.filter(reservation=reservation, started_by_means=Means.PHONE)
    return begun.values_list("checked_in_by_id", flat=True).first()


def _occupied(context: BookingContext, locked: Reservation, longer: TimeRange) -> TimeRange:
    """What the session takes of the calendar then; an early start stays as it was taken."""
    taken = Occupancy.objects.get(reservation=locked, source=OccupancySource.RESERVATION).during
    wanted = context.policy.occupied(longer)
    return TimeRange(min(taken.lower, wanted.starts_at), max(taken.upper, wanted.ends_at))
