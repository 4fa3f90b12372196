"""Calendars in the form that calendar programs read (iCalendar, RFC 5545). The one place that writes it.

The text depends on nothing but its events: the same events give the same bytes, so that an unchanged calendar is recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText

PRODUCT = "-//Jishi//Reservations//EN"
MEDIA_TYPE = "text/calendar; charset=utf-8"
_AROUND = timedelta(days=366)
"""How far around its events a calendar says when clocks change."""


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event. ``uid`` stays the same for good; ``sequence`` grows with each change, the last of which was at ``changed_at``.

    ``status`` is TENTATIVE, CONFIRMED or CANCELLED. ``zone`` is the IANA zone in which the times are written, UTC without one;
    ``organizer`` and ``attendee`` are addresses, for invitations.
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
    zone: str = ""
    organizer: str = ""
    attendee: str = ""


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
        calendar.add("name", _Text(name))
        calendar.add("x-wr-calname", _Text(name))
    if refresh is not None:
        calendar.add("refresh-interval", refresh, parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", f"PT{int(refresh.total_seconds()) // 60}M")
    written = list(events)
    for each in written:
        calendar.add_component(_component(each))
    if any(each.zone for each in written):
        first, last = min(each.starts_at for each in written), max(each.ends_at for each in written)
        calendar.add_missing_timezones((first - _AROUND).date(), (last + _AROUND).date())
    return bytes(calendar.to_ical())


class _Text(vText):
    """Words as they are (RFC 5545, 3.3.11). The library's own text writes a backslash before a capital N as an end of line."""

    __slots__ = ()

    def to_ical(self) -> bytes:
        lines = self.replace("\r\n", "\n").replace("\r", "\n")
        return re.sub(r"([\\;,])", r"\\\1", lines).replace("\n", r"\n").encode()


def _component(event: CalendarEvent) -> Event:
    component = Event()
    component.add("uid", event.uid)
    component.add("dtstamp", event.changed_at.astimezone(UTC))
    component.add("last-modified", event.changed_at.astimezone(UTC))
    component.add("sequence", event.sequence)
    zone = ZoneInfo(event.zone) if event.zone else UTC
    component.add("dtstart", event.starts_at.astimezone(zone))
    component.add("dtend", event.ends_at.astimezone(zone))
    component.add("summary", _Text(event.summary))
    component.add("status", event.status)
    for name in ("description", "location"):
        if getattr(event, name):
            component.add(name, _Text(getattr(event, name)))
    if event.url:
        component.add("url", event.url)
    if event.organizer:
        component.add("organizer", vCalAddress(f"mailto:{event.organizer}"))
    if event.attendee:
        component.add("attendee", _attendee(event.attendee))
    return component


def _attendee(address: str) -> vCalAddress:
    """Who comes in any case: nobody waits for an answer."""
    attendee = vCalAddress(f"mailto:{address}")
    attendee.params["partstat"], attendee.params["rsvp"], attendee.params["role"] = "ACCEPTED", "FALSE", "REQ-PARTICIPANT"
    return attendee
