"""Calendars in the form that calendar programs read (iCalendar, RFC 5545). The one place that writes it.

The text depends on nothing but its events: the same events give the same bytes, so that an unchanged calendar is recognised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vText

PRODUCT = "-//Jishi//Reservations//EN"
MEDIA_TYPE = "text/calendar; charset=utf-8"
_END = b"END:VCALENDAR"
_ESCAPED = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n", "\r": r"\n"})
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


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing of a calendar that was too long, in ``words`` and for programs: all that begins ``whole_until`` or later, or
    something of what was over by ``left_out_before``."""

    words: str
    whole_until: datetime | None = None
    left_out_before: datetime | None = None


def calendar_text(
    events: Iterable[CalendarEvent],
    *,
    name: str = "",
    refresh: timedelta | None = None,
    method: str = "",
    gaps: Gaps | None = None,
) -> bytes:
    """The calendar with lines of at most 75 octets. ``name``, ``refresh`` and ``gaps`` are for a calendar that is read again and again."""
    written = list(events)
    frame = _frame(name, refresh, method, gaps)
    zones = {each.zone for each in written if each.zone}
    if zones:
        first, last = min(each.starts_at for each in written), max(each.ends_at for each in written)
        _add_zones(frame, zones, first - _AROUND, last + _AROUND)
    head, end, tail = bytes(frame.to_ical()).rpartition(_END)
    lines = (line for each in written for line in _lines(each))
    return b"".join([head, *(_folded(line) for line in lines), end, tail])


def _frame(name: str, refresh: timedelta | None, method: str, gaps: Gaps | None) -> Calendar:
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
    if gaps is not None:
        calendar.add("description", _Text(gaps.words))
        calendar.add("x-wr-caldesc", _Text(gaps.words))
        for key, moment in (("x-jishi-whole-until", gaps.whole_until), ("x-jishi-left-out-before", gaps.left_out_before)):
            if moment is not None:
                calendar.add(key, _instant(moment))
    return calendar


def _add_zones(frame: Calendar, zones: Iterable[str], first: datetime, last: datetime) -> None:
    """When the clocks of the zones change between two moments, as the library knows it: it looks which zones its own events name."""
    for zone in sorted(zones):
        named = Event()
        named.add("dtstart", first.astimezone(ZoneInfo(zone)))
        frame.add_component(named)
    frame.add_missing_timezones(first.date(), last.date())
    frame.subcomponents = [each for each in frame.subcomponents if not isinstance(each, Event)]


class _Text(vText):
    """Words as they are (RFC 5545, 3.3.11). The library's own text writes a backslash before a capital N as an end of line."""

    __slots__ = ()

    def to_ical(self) -> bytes:
        return _words(self).encode()


def _words(text: str) -> str:
    return text.replace("\r\n", "\n").translate(_ESCAPED)


def _lines(event: CalendarEvent) -> Iterator[str]:
    """The event, not folded yet. By hand, for speed (``docs/adr/0047-events-of-calendars-are-written-by-hand.md``)."""
    changed_at = _instant(event.changed_at)
    yield "BEGIN:VEVENT"
    yield f"UID:{_words(event.uid)}"
    yield f"DTSTAMP:{changed_at}"
    yield f"LAST-MODIFIED:{changed_at}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"DTSTART{_time(event.starts_at, event.zone)}"
    yield f"DTEND{_time(event.ends_at, event.zone)}"
    yield f"SUMMARY:{_words(event.summary)}"
    yield f"STATUS:{event.status}"
    if event.description:
        yield f"DESCRIPTION:{_words(event.description)}"
    if event.location:
        yield f"LOCATION:{_words(event.location)}"
    if event.url:
        yield f"URL:{event.url}"
    if event.organizer:
        yield f"ORGANIZER:mailto:{event.organizer}"
    if event.attendee:  # who comes in any case: nobody waits for an answer
        yield f"ATTENDEE;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:{event.attendee}"
    yield "END:VEVENT"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _time(moment: datetime, zone: str) -> str:
    """With what stands before the value: a zone that is not UTC is named."""
    return f";TZID={zone}:{moment.astimezone(ZoneInfo(zone)):%Y%m%dT%H%M%S}" if zone else f":{_instant(moment)}"


def _folded(line: str) -> bytes:
    """The line with its end, cut into pieces of at most 75 octets, and never within a character."""
    left, pieces, room = line.encode(), [], 75
    while len(left) > room:
        place = room
        while left[place] & 0xC0 == 0x80:
            place -= 1
        pieces.append(left[:place])
        left, room = left[place:], 74
    return b"\r\n ".join([*pieces, left]) + b"\r\n"
