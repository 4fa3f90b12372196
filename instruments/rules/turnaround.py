"""When the result of a commissioned test is promised: workdays from receipt, and a queue where the lab's day is full."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

_DAY = timedelta(days=1)
_SATURDAY = 5


def promised_on(
    received_on: date,
    turnaround_days: int | None,
    *,
    samples: int = 1,
    queued: int = 0,
    daily_capacity: int | None = None,
    holidays: Collection[date] = (),
    make_up_days: Collection[date] = (),
) -> date | None:
    """The local day on which the results of ``samples`` received on ``received_on`` are due; None without a turnaround.

    ``turnaround_days`` workdays after receipt. Of ``queued`` samples before them and their own, ``daily_capacity`` are measured a
    day: each further day that this takes is a workday more. ``holidays`` are free workdays, ``make_up_days`` working weekends.
    """
    if turnaround_days is None:
        return None
    days = turnaround_days
    if daily_capacity:
        days += -(-(queued + samples) // daily_capacity) - 1
    day = received_on
    while days > 0:
        day += _DAY
        days -= is_workday(day, holidays, make_up_days)
    return day


def is_workday(day: date, holidays: Collection[date] = (), make_up_days: Collection[date] = ()) -> bool:
    """Whether people work on it: Monday to Friday without the holidays, and the weekends that make up for them."""
    return day in make_up_days or (day.weekday() < _SATURDAY and day not in holidays)
