"""Time in which an instrument is out of service: why, what may become of each booking in it, and which other times are offered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from booking.rules.policy import BookingPolicy
from booking.rules.slots import free_ranges, nearest_alternatives
from booking.rules.states import ReservationState
from config.kernel.time_range import TimeRange

MOST_TIMES = 3
"""Times that are offered for one booking."""
MOST_DECIDED = 100
"""Bookings that are looked at in one go; the others come after them."""


class DowntimeKind(StrEnum):
    """A breakdown begins now and says that the instrument does not run; the others are planned."""

    BREAKDOWN = "breakdown"
    CALIBRATION = "calibration"
    SERVICE = "service"
    CONSUMABLES = "consumables"
    OTHER = "other"


class Choice(StrEnum):
    """What the lab does with a booking: it keeps its place and waits, gets other times offered, or is cancelled on the lab's side."""

    KEEP = "keep"
    OFFER = "offer"
    CANCEL = "cancel"


class Became(StrEnum):
    """What became of a booking; ``ended``: its session was running and ended by the fault; ``failed``: nothing, with reasons."""

    KEPT = "kept"
    OFFERED = "offered"
    CANCELLED = "cancelled"
    ENDED = "ended"
    FAILED = "failed"


def choices_for(state: ReservationState, starts_at: datetime, now: datetime, *, asks_oneself: bool) -> tuple[Choice, ...]:
    """What the lab may choose for a booking that an outage hits, the usual choice first; a running session ends without being asked.

    Who has begun cannot be offered another time, and has nothing to wait for; nobody is offered times by oneself (``asks_oneself``).
    """
    if state not in (ReservationState.REQUESTED, ReservationState.APPROVED):
        return ()
    if starts_at <= now:
        return (Choice.CANCEL,)
    return (Choice.KEEP, Choice.CANCEL) if asks_oneself else (Choice.KEEP, Choice.OFFER, Choice.CANCEL)


def share_out(
    wanted: Sequence[TimeRange],
    opening: Sequence[TimeRange],
    busy: Sequence[TimeRange],
    policy: BookingPolicy,
    zone: ZoneInfo,
    now: datetime,
    most: int = MOST_TIMES,
) -> list[list[TimeRange]]:
    """For each booked range up to ``most`` free ones of the same length, nearest first, and none for two of them.

    All get their first before anyone gets a second, in the order given. ``busy`` are the occupancies with their buffers, the outage among
    them; ``opening`` bounds the search.
    """
    taken = list(busy)
    shares: list[list[TimeRange]] = [[] for _each in wanted]
    for _turn in range(most):
        free = free_ranges(opening, taken, policy, now)
        for share, during in zip(shares, wanted, strict=True):
            found = nearest_alternatives(during, free, policy, zone, now, 1)
            if found:
                share.append(found[0])
                taken.append(policy.occupied(found[0]))
                free = free_ranges(opening, taken, policy, now)
    return shares


def next_due(last_at: datetime, months: int | None, zone: ZoneInfo) -> datetime | None:
    """When maintenance that comes every ``months`` is due after ``last_at``: the same day and hour on the clock there, or the month's last
    day. None for a plan that counts no months."""
    if months is None:
        return None
    local = last_at.astimezone(zone)
    month = local.month - 1 + months
    year, month = local.year + month // 12, month % 12 + 1
    day = min(local.day, _days_of(year, month))
    return local.replace(year=year, month=month, day=day)


def _days_of(year: int, month: int) -> int:
    first = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001  (a calendar's month, no instant)
    return (first - timedelta(days=1)).day
