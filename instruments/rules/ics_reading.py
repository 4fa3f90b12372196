"""What an iCalendar file says about time: one row for every event and every repetition within a window, each with its fate.

A file of people is full of oddities; none of them spoils the rest of the file. What cannot be read is a *refused* row with its
reason, what means no time (cancelled, free, without length, over) a *skipped* one.

Times without a zone mean the zone that the file names for itself (X-WR-TIMEZONE), else the zone of the place. Days mean days of the
place. A zone that nobody knows and the file does not define refuses its event: guessing would close the wrong hours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.ics_lines import CalendarText, EventText, cut
from instruments.rules.wall_time import end_instant, start_instant

MAX_ROWS = 5_000
MAX_DAYS = 400
"""The longest single event."""
FIRST_YEAR = 1970
_OFTEN = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_MAX_TIMES_A_DAY = 4
_DAY = timedelta(days=1)

TAKEN, SKIPPED, REFUSED = "taken", "skipped", "refused"


@dataclass(frozen=True, slots=True)
class IcsRow:
    """One event, or one repetition of it.

    ``fate`` is ``taken`` (it takes the time), ``skipped`` or ``refused``, the latter two with a ``reason``. (``uid``, ``recurrence``)
    names it in later versions of the file; ``recurrence`` is the instant at which a repetition was planned, or empty.
    ``cancelled``: the file itself takes it back.
    """

    line: int
    fate: str
    uid: str
    recurrence: str = ""
    title: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    all_day: bool = False
    cancelled: bool = False
    reason: Reason | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.uid, self.recurrence

    @property
    def during(self) -> TimeRange | None:
        """The time of a row that has a length."""
        if self.starts_at is None or self.ends_at is None or self.starts_at >= self.ends_at:
            return None
        return TimeRange(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class IcsFile:
    """A file that was read: what it calls itself, and its rows in the order of their starts."""

    title: str
    rows: tuple[IcsRow, ...]


class TooCostly(Exception):
    """Raised by the guard around one series that takes too long to work out."""


Guard = Callable[[], AbstractContextManager[None]]


def read_ics(content: bytes, zone: ZoneInfo, window: TimeRange, guard: Guard = nullcontext) -> IcsFile:
    """Everything in the file that reaches into ``window``, and why the rest does not.

    ``guard`` is entered around the expansion of each series and may raise ``TooCostly``. Raises Refusal as ``ics_lines.cut``, and
    ``ics.too_many_rows``.
    """
    text = cut(content)
    own_zone = _known_zone(text.zone_name)
    rows: list[IcsRow] = []
    for row in _rows(text, own_zone or zone, zone, window, guard):
        rows.append(row)
        if len(rows) > MAX_ROWS:
            raise Refusal.of("ics.too_many_rows", "file", maximum=MAX_ROWS)
    rows.sort(key=lambda row: (row.starts_at or datetime.max.replace(tzinfo=UTC), row.line))
    return IcsFile(_clean(text.title), tuple(_without_repeats(rows)))


@dataclass(frozen=True, slots=True)
class _Read:
    """An event of the file with its parsed properties."""

    source: EventText
    event: Any
    uid: str
    sequence: int


def _rows(text: CalendarText, floating: ZoneInfo, place: ZoneInfo, window: TimeRange, guard: Guard) -> Iterator[IcsRow]:
    series: dict[str, list[_Read]] = {}
    single: list[_Read] = []
    for source in text.events:
        read = _parsed(source, text)
        if isinstance(read, IcsRow):
            yield read
        elif source.names("RRULE", "RDATE", "RECURRENCE-ID"):
            series.setdefault(read.uid, []).append(read)
        else:
            single.append(read)
    for read in single:
        if read.uid in series:
            series[read.uid].append(read)
        else:
            yield _single(read, floating, place, window)
    for members in series.values():
        if any(member.source.names("RRULE", "RDATE") for member in members):
            yield from _series(members, text, floating, place, window, guard)
        else:
            for read in members:
                yield _single(read, floating, place, window)


def _parsed(source: EventText, text: CalendarText) -> _Read | IcsRow:
    """The event's properties, or its refusal."""
    if source.fault:
        return IcsRow(source.line, REFUSED, "", reason=Reason(source.fault))
    try:
        calendar = icalendar.Calendar.from_ical(_calendar([source], text))
        event = calendar.walk("VEVENT")[0]
    except Exception:  # whatever the library meets in a damaged line: ValueError, IndexError, KeyError, ...
        return IcsRow(source.line, REFUSED, "", reason=Reason("ics.unreadable"))
    uid = _uid(str(event.get("UID", ""))) or _own_uid(source)
    title = _clean(str(event.get("SUMMARY", "")))
    try:
        sequence = int(event.get("SEQUENCE", 0))
    except (TypeError, ValueError):
        sequence = 0
    refuse = IcsRow(source.line, REFUSED, uid, title=title)
    for name, _fault in event.errors:
        if name in {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}:
            return replace(refuse, reason=Reason("ics.property_unreadable", {"name": str(name)}))
    start = event.get("DTSTART")
    if start is None:
        return replace(refuse, reason=Reason("ics.no_start"))
    if any(isinstance(event.get(name), list) for name in ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE")):
        return replace(refuse, reason=Reason("ics.twice"))
    unknown = _unknown_zone(event)
    if unknown:
        return replace(refuse, reason=Reason("ics.zone_unknown", {"zone": unknown}))
    repeats = _repeats_wrongly(event)
    if repeats:
        return replace(refuse, reason=repeats)
    if not FIRST_YEAR <= start.dt.year <= 2199:
        return replace(refuse, reason=Reason("ics.year", {"year": start.dt.year}))
    return _Read(source, event, uid, sequence)


def _calendar(events: Iterable[EventText], text: CalendarText) -> str:
    """A file of these events alone, with the zones of the whole one that they speak of."""
    bodies = [event.text for event in events]
    used = [
        body for name, body in text.zones.items() if any(f"TZID={name}" in each or f'TZID="{name}"' in each for each in bodies)
    ]
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *used, *bodies, "END:VCALENDAR", ""))


