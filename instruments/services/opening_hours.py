"""Changing when an instrument is open: every layer of its calendar. Who may, what is refused, and what is written down.

Each service locks the calendar, changes its entries, tells ``ports.calendar_changed`` once and writes the audit trail, in one
transaction. Reservations stay as they are. What is removed or replaced can be brought back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Instrument
from instruments.rules import registry_values
from instruments.rules.audience import Audience
from instruments.rules.entries import (
    CalendarEntry,
    EntryKind,
    HolidayRule,
    MovedOccurrence,
    Priority,
    Season,
    happens_on,
)
from instruments.rules.entry_documents import entry_document
from instruments.rules.names import clean_name
from instruments.rules.recurrence import Recurrence
from instruments.rules.wall_time import refuse_year
from instruments.services import schedule_store
from instruments.services.instrument_changes import managed_instrument
from instruments.services.schedule_store import StoredEntry
from instruments.services.weekly_hours import (
    WeeklyWindow,
    is_weekly_base,
    shown_window,
    weekly_entries,
    weekly_entry,
    weekly_windows,
    window_reasons,
)

SEASON_NAME_LENGTH = 80
#: How long something that was removed can be brought back.
KEPT_DAYS = 30
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SeasonHours:
    """The week that holds from ``first_on`` to ``last_on`` instead of the usual one; ``important`` wins over other seasons."""

    name: str
    first_on: date
    last_on: date
    windows: Sequence[WeeklyWindow]
    important: bool = False


@dataclass(frozen=True, slots=True)
class AudienceHours:
    """Every week on ``weekdays`` from ``opens`` to ``closes`` (wall time; at or before ``opens``: the next day), only
    ``audiences`` may come (``opens_then``), or may not. From ``first_on`` to ``last_on`` (None: without an end)."""

    audiences: Sequence[str]
    opens_then: bool
    weekdays: Sequence[int]
    opens: time
    closes: time
    first_on: date
    last_on: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OnceOrAgain:
    """A window of wall time with a reason that everybody can read, once or again and again."""

    starts_local: datetime
    ends_local: datetime
    reason: str = ""
    recurrence: Recurrence | None = None


# --- The usual week ---------------------------------------------------------------------------------------------------
@whole
def set_weekly_hours(actor: Actor, instrument_id: int, windows: Sequence[WeeklyWindow], valid_from: date, now: datetime) -> None:
    """From ``valid_from`` (local day) on, open in exactly these weekly windows; what was valid before stays in history.

    Other layers and reservations stay as they are. Raises Refusal ``calendar.weekday_unknown``,
    ``calendar.windows_overlap``, ``calendar.year_out_of_range``.
    """
    instrument = managed_instrument(actor, instrument_id)
    refuse_year(valid_from, "valid_from")
    Refusal.raise_any(window_reasons(windows))
    with schedule_store.changing([instrument.calendar_id]):
        replaced = replace_weekly_hours(instrument.calendar_id, instrument.site.time_zone, windows, valid_from)
    before = {"windows": [shown_window(window) for window in replaced]}
    after = {"windows": [shown_window(window) for window in windows], "valid_from": valid_from.isoformat()}
    audit.record(actor, "instrument.hours", instrument, now, before=before, after=after)


def replace_weekly_hours(
    calendar_id: int, zone_name: str, windows: Sequence[WeeklyWindow], valid_from: date
) -> list[WeeklyWindow]:
    """End the base week of a calendar before ``valid_from`` (local day) and begin this one; returns what held. Within ``changing``."""
    stored = schedule_store.stored_entries_by_calendar([calendar_id])[calendar_id]
    for one in stored:
        if is_weekly_base(one.entry):
            schedule_store.end_entry(calendar_id, one.id, valid_from - _DAY)
    schedule_store.add_entries([(calendar_id, zone_name, entry) for entry in weekly_entries(windows, valid_from)])
    return weekly_windows(stored)


# --- Layers above it --------------------------------------------------------------------------------------------------
@whole
def set_season(actor: Actor, instrument_id: int, fields: SeasonHours, now: datetime, *, replaces: int | None = None) -> list[int]:
    """Other hours on some days of the year; ``replaces`` is an entry of the season that it takes the place of.

    Raises Refusal ``name.*``, ``calendar.end_before_start``, ``calendar.season_without_hours``, ``calendar.windows_overlap``,
    ``calendar.seasons_overlap``, ``calendar.year_out_of_range``; NotFound ``calendar.no_such_entry``.
    """
    instrument = managed_instrument(actor, instrument_id)
    name = clean_name(fields.name, SEASON_NAME_LENGTH, "name")
    for day, field in ((fields.first_on, "first_on"), (fields.last_on, "last_on")):
        refuse_year(day, field)
    reasons = window_reasons(fields.windows)
    if fields.last_on < fields.first_on:
        reasons.append(Reason("calendar.end_before_start", {}, "last_on"))
    if not fields.windows:
        reasons.append(Reason("calendar.season_without_hours", {}, "windows"))
    Refusal.raise_any(reasons)
    priority = Priority.IMPORTANT_SEASON if fields.important else Priority.SEASON
    season = Season(name, fields.first_on, fields.last_on)
    entries = weekly_entries(fields.windows, season.first_on, season.last_on, season=season, priority=priority)

    def refuse_overlap(others: Iterable[StoredEntry]) -> None:
        for other in others:
            taken = other.entry.season
            if taken is not None and other.entry.priority == priority and _overlap(taken, season):
                raise Refusal.of("calendar.seasons_overlap", "first_on", name=taken.name)

    return _put(actor, instrument, entries, now, "instrument.season", replaces, refuse_overlap)


@whole
def set_audience_hours(
    actor: Actor, instrument_id: int, fields: AudienceHours, now: datetime, *, replaces: int | None = None
) -> list[int]:
    """Hours in which only some customers may come, or in which some may not.

    Raises Refusal ``calendar.audience_unknown``, ``calendar.weekday_unknown``, ``calendar.end_before_start``,
    ``calendar.year_out_of_range``, ``name.*``; NotFound ``calendar.no_such_entry``.
    """
    instrument = managed_instrument(actor, instrument_id)
    reason = registry_values.clean_text(fields.reason, 200, "reason")
    refuse_year(fields.first_on, "first_on")
    Refusal.raise_any(_audience_reasons(fields))
    entry = weekly_entry(
        fields.weekdays,
        fields.opens,
        fields.closes,
        fields.first_on,
        fields.last_on,
        kind=EntryKind.OPENING if fields.opens_then else EntryKind.RESTRICTION,
        priority=Priority.EXTRA if fields.opens_then else Priority.RESTRICTION,
        audiences=frozenset(fields.audiences),
        reason=reason,
    )
    return _put(actor, instrument, [entry], now, "instrument.hours_for", replaces)


@whole
def close(actor: Actor, instrument_id: int, fields: OnceOrAgain, now: datetime, *, replaces: int | None = None) -> int:
    """Close it, once or again and again, for everybody; returns the entry's id.

    Raises Refusal ``calendar.end_before_start``, ``calendar.no_such_wall_time``, ``calendar.year_out_of_range``, ``name.*``.
    """
    instrument = managed_instrument(actor, instrument_id)
    entry = _window_entry(EntryKind.CLOSURE, fields)
    return _put(actor, instrument, [entry], now, "instrument.close", replaces)[0]


def close_between(
    actor: Actor, instrument_id: int, starts_local: datetime, ends_local: datetime, reason: str, now: datetime
) -> int:
    """Close it once, in the site's wall time; as ``close``."""
    return close(actor, instrument_id, OnceOrAgain(starts_local, ends_local, reason), now)


