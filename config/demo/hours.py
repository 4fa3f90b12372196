"""The demo's calendars with layers: seasons, hours for some customers, holidays, and closures that come again."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role
from instruments.models import Instrument
from instruments.rules.entries import HolidayRule
from instruments.rules.recurrence import Recurrence
from instruments.services import opening_hours, schedule_store
from instruments.services.opening_hours import AudienceHours, OnceOrAgain, SeasonHours
from instruments.services.weekly_hours import WeeklyWindow

WORKDAYS = (0, 1, 2, 3, 4)
_MONDAY = 0


def lay(people: People, stocked: list[Instrument], today: date, now: datetime) -> int:
    """Layers over the usual week of some instruments of each lab; returns of how many. Bookings that are there stay."""
    laid = 0
    for owner in people.owners:
        manager = people.actor(owner, Role.LAB_MANAGER)
        own = [one for one in stocked if one.organisation_id == owner.pk]
        with schedule_store.changing([]):
            for instrument in own[1:3]:
                opening_hours.set_holidays(manager, instrument.pk, HolidayRule(closed=True, makeup_weekday=_MONDAY), now)
            _layers(manager, own[1], today, now)
        laid += 1
    return laid


def _layers(manager: Actor, instrument: Instrument, today: date, now: datetime) -> None:
    named = words("hours")
    mornings = [WeeklyWindow(weekday, time(9), time(12)) for weekday in (1, 3)]
    short = [WeeklyWindow(weekday, time(9), time(16)) for weekday in WORKDAYS]
    for name, month, windows in ((named["winter"], 1, mornings), (named["summer"], 7, short)):
        year = today.year + (today.month >= month)
        days = (date(year, month, 18), date(year, month, 18) + timedelta(days=34))
        opening_hours.set_season(manager, instrument.pk, SeasonHours(name, *days, windows), now)
    nights = AudienceHours(["inside"], True, WORKDAYS, time(18), time(22), today)
    teaching = AudienceHours(["firm", "team"], False, [_MONDAY], time(8, 30), time(12), today, reason=named["teaching"])
    for hours in (nights, teaching):
        opening_hours.set_audience_hours(manager, instrument.pk, hours, now)
    friday = datetime.combine(today + timedelta(days=(4 - today.weekday()) % 7), time(14))
    last_friday = OnceOrAgain(friday, friday.replace(hour=18), named["calibration"], Recurrence("monthly", weekdays=(4,), nth=-1))
    opening_hours.close(manager, instrument.pk, last_friday, now)
    once = datetime.combine(today + timedelta(days=12), time(9))
    opening_hours.close_between(manager, instrument.pk, once, once.replace(hour=11), named["cleaning"], now)
