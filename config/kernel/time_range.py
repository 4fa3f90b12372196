"""Half-open ranges of instants, the only shape in which the project speaks of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class TimeRange:
    """A half-open range ``[starts_at, ends_at)`` of aware instants, kept in UTC.

    Raises ValueError when an end is naive or the range is empty or reversed.
    """

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise ValueError("a time range needs aware instants")
        object.__setattr__(self, "starts_at", self.starts_at.astimezone(UTC))
        object.__setattr__(self, "ends_at", self.ends_at.astimezone(UTC))
        if self.starts_at >= self.ends_at:
            raise ValueError("a time range must end after it starts")

    @property
    def duration(self) -> timedelta:
        return self.ends_at - self.starts_at

    @property
    def seconds(self) -> int:
        """Elapsed whole seconds in UTC (never wall-clock difference)."""
        return int(self.duration.total_seconds())

    def overlaps(self, other: TimeRange) -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: TimeRange) -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def intersect(self, other: TimeRange) -> TimeRange | None:
        start, end = max(self.starts_at, other.starts_at), min(self.ends_at, other.ends_at)
        return TimeRange(start, end) if start < end else None

    def widened(self, before: timedelta, after: timedelta) -> TimeRange:
        return TimeRange(self.starts_at - before, self.ends_at + after)


def merge(ranges: Iterable[TimeRange]) -> list[TimeRange]:
    """The union as sorted, disjoint, non-touching ranges."""
    merged: list[TimeRange] = []
    for current in sorted(ranges):
        if merged and current.starts_at <= merged[-1].ends_at:
            if current.ends_at > merged[-1].ends_at:
                merged[-1] = TimeRange(merged[-1].starts_at, current.ends_at)
        else:
            merged.append(current)
    return merged


def subtract(ranges: Iterable[TimeRange], taken: Iterable[TimeRange]) -> list[TimeRange]:
    """What is left of ``ranges`` after ``taken`` is removed: sorted and disjoint. Each range is looked at once, when sorted."""
    holes, place = merge(taken), 0
    left: list[TimeRange] = []
    for whole in merge(ranges):
        cursor = whole.starts_at
        while place < len(holes) and holes[place].starts_at < whole.ends_at:
            hole = holes[place]
            if hole.starts_at > cursor:
                left.append(TimeRange(cursor, hole.starts_at))
            cursor = max(cursor, hole.ends_at)
            if hole.ends_at > whole.ends_at:
                break  # it may reach into the next one
            place += 1
        if cursor < whole.ends_at:
            left.append(TimeRange(cursor, whole.ends_at))
    return left