@whole
def open_once(actor: Actor, instrument_id: int, fields: OnceOrAgain, now: datetime, *, replaces: int | None = None) -> int:
    """Open it exceptionally, also on a statutory holiday or against a restriction; returns the entry's id. As ``close``."""
    instrument = managed_instrument(actor, instrument_id)
    entry = replace(_window_entry(EntryKind.OPENING, fields), priority=Priority.EXCEPTION)
    return _put(actor, instrument, [entry], now, "instrument.open", replaces)[0]


@whole
def set_holidays(actor: Actor, instrument_id: int, holidays: HolidayRule, now: datetime) -> None:
    """How its calendar takes statutory holidays. Raises Refusal ``calendar.weekday_unknown``."""
    instrument = managed_instrument(actor, instrument_id)
    weekday = holidays.makeup_weekday
    if weekday is not None and not 0 <= weekday <= 6:
        raise Refusal.of("calendar.weekday_unknown", "makeup_weekday", weekday=weekday)
    with schedule_store.changing([instrument.calendar_id]):
        before = schedule_store.rules_by_calendar([instrument.calendar_id])[instrument.calendar_id].holidays
        schedule_store.set_holidays(instrument.calendar_id, holidays)
    audit.record(
        actor, "instrument.holidays", instrument, now, before=_holiday_document(before), after=_holiday_document(holidays)
    )


