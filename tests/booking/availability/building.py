"""Calendars, occupancies and stored days for the tests of the read model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.types.range import TimestamptzRange

from booking.models import DayAvailability, Occupancy, OccupancySource
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.services import schedule_store

EVERY_DAY = Recurrence("weekly", weekdays=(0, 1, 2, 3, 4, 5, 6))


def instrument_with(cast: Any, entries: Iterable[CalendarEntry], name: str = "SEM") -> Instrument:
    """Another instrument of the cast's lab with these entries, stored without telling anybody."""
    calendar_id = schedule_store.create_calendar(name)
    for entry in entries:
        schedule_store.add_entry(calendar_id, cast.site.time_zone, entry)
    return Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=calendar_id, name=name, created_at=cast.now, updated_at=cast.now
    )


def every_day(opens: datetime, closes: datetime) -> CalendarEntry:
    return CalendarEntry(EntryKind.OPENING, opens, closes, EVERY_DAY)


ALWAYS = every_day(datetime(2025, 1, 6), datetime(2025, 1, 7))


def occupy(calendar_id: int, during: TimeRange, *, blocking: bool = True) -> Occupancy:
    return Occupancy.objects.create(
        calendar_id=calendar_id,
        during=TimestamptzRange(during.starts_at, during.ends_at),
        blocking=blocking,
        source=OccupancySource.MAINTENANCE,
    )


def days_of(calendar_id: int) -> list[DayAvailability]:
    return list(DayAvailability.objects.filter(calendar_id=calendar_id).order_by("local_on"))


def free_of(day: DayAvailability) -> list[TimeRange]:
    return [TimeRange(one.lower, one.upper) for one in day.free]


def switch_off(triggers: Sequence[str] = ("insert", "update", "delete")) -> None:
    """Take the guard away: occupancies are followed no more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'booking_occupancy'::regclass AND tgname LIKE '%%availab%%'"
        )
        names = [name for (name,) in cursor.fetchall() if any(f"follows_{which}" in name for which in triggers)]
        assert len(names) == len(triggers)
        for name in names:
            cursor.execute(f'ALTER TABLE booking_occupancy DISABLE TRIGGER "{name}"')
