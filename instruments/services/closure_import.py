"""Closing instruments as a calendar file says: looked at first, written when confirmed, nothing twice when it comes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange
from instruments.models import ClosureImport, ImportedClosure, Instrument
from instruments.rules.closure_plan import CHANGED, FATES, NEW, TAKEN_BACK, KnownClosure, PlannedRow, plan
from instruments.rules.ics_reading import IcsFile
from instruments.rules.opening import EntryKind
from instruments.services import ics_reader, schedule_store
from instruments.services.instrument_changes import managed_instrument, require_manager

AHEAD = timedelta(days=731)
"""So far ahead closures are taken from a file."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the file would do, or did: ``rows`` as JSON (see ``_row``), ``ranges`` the instants that it closes anew."""

    handed_in: ClosureImport
    title: str
    instruments: tuple[Instrument, ...]
    rows: tuple[dict[str, Any], ...]
    ranges: tuple[TimeRange, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each fate."""
        found = Counter(row["fate"] for row in self.rows)
        return {fate: found[fate] for fate in FATES}


def hand_in(
    actor: Actor, instrument_ids: Sequence[int], content: bytes, file_name: str, now: datetime, *, with_titles: bool = True
) -> ClosureImport:
    """Keep a file for these instruments of one owner, whose places share a zone. Nothing is closed yet.

    Raises NotFound, Forbidden, Refusal ``ics.*`` on field ``file``, ``closures.no_instrument``, ``closures.zones_differ``.
    """
    instruments = _checked(actor, instrument_ids)
    zone_name = instruments[0].site.time_zone
    ics_reader.read(content, ZoneInfo(zone_name), _window(now))
    return _keep(actor, instruments, content, file_name, zone_name, with_titles, now)


def preview(actor: Actor, import_id: int, now: datetime) -> Preview:
    """What confirming would do now, or what it did. Raises NotFound."""
    handed_in = import_for(actor, import_id)
    if handed_in.confirmed_at is not None:
        return Preview(handed_in, "", _instruments(handed_in), tuple(handed_in.report), ())
    file = _read(handed_in, now)
    instruments = _instruments(handed_in)
    planned = _planned(file, handed_in, instruments)
    return Preview(handed_in, file.title, instruments, tuple(map(_row, planned)), tuple(_closing(planned)))


def confirm(actor: Actor, import_id: int, now: datetime) -> ClosureImport:
    """Close what the stored file says, once; a second call changes nothing. Raises NotFound, Forbidden."""
    handed_in = import_for(actor, import_id)
    return _write(actor, handed_in.pk, _read(handed_in, now), now)


def import_for(actor: Actor, import_id: int) -> ClosureImport:
    """A file that the actor's lab handed in. Raises NotFound."""
    return get_visible(ClosureImport.objects.select_related("file", "organisation"), actor, pk=import_id)


def candidates(actor: Actor, instrument: Instrument) -> list[Instrument]:
    """The owner's other instruments that may be closed by the same file: those in the same zone, by name."""
    rows = visible_to(Instrument.objects.filter(organisation_id=instrument.organisation_id), actor)
    rows = rows.filter(site__time_zone=instrument.site.time_zone).exclude(status="retired").exclude(pk=instrument.pk)
    return list(rows.order_by("name_pinyin", "pk")[:200])


def _checked(actor: Actor, instrument_ids: Sequence[int]) -> list[Instrument]:
    if not instrument_ids:
        raise Refusal.of("closures.no_instrument", "instruments")
    rows = visible_to(Instrument.objects.filter(pk__in=instrument_ids), actor).select_related("site").order_by("pk")
    found = list(rows)
    if {one.pk for one in found} != set(instrument_ids):
        raise Refusal.of("closures.no_instrument", "instruments")
    for organisation_id in {one.organisation_id for one in found}:
        require_manager(actor, organisation_id)
    if len({(one.organisation_id, one.site.time_zone) for one in found}) > 1:
        raise Refusal.of("closures.zones_differ", "instruments")
    return found


@whole
def _keep(
    actor: Actor,
    instruments: Sequence[Instrument],
    content: bytes,
    file_name: str,
    zone_name: str,
    with_titles: bool,
    now: datetime,
) -> ClosureImport:
    stored = files.store(content, file_name=file_name, media_type="text/calendar", user_id=actor.user_id, now=now)
    handed_in = ClosureImport.objects.create(
        organisation_id=instruments[0].organisation_id,
        file=stored,
        time_zone=zone_name,
        with_titles=with_titles,
        created_by_id=actor.person_id,
        created_at=now,
    )
    handed_in.instruments.set(instruments)
    return handed_in


@whole
def _write(actor: Actor, import_id: int, file: IcsFile, now: datetime) -> ClosureImport:
    handed_in = ClosureImport.objects.select_for_update(of=("self",), no_key=True).select_related("file").get(pk=import_id)
    if handed_in.confirmed_at is not None:
        return handed_in
    instruments = _instruments(handed_in)
    for instrument in instruments:
        managed_instrument(actor, instrument.pk)
    calendars = sorted({one.calendar_id for one in instruments})
    with schedule_store.changing(calendars):
        planned = _planned(file, handed_in, instruments)
        written = {calendar: _close(calendar, planned, handed_in, now) for calendar in calendars}
    for instrument in instruments:
        after = {"file": handed_in.file.sha256, "import": handed_in.pk, **written[instrument.calendar_id]}
        audit.record(actor, "instrument.closures_imported", instrument, now, after=after)
    handed_in.confirmed_at = now
    handed_in.report = [_row(one) for one in planned]
    handed_in.save(update_fields=["confirmed_at", "report"])
    return handed_in


def _close(calendar_id: int, planned: Sequence[PlannedRow], handed_in: ClosureImport, now: datetime) -> dict[str, int]:
    """Write the rows' fates on one calendar; how many of each."""
    rows = [(one, one.by_calendar[calendar_id]) for one in planned if calendar_id in one.by_calendar]
    for one, fate in rows:
        if fate in {CHANGED, TAKEN_BACK}:
            schedule_store.remove_entry(calendar_id, one.replaces[calendar_id], now)
    adding = [one for one, fate in rows if fate in {NEW, CHANGED}]
    closures = [
        (one.starts_local, one.ends_local, one.row.title if handed_in.with_titles else "")
        for one in adding
        if one.starts_local and one.ends_local
    ]
    entries = schedule_store.add_closures(calendar_id, handed_in.time_zone, closures)
    ImportedClosure.objects.bulk_create(
        (
            ImportedClosure(entry_id=entry, calendar_id=calendar_id, uid=one.row.uid, recurrence=one.row.recurrence)
            for entry, one in zip(entries, adding, strict=True)
        ),
        update_conflicts=True,  # a closure that was taken back keeps its row, but no longer stands for the event
        unique_fields=["calendar", "uid", "recurrence"],
        update_fields=["entry"],
    )
    return dict(Counter(fate for _, fate in rows if fate in {NEW, CHANGED, TAKEN_BACK}))


def _planned(file: IcsFile, handed_in: ClosureImport, instruments: Sequence[Instrument]) -> list[PlannedRow]:
    calendars = sorted({one.calendar_id for one in instruments})
    return plan(file.rows, _known(calendars), ZoneInfo(handed_in.time_zone))


def _known(calendars: Sequence[int]) -> Mapping[int, list[KnownClosure]]:
    """The closures of each calendar that happen once, with the events that they were imported from."""
    imported = ImportedClosure.objects.filter(calendar_id__in=calendars).values_list("entry_id", "uid", "recurrence")
    keys = {entry: (uid, recurrence) for entry, uid, recurrence in imported}
    return {
        calendar: [
            KnownClosure(one.id, (one.entry.starts_local, one.entry.ends_local), keys.get(one.id))
            for one in stored
            if one.entry.kind is EntryKind.CLOSURE and one.entry.recurrence is None
        ]
        for calendar, stored in schedule_store.stored_entries_by_calendar(calendars).items()
    }


def _closing(planned: Sequence[PlannedRow]) -> list[TimeRange]:
    return [one.row.during for one in planned if one.row.during and {NEW, CHANGED} & set(one.by_calendar.values())]


def _row(planned: PlannedRow) -> dict[str, Any]:
    """A row as it is shown and kept: wall times as ISO text, how many calendars have each fate, the reason as code and params."""
    row, reason = planned.row, planned.reason
    return {
        "line": row.line,
        "title": row.title,
        "starts_local": planned.starts_local.isoformat() if planned.starts_local else "",
        "ends_local": planned.ends_local.isoformat() if planned.ends_local else "",
        "fate": planned.fate,
        "calendars": dict(Counter(planned.by_calendar.values())),
        "code": reason.code if reason else "",
        "params": reason.params if reason else {},
    }


def _instruments(handed_in: ClosureImport) -> tuple[Instrument, ...]:
    return tuple(handed_in.instruments.select_related("site").order_by("name_pinyin", "pk"))


def _read(handed_in: ClosureImport, now: datetime) -> IcsFile:
    return ics_reader.read(files.read(handed_in.file), ZoneInfo(handed_in.time_zone), _window(now))


def _window(now: datetime) -> TimeRange:
    return TimeRange(now, now + AHEAD)