# --- Taking back ------------------------------------------------------------------------------------------------------
@whole
def remove_entry(actor: Actor, instrument_id: int, entry_id: int, now: datetime) -> list[int]:
    """Take back an opening, restriction or closure (a season whole); returns the ids with which it can be brought back.

    Raises NotFound ``calendar.no_such_entry``.
    """
    instrument = managed_instrument(actor, instrument_id)
    with schedule_store.changing([instrument.calendar_id]):
        gone = _group(_stored(instrument), entry_id)
        for one in gone:
            schedule_store.remove_entry(instrument.calendar_id, one.id, now)
    audit.record(actor, "instrument.reopen", instrument, now, before={"entries": [entry_document(one.entry) for one in gone]})
    return [one.id for one in gone]


@whole
def bring_back(actor: Actor, instrument_id: int, entry_id: int, now: datetime) -> None:
    """Put what was removed (a season whole) in force again; a season takes the place of the one with its name.

    Raises NotFound ``calendar.no_such_entry``.
    """
    instrument = managed_instrument(actor, instrument_id)
    since = now - timedelta(days=KEPT_DAYS)
    with schedule_store.changing([instrument.calendar_id]):
        calendar = schedule_store.stored_calendars([instrument.calendar_id], removed_since=since)[instrument.calendar_id]
        back = _group(calendar.removed, entry_id)
        season = back[0].entry.season
        for one in calendar.entries:
            if season is not None and one.entry.season is not None and one.entry.season.name == season.name:
                schedule_store.remove_entry(instrument.calendar_id, one.id, now)
        for one in back:
            schedule_store.bring_back_entry(instrument.calendar_id, one.id)
    audit.record(actor, "instrument.bring_back", instrument, now, after={"entries": [entry_document(one.entry) for one in back]})


# --- One occurrence ---------------------------------------------------------------------------------------------------
@whole
def cancel_occurrence(actor: Actor, instrument_id: int, entry_id: int, original_on: date, now: datetime) -> None:
    """What would start on that local day does not take place. Raises Refusal ``calendar.no_such_occurrence``, NotFound."""
    instrument = managed_instrument(actor, instrument_id)
    with schedule_store.changing([instrument.calendar_id]):
        entry = _occurring(instrument, entry_id, original_on)
        schedule_store.cancel_occurrence(instrument.calendar_id, entry_id, original_on)
    after = _occurrence_document(entry_id, entry, original_on) | {"cancelled": True}
    audit.record(actor, "instrument.occurrence", instrument, now, after=after)


@whole
def move_occurrence(
    actor: Actor,
    instrument_id: int,
    entry_id: int,
    original_on: date,
    starts_local: datetime,
    ends_local: datetime,
    now: datetime,
) -> None:
    """What would start on that local day takes place at another time instead.

    Raises Refusal ``calendar.no_such_occurrence``, ``calendar.end_before_start``, ``calendar.outside_season``,
    ``calendar.no_such_wall_time``, NotFound ``calendar.no_such_entry``.
    """
    instrument = managed_instrument(actor, instrument_id)
    if starts_local >= ends_local:
        raise Refusal.of("calendar.end_before_start", "ends_local")
    with schedule_store.changing([instrument.calendar_id]):
        entry = _occurring(instrument, entry_id, original_on)
        season = entry.season
        if season is not None and not season.first_on <= starts_local.date() <= season.last_on:
            raise Refusal.of("calendar.outside_season", "starts_local", name=season.name)
        moved = MovedOccurrence(original_on, starts_local, ends_local)
        schedule_store.move_occurrence(instrument.calendar_id, entry_id, moved)
    times = {"from": starts_local.isoformat(), "to": ends_local.isoformat()}
    after = _occurrence_document(entry_id, entry, original_on) | times
    audit.record(actor, "instrument.occurrence", instrument, now, after=after)


