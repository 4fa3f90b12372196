"""A stretch of the week on the wall clock: "Saturday and Sunday", "every night from 22:00 to 06:00"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from booking.rules.documents import is_whole, items_of, parts_of
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange, merge
from instruments.rules.wall_time import end_instant, start_instant, to_wall

DAY_MINUTES = 24 * 60
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WeekTime:
    """``weekdays`` (1 is Monday) from ``from_minute`` until ``until_minute`` after local midnight.

    An end at or before the start lies on the following day: 1320 to 360 is from 22:00 to 06:00. Raises Refusal
    ``week_time.weekdays`` and ``week_time.minutes`` for what is none.
    """

    weekdays: tuple[int, ...]
    from_minute: int = 0
    until_minute: int = DAY_MINUTES

    def __post_init__(self) -> None:
        reasons = []
        if not self.weekdays or set(self.weekdays) - set(EVERY_DAY) or len(set(self.weekdays)) != len(self.weekdays):
            reasons.append(Reason("week_time.weekdays", {}, "weekdays"))
        if not (0 <= self.from_minute < DAY_MINUTES and 0 < self.until_minute <= DAY_MINUTES):
            reasons.append(Reason("week_time.minutes", {}, "from_minute"))
        Refusal.raise_any(reasons)

    def within(self, span: TimeRange, zone: ZoneInfo) -> list[TimeRange]:
        """What of ``span`` lies in it: sorted, disjoint."""
        day, last = to_wall(span.starts_at, zone).date() - _DAY, to_wall(span.ends_at, zone).date()
        found = []
        while day <= last:
            if day.isoweekday() in self.weekdays:
                midnight = datetime.combine(day, time.min)
                starts = start_instant(midnight + timedelta(minutes=self.from_minute), zone)
                length = self.until_minute + (DAY_MINUTES if self.until_minute <= self.from_minute else 0)
                ends = end_instant(midnight + timedelta(minutes=length), zone)
                part = TimeRange(starts, ends).intersect(span) if starts < ends else None
                found += [part] if part else []
            day += _DAY
        return merge(found)

    def document(self) -> dict[str, Any]:
        """As ``read`` takes it."""
        return {"weekdays": list(self.weekdays), "from_minute": self.from_minute, "until_minute": self.until_minute}

    @classmethod
    def read(cls, document: Any) -> WeekTime:
        """What somebody wrote. Raises Refusal ``week_time.*`` and ``policy.*``."""
        names = ("weekdays", "from_minute", "until_minute")
        parts = parts_of(document, names, names)
        days = items_of(parts["weekdays"], len(EVERY_DAY))
        reasons = [] if all(map(is_whole, days)) else [Reason("week_time.weekdays", {}, "weekdays")]
        if not (is_whole(parts["from_minute"]) and is_whole(parts["until_minute"])):
            reasons.append(Reason("week_time.minutes", {}, "from_minute"))
        Refusal.raise_any(reasons)
        return cls(tuple(sorted(days)), parts["from_minute"], parts["until_minute"])


def parts_within(times: Iterable[WeekTime], span: TimeRange, zone: ZoneInfo) -> list[TimeRange]:
    """What of ``span`` lies in any of ``times``: sorted, disjoint."""
    return merge(part for one in times for part in one.within(span, zone))


def minutes_within(times: Iterable[WeekTime], span: TimeRange, zone: ZoneInfo) -> int:
    """How many minutes of ``span`` lie in any of ``times``; a started minute counts whole."""
    return sum(-(-part.seconds // 60) for part in parts_within(times, span, zone))


def lies_within(times: Iterable[WeekTime], span: TimeRange, zone: ZoneInfo) -> bool:
    """Whether the whole of ``span`` lies in ``times``."""
    return parts_within(times, span, zone) == [span]
