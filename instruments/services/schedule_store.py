"""The only door to django-scheduler: what recurs is stored there, and expanded by our own rules (``instruments.rules.opening``).

An opening or a closure is an ``Event`` (first start and end as instants), its ``Rule`` (one row per frequency and params,
shared), its moved or cancelled ``Occurrence`` rows, and our ``CalendarEntry`` that says which it is and in which zone the wall
times are meant. The library's own expansion is never called: it shifts hours across zones and clock changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from schedule.models import Calendar, Event, Occurrence, Rule

from config.kernel.errors import NotFound, Refusal
from instruments.models import CalendarEntry as EntryRow
from instruments.rules.opening import CalendarEntry, EntryKind, MovedOccurrence
from instruments.rules.recurrence import Recurrence, format_recurrence, parse_recurrence
from instruments.rules.wall_time import end_instant, start_instant, to_wall

_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_MOMENT = timedelta(microseconds=1)

_ENTRIES_SQL = """
SELECT entry.calendar_id, entry.id, entry.kind, entry.time_zone, entry.reason, event.start, event."end",
       event.end_recurring_period, rule.frequency, rule.params,
       occurrence.original_start, occurrence.start, occurrence."end", occurrence.cancelled
  FROM instruments_calendarentry entry
  JOIN schedule_event event ON event.id = entry.event_id
  LEFT JOIN schedule_rule rule ON rule.id = event.rule_id
  LEFT JOIN schedule_occurrence occurrence ON occurrence.event_id = event.id
 WHERE entry.calendar_id = ANY(%s)
 ORDER BY entry.calendar_id, entry.id, occurrence.original_start, occurrence.id
"""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it is stored: the id to change it by, the zone of its wall times, and the rule object."""

    id: int
    zone_name: str
    reason: str
    entry: CalendarEntry


def create_calendar(name: str) -> int:
    """A new, empty calendar; returns its id. The name need not be unique."""
    return create_calendars([name])[0]


def create_calendars(names: Sequence[str]) -> list[int]:
    """As ``create_calendar`` for many, in one statement per thousand; ids in the order of ``names``."""
    rows = [Calendar(name=name[:200], slug=f"c-{secrets.token_hex(12)}") for name in names]
    return [row.pk for row in Calendar.objects.bulk_create(rows, batch_size=1000)]


def rename_calendar(calendar_id: int, name: str) -> None:
    """Give the calendar the name of what it belongs to."""
    Calendar.objects.filter(pk=calendar_id).update(name=name[:200])


def lock_calendars(calendar_ids: Iterable[int]) -> None:
    """Take the row locks of these calendars, in id order, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM schedule_calendar WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [sorted(set(calendar_ids))])


def add_opening(
    calendar_id: int,
    zone_name: str,
    starts_local: datetime,
    ends_local: datetime,
    recurrence: Recurrence | None = None,
) -> int:
    """Store an opening window in wall time of ``zone_name``; returns the entry's id. Raises as ``add_entry``."""
    return add_entry(calendar_id, zone_name, CalendarEntry(EntryKind.OPENING, starts_local, ends_local, recurrence))


def add_closure(
    calendar_id: int,
    zone_name: str,
    starts_local: datetime,
    ends_local: datetime,
    recurrence: Recurrence | None = None,
    reason: str = "",
) -> int:
    """Store a closure in wall time of ``zone_name``; returns the entry's id. Raises as ``add_entry``."""
    entry = CalendarEntry(EntryKind.CLOSURE, starts_local, ends_local, recurrence)
    return add_entry(calendar_id, zone_name, entry, reason)


def add_entry(calendar_id: int, zone_name: str, entry: CalendarEntry, reason: str = "") -> int:
    """Store a whole entry with its cancelled and moved occurrences; returns its id.

    Raises Refusal ``calendar.no_such_wall_time`` when the zone's clock never shows the first start or end (a gap of a clock
    change) and ``calendar.year_out_of_range`` outside 1970 to 2199.
    """
    zone = ZoneInfo(zone_name)
    starts_at, ends_at = _window(entry.starts_local, entry.ends_local, zone)
    recurrence = entry.recurrence
    event = Event.objects.create(
        calendar_id=calendar_id,
        title=entry.kind.value,
        start=starts_at,
        end=ends_at,
        rule_id=_rule_id(recurrence) if recurrence else None,
        end_recurring_period=_until_instant(recurrence.until, zone) if recurrence and recurrence.until else None,
    )
    row = EntryRow.objects.create(event=event, calendar_id=calendar_id, kind=entry.kind.value, time_zone=zone_name, reason=reason)
    for day in sorted(entry.cancelled):
        _put_occurrence(row, zone, entry, day, None)
    for moved in entry.moved:
        if moved.original_on not in entry.cancelled:
            _put_occurrence(row, zone, entry, moved.original_on, moved)
    return row.pk


