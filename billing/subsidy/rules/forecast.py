"""What a budget will have come to at the end of its year, by one simple method that the page states.

What was spent in the last 90 days (fewer where the budget is younger), a day, goes on to the end of the calendar year or of the
version, whichever is first. What is held counts as spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

WINDOW_DAYS = 90


@dataclass(frozen=True, slots=True)
class Forecast:
    """``used_fen`` at the end of ``until``; ``short_on`` is the first day on which nothing is left any more, None if there is none."""

    until: date
    used_fen: int
    short_on: date | None


def window_of(today: date, began: date) -> int:
    """How many days are looked back upon: at least one, today included."""
    return max(1, min(WINDOW_DAYS, (today - began).days + 1))


def forecast(
    *, granted_fen: int, posted_fen: int, held_fen: int, recent_fen: int, window_days: int, today: date, last_day: date
) -> Forecast:
    """``recent_fen`` was posted in the ``window_days`` up to today. ``last_day`` of the version, included."""
    until = min(date(today.year, 12, 31), last_day)
    days = max(0, (until - today).days)
    now_fen = posted_fen + held_fen
    daily = Fraction(max(0, recent_fen), window_days)
    used_fen = now_fen + int(daily * days)
    left_fen = granted_fen - now_fen
    if left_fen <= 0:
        return Forecast(until, used_fen, today)
    if not daily:
        return Forecast(until, used_fen, None)
    lasts = left_fen // daily
    short_on = today + timedelta(days=int(lasts) + 1) if lasts < days else None
    return Forecast(until, used_fen, short_on)
