"""What stands against one calendar for two instruments: times that both of them have taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from config.kernel.time_range import TimeRange


class Timed(Protocol):
    """Something that takes ``during`` of a calendar."""

    @property
    def during(self) -> TimeRange: ...


T = TypeVar("T", bound=Timed)


def clashes(mine: Sequence[T], theirs: Sequence[T]) -> list[tuple[T, T]]:
    """Every pair that shares time, by the start of the first. The ranges of one side never overlap each other."""
    found: list[tuple[T, T]] = []
    ours = sorted(mine, key=lambda one: one.during.starts_at)
    others = sorted(theirs, key=lambda one: one.during.starts_at)
    first = 0
    for one in ours:
        while first < len(others) and others[first].during.ends_at <= one.during.starts_at:
            first += 1
        place = first
        while place < len(others) and others[place].during.starts_at < one.during.ends_at:
            found.append((one, others[place]))
            place += 1
    return found