# --- Without repetition -----------------------------------------------------------------------------------------------
def _single(read: _Read, floating: ZoneInfo, place: ZoneInfo, window: TimeRange) -> IcsRow:
    event = read.event
    start, end = event["DTSTART"].dt, _end_of(event)
    recurrence = ""
    if "RECURRENCE-ID" in event:
        recurrence = _instant(event["RECURRENCE-ID"].dt, floating, place).isoformat()
    return _fated(read, recurrence, start, end, floating, place, window)


def _end_of(event: Any) -> date | datetime:
    """DTEND, else DTSTART and DURATION; a day without an end is one day, a time without one has no length (RFC 5545)."""
    start: date | datetime = event["DTSTART"].dt
    if "DTEND" in event:
        end: date | datetime = event["DTEND"].dt
        return end
    if "DURATION" in event:
        length: timedelta = event["DURATION"].dt
        return start + length
    return start if isinstance(start, datetime) else start + _DAY


def _fated(
    read: _Read,
    recurrence: str,
    start: date | datetime,
    end: date | datetime,
    floating: ZoneInfo,
    place: ZoneInfo,
    window: TimeRange,
) -> IcsRow:
    """The row of one occurrence."""
    event = read.event
    all_day = not isinstance(start, datetime)
    row = IcsRow(read.source.line, SKIPPED, read.uid, recurrence, _clean(str(event.get("SUMMARY", ""))), all_day=all_day)
    try:
        starts_at, ends_at = _instant(start, floating, place), _instant(end, floating, place, ends=True)
    except (ValueError, OverflowError):
        return replace(row, fate=REFUSED, reason=Reason("ics.year", {"year": start.year}))
    row = replace(row, starts_at=starts_at, ends_at=ends_at)
    if ends_at < starts_at:
        return replace(row, fate=REFUSED, reason=Reason("ics.ends_before_start"))
    if ends_at - starts_at > timedelta(days=MAX_DAYS):
        return replace(row, fate=REFUSED, reason=Reason("ics.lasts_too_long", {"days": MAX_DAYS}))
    if ends_at == starts_at:
        return replace(row, reason=Reason("ics.no_length"))
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return replace(row, cancelled=True, reason=Reason("ics.cancelled"))
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return replace(row, reason=Reason("ics.free"))
    if ends_at <= window.starts_at:
        return replace(row, reason=Reason("ics.past"))
    if starts_at >= window.ends_at:
        return replace(row, reason=Reason("ics.far_ahead"))
    return replace(row, fate=TAKEN)


def _instant(moment: date | datetime, floating: ZoneInfo, place: ZoneInfo, *, ends: bool = False) -> datetime:
    """The instant (UTC, to the second): a day begins at the place's midnight, a time without a zone is wall time of ``floating``."""
    convert = end_instant if ends else start_instant
    if not isinstance(moment, datetime):
        return convert(datetime.combine(moment, time.min), place)
    if moment.tzinfo is None:
        return convert(moment.replace(microsecond=0), floating)
    return moment.astimezone(UTC).replace(microsecond=0)


