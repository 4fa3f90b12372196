"""When somebody would book the same once more: at the hour and on the weekday that they are used to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import instants_showing, to_wall

WEEKS_AHEAD = 8


def usual_times(last: TimeRange, zone: ZoneInfo, now: datetime, weeks: int = WEEKS_AHEAD) -> Iterator[TimeRange]:
    """The same weekday and wall time as ``last`` in the coming ``weeks``, after now and after ``last`` itself, as long as it was.

    A week in which clocks jump over that time is left out.
    """
    began = to_wall(last.starts_at, zone)
    after = max(now, last.starts_at)
    first = (to_wall(after, zone).date() - began.date()).days // 7
    for week in range(max(first, 0), max(first, 0) + weeks + 1):
        shown = instants_showing(began + timedelta(weeks=week), zone)
        if shown and shown[0] > after:
            yield TimeRange(shown[0], shown[0] + last.duration)
