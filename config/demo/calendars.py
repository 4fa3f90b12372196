"""Closures of the demo that came from a calendar file, as a lab would hand it in."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from booking.rules.calendar_text import CalendarEvent, calendar_text
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Role
from instruments.models import Instrument
from instruments.services import closure_import

ZONE = ZoneInfo("Asia/Shanghai")


def close(people: People, stocked: list[Instrument], today: date, now: datetime) -> int:
    """Import the file for two instruments of the first lab; returns how many closures there are then."""
    lab, told = people.owners[0], words("closures")
    manager = people.actor(lab, Role.LAB_MANAGER)
    chosen = [one.pk for one in stocked if one.organisation_id == lab.pk][8:10]
    events = [
        CalendarEvent(
            uid=f"closure-{place}@demo.jishi.example",
            starts_at=datetime.combine(today + timedelta(days=each["days_ahead"]), time(0), ZONE),
            ends_at=datetime.combine(today + timedelta(days=each["days_ahead"] + each["days"]), time(0), ZONE),
            summary=each["title"],
            changed_at=now,
        )
        for place, each in enumerate(told["events"])
    ]
    handed_in = closure_import.hand_in(manager, chosen, calendar_text(events), told["file_name"], now)
    closure_import.confirm(manager, handed_in.pk, now)
    return len(events) * len(chosen)