# --- With repetition --------------------------------------------------------------------------------------------------
def _series(
    members: Sequence[_Read], text: CalendarText, floating: ZoneInfo, place: ZoneInfo, window: TimeRange, guard: Guard
) -> Iterator[IcsRow]:
    """The occurrences of one series within the window, moved and cancelled ones as they are."""
    master = max((one for one in members if one.source.names("RRULE", "RDATE")), key=lambda one: one.sequence)
    whole = [one for one in members if one is master or "RECURRENCE-ID" in one.event]
    for left in members:
        if left not in whole:
            yield replace(_single(left, floating, place, window), fate=SKIPPED, reason=Reason("ics.older"))
    try:
        calendar = icalendar.Calendar.from_ical(_calendar([one.source for one in whole], text))
        for event in calendar.walk("VEVENT"):
            event["UID"] = "series"
        if text.zone_name and _known_zone(text.zone_name):
            calendar.add("X-WR-TIMEZONE", text.zone_name)
        with guard():
            found = recurring_ical_events.of(calendar).between(*_local(window, master, floating, place))
    except TooCostly:
        yield _refused(master, "ics.series_too_costly")
        return
    except Exception:  # what the library refuses in a rule is of many kinds
        yield _refused(master, "ics.series_unreadable")
        return
    if len(found) > MAX_ROWS:
        raise Refusal.of("ics.too_many_rows", "file", maximum=MAX_ROWS)
    by_place = {_instant(one.event["RECURRENCE-ID"].dt, floating, place): one for one in whole if one is not master}
    if not found:
        yield replace(_refused(master, "ics.none_in_window"), fate=SKIPPED)
    for occurrence in found:
        original = _instant(occurrence["RECURRENCE-ID"].dt, floating, place)
        read = replace(by_place.get(original, master), event=occurrence)
        row = _fated(read, original.isoformat(), occurrence["DTSTART"].dt, _end_of(occurrence), floating, place, window)
        if row.reason is None or row.reason.code not in {"ics.past", "ics.far_ahead"}:  # those are of the wider look only
            yield row


def _local(window: TimeRange, master: _Read, floating: ZoneInfo, place: ZoneInfo) -> tuple[Any, Any]:
    """The window in the kind of time that the series is written in, a day wider on both sides."""
    low, high = window.starts_at - _DAY, window.ends_at + _DAY
    start = master.event["DTSTART"].dt
    if not isinstance(start, datetime):
        return low.astimezone(place).date(), high.astimezone(place).date()
    if start.tzinfo is None:
        return low.astimezone(floating).replace(tzinfo=None), high.astimezone(floating).replace(tzinfo=None)
    return low, high


def _refused(read: _Read, code: str) -> IcsRow:
    return IcsRow(read.source.line, REFUSED, read.uid, title=_clean(str(read.event.get("SUMMARY", ""))), reason=Reason(code))


def _repeats_wrongly(event: Any) -> Reason | None:
    """Why a rule is not worked out at all: it has no such frequency, or fires more often than anything is closed."""
    rule = event.get("RRULE")
    if rule is None:
        return None
    frequency = str((rule.get("FREQ") or [""])[0]).upper()
    if frequency in _OFTEN:
        return Reason("ics.too_often")
    if frequency not in _FREQUENCIES:
        return Reason("ics.property_unreadable", {"name": "RRULE"})
    times = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= max(1, len(rule.get(part) or []))
    return Reason("ics.too_often") if times > _MAX_TIMES_A_DAY else None


# --- Names ------------------------------------------------------------------------------------------------------------
def _unknown_zone(event: Any) -> str:
    """The name of a zone that nobody knows, when the event's times speak of one."""
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        value = event.get(name)
        if value is None:
            continue
        zone = str(value.params.get("TZID", ""))
        if zone and isinstance(value.dt, datetime) and value.dt.tzinfo is None:
            return _clean(zone)[:60]
    return ""


def _known_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def _own_uid(source: EventText) -> str:
    """A name for an event without one, the same as long as the event is the same."""
    return f"without-uid-{hashlib.sha256(source.text.encode()).hexdigest()[:32]}"


def _uid(text: str) -> str:
    """The event's name; a very long one is shortened so that it still differs from others."""
    name = "".join(char for char in text if char.isprintable()).strip()
    return name if len(name) <= 200 else f"{name[:130]}-{hashlib.sha256(name.encode()).hexdigest()}"


def _clean(text: str) -> str:
    """One line without anything invisible, 200 characters at most."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:200]


def _without_repeats(rows: Iterable[IcsRow]) -> Iterator[IcsRow]:
    """The same event twice counts once. Different times under one name are different events (some programs write such files)."""
    seen: dict[tuple[str, str], IcsRow] = {}
    for row in rows:
        if row.fate != TAKEN or row.starts_at is None:
            yield row
            continue
        known = seen.get(row.key)
        if known is not None and known.during != row.during:
            row = replace(row, recurrence=f"{row.recurrence}@{row.starts_at.isoformat()}")
            known = seen.get(row.key)
        if known is not None:
            yield replace(row, fate=SKIPPED, reason=Reason("ics.repeated", {"line": known.line}))
            continue
        seen[row.key] = row
        yield row
