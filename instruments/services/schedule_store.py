"""The only door to django-scheduler: what recurs is stored there, and expanded by our own rules (``instruments.rules.opening``).

An opening or a closure is an ``Event`` (first start and end as instants), its ``Rule`` (one row per frequency and params,
shared), its moved or cancelled ``Occurrence`` rows, and our ``CalendarEntry`` that says which it is, on which layer it lies and
in which zone the wall times are meant. The library's own expansion is never called: it shifts hours across zones and clock changes.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from schedule.models import Calendar, Event, Occurrence, Rule

from config.kernel.errors import NotFound, Refusal
from config.kernel.statements import planned_once
from instruments import ports
from instruments.models import CalendarEntry as EntryRow
from instruments.models import CalendarSettings
from instruments.rules.entries import (
    NO_HOLIDAYS,
    CalendarEntry,
    EntryKind,
    HolidayRule,
    MovedOccurrence,
    Season,
)
from instruments.rules.opening import CalendarRules
from instruments.rules.recurrence import Recurrence, format_recurrence, parse_recurrence
from instruments.rules.wall_time import end_instant, refuse_year, start_instant, to_wall

_MOMENT = timedelta(microseconds=1)
_BATCH = 1000

#: The calendars changed so far in the running ``changing`` block; None outside of one.
_changed: ContextVar[set[int] | None] = ContextVar("changed_calendars", default=None)

_CALENDARS = """
SELECT calendar.id, settings.closed_on_holidays, settings.makeup_weekday,
       entry.id, entry.kind, entry.time_zone, entry.reason, entry.priority, entry.audiences,
       entry.season_name, entry.season_first_on, entry.season_last_on, entry.removed_at,
       event.start, event."end", event.end_recurring_period, rule.frequency, rule.params,
       occurrence.original_start, occurrence.start, occurrence."end", occurrence.cancelled
  FROM schedule_calendar calendar
  LEFT JOIN instruments_calendarsettings settings ON settings.calendar_id = calendar.id
  LEFT JOIN (instruments_calendarentry entry JOIN schedule_event event ON event.id = entry.event_id)
         ON entry.calendar_id = calendar.id AND (entry.removed_at IS NULL OR entry.removed_at >= %(removed_since)s)
  LEFT JOIN schedule_rule rule ON rule.id = event.rule_id
  LEFT JOIN schedule_occurrence occurrence ON occurrence.event_id = event.id
 WHERE calendar.id {these}
 ORDER BY calendar.id, entry.id, occurrence.original_start, occurrence.id
"""
# The database keeps no plan for "any of these" that is as good as for one, which every booking asks.
_ONE_CALENDAR, _SOME_CALENDARS = _CALENDARS.format(these="= %(calendar)s"), _CALENDARS.format(these="= ANY(%(calendars)s)")
_ENTRY_ID, _OCCURRENCE = 3, 18


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it is stored: the id to change it by, the zone of its wall times, and the rule object."""

    id: int
    zone_name: str
    entry: CalendarEntry
    removed_at: datetime | None = None

    @property
    def reason(self) -> str:
        return self.entry.reason


@dataclass(frozen=True, slots=True)
class StoredCalendar:
    """Everything that is stored of a calendar; ``removed`` are entries that can be brought back, and count for nothing."""

    entries: tuple[StoredEntry, ...] = ()
    holidays: HolidayRule = NO_HOLIDAYS
    removed: tuple[StoredEntry, ...] = ()

    @property
    def rules(self) -> CalendarRules:
        return CalendarRules(tuple(stored.entry for stored in self.entries), self.holidays)


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


@contextmanager
def changing(calendar_ids: Iterable[int]) -> Iterator[None]:
    """Lock the calendars, and tell ``ports.calendar_changed`` once at the end of the block which were really changed.

    Every change of a stored entry is told; outside of a block each one by itself, and in a block within another with that one.
    """
    lock_calendars(calendar_ids)
    if _changed.get() is not None:
        yield
        return
    changed: set[int] = set()
    token = _changed.set(changed)
    try:
        yield
    finally:
        _changed.reset(token)
    ports.calendar_changed(sorted(changed))


