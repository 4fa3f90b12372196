"""What a calendar feed holds where there is more than it can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from config.kernel.time_range import TimeRange


class Timed(Protocol):
    """Anything that lies in time."""

    @property
    def during(self) -> TimeRange: ...


Row = TypeVar("Row", bound=Timed)


@dataclass(frozen=True, slots=True)
class Feed(Generic[Row]):
    """What is told, by start. ``left_out_before``: of what was over by then something may be missing; ``whole_until``: what begins then or
    later is missing, and so is all that is over. Both None: everything is there."""

    rows: list[Row]
    left_out_before: datetime | None = None
    whole_until: datetime | None = None


def cut(rows: Sequence[Row], now: datetime, most: int) -> Feed[Row]:
    """The first ``most`` of ``rows``, which come in the order of their worth: what is not over, by start; then the rest, latest end
    first. They may be one more than that, which tells where the feed is cut."""
    kept = sorted(rows[:most], key=lambda one: (one.during.starts_at, one.during.ends_at))
    if len(rows) <= most:
        return Feed(kept)
    first_out = rows[most].during
    if first_out.ends_at > now:
        return Feed(kept, whole_until=first_out.starts_at)
    return Feed(kept, left_out_before=first_out.ends_at)