def add_entries(entries: Sequence[tuple[int, str, CalendarEntry]]) -> None:
    """As ``add_entry`` for many entries without exceptions (calendar, zone, entry), in a few statements. Raises as ``add_entry``."""
    rules: dict[Recurrence, int] = {}
    events = []
    for calendar_id, zone_name, entry in entries:
        zone = ZoneInfo(zone_name)
        recurrence = entry.recurrence
        if recurrence is not None and recurrence not in rules:
            rules[recurrence] = _rule_id(recurrence)
        starts_at, ends_at = _window(entry.starts_local, entry.ends_local, zone)
        event = Event(
            calendar_id=calendar_id,
            title=entry.kind.value,
            start=starts_at,
            end=ends_at,
            rule_id=rules[recurrence] if recurrence is not None else None,
            end_recurring_period=_until_instant(recurrence.until, zone) if recurrence and recurrence.until else None,
        )
        events.append(event)
    stored = Event.objects.bulk_create(events, batch_size=1000)
    EntryRow.objects.bulk_create(
        (
            EntryRow(event=event, calendar_id=calendar_id, kind=entry.kind.value, time_zone=zone_name)
            for event, (calendar_id, zone_name, entry) in zip(stored, entries, strict=True)
        ),
        batch_size=1000,
    )


def remove_entry(calendar_id: int, entry_id: int) -> None:
    """Delete an opening or closure of that calendar with its exceptions. Raises NotFound ``calendar.no_such_entry``."""
    row = _entry_row(calendar_id, entry_id)
    row.event.delete()


def end_entry(calendar_id: int, entry_id: int, last_on: date) -> None:
    """A repeated entry ends after the local day ``last_on`` (sooner when it does already); one that starts later goes.

    Raises NotFound ``calendar.no_such_entry``.
    """
    row = _entry_row(calendar_id, entry_id)
    zone = ZoneInfo(row.time_zone)
    if to_wall(row.event.start, zone).date() > last_on:
        row.event.delete()
        return
    until_at = _until_instant(last_on, zone)
    known = row.event.end_recurring_period
    if known is None or known > until_at:
        Event.objects.filter(pk=row.event_id).update(end_recurring_period=until_at)


def cancel_occurrence(calendar_id: int, entry_id: int, original_on: date) -> None:
    """The occurrence that starts on that local day does not take place."""
    row = _entry_row(calendar_id, entry_id)
    _put_occurrence(row, ZoneInfo(row.time_zone), _entry_of(calendar_id, entry_id), original_on, None)


def move_occurrence(calendar_id: int, entry_id: int, moved: MovedOccurrence) -> None:
    """The occurrence that would start on ``moved.original_on`` takes place at the other time instead.

    Raises as ``add_entry`` for a time that the clock never shows.
    """
    row = _entry_row(calendar_id, entry_id)
    _put_occurrence(row, ZoneInfo(row.time_zone), _entry_of(calendar_id, entry_id), moved.original_on, moved)


def restore_occurrence(calendar_id: int, entry_id: int, original_on: date) -> None:
    """Undo a cancellation or a move: the occurrence takes place as the entry says."""
    row = _entry_row(calendar_id, entry_id)
    zone = ZoneInfo(row.time_zone)
    for occurrence in Occurrence.objects.filter(event_id=row.event_id):
        if to_wall(occurrence.original_start, zone).date() == original_on:
            occurrence.delete()


def entries_by_calendar(calendar_ids: Iterable[int]) -> dict[int, list[CalendarEntry]]:
    """The entries of each calendar as rule objects, for ``opening.open_ranges``: one query, every id is a key."""
    return {
        calendar_id: [stored.entry for stored in entries]
        for calendar_id, entries in stored_entries_by_calendar(calendar_ids).items()
    }


def stored_entries_by_calendar(calendar_ids: Iterable[int]) -> dict[int, list[StoredEntry]]:
    """As ``entries_by_calendar`` with ids, zones and reasons, for editing: one query, every id is a key."""
    wanted = list(calendar_ids)
    found: dict[int, list[StoredEntry]] = {calendar_id: [] for calendar_id in wanted}
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES_SQL, [wanted])
        rows = cursor.fetchall()
    position = 0
    while position < len(rows):
        end = position + 1
        while end < len(rows) and rows[end][1] == rows[position][1]:
            end += 1
        found[rows[position][0]].append(_read(rows[position:end]))
        position = end
    return found


