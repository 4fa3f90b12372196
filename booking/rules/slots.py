"""What is still free, how a day looks as a list of slots, and what to offer instead."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from booking.rules.grid import grid_point_from, grid_point_until, grid_points
from booking.rules.policy import BookingPolicy, satisfies
from config.kernel.time_range import TimeRange, subtract
from instruments.rules.opening import ClosedStretch, WhyClosed
from instruments.rules.wall_time import local_day

_MOMENT = timedelta(microseconds=1)
_FIRST_RADIUS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of a day's list: free, or ``why`` not.

    ``why`` is empty for a free slot, else ``booking.closed``, ``booking.in_the_past``, ``booking.too_soon``,
    ``booking.beyond_horizon``, ``booking.taken``, ``booking.gap_too_short`` (free, but in a gap between others
    that holds no reservation of the shortest allowed length) or ``booking.nobody_assists`` (free, but for whoever would have to assist;
    ``rules.assistance``). ``closed`` is the layer of the calendar that closes it.
    """

    range: TimeRange
    free: bool
    why: str
    closed: WhyClosed | None = None


def free_ranges(
    open_ranges: Sequence[TimeRange], busy: Sequence[TimeRange], policy: BookingPolicy, now: datetime
) -> list[TimeRange]:
    """Where a reservation may lie, from its start to its end: sorted, disjoint, none before the notice has passed.

    ``busy`` are other occupancies with their buffers. The reservation's own buffers are already taken off: they must
    fit beside the occupancies, but may reach outside the opening hours. The horizon is not applied.
    """
    keep_away = [
        taken.widened(
            before=timedelta(minutes=policy.buffer_after_minutes), after=timedelta(minutes=policy.buffer_before_minutes)
        )
        for taken in busy
    ]
    earliest = policy.earliest_start(now)
    return [
        TimeRange(max(free.starts_at, earliest), free.ends_at)
        for free in subtract(open_ranges, keep_away)
        if free.ends_at > earliest
    ]


def day_slots(
    free: Sequence[TimeRange],
    policy: BookingPolicy,
    zone: ZoneInfo,
    local_date: date,
    now: datetime,
    *,
    open_ranges: Sequence[TimeRange],
    closed: Sequence[ClosedStretch] = (),
    row_minutes: int | None = None,
) -> list[Slot]:
    """The local day as rows without a hole, each free or not and why.

    ``free`` is what ``free_ranges`` returned for ``open_ranges``, which must be merged (as ``open_ranges`` of the
    registry returns them) and reach over the whole day; so must ``closed``, where it is given. Rows start every
    ``row_minutes`` of wall time from local midnight (default: the policy's granularity; the shortest length makes a
    shorter list). A repeated hour has its rows twice; where a clock change swallows a row's start, the row before it is
    longer.
    """
    day = local_day(local_date, zone)
    points = grid_points(day, zone, row_minutes or policy.granularity_minutes)
    ends = sorted({day.starts_at, *points, day.ends_at})
    rooms = [(whole, _holds_a_reservation(whole, policy, zone)) for whole in free if whole.overlaps(day)]
    horizon = policy.horizon(zone, now)
    rows = [_slot(TimeRange(*row), rooms, policy, now, horizon, open_ranges) for row in pairwise(ends)]
    return [replace(row, closed=_why(row.range, closed)) if row.why == "booking.closed" else row for row in rows]


def first_fit(
    duration: timedelta, free: Sequence[TimeRange], policy: BookingPolicy, zone: ZoneInfo, now: datetime, within: TimeRange
) -> TimeRange | None:
    """The earliest range of that elapsed length that starts ``within``, is free and breaks no rule; None when there is none.

    ``free`` is what ``free_ranges`` returned.
    """
    for whole in policy.where_so_long(duration, free, zone):
        room = whole.intersect(TimeRange(within.starts_at, max(within.ends_at, whole.ends_at)))
        if room is None or room.duration < duration or room.starts_at >= within.ends_at:
            continue
        point = grid_point_from(room.starts_at, zone, policy.granularity_minutes)
        candidate = TimeRange(point, point + duration)
        if candidate.ends_at <= room.ends_at and point < within.ends_at and satisfies(policy, candidate, zone, now):
            return candidate
        found = next(_fits(duration, [room], policy, zone, now, within), None)
        if found is not None:
            return found
    return None


