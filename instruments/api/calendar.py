"""What a calendar's rules look like over the API, for those who keep them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from instruments.models import CalendarEntryKind
from instruments.rules import statutory_holidays
from instruments.rules.audience import Audience
from instruments.rules.entries import CalendarEntry, HolidayRule
from instruments.rules.recurrence import Recurrence
from instruments.services.schedule_store import StoredCalendar, StoredEntry


class RepeatOut(serializers.Serializer):
    """How often an entry comes again; ``weekdays`` 0 = Monday, ``nth`` and ``month_days`` -1 = the last."""

    frequency = serializers.ChoiceField(choices=["daily", "weekly", "monthly", "yearly"])
    interval = serializers.IntegerField()
    weekdays = serializers.ListField(child=serializers.IntegerField())
    month_days = serializers.ListField(child=serializers.IntegerField())
    nth = serializers.IntegerField(allow_null=True)
    until = serializers.DateField(allow_null=True)
    count = serializers.IntegerField(allow_null=True)


class MovedOut(serializers.Serializer):
    original_on = serializers.DateField()
    starts_local = serializers.CharField()
    ends_local = serializers.CharField()


class SeasonOut(serializers.Serializer):
    name = serializers.CharField()
    first_on = serializers.DateField()
    last_on = serializers.DateField()


class CalendarEntryOut(serializers.Serializer):
    """One opening, restriction or closure, in wall time of the place."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=CalendarEntryKind.values)
    priority = serializers.IntegerField(help_text="1 (highest) to 9, as in RFC 7953; closures win over all.")
    starts_local = serializers.CharField(help_text="Wall time of the first occurrence, without an offset.")
    ends_local = serializers.CharField()
    repeats = RepeatOut(allow_null=True)
    cancelled = serializers.ListField(child=serializers.DateField())
    moved = MovedOut(many=True)
    audiences = serializers.ListField(
        child=serializers.ChoiceField(choices=[str(one) for one in Audience]), help_text="For whom it counts; empty: everybody."
    )
    season = SeasonOut(allow_null=True)
    reason = serializers.CharField()


class HolidaysOut(serializers.Serializer):
    closed = serializers.BooleanField(help_text="Closed on statutory holidays.")
    makeup_weekday = serializers.IntegerField(allow_null=True, help_text="Make-up workdays are open as on this weekday.")
    applies = serializers.BooleanField(help_text="Whether the place has these holidays at all.")
    published = serializers.BooleanField(help_text="Whether the holidays of this year are known.")


class CalendarOut(serializers.Serializer):
    time_zone = serializers.CharField()
    holidays = HolidaysOut()
    entries = CalendarEntryOut(many=True)


def calendar_document(calendar: StoredCalendar, zone_name: str, year: int) -> dict[str, Any]:
    """The rules of a calendar, as ``CalendarOut`` describes them."""
    return {
        "time_zone": zone_name,
        "holidays": _holidays(calendar.holidays, zone_name, year),
        "entries": [_entry(stored) for stored in calendar.entries],
    }


def _holidays(holidays: HolidayRule, zone_name: str, year: int) -> dict[str, Any]:
    return {
        "closed": holidays.closed,
        "makeup_weekday": holidays.makeup_weekday,
        "applies": statutory_holidays.applies_in(zone_name),
        "published": statutory_holidays.is_published(year),
    }


def _entry(stored: StoredEntry) -> dict[str, Any]:
    entry: CalendarEntry = stored.entry
    return {
        "id": stored.id,
        "kind": entry.kind.value,
        "priority": int(entry.priority),
        "starts_local": entry.starts_local.isoformat(),
        "ends_local": entry.ends_local.isoformat(),
        "repeats": _repeats(entry.recurrence),
        "cancelled": sorted(entry.cancelled),
        "moved": [
            {
                "original_on": one.original_on,
                "starts_local": one.starts_local.isoformat(),
                "ends_local": one.ends_local.isoformat(),
            }
            for one in entry.moved
        ],
        "audiences": sorted(entry.audiences),
        "season": entry.season,
        "reason": entry.reason,
    }


def _repeats(recurrence: Recurrence | None) -> dict[str, Any] | None:
    if recurrence is None:
        return None
    return {
        "frequency": recurrence.frequency,
        "interval": recurrence.interval,
        "weekdays": list(recurrence.weekdays),
        "month_days": list(recurrence.month_days),
        "nth": recurrence.nth,
        "until": recurrence.until,
        "count": recurrence.count,
    }
