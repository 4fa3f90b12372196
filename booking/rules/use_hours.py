"""Offered and used time by weekday and hour, as the clock on the wall beside the instrument shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.rules.use_figures import percent
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import to_wall

WEEKDAYS, HOURS = 7, 24
_HOUR, _DAY_SECONDS = 3600, 86_400
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

#: Seconds by ``weekday * HOURS + hour``; Monday is 0.
Counts = list[int]


@dataclass(frozen=True, slots=True)
class Cell:
    """All hours of the period that were at this weekday and hour; a repeated hour counts twice, one left out not at all."""

    offered_seconds: int
    used_seconds: int

    @property
    def percent(self) -> int | None:
        """Used of offered time, None where nothing was offered."""
        return percent(self.used_seconds, self.offered_seconds)


def by_hour(ranges: Iterable[TimeRange], zone: ZoneInfo) -> Counts:
    """The seconds of disjoint ranges at each weekday and hour."""
    counts = [0] * (WEEKDAYS * HOURS)
    whole_days: Counter[int] = Counter()
    for one in ranges:
        for wall, length in _steady(one, zone):
            if length == _DAY_SECONDS and not (wall.minute or wall.second):
                whole_days[_place(wall)] += 1  # what is always open is 365 of them
            else:
                _count(counts, wall, length)
    for place, count in whole_days.items():
        for hour in range(HOURS):
            counts[(place + hour) % len(counts)] += count * _HOUR
    return counts


def table(offered: Sequence[Counts], used: Sequence[Counts]) -> list[list[Cell]]:
    """A row for each weekday, a cell for each hour; the counts of several instruments are added up."""
    open_seconds, used_seconds = _sum(offered), _sum(used)
    cells = [Cell(*pair) for pair in zip(open_seconds, used_seconds, strict=True)]
    return [cells[day * HOURS : (day + 1) * HOURS] for day in range(WEEKDAYS)]


def _sum(counts: Sequence[Counts]) -> Counts:
    return [sum(column) for column in zip(*counts, strict=True)] if counts else [0] * (WEEKDAYS * HOURS)


def _steady(one: TimeRange, zone: ZoneInfo) -> Iterator[tuple[datetime, int]]:
    """The range in stretches (wall time of the start, seconds) within which the clock is not changed; of a day at most."""
    start = one.starts_at
    while start < one.ends_at:
        end = min(start + _DAY, one.ends_at)
        yield from _halved(start, end, zone)
        start = end


def _halved(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, int]]:
    wall, length = to_wall(start, zone), end - start
    if to_wall(end, zone) - wall == length or length <= _SECOND:
        yield wall, int(length.total_seconds())
        return
    middle = start + timedelta(seconds=int(length.total_seconds()) // 2)
    yield from _halved(start, middle, zone)
    yield from _halved(middle, end, zone)


def _place(wall: datetime) -> int:
    return wall.weekday() * HOURS + wall.hour


def _count(counts: Counts, wall: datetime, length: int) -> None:
    place = _place(wall)
    left = _HOUR - wall.minute * 60 - wall.second
    while length > 0:
        part = min(left, length)
        counts[place] += part
        place, length, left = (place + 1) % (WEEKDAYS * HOURS), length - part, _HOUR
