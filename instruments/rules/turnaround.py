"""On which days people work: what turnarounds and promised answers are counted in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

_SATURDAY = 5


def is_workday(day: date, holidays: Collection[date] = (), make_up_days: Collection[date] = ()) -> bool:
    """Whether people work on it: Monday to Friday without the holidays, and the weekends that make up for them."""
    return day in make_up_days or (day.weekday() < _SATURDAY and day not in holidays)