@whole
def restore_occurrence(actor: Actor, instrument_id: int, entry_id: int, original_on: date, now: datetime) -> None:
    """Undo a cancellation or a move. Raises Refusal ``calendar.no_such_occurrence``, NotFound ``calendar.no_such_entry``."""
    instrument = managed_instrument(actor, instrument_id)
    with schedule_store.changing([instrument.calendar_id]):
        entry = _group(_stored(instrument), entry_id, alone=True)[0].entry
        if original_on not in entry.replaced_days:
            raise Refusal.of("calendar.no_such_occurrence", "original_on")
        schedule_store.restore_occurrence(instrument.calendar_id, entry_id, original_on)
    after = _occurrence_document(entry_id, entry, original_on) | {"restored": True}
    audit.record(actor, "instrument.occurrence", instrument, now, after=after)


# --- What they share --------------------------------------------------------------------------------------------------
def _put(
    actor: Actor,
    instrument: Instrument,
    entries: Sequence[CalendarEntry],
    now: datetime,
    action: str,
    replaces: int | None,
    refuse: Callable[[Iterable[StoredEntry]], None] | None = None,
) -> list[int]:
    """Store the entries in the place of those they replace; ``refuse`` looks at what else is there."""
    with schedule_store.changing([instrument.calendar_id]):
        stored = _stored(instrument)
        gone = [] if replaces is None else _group(stored, replaces)
        if refuse is not None:
            refuse(one for one in stored if one not in gone)
        for one in gone:
            schedule_store.remove_entry(instrument.calendar_id, one.id, now)
        added = _add(instrument, entries)
    before = {"entries": [entry_document(one.entry) for one in gone]} if gone else {}
    after = {"entries": [entry_document(entry) for entry in entries], "ids": added}
    audit.record(actor, action, instrument, now, before=before, after=after, reason=entries[0].reason)
    return added


def _add(instrument: Instrument, entries: Iterable[CalendarEntry]) -> list[int]:
    return [schedule_store.add_entry(instrument.calendar_id, instrument.site.time_zone, entry) for entry in entries]


def _stored(instrument: Instrument) -> tuple[StoredEntry, ...]:
    return schedule_store.stored_entries_by_calendar([instrument.calendar_id])[instrument.calendar_id]


def _group(stored: Iterable[StoredEntry], entry_id: int, *, alone: bool = False) -> list[StoredEntry]:
    """The entry and, for a season, all others of it that were removed with it. Raises NotFound ``calendar.no_such_entry``."""
    known = list(stored)
    found = next((one for one in known if one.id == entry_id), None)
    if found is None:
        raise NotFound.of("calendar.no_such_entry")
    if alone or found.entry.season is None:
        return [found]
    key = (found.entry.season, found.entry.priority, found.removed_at)
    return [one for one in known if (one.entry.season, one.entry.priority, one.removed_at) == key]


def _occurring(instrument: Instrument, entry_id: int, original_on: date) -> CalendarEntry:
    entry = _group(_stored(instrument), entry_id, alone=True)[0].entry
    if entry.recurrence is None or not happens_on(entry, original_on):
        raise Refusal.of("calendar.no_such_occurrence", "original_on")
    return entry


def _window_entry(kind: EntryKind, fields: OnceOrAgain) -> CalendarEntry:
    if fields.starts_local >= fields.ends_local:
        raise Refusal.of("calendar.end_before_start", "ends_local")
    reason = registry_values.clean_text(fields.reason, 200, "reason")
    return CalendarEntry(kind, fields.starts_local, fields.ends_local, fields.recurrence, reason=reason)


def _audience_reasons(fields: AudienceHours) -> list[Reason]:
    reasons = []
    if not fields.audiences or not set(fields.audiences) <= set(Audience):
        reasons.append(Reason("calendar.audience_unknown", {"known": [str(one) for one in Audience]}, "audiences"))
    if not fields.weekdays or any(not 0 <= weekday <= 6 for weekday in fields.weekdays):
        reasons.append(Reason("calendar.weekday_unknown", {}, "weekdays"))
    if fields.last_on is not None and fields.last_on < fields.first_on:
        reasons.append(Reason("calendar.end_before_start", {}, "last_on"))
    return reasons


def _overlap(one: Season, other: Season) -> bool:
    return one.first_on <= other.last_on and other.first_on <= one.last_on


def _occurrence_document(entry_id: int, entry: CalendarEntry, original_on: date) -> dict[str, Any]:
    """Which occurrence of what."""
    return {"entry": entry_id, "of": entry_document(entry), "day": original_on.isoformat()}


def _holiday_document(holidays: HolidayRule) -> dict[str, Any]:
    return {"closed": holidays.closed, "makeup_weekday": holidays.makeup_weekday}