def tell_changed(calendar_id: int) -> None:
    """What decides when the calendar is open is different now: its entries, its settings or the zone of its site."""
    changed = _changed.get()
    if changed is None:
        ports.calendar_changed([calendar_id])
    else:
        changed.add(calendar_id)


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
    entry = CalendarEntry(EntryKind.CLOSURE, starts_local, ends_local, recurrence, reason=reason)
    return add_entry(calendar_id, zone_name, entry)


def add_closures(calendar_id: int, zone_name: str, closures: Sequence[tuple[datetime, datetime, str]]) -> list[int]:
    """Store many closures that happen once, each as (first wall time, last wall time, reason); their ids. Raises as ``add_entry``."""
    entries = [CalendarEntry(EntryKind.CLOSURE, starts, ends, reason=reason) for starts, ends, reason in closures]
    return add_entries([(calendar_id, zone_name, entry) for entry in entries])


def add_entry(calendar_id: int, zone_name: str, entry: CalendarEntry) -> int:
    """Store a whole entry with its cancelled and moved occurrences; returns its id.

    Raises Refusal ``calendar.no_such_wall_time`` when the zone's clock never shows the first start or end (a gap of a clock
    change) and ``calendar.year_out_of_range`` outside 1970 to 2199.
    """
    return add_entries([(calendar_id, zone_name, entry)])[0]


def add_entries(entries: Sequence[tuple[int, str, CalendarEntry]]) -> list[int]:
    """As ``add_entry`` for many entries, each with its calendar and zone, in a few statements; their ids in the order given."""
    rules: dict[Recurrence, int] = {}
    for _, _, entry in entries:
        if entry.recurrence is not None and entry.recurrence not in rules:
            rules[entry.recurrence] = _rule_id(entry.recurrence)
    events = Event.objects.bulk_create((_event(*one, rules) for one in entries), batch_size=_BATCH)
    rows = EntryRow.objects.bulk_create(
        (_row(event, *one) for event, one in zip(events, entries, strict=True)), batch_size=_BATCH
    )
    for row, (_, zone_name, entry) in zip(rows, entries, strict=True):
        for day in sorted(entry.cancelled):
            _put_occurrence(row, ZoneInfo(zone_name), entry, day, None)
        for moved in entry.moved:
            if moved.original_on not in entry.cancelled:
                _put_occurrence(row, ZoneInfo(zone_name), entry, moved.original_on, moved)
    for calendar_id in dict.fromkeys(calendar_id for calendar_id, _, _ in entries):
        tell_changed(calendar_id)
    return [row.pk for row in rows]


def _event(calendar_id: int, zone_name: str, entry: CalendarEntry, rules: Mapping[Recurrence, int]) -> Event:
    zone, recurrence = ZoneInfo(zone_name), entry.recurrence
    starts_at, ends_at = _window(entry.starts_local, entry.ends_local, zone)
    return Event(
        calendar_id=calendar_id,
        title=entry.kind.value,
        start=starts_at,
        end=ends_at,
        rule_id=rules[recurrence] if recurrence else None,
        end_recurring_period=_until_instant(recurrence.until, zone) if recurrence and recurrence.until else None,
    )


def _row(event: Event, calendar_id: int, zone_name: str, entry: CalendarEntry) -> EntryRow:
    season = entry.season
    return EntryRow(
        event=event,
        calendar_id=calendar_id,
        kind=entry.kind.value,
        time_zone=zone_name,
        reason=entry.reason,
        priority=entry.priority,
        audiences=sorted(entry.audiences),
        season_name=season.name if season else "",
        season_first_on=season.first_on if season else None,
        season_last_on=season.last_on if season else None,
    )


