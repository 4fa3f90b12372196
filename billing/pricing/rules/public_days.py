"""Statutory holidays and make-up workdays as a price sees them: data that is passed in and frozen with what was priced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

#: The kind of day that a statutory holiday is; 1 (Monday) to 7 are the weekdays.
HOLIDAY = 8


@dataclass(frozen=True, slots=True)
class PublicDays:
    """The local days that are statutory holidays, and those of a weekend that are worked to make up for them."""

    holidays: frozenset[date] = frozenset()
    makeup: frozenset[date] = frozenset()

    def kind_of(self, day: date, makeup_weekday: int | None) -> int:
        """1 to 7, or HOLIDAY; a make-up workday is ``makeup_weekday`` (None: its own weekday)."""
        if day in self.holidays:
            return HOLIDAY
        if makeup_weekday is not None and day in self.makeup:
            return makeup_weekday
        return day.isoweekday()


NO_PUBLIC_DAYS = PublicDays()


def public_days_to_json(days: PublicDays) -> dict[str, list[str]]:
    """As ISO dates, in order."""
    return {name: sorted(day.isoformat() for day in getattr(days, name)) for name in ("holidays", "makeup")}


def public_days_from_json(data: Mapping[str, Any]) -> PublicDays:
    """``public_days_from_json(public_days_to_json(days)) == days``."""
    return PublicDays(*(frozenset(map(date.fromisoformat, data[name])) for name in ("holidays", "makeup")))
