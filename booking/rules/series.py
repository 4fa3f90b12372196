"""A time that comes again: every Tuesday at nine, ten times. It is wall time of the instrument's site: nine o'clock stays nine o'clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.recurrence import Frequency, Recurrence
from instruments.rules.wall_time import instants_showing

MOST = 60
"""How many times a series has at most."""
FREQUENCIES: tuple[Frequency, ...] = ("weekly", "daily")
LONGEST = timedelta(days=31)
MOST_INTERVAL = 52
_LONGEST_SPAN = timedelta(weeks=MOST * MOST_INTERVAL + 1)


class Clock(StrEnum):
    """What the clocks of the site do at a time: nothing, jump over its start or end, or show one of them twice (the first start and the
    first end after it are meant)."""

    PLAIN = "plain"
    GAP = "gap"
    FOLD = "fold"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The ``ordinal``-th time (from 1) as the wall clock shows it (naive); ``during`` is None where clocks jump over it."""

    ordinal: int
    starts: datetime
    ends: datetime
    during: TimeRange | None
    clock: Clock


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """From ``starts`` to ``ends`` (naive wall times), again every ``interval`` days, or weeks on ``weekdays`` (0 = Monday; empty: the
    weekday of the start), ``count`` times or until the local day ``until``.

    Raises Refusal ``series.*`` and ``recurrence.*`` for what is no series.
    """

    starts: datetime
    ends: datetime
    frequency: Frequency = "weekly"
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    count: int | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.ends <= self.starts:
            raise Refusal.of("booking.range_invalid", "ends_at")
        if self.ends - self.starts > LONGEST:
            raise Refusal.of("booking.range_too_long", "ends_at", days=LONGEST.days)
        if self.frequency not in FREQUENCIES:
            raise Refusal.of("recurrence.unsupported_frequency", "frequency", frequency=str(self.frequency))
        if self.interval > MOST_INTERVAL:
            raise Refusal.of("series.interval", "interval", most=MOST_INTERVAL)
        if self.count is None and self.until is None:
            raise Refusal.of("series.no_end", "count")
        if self.count is not None and self.count > MOST:
            raise Refusal.of("series.too_many", "count", most=MOST)
        if self.until is not None and self.until < self.starts.date():
            raise Refusal.of("series.until_before_start", "until")
        self._recurrence()

    def _recurrence(self) -> Recurrence:
        weekdays = self.weekdays or (self.starts.weekday(),) if self.frequency == "weekly" else ()
        return Recurrence(self.frequency, self.interval, weekdays, self.until, self.count)

    def occurrences(self, zone: ZoneInfo) -> list[Occurrence]:
        """Every time in order. Raises Refusal ``series.too_many`` for more than ``MOST``, ``series.none`` for none at all."""
        repeats = self._recurrence().starts_between(self.starts, self.starts, self.starts + _LONGEST_SPAN)
        found = list(islice(repeats, MOST + 1))
        if len(found) > MOST:
            raise Refusal.of("series.too_many", "until", most=MOST)
        if not found:
            raise Refusal.of("series.none", "until")
        length = self.ends - self.starts
        return [_occurrence(place, starts, starts + length, zone) for place, starts in enumerate(found, 1)]

    def document(self) -> dict[str, Any]:
        """As it is kept: JSON-able."""
        return {
            "starts": self.starts.isoformat(),
            "ends": self.ends.isoformat(),
            "frequency": self.frequency,
            "interval": self.interval,
            "weekdays": list(self.weekdays),
            "count": self.count,
            "until": self.until.isoformat() if self.until else None,
        }

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> SeriesRule:
        """What ``document`` wrote."""
        return cls(
            datetime.fromisoformat(kept["starts"]),
            datetime.fromisoformat(kept["ends"]),
            kept["frequency"],
            kept["interval"],
            tuple(kept["weekdays"]),
            kept["count"],
            date.fromisoformat(kept["until"]) if kept["until"] else None,
        )


def _occurrence(ordinal: int, starts: datetime, ends: datetime, zone: ZoneInfo) -> Occurrence:
    during, clock = shown_between(starts, ends, zone)
    return Occurrence(ordinal, starts, ends, during, clock)


def shown_between(starts: datetime, ends: datetime, zone: ZoneInfo) -> tuple[TimeRange | None, Clock]:
    """From the first instant at which clocks show ``starts`` until the first after it at which they show ``ends``; None where they jump
    over one of them."""
    first, last = instants_showing(starts, zone), instants_showing(ends, zone)
    after = [moment for moment in last if first and moment > first[0]]
    if not after:
        return None, Clock.GAP
    clock = Clock.FOLD if len(first) > 1 or len(last) > 1 else Clock.PLAIN
    return TimeRange(first[0].astimezone(UTC), after[0].astimezone(UTC)), clock


class Scope(StrEnum):
    """Which of a series a change is about: one time, that and those after it, or all."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"

    def covers(self, ordinal: int, anchor: int) -> bool:
        """Whether the ``ordinal``-th is meant when the change starts from the ``anchor``-th."""
        if self is Scope.THIS:
            return ordinal == anchor
        return self is Scope.ALL or ordinal >= anchor
