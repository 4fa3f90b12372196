"""How much of its open time an instrument was used, week by week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from booking.rules.use_figures import percent, seconds, within
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import start_instant


@dataclass(frozen=True, slots=True)
class WeekUse:
    """A local week from Monday ``first_on``: seconds offered (open and not under maintenance), and seconds really used within the week."""

    first_on: date
    open_seconds: int
    used_seconds: int

    @property
    def percent(self) -> int | None:
        """Used of open time; more than 100 where it ran outside its hours; None in a week without any."""
        return percent(self.used_seconds, self.open_seconds)


def last_weeks(zone: ZoneInfo, now: datetime, count: int) -> list[TimeRange]:
    """The last ``count`` local weeks (Monday to Monday) that are over, oldest first."""
    today = now.astimezone(zone).date()
    this_monday = today - timedelta(days=today.weekday())
    mondays = [this_monday - timedelta(weeks=back) for back in range(count, -1, -1)]
    edges = [start_instant(datetime.combine(monday, time(0)), zone) for monday in mondays]
    return [TimeRange(start, end) for start, end in pairwise(edges)]


def utilisation(
    weeks: Sequence[TimeRange], zone: ZoneInfo, open_ranges: Sequence[TimeRange], used: Sequence[TimeRange]
) -> list[WeekUse]:
    """Each week with its open and used seconds; time that is open or used twice counts once."""
    return [
        WeekUse(week.starts_at.astimezone(zone).date(), seconds(within(open_ranges, week)), seconds(within(used, week)))
        for week in weeks
    ]
