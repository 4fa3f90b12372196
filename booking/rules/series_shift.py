"""Moving many times of a series at once: each by as much, on the wall clock, as the one that somebody names a new time for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.rules.length import require_length
from booking.rules.series import Clock, shown_between
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import to_wall


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much starts and ends move on the wall clock."""

    start: timedelta
    end: timedelta

    @classmethod
    def between(cls, old: TimeRange, starts: datetime, ends: datetime, zone: ZoneInfo) -> Shift:
        """From ``old`` to the wall times ``starts`` to ``ends``. Raises Refusal ``booking.range_invalid``,
        ``booking.range_too_long``, ``change.same_time``."""
        if ends <= starts:
            raise Refusal.of("booking.range_invalid", "ends_at")
        require_length(ends - starts)
        shift = cls(starts - to_wall(old.starts_at, zone), ends - to_wall(old.ends_at, zone))
        if not shift.start and not shift.end:
            raise Refusal.of("change.same_time", "starts_at")
        return shift

    def applied(self, old: TimeRange, zone: ZoneInfo) -> tuple[TimeRange | None, Clock]:
        """The new time; None where clocks jump over it or nothing would be left of it."""
        starts, ends = to_wall(old.starts_at, zone) + self.start, to_wall(old.ends_at, zone) + self.end
        return shown_between(starts, ends, zone) if ends > starts else (None, Clock.PLAIN)

    @property
    def last_first(self) -> bool:
        """In which order they move so that none needs the place that another of them has not left yet."""
        return self.end > timedelta(0)
