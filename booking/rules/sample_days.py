"""On which days a lab measures the samples of a job, and when it can promise the result, beside what is promised already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.kernel.errors import Refusal

_DAY = timedelta(days=1)
LATEST_ARRIVAL = timedelta(days=180)
FURTHEST = timedelta(days=400)
"""Nothing is promised for later than so long after the samples come."""


@dataclass(frozen=True, slots=True)
class Promise:
    """``days`` are the local days with the number of samples measured on each, in order; the last one is ``promised_on``."""

    promised_on: date
    days: tuple[tuple[date, int], ...]


def works_again_on(ends_at: datetime, zone: ZoneInfo) -> date:
    """The first whole local day after an outage that ends then: on the day of the end nothing is promised."""
    local = ends_at.astimezone(zone)
    return local.date() if local.time() == time() else local.date() + _DAY


def require_arrival(arrive_on: date, today: date) -> None:
    """Raises Refusal ``samples.arrival_out_of_range`` for a day on which no lab expects samples."""
    last_on = today + LATEST_ARRIVAL
    if not today <= arrive_on <= last_on:
        params = {"first_on": today.isoformat(), "last_on": last_on.isoformat()}
        raise Refusal.of("samples.arrival_out_of_range", "arrive_on", **params)


def require_near(promised_on: date, starts_on: date) -> None:
    """Raises Refusal ``samples.promise_too_far`` for a day so long after the lab could start that it is a slip."""
    if promised_on > starts_on + FURTHEST:
        raise Refusal.of("samples.promise_too_far", "promised_on", last_on=(starts_on + FURTHEST).isoformat())


def promise(
    arrive_on: date,
    turnaround_days: int,
    samples: int,
    daily_capacity: int | None,
    taken: Mapping[date, int],
    is_workday: Callable[[date], bool],
) -> Promise | None:
    """The earliest promise for ``samples`` that come on ``arrive_on``; None where it would lie beyond ``FURTHEST``.

    ``turnaround_days`` workdays after they came the first results are due; from that day on each workday measures what is left of
    ``daily_capacity`` beside what is ``taken`` by others. Without a capacity one day takes all of them.
    """
    days = []
    left = samples
    for day in _workdays(arrive_on, turnaround_days, is_workday):
        room = left if daily_capacity is None else min(left, max(0, daily_capacity - taken.get(day, 0)))
        if room:
            days.append((day, room))
            left -= room
        if not left:
            return Promise(day, tuple(days))
    return None


def _workdays(arrive_on: date, turnaround_days: int, is_workday: Callable[[date], bool]) -> Iterator[date]:
    """The workdays on which something can be measured: from the one that ends the turnaround."""
    passed, day = 0, arrive_on
    while day <= arrive_on + FURTHEST:
        if is_workday(day):
            passed += day > arrive_on
            if passed >= turnaround_days:
                yield day
        day += _DAY
