"""The public holidays that a price needs, from the calendar that opening hours use."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from billing.pricing.rules.pricing import ALONE, Use
from billing.pricing.rules.public_days import NO_PUBLIC_DAYS, PublicDays
from billing.pricing.rules.schedule import PriceSchedule
from config.kernel.time_range import TimeRange
from instruments.rules import statutory_holidays

#: What is frozen with a quote covers a session that goes on for so much longer than it was booked.
_AROUND = timedelta(days=31)
_DAY = timedelta(days=1)


def public_days_around(during: TimeRange, zone: ZoneInfo) -> PublicDays:
    """The holidays and make-up workdays about ``during`` at a site in ``zone``, as far as they are published; none elsewhere."""
    first_on = during.starts_at.astimezone(zone).date() - _DAY
    last_on = (during.ends_at + _AROUND).astimezone(zone).date()
    holidays, makeup = statutory_holidays.days_off(first_on, last_on, zone.key)
    return PublicDays(frozenset(holidays), frozenset(makeup))


def use_of(schedule: PriceSchedule, service_mode: str, during: TimeRange, zone: ZoneInfo) -> Use:
    """What the price asks of a session beside its time."""
    operated = schedule.is_operated(service_mode)
    if schedule.holidays is None and not operated:
        return ALONE
    return Use(operated, public_days_around(during, zone) if schedule.holidays is not None else NO_PUBLIC_DAYS)
