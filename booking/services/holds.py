"""A time kept for the one who is filling in the form (or was offered it), for minutes: the one writer of holds.

A person has one hold on a calendar and a few in all. What has expired goes when somebody needs the time, and with a job.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.types.range import TimestamptzRange

from booking.models import Occupancy, OccupancySource
from booking.services import conflicts
from booking.services import context as booking_context
from booking.services.context import BookingContext
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.services import transactions
from config.kernel.time_range import TimeRange
from instruments.services.people import one_at_a_time

MOST_HOLDS = 3
LONGEST_TIMES = 3
"""A hold can be renewed until it has lasted so many times the lab's minutes."""


@dataclass(frozen=True, slots=True)
class Held:
    """Until when ``during`` is kept; ``renewable``: whether that can be made later once more."""

    during: TimeRange
    expires_at: datetime
    renewable: bool


def hold(actor: Actor, instrument_id: int, during: TimeRange, now: datetime) -> Held:
    """Keep ``during`` (without buffers) for the person, instead of what they held of this calendar; the same time is renewed.

    Raises NotFound, Forbidden for nobody, Refusal ``hold.too_many``, ``hold.over``, ``booking.in_the_past`` and what closes it, Conflict
    ``booking.just_taken``.
    """

    def work() -> Held:
        person_id = one_at_a_time(actor)
        context = booking_context.load(actor, instrument_id, lock=True)
        reasons = context.closed_reasons(during)
        Refusal.raise_any(reasons)
        if during.starts_at <= now:
            raise Refusal.of("hold.past", "starts_at")
        return _hold(context, person_id, during, now)

    with conflicts.answered(actor, instrument_id, during, now):
        return transactions.run(work)


def _hold(context: BookingContext, person_id: int, during: TimeRange, now: datetime) -> Held:
    calendar_id, occupied = context.instrument.calendar_id, context.policy.occupied(during)
    own = Occupancy.objects.filter(source=OccupancySource.HOLD, holder=person_id)
    before = own.filter(calendar_id=calendar_id).first()
    same = before is not None and (before.during.lower, before.during.upper) == (occupied.starts_at, occupied.ends_at)
    since = before.held_since if before is not None and before.held_since is not None and same else now
    minutes = timedelta(minutes=context.policy.hold_minutes)
    expires_at = min(now + minutes, since + LONGEST_TIMES * minutes, during.starts_at)
    if expires_at <= now:
        raise Refusal.of("hold.over", "starts_at")
    if own.filter(expires_at__gt=now).exclude(calendar_id=calendar_id).count() >= MOST_HOLDS:
        raise Refusal.of("hold.too_many", "starts_at", most=MOST_HOLDS)
    clear(calendar_id, occupied, person_id, now)
    own.filter(calendar_id=calendar_id).delete()
    keep(context, person_id, during, since, expires_at)
    return Held(during, expires_at, expires_at < since + LONGEST_TIMES * minutes)


def keep(context: BookingContext, person_id: int, during: TimeRange, since: datetime, expires_at: datetime) -> None:
    """Write the hold; the calendar is locked. Raises ``conflicts.Taken``."""
    occupied = context.policy.occupied(during)
    if booking_context.busy_ranges(context.instrument.calendar_id, occupied):
        raise conflicts.Taken
    Occupancy.objects.create(
        calendar_id=context.instrument.calendar_id,
        during=TimestamptzRange(occupied.starts_at, occupied.ends_at),
        blocking=True,
        source=OccupancySource.HOLD,
        holder_id=person_id,
        held_since=since,
        expires_at=expires_at,
    )


_CLEAR = """
DELETE FROM booking_occupancy
 WHERE source = 'hold' AND int8range(calendar_id, calendar_id, '[]') && int8range(%(calendar)s, %(calendar)s, '[]')
   AND during && %(during)s AND (expires_at <= %(now)s OR holder_id = %(person)s)
"""


def clear(calendar_id: int, occupied: TimeRange, person_id: int | None, now: datetime) -> None:
    """Take away the holds in the way of a person: those that have expired, and the person's own. The calendar is locked."""
    during = TimestamptzRange(occupied.starts_at, occupied.ends_at)
    values: dict[str, Any] = {"calendar": calendar_id, "during": during, "now": now, "person": person_id}
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR, values)


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
