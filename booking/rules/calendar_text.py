"""Calendars in the form that calendar programs read (iCalendar, RFC 5545). The one place that writes it.

The text depends on nothing but its events: the same events give the same bytes, so that an unchanged calendar is recognised.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

PRODUCT = "-//Jishi//Reservations//EN"
MEDIA_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event. ``uid`` stays the same for good; ``sequence`` grows with each change, the last of which was at ``changed_at``.

    ``status`` is TENTATIVE, CONFIRMED or CANCELLED.
    """

    uid: str
    starts_at: datetime
    ends_at: datetime
    summary: str
    changed_at: datetime
    sequence: int = 0
    status: str = "CONFIRMED"
    description: str = ""
    location: str = ""
    url: str = ""


def calendar_text(
    events: Iterable[CalendarEvent], *, name: str = "", refresh: timedelta | None = None, method: str = ""
) -> bytes:
    """The calendar with lines of at most 75 octets. ``name`` and ``refresh`` are for a calendar that is read again and again."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    if method:
        calendar.add("method", method)
    if name:
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
    if refresh is not None:
        calendar.add("refresh-interval", refresh, parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", f"PT{int(refresh.total_seconds()) // 60}M")
    for each in events:
        calendar.add_component(_component(each))
    return bytes(calendar.to_ical())


def _component(event: CalendarEvent) -> Event:
    component = Event()
    component.add("uid", event.uid)
    component.add("dtstamp", event.changed_at.astimezone(UTC))
    component.add("last-modified", event.changed_at.astimezone(UTC))
    component.add("sequence", event.sequence)
    component.add("dtstart", event.starts_at.astimezone(UTC))
    component.add("dtend", event.ends_at.astimezone(UTC))
    component.add("summary", event.summary)
    component.add("status", event.status)
    for name in ("description", "location", "url"):
        if getattr(event, name):
            component.add(name, getattr(event, name))
    return component