def remove_entry(calendar_id: int, entry_id: int, at: datetime) -> None:
    """Take an entry out; it counts for nothing and can be brought back. Raises NotFound ``calendar.no_such_entry``."""
    row = _entry_row(calendar_id, entry_id)
    EntryRow.objects.filter(pk=row.pk).update(removed_at=at)
    tell_changed(calendar_id)


def bring_back_entry(calendar_id: int, entry_id: int) -> None:
    """Put an entry that was removed in force again. Raises NotFound ``calendar.no_such_entry``."""
    rows = EntryRow.everything.filter(pk=entry_id, calendar_id=calendar_id, removed_at__isnull=False)
    if not rows.update(removed_at=None):
        raise NotFound.of("calendar.no_such_entry")
    tell_changed(calendar_id)


def set_holidays(calendar_id: int, holidays: HolidayRule) -> None:
    """How the calendar takes statutory holidays from now on."""
    CalendarSettings.objects.update_or_create(
        calendar_id=calendar_id,
        defaults={"closed_on_holidays": holidays.closed, "makeup_weekday": holidays.makeup_weekday},
    )
    tell_changed(calendar_id)


def end_entry(calendar_id: int, entry_id: int, last_on: date) -> None:
    """A repeated entry ends after the local day ``last_on`` (sooner when it does already); one that starts later goes.

    Raises NotFound ``calendar.no_such_entry``.
    """
    row = _entry_row(calendar_id, entry_id)
    zone = ZoneInfo(row.time_zone)
    if to_wall(row.event.start, zone).date() > last_on:
        row.event.delete()
        tell_changed(calendar_id)
        return
    until_at = _until_instant(last_on, zone)
    known = row.event.end_recurring_period
    if known is None or known > until_at:
        Event.objects.filter(pk=row.event_id).update(end_recurring_period=until_at)
        tell_changed(calendar_id)


def cancel_occurrence(calendar_id: int, entry_id: int, original_on: date) -> None:
    """The occurrence that starts on that local day does not take place."""
    row = _entry_row(calendar_id, entry_id)
    _put_occurrence(row, ZoneInfo(row.time_zone), _entry_of(calendar_id, entry_id), original_on, None)
    tell_changed(calendar_id)


def move_occurrence(calendar_id: int, entry_id: int, moved: MovedOccurrence) -> None:
    """The occurrence that would start on ``moved.original_on`` takes place at the other time instead.

    Raises as ``add_entry`` for a time that the clock never shows.
    """
    row = _entry_row(calendar_id, entry_id)
    _put_occurrence(row, ZoneInfo(row.time_zone), _entry_of(calendar_id, entry_id), moved.original_on, moved)
    tell_changed(calendar_id)


def restore_occurrence(calendar_id: int, entry_id: int, original_on: date) -> None:
    """Undo a cancellation or a move: the occurrence takes place as the entry says."""
    row = _entry_row(calendar_id, entry_id)
    zone = ZoneInfo(row.time_zone)
    for occurrence in Occurrence.objects.filter(event_id=row.event_id):
        if to_wall(occurrence.original_start, zone).date() == original_on:
            occurrence.delete()
    tell_changed(calendar_id)


def rules_by_calendar(calendar_ids: Iterable[int]) -> dict[int, CalendarRules]:
    """All that decides when each calendar is open, for ``opening.open_ranges``: one query, every id is a key."""
    return {calendar_id: stored.rules for calendar_id, stored in stored_calendars(calendar_ids).items()}


def stored_entries_by_calendar(calendar_ids: Iterable[int]) -> dict[int, tuple[StoredEntry, ...]]:
    """The entries of each calendar with ids and zones, for editing: one query, every id is a key."""
    return {calendar_id: stored.entries for calendar_id, stored in stored_calendars(calendar_ids).items()}