def nearest_alternatives(
    requested: TimeRange,
    free: Sequence[TimeRange],
    policy: BookingPolicy,
    zone: ZoneInfo,
    now: datetime,
    count: int = 3,
) -> list[TimeRange]:
    """Up to ``count`` ranges of the same elapsed length that are free and break no rule, nearest start first.

    Of two equally near the earlier comes first. The requested range itself comes first when it fits. Empty when the
    length alone breaks a rule. ``free`` is what ``free_ranges`` returned (or such ranges that overlap) and bounds the search.
    """
    free = policy.where_so_long(requested.duration, free, zone)
    if not free:
        return []
    everything = max(abs(end - requested.starts_at) for whole in free for end in (whole.starts_at, whole.ends_at))
    radius = _FIRST_RADIUS
    while True:
        around = TimeRange(requested.starts_at - radius, requested.starts_at + radius)
        found = sorted(
            set(_fits(requested.duration, free, policy, zone, now, around)),
            key=lambda one: (abs(one.starts_at - requested.starts_at), one.starts_at),
        )
        if len(found) >= count or radius > everything:
            return found[:count]
        radius *= 4


def _fits(
    duration: timedelta,
    free: Sequence[TimeRange],
    policy: BookingPolicy,
    zone: ZoneInfo,
    now: datetime,
    starting_in: TimeRange,
) -> Iterator[TimeRange]:
    """Ascending: every range on the grid that starts in ``starting_in``, lies in ``free`` and breaks no rule."""
    horizon = policy.horizon(zone, now)
    for whole in free:
        last_start = whole.ends_at - duration
        if last_start < whole.starts_at or whole.starts_at >= horizon:
            continue
        starts = TimeRange(whole.starts_at, min(last_start + _MOMENT, horizon)).intersect(starting_in)
        if starts is None:
            continue
        for point in grid_points(starts, zone, policy.granularity_minutes):
            candidate = TimeRange(point, point + duration)
            if satisfies(policy, candidate, zone, now):
                yield candidate


def _slot(
    row: TimeRange,
    rooms: Sequence[tuple[TimeRange, bool]],
    policy: BookingPolicy,
    now: datetime,
    horizon: datetime,
    open_ranges: Sequence[TimeRange],
) -> Slot:
    around = [holds for whole, holds in rooms if whole.contains(row)]
    if not any(opened.contains(row) for opened in open_ranges):
        why = "booking.closed"
    elif row.starts_at < now:
        why = "booking.in_the_past"
    elif row.starts_at < policy.earliest_start(now):
        why = "booking.too_soon"
    elif row.starts_at >= horizon:
        why = "booking.beyond_horizon"
    elif not around:
        why = "booking.taken"
    elif not any(around):
        why = "booking.gap_too_short"
    else:
        why = ""
    return Slot(row, not why, why)


def _why(row: TimeRange, closed: Sequence[ClosedStretch]) -> WhyClosed | None:
    """What closes the first part of a row that is closed."""
    place = bisect_right(closed, row.starts_at, key=lambda one: one.range.ends_at)
    return closed[place].why if place < len(closed) and closed[place].range.overlaps(row) else None


def _holds_a_reservation(free: TimeRange, policy: BookingPolicy, zone: ZoneInfo) -> bool:
    """Whether the shortest allowed length fits between the first and the last grid point of ``free``."""
    first = grid_point_from(free.starts_at, zone, policy.granularity_minutes)
    last = grid_point_until(free.ends_at, zone, policy.granularity_minutes)
    return last - first >= timedelta(minutes=max(policy.min_minutes, 1))
