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


def window_from(on: date, first: str, last: str) -> tuple[date, date] | None:
    """The first days of a window (as in ``in_window``) that are not over on ``on``; None where it never comes again."""
    if len(first) != _YEARLY_LENGTH:
        days = date.fromisoformat(first), date.fromisoformat(last)
        return days if on <= days[1] else None
    over_new_year = int(last < first)
    for year in range(on.year - over_new_year, MAXYEAR + 1 - over_new_year):
        days = _day_of(year, first, is_last=False), _day_of(year + over_new_year, last, is_last=True)
        if on <= days[1]:
            return days
    return None


def _day_of(year: int, shown: str, *, is_last: bool) -> date:
    """A day of every year in one of them; 29 February of other years ends on the day before it, and begins on the day after it."""
    month, day = (int(part) for part in shown.split("-"))
    if day <= monthrange(year, month)[1]:
        return date(year, month, day)
    return date(year, month, monthrange(year, month)[1]) if is_last else date(year, month + 1, 1)


def in_window(on: date, first: str, last: str) -> bool:
    """Whether ``on`` lies from ``first`` to ``last``, both included: two days (``2019-10-01``), or two days of every year
    (``08-01``); a yearly window whose end comes before its beginning runs over the end of the year."""
    shown = on.isoformat()
    if len(first) == _YEARLY_LENGTH:
        shown = shown[-_YEARLY_LENGTH:]
        if last < first:
            return shown >= first or shown <= last
    return first <= shown <= last
