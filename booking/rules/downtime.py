"""Time in which an instrument is out of service: why, what may become of each booking in it, and which other times are offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from booking.rules.policy import BookingPolicy
from booking.rules.slots import free_ranges, nearest_alternatives
from booking.rules.states import ReservationState
from booking.rules.training import months_after
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange

MOST_TIMES = 3
"""Times that are offered for one booking."""
MOST_DECIDED = 100
"""Bookings that are looked at in one go; the others come after them."""
LONGEST = timedelta(days=366)
"""What is longer is a mistake in a year, or no outage but an end."""


def require_length(length: timedelta) -> None:
    """Raises Refusal ``maintenance.too_long``."""
    if length > LONGEST:
        raise Refusal.of("maintenance.too_long", "ends_local", days=LONGEST.days)


class DowntimeKind(StrEnum):
    """A breakdown begins now and says that the instrument does not run; the others are planned."""

    BREAKDOWN = "breakdown"
    CALIBRATION = "calibration"
    SERVICE = "service"
    CONSUMABLES = "consumables"
    OTHER = "other"


class Choice(StrEnum):
    """What the lab does with a booking: it keeps its place and waits, gets other times offered, or a time on another instrument of the
    lab, or is cancelled on the lab's side."""

    KEEP = "keep"
    OFFER = "offer"
    ANOTHER = "another"
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

    Who has begun cannot be offered another time or place, and has nothing to wait for; nobody is offered any by oneself
    (``asks_oneself``).
    """
    if state not in (ReservationState.REQUESTED, ReservationState.APPROVED):
        return ()
    if starts_at <= now:
        return (Choice.CANCEL,)
    return (Choice.KEEP, Choice.CANCEL) if asks_oneself else (Choice.KEEP, Choice.OFFER, Choice.ANOTHER, Choice.CANCEL)


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


def begins_before(starts_at: datetime, outage_starts_at: datetime, kind: DowntimeKind) -> bool:
    """Whether a booking may begin before the outage does: nothing begins on what is broken."""
    return kind is not DowntimeKind.BREAKDOWN and starts_at < outage_starts_at


def outage_reason(outage: TimeRange, zone: ZoneInfo) -> Reason:
    """Why nobody can book in it; its ends are ISO 8601 with the site's offset."""
    ends = {"closed_from": outage.starts_at, "closed_until": outage.ends_at}
    params = {name: moment.astimezone(zone).isoformat() for name, moment in ends.items()}
    return Reason("downtime.in_the_way", params, "starts_at")


@dataclass(frozen=True, slots=True)
class Due:
    """When planned work is due: by the calendar (None where it counts no months), and how many hours of use are left until then (None
    where it counts none)."""

    at: datetime | None
    hours_left: int | None

    def is_near(self, now: datetime, remind_days: int, every_hours: int | None) -> bool:
        """Whether one should be reminded: so many days before, or with a tenth of its hours left."""
        by_date = self.at is not None and self.at - timedelta(days=remind_days) <= now
        by_use = self.hours_left is not None and every_hours is not None and self.hours_left * 10 <= every_hours
        return by_date or by_use


def due_of(last_at: datetime, used_minutes: int, every_months: int | None, every_hours: int | None, zone: ZoneInfo) -> Due:
    """When it is due after ``last_at``, on the clock of ``zone``, with so many minutes of use since then."""
    at = months_after(last_at, every_months, zone).astimezone(zone) if every_months else None
    return Due(at, every_hours - used_minutes // 60 if every_hours else None)
