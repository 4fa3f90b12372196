"""The grid on which reservations start and end: every so many minutes of wall time, counted from local midnight.

The grid belongs to the wall clock. In a repeated hour its points come twice, in a gap they are missing, and it starts
anew at each midnight even when the step does not divide the day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import instants_showing, to_wall

_DAY = timedelta(days=1)
_LARGEST_CLOCK_CHANGE = timedelta(hours=3)


def is_on_grid(instant: datetime, zone: ZoneInfo, step_minutes: int) -> bool:
    wall = to_wall(instant, zone)
    return not (wall - _midnight(wall)) % timedelta(minutes=step_minutes)


def grid_points(within: TimeRange, zone: ZoneInfo, step_minutes: int) -> Iterator[datetime]:
    """Every grid point in the half-open ``within``, ascending, lazily by stretches of a day."""
    stretch_start = within.starts_at
    while stretch_start < within.ends_at:
        stretch_end = min(stretch_start + _DAY, within.ends_at)
        wall = _grid_wall_before(to_wall(stretch_start, zone) - _LARGEST_CLOCK_CHANGE, step_minutes)
        last_wall = to_wall(stretch_end, zone) + _LARGEST_CLOCK_CHANGE
        points = []
        while wall <= last_wall:
            points += [point for point in instants_showing(wall, zone) if stretch_start <= point < stretch_end]
            wall = min(wall + timedelta(minutes=step_minutes), _midnight(wall) + _DAY)
        yield from sorted(points)
        stretch_start = stretch_end


def grid_point_from(instant: datetime, zone: ZoneInfo, step_minutes: int) -> datetime:
    """The first grid point at or after ``instant``."""
    wall = to_wall(instant, zone)
    wall_point = wall + (_midnight(wall) - wall) % timedelta(minutes=step_minutes)
    if wall_point <= _midnight(wall) + _DAY:
        shown = instants_showing(wall_point, zone)
        if len(shown) == 1 and shown[0] - instant == wall_point - wall:  # no clock changes on the way
            return shown[0]
    return next(grid_points(TimeRange(instant, instant + _reach(step_minutes)), zone, step_minutes))


def grid_point_until(instant: datetime, zone: ZoneInfo, step_minutes: int) -> datetime:
    """The last grid point at or before ``instant``."""
    if is_on_grid(instant, zone, step_minutes):
        return instant
    *_, last = grid_points(TimeRange(instant - _reach(step_minutes), instant), zone, step_minutes)
    return last


def _midnight(wall: datetime) -> datetime:
    return datetime.combine(wall, time.min)


def _grid_wall_before(wall: datetime, step_minutes: int) -> datetime:
    return wall - (wall - _midnight(wall)) % timedelta(minutes=step_minutes)


def _reach(step_minutes: int) -> timedelta:
    """A span that holds a grid point even when a clock change swallows one."""
    return 2 * timedelta(minutes=step_minutes) + _LARGEST_CLOCK_CHANGE
