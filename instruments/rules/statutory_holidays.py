"""The only door to ``chinesecalendar``: statutory holidays and make-up workdays of China, as they were published.

The State Council publishes a year's days at the end of the year before. A year that the installed library does not know is
*not published* here: nothing is a holiday in it and the rule of the weekday applies.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType

from chinese_calendar import Holiday
from chinese_calendar.constants import holidays, workdays

#: IANA zones (and their old names) whose local days have Chinese holidays.
ZONES = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "Asia/Kashgar", "PRC"})

_CODES = {holiday.value: holiday.name for holiday in Holiday}


def _sorted(days: Mapping[date, str]) -> Mapping[date, str]:
    return MappingProxyType({day: _CODES[name] for day, name in sorted(days.items())})


_HOLIDAYS, _MAKEUP_DAYS = _sorted(holidays), _sorted(workdays)
_PUBLISHED_YEARS = frozenset(day.year for day in _HOLIDAYS)


def is_published(year: int) -> bool:
    """Whether the holidays of a year are known."""
    return year in _PUBLISHED_YEARS


def applies_in(zone_name: str) -> bool:
    """Whether a site in that zone has Chinese holidays."""
    return zone_name in ZONES


def holidays_between(first_on: date, last_on: date) -> dict[date, str]:
    """The statutory holidays from ``first_on`` to ``last_on`` (both included) with their codes (``national_day``)."""
    return _between(_HOLIDAYS, first_on, last_on)


def makeup_days_between(first_on: date, last_on: date) -> dict[date, str]:
    """The make-up workdays (a Saturday or Sunday that is worked) with the codes of the holidays they make up for."""
    return _between(_MAKEUP_DAYS, first_on, last_on)


def days_off(first_on: date, last_on: date, zone_name: str) -> tuple[Collection[date], Collection[date]]:
    """The statutory holidays and the make-up workdays from ``first_on`` to ``last_on`` (both included), as far as they are published;
    none where the zone does not have them."""
    if not applies_in(zone_name):
        return (), ()
    return holidays_between(first_on, last_on), makeup_days_between(first_on, last_on)


def _between(days: Mapping[date, str], first_on: date, last_on: date) -> dict[date, str]:
    known = tuple(days)
    found = known[bisect_left(known, first_on) : bisect_right(known, last_on)]
    return {day: days[day] for day in found}
