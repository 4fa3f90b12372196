"""When the result of a commissioned test is promised: workdays from receipt, and more days where they are more than a day's work."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from instruments.rules import statutory_holidays

_DAY = timedelta(days=1)
_SATURDAY = 5
MOST_WORKDAYS = 3_000
_FAR = timedelta(days=800)
"""Nobody has published holidays so far ahead."""


def promised_on(
    received_on: date,
    turnaround_days: int | None,
    *,
    samples: int = 1,
    daily_capacity: int | None = None,
    holidays: Collection[date] = (),
    make_up_days: Collection[date] = (),
) -> date | None:
    """The local day on which the results of ``samples`` received on ``received_on`` are due; None without a turnaround, and where it
    would be more than ``MOST_WORKDAYS`` away.

    ``turnaround_days`` workdays after receipt. ``daily_capacity`` samples are measured a day: each further day that this takes is a
    workday more. ``holidays`` are free workdays, ``make_up_days`` working weekends.
    """
    if turnaround_days is None:
        return None
    days = turnaround_days
    if daily_capacity:
        days += -(-samples // daily_capacity) - 1
    if days > MOST_WORKDAYS:
        return None
    day = received_on
    while days > 0:
        day += _DAY
        days -= is_workday(day, holidays, make_up_days)
    return day


def promised_in(
    zone_name: str, received_on: date, turnaround_days: int | None, *, samples: int = 1, daily_capacity: int | None = None
) -> date | None:
    """``promised_on`` with the statutory holidays and make-up days, as far as they are published, where the zone has them."""
    holidays, make_up_days = statutory_holidays.days_off(received_on, received_on + _FAR, zone_name)
    return promised_on(
        received_on,
        turnaround_days,
        samples=samples,
        daily_capacity=daily_capacity,
        holidays=holidays,
        make_up_days=make_up_days,
    )


def is_workday(day: date, holidays: Collection[date] = (), make_up_days: Collection[date] = ()) -> bool:
    """Whether people work on it: Monday to Friday without the holidays, and the weekends that make up for them."""
    return day in make_up_days or (day.weekday() < _SATURDAY and day not in holidays)