def _read(rows: Sequence[tuple[Any, ...]]) -> StoredEntry:
    """One entry from its rows of the join, one row per occurrence (or one row without)."""
    _, entry_id, kind, zone_name, reason, starts_at, ends_at, until_at, frequency, params, *_ = rows[0]
    zone = ZoneInfo(zone_name)
    recurrence = None
    if frequency is not None:
        recurrence = _recurrence(frequency, params, to_wall(until_at, zone).date() if until_at else None)
    cancelled, moved = set(), {}
    for row in rows:
        original_at, moved_from, moved_to, is_cancelled = row[10:14]
        if original_at is None:
            continue
        day = to_wall(original_at, zone).date()
        if is_cancelled:
            cancelled.add(day)
        else:
            moved[day] = MovedOccurrence(day, to_wall(moved_from, zone), to_wall(moved_to, zone))
    entry = CalendarEntry(
        EntryKind(kind),
        to_wall(starts_at, zone),
        to_wall(ends_at, zone),
        recurrence,
        frozenset(cancelled),
        tuple(moved.values()),
    )
    return StoredEntry(entry_id, zone_name, reason, entry)


@lru_cache(maxsize=1024)
def _recurrence(frequency: str, params: str, until: date | None) -> Recurrence:
    return parse_recurrence(frequency, params, until)


def _rule_id(recurrence: Recurrence) -> int:
    frequency, params = format_recurrence(recurrence)
    known = Rule.objects.filter(frequency=frequency, params=params).values_list("pk", flat=True).order_by("pk").first()
    if known is not None:
        return int(known)
    return int(Rule.objects.create(name=frequency.lower(), description=params, frequency=frequency, params=params).pk)


def _entry_row(calendar_id: int, entry_id: int) -> EntryRow:
    rows = EntryRow.objects.select_for_update().select_related("event")
    row = rows.filter(pk=entry_id, calendar_id=calendar_id).first()
    if row is None:
        raise NotFound.of("calendar.no_such_entry")
    return row


def _entry_of(calendar_id: int, entry_id: int) -> CalendarEntry:
    stored = stored_entries_by_calendar([calendar_id])[calendar_id]
    return next(one.entry for one in stored if one.id == entry_id)


def _put_occurrence(
    row: EntryRow, zone: ZoneInfo, entry: CalendarEntry, original_on: date, moved: MovedOccurrence | None
) -> None:
    """Write the one exception of that local day; without ``moved`` it is cancelled."""
    original_at = start_instant(datetime.combine(original_on, entry.starts_local.time()), zone)
    if to_wall(original_at, zone).date() != original_on:  # a gap reaches over midnight: any instant of the day names it
        original_at = start_instant(datetime.combine(original_on, datetime.min.time()), zone)
    original_ends_at = original_at + (entry.ends_local - entry.starts_local)
    starts_at, ends_at = (original_at, original_ends_at) if moved is None else _window(moved.starts_local, moved.ends_local, zone)
    Occurrence.objects.update_or_create(
        event_id=row.event_id,
        original_start=original_at,
        defaults={
            "title": row.event.title,
            "original_end": original_ends_at,
            "start": starts_at,
            "end": ends_at,
            "cancelled": moved is None,
        },
    )


def _window(starts_local: datetime, ends_local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return _stored_instant(starts_local, zone, "starts_local"), _stored_instant(ends_local, zone, "ends_local")


def refuse_year(day: date, field: str) -> None:
    """Raise Refusal ``calendar.year_out_of_range`` for a day (or wall time) outside 1970 to 2199."""
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Refusal.of("calendar.year_out_of_range", field, first=_FIRST_YEAR, last=_LAST_YEAR)


def _stored_instant(wall: datetime, zone: ZoneInfo, field: str) -> datetime:
    """The instant that stands for a wall time and gives it back when read."""
    refuse_year(wall, field)
    instant = end_instant(wall, zone) if field == "ends_local" else start_instant(wall, zone)
    if to_wall(instant, zone) != wall.replace(fold=0):
        raise Refusal.of("calendar.no_such_wall_time", field, wall_time=f"{wall:%Y-%m-%d %H:%M}", zone=zone.key)
    return instant


def _until_instant(until: date, zone: ZoneInfo) -> datetime:
    """The last moment of the local day ``until``."""
    refuse_year(until, "until")
    return start_instant(datetime.combine(until, datetime.min.time()) + timedelta(days=1), zone) - _MOMENT
