"""By when a lab promised to answer, and how much of that time has passed: counted in working days of the lab.

A working day lasts from midnight to midnight on the wall there; holidays and make-up days are the statutory ones where they apply.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from instruments.rules import statutory_holidays
from instruments.rules.turnaround import is_workday
from instruments.rules.wall_time import local_day, start_instant, to_wall

MOST_WORKDAYS = 30
MINUTES_A_DAY = 24 * 60
_DAY = timedelta(days=1)
_FAR = timedelta(days=120)
"""Further than ``MOST_WORKDAYS`` working days ever reach."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a question waits. ``age_minutes`` of ``promise_minutes`` of working time have passed; ``due_at`` is in UTC. It is
    ``overdue`` from ``due_at`` on."""

    since: datetime
    due_at: datetime
    age_minutes: int
    promise_minutes: int
    overdue: bool


def due_at(asked_at: datetime, workdays: int, zone: ZoneInfo) -> datetime:
    """The instant (UTC) by which what was asked at ``asked_at`` is answered: ``workdays`` working days later, at the same wall time.

    What is asked on a free day counts from the beginning of the next working day, so that it is answered by the end of the last one.
    """
    wall = to_wall(asked_at, zone)
    day, clock = wall.date(), wall.time()
    holidays, make_up_days = statutory_holidays.days_off(day, day + _FAR, zone.key)
    if not is_workday(day, holidays, make_up_days):
        day, clock = _next_workday(day, holidays, make_up_days), time.min
    whole_days = clock == time.min
    for _passed in range(workdays - whole_days):
        day = _next_workday(day, holidays, make_up_days)
    return start_instant(datetime.combine(day + whole_days * _DAY, clock), zone)


def worked_minutes(since: datetime, until: datetime, zone: ZoneInfo) -> int:
    """Whole minutes of working days between two instants; nothing when ``until`` is not later."""
    if until <= since:
        return 0
    first, last = to_wall(since, zone).date(), to_wall(until, zone).date()
    holidays, make_up_days = statutory_holidays.days_off(first, last, zone.key)
    passed, day = timedelta(), first
    while day <= last:
        if is_workday(day, holidays, make_up_days):
            whole = local_day(day, zone)
            passed += min(until, whole.ends_at) - max(since, whole.starts_at)
        day += _DAY
    return int(passed.total_seconds()) // 60


def waiting(since: datetime, due: datetime, zone: ZoneInfo, now: datetime) -> Waiting:
    """How long something that came at ``since`` waits for the answer that was promised until ``due``."""
    return Waiting(since, due, worked_minutes(since, now, zone), worked_minutes(since, due, zone), now >= due)


def _next_workday(day: date, holidays: Collection[date], make_up_days: Collection[date]) -> date:
    day += _DAY
    while not is_workday(day, holidays, make_up_days):
        day += _DAY
    return day
