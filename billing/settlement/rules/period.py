"""The month a statement is for."""

from __future__ import annotations

import calendar
from datetime import date


def first_day(day: date) -> date:
    """The first day of the month of ``day``."""
    return day.replace(day=1)


def last_day(day: date) -> date:
    """The last day of the month of ``day``."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def next_month(day: date) -> date:
    """The first day of the month after that of ``day``."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def previous_month(day: date) -> date:
    """The first day of the month before that of ``day``."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)


def is_over(period_on: date, today: date) -> bool:
    """Whether the whole month of ``period_on`` lies before ``today`` (both local dates)."""
    return last_day(period_on) < today
