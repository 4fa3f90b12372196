"""Days of the calendar: months that end when the month does, and windows that come every year or once."""

from __future__ import annotations

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date, timedelta

_YEARLY_LENGTH = 5


def add_months(day: date, months: int) -> date:
    """The same day so many months later (earlier when negative); the last of the month where that month is shorter, and
    the first or last day there is where the calendar ends."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= years <= MAXYEAR:
        return date.max if months > 0 else date.min
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def add_days(day: date, days: int) -> date:
    """So many days later, at the latest the last day there is."""
    return day + timedelta(days=min(days, (date.max - day).days))


def in_window(on: date, first: str, last: str) -> bool:
    """Whether ``on`` lies from ``first`` to ``last``, both included: two days (``2019-10-01``), or two days of every year
    (``08-01``); a yearly window whose end comes before its beginning runs over the end of the year."""
    shown = on.isoformat()
    if len(first) == _YEARLY_LENGTH:
        shown = shown[-_YEARLY_LENGTH:]
        if last < first:
            return shown >= first or shown <= last
    return first <= shown <= last