def stored_calendars(calendar_ids: Iterable[int], *, removed_since: datetime | None = None) -> dict[int, StoredCalendar]:
    """Each calendar as it is stored: one query for all of them, every id is a key.

    With ``removed_since`` also the entries that were removed at that instant or later.
    """
    wanted = list(calendar_ids)
    with planned_once() as cursor:
        if len(wanted) == 1:
            cursor.execute(_ONE_CALENDAR, {"calendar": wanted[0], "removed_since": removed_since})
        else:
            cursor.execute(_SOME_CALENDARS, {"calendars": wanted, "removed_since": removed_since})
        rows = cursor.fetchall()
    found = {calendar_id: StoredCalendar() for calendar_id in wanted}
    for calendar_id, of_calendar in groupby(rows, key=itemgetter(0)):
        found[calendar_id] = _calendar(list(of_calendar))
    return found


def _calendar(rows: Sequence[tuple[Any, ...]]) -> StoredCalendar:
    _, closed_on_holidays, makeup_weekday, first_entry, *_ = rows[0]
    holidays = NO_HOLIDAYS if closed_on_holidays is None else HolidayRule(closed_on_holidays, makeup_weekday)
    if first_entry is None:
        return StoredCalendar(holidays=holidays)
    entries = [_read(list(of_entry)) for _, of_entry in groupby(rows, key=itemgetter(_ENTRY_ID))]
    return StoredCalendar(
        tuple(one for one in entries if one.removed_at is None),
        holidays,
        tuple(one for one in entries if one.removed_at is not None),
    )


def _read(rows: Sequence[tuple[Any, ...]]) -> StoredEntry:
    """One entry from its rows of the join, one row per occurrence (or one row without)."""
    entry_id, kind, zone_name, reason, priority, audiences, *season, removed_at = rows[0][_ENTRY_ID:13]
    starts_at, ends_at, until_at, frequency, params = rows[0][13:_OCCURRENCE]
    zone = ZoneInfo(zone_name)
    recurrence = None
    if frequency is not None:
        recurrence = _recurrence(frequency, params, to_wall(until_at, zone).date() if until_at else None)
    cancelled, moved = _exceptions(rows, zone)
    entry = CalendarEntry(
        EntryKind(kind),
        to_wall(starts_at, zone),
        to_wall(ends_at, zone),
        recurrence,
        cancelled,
        moved,
        priority,
        frozenset(json.loads(audiences)),
        Season(*season) if season[0] else None,
        reason,
    )
    return StoredEntry(entry_id, zone_name, entry, removed_at)


def _exceptions(rows: Sequence[tuple[Any, ...]], zone: ZoneInfo) -> tuple[frozenset[date], tuple[MovedOccurrence, ...]]:
    """The days whose occurrence is cancelled, and the occurrences that were moved."""
    cancelled, moved = set(), {}
    for row in rows:
        original_at, moved_from, moved_to, is_cancelled = row[_OCCURRENCE:]
        if original_at is None:
            continue
        day = to_wall(original_at, zone).date()
        if is_cancelled:
            cancelled.add(day)
        else:
            moved[day] = MovedOccurrence(day, to_wall(moved_from, zone), to_wall(moved_to, zone))
    return frozenset(cancelled), tuple(moved.values())


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


def _stored_instant(wall: datetime, zone: ZoneInfo, field: str) -> datetime:
    """The instant that stands for a wall time and gives it back when read."""
    refuse_year(wall, field)
    instant = end_instant(wall, zone) if field == "ends_local" else start_instant(wall, zone)
    if to_wall(instant, zone) != wall.replace(fold=0):
        raise Refusal.of("calendar.no_such_wall_time", field, wall_time=wall.isoformat(), zone=zone.key)
    return instant


def _until_instant(until: date, zone: ZoneInfo) -> datetime:
    """The last moment of the local day ``until``."""
    refuse_year(until, "until")
    return start_instant(datetime.combine(until, datetime.min.time()) + timedelta(days=1), zone) - _MOMENT
