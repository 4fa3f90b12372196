"""What the day-availability read model says about calendars: as good as its last change, and nothing about policies.

For cards and facets; what somebody is offered to book is checked against the calendar itself (``booking.queries.finding``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from booking.models import CalendarAvailability, DayAvailability, Downtime
from booking.rules.downtime import DowntimeKind
from instruments.models import BOOKABLE_STATUSES

#: Days of calendars in every zone on earth lie within a day of those at the platform's own place.
_ELSEWHERE = timedelta(days=1)


def free_within(
    days: int, now: datetime, duration_minutes: int = 60, outer: str = "calendar_id", *, after_days: int = 0
) -> Exists:
    """A condition for rows with a calendar (``outer`` names its id): free for so long within so many local days from now, the first
    ``after_days`` of them left out.

    To be filtered with, as ``CatalogueEntry.objects.filter(free_within(7, now))``; one probe of an index for each row.
    """
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    found = DayAvailability.objects.filter(
        calendar_id=OuterRef(outer),
        local_on__range=(
            today + timedelta(days=after_days) if after_days else today - _ELSEWHERE,
            today + timedelta(days=days) - _ELSEWHERE,
        ),
        longest_free_minutes__gte=duration_minutes,
        free_until__gte=now + timedelta(minutes=duration_minutes),
    )
    return Exists(found)


def bookable_within(days: int, now: datetime, duration_minutes: int = 60, *, after_days: int = 0) -> Q:
    """As ``free_within``, a condition on catalogue entries: a free calendar of an instrument that does not run is nobody's next time, but
    for one whose breakdown has an end, until which its calendar is taken."""
    comes_back = Downtime.objects.filter(
        instrument=OuterRef("instrument_id"),
        kind=DowntimeKind.BREAKDOWN.value,
        closed_at=None,
        status_before__in=sorted(BOOKABLE_STATUSES),
    )
    runs = Q(instrument=None) | Q(status__in=sorted(BOOKABLE_STATUSES)) | Q(Exists(comes_back))
    return runs & Q(free_within(days, now, duration_minutes, after_days=after_days))


@dataclass(frozen=True, slots=True)
class Wish:
    """So many minutes on a calendar, none of them before ``since``. At most a day: longer stretches are not looked at."""

    calendar_id: int
    minutes: int
    since: datetime


def next_free(wishes: Mapping[int, Wish]) -> dict[int, datetime]:
    """The first instant at which the calendar of each wish is free for so long, by the wishes' keys; without those that never are.

    One query. Never later than a policy allows, and often earlier: ``booking.queries.finding.next_times`` has the last word.
    """
    asked = list(wishes.values())
    values: dict[str, Any] = {
        "keys": list(wishes),
        "calendars": [one.calendar_id for one in asked],
        "minutes": [one.minutes for one in asked],
        "since": [one.since for one in asked],
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_FREE, values)
        return dict(cursor.fetchall())


def calculating(calendar_ids: Iterable[int]) -> set[int]:
    """Those of the calendars whose days are not up to date."""
    rows = CalendarAvailability.objects.filter(pk__in=list(calendar_ids), calculating_since__isnull=False)
    return set(rows.values_list("pk", flat=True))


def calculating_anywhere(most: int = 1000) -> list[int]:
    """The ids of ``most`` calendars at most that are not up to date."""
    return list(CalendarAvailability.objects.filter(calculating_since__isnull=False).values_list("pk", flat=True)[:most])


#: The first day that has a stretch long enough, and where in it such a stretch begins.
_NEXT_FREE = """
SELECT w.key, first.fits_at
  FROM unnest(%(keys)s::bigint[], %(calendars)s::bigint[], %(minutes)s::int[], %(since)s::timestamptz[])
       AS w (key, calendar_id, minutes, since) CROSS JOIN LATERAL (
       SELECT fit.fits_at
         FROM booking_dayavailability d CROSS JOIN LATERAL (
              SELECT min(greatest(lower(r), w.since)) AS fits_at
                FROM unnest(CASE WHEN upper(d.free) = d.ends_at AND d.continues_until IS NOT NULL
                                 THEN d.free + tstzmultirange(tstzrange(d.ends_at, d.continues_until)) ELSE d.free END) AS r
               WHERE upper(r) - greatest(lower(r), w.since) >= make_interval(mins => w.minutes)) fit
        WHERE d.calendar_id = w.calendar_id AND d.longest_free_minutes >= w.minutes AND d.ends_at > w.since
          AND fit.fits_at IS NOT NULL
        ORDER BY d.local_on LIMIT 1) first
"""
