"""Writing the registry: sites, instruments, their state, photo and opening hours. Every change is audited with before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.models import Instrument, Site
from instruments.rules import registry_map, registry_values
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.rules.registry_values import clean_fields
from instruments.services import catalogue, schedule_store, uploads
from instruments.services.instrument_changes import (
    class_reasons,
    jsonable,
    managed_instrument,
    name_pinyin,
    needs_review,
    owner_institution,
    refuse_unreviewed,
    require_manager,
)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SiteFields:
    """A place: ``time_zone`` is an IANA name, ``region_code`` six digits or empty."""

    name: str
    name_en: str = ""
    time_zone: str = "Asia/Shanghai"
    region_code: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class InstrumentFields:
    """What is known about an instrument; ``original_value_fen`` in fen, ``class_code`` two, four or six digits.

    Fields and their lengths are those of ``instruments.rules.registry_values``; see the model for what they mean.
    """

    name: str
    name_en: str = ""
    inner_id: str = ""
    class_code: str = ""
    model: str = ""
    manufacturer: str = ""
    original_value_fen: int | None = None
    commissioned_on: date | None = None
    technique: str = ""
    description: str = ""
    description_en: str = ""
    service_modes: tuple[str, ...] = ()
    status: str = "normal"
    published: bool = True
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    contact_address: str = ""
    contact_postal_code: str = ""
    department: str = ""
    affiliation: str = ""
    affiliation_name: str = ""
    acquisition: str = ""
    use_type: str = ""
    share_mode: str = ""
    nation_code: str = ""
    technical_indicators: str = ""
    functions: str = ""
    subject_codes: tuple[str, ...] = ()
    technique_codes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    service_content: str = ""
    achievements: str = ""
    access_terms: str = ""
    fee_note: str = ""
    service_url: str = ""
    effect_1: str = ""
    effect_2: str = ""
    asset_number: str = ""
    accessories: str = ""
    purchased_on: date | None = None
    imported: bool | None = None
    customs_supervised: bool | None = None
    training_needed: bool = False
    doi: str = ""
    cstr: str = ""


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """Open every week on ``weekday`` (0 = Monday) from ``opens`` to ``closes`` in the site's wall time.

    ``closes`` at or before ``opens`` means the next day; midnight to midnight is the whole day.
    """

    weekday: int
    opens: time
    closes: time


@whole
def create_site(actor: Actor, organisation_id: int, fields: SiteFields, now: datetime) -> Site:
    """A new place of an owner.

    Raises Refusal ``name.*``, ``site.name_taken``, ``import.time_zone_unknown``, ``instrument.region_code_invalid``.
    """
    require_manager(actor, organisation_id)
    owner = owner_institution(organisation_id)
    values = _clean_site(fields)
    if Site.objects.filter(organisation=owner, name=values["name"]).exists():
        raise Refusal.of("site.name_taken", "name", name=values["name"])
    site = Site.objects.create(organisation=owner, **values)
    audit.record(actor, "site.create", site, now, after=values)
    return site


def new_site(actor: Actor, organisation_id: int, name: str, now: datetime) -> Site:
    """A new place named in an instrument's form: what is wrong with it stands at ``new_place``."""
    try:
        return create_site(actor, organisation_id, SiteFields(name=name), now)
    except Refusal as refusal:
        raise Refusal(*(Reason(reason.code, reason.params, "new_place") for reason in refusal.reasons)) from refusal


@whole
def create_instrument_somewhere(
    actor: Actor, organisation_id: int, site_id: int | None, new_place: str, fields: InstrumentFields, now: datetime
) -> Instrument:
    """As ``create_instrument``, at one of the owner's places or at a new one that is created with it."""
    place = new_site(actor, organisation_id, new_place, now) if new_place else site_of(organisation_id, site_id or 0)
    return create_instrument(actor, place.pk, fields, now)


@whole
def create_instrument(
    actor: Actor, site_id: int, fields: InstrumentFields, now: datetime, *, calendar_id: int | None = None
) -> Instrument:
    """A new instrument at a site of its owner, with a calendar of its own unless it shares another's.

    It is not published yet where the operator looks first (``instrument_changes.needs_review``). Raises Forbidden, Refusal
    ``instrument.*`` / ``name.*`` with every reason.
    """
    site = Site.objects.select_related("organisation").filter(pk=site_id).first()
    if site is None:
        raise NotFound.of("access.not_found", model="site")
    require_manager(actor, site.organisation_id)
    owner_institution(site.organisation_id)
    values = _clean_instrument(asdict(fields))
    values["published"] = values["published"] and not needs_review(actor, site.organisation)
    instrument = Instrument(
        organisation=site.organisation,
        site=site,
        calendar_id=calendar_id or schedule_store.create_calendar(values["name"]),
        name_pinyin=name_pinyin(values["name"]),
        created_at=now,
        updated_at=now,
        **values,
    )
    instrument.save()
    catalogue.refresh_instruments([instrument.pk], now)
    audit.record(actor, "instrument.create", instrument, now, after=jsonable(values) | {"site": site.pk})
    return instrument


@whole
def update_instrument(
    actor: Actor, instrument_id: int, changes: Mapping[str, Any], now: datetime, reason: str = "", *, new_place: str = ""
) -> Instrument:
    """Change the named fields (of ``InstrumentFields``, and ``site_id`` within the same owner); others stay as they are.

    ``new_place`` names a place that is created for it.

    Raises NotFound, Forbidden, Refusal ``instrument.*`` / ``name.*`` with every reason, among them ``instrument.review_needed``
    (see ``instrument_edits``). Nothing is written when nothing differs.
    """
    instrument = managed_instrument(actor, instrument_id)
    values = _clean_instrument({name: value for name, value in changes.items() if name != "site_id"})
    if new_place:
        values["site_id"] = new_site(actor, instrument.organisation_id, new_place, now).pk
    elif changes.get("site_id", instrument.site_id) != instrument.site_id:
        values["site_id"] = site_of(instrument.organisation_id, changes["site_id"]).pk
    before = {name: getattr(instrument, name) for name in values if getattr(instrument, name) != values[name]}
    if not before:
        return instrument
    after = {name: values[name] for name in before}
    refuse_unreviewed(actor, instrument, after)
    for name, value in after.items():
        setattr(instrument, name, value)
    instrument.name_pinyin = name_pinyin(instrument.name)
    instrument.updated_at = now
    instrument.save()
    if "site_id" in after:
        with schedule_store.changing([instrument.calendar_id]):
            schedule_store.tell_changed(instrument.calendar_id)
    if "name" in after:
        _rename_own_calendar(instrument)
    catalogue.refresh_instruments([instrument.pk], now)
    audit.record(actor, "instrument.update", instrument, now, before=jsonable(before), after=jsonable(after), reason=reason)
    return instrument


def set_status(actor: Actor, instrument_id: int, status: str, now: datetime, reason: str = "") -> Instrument:
    """Say whether it runs. Raises as ``update_instrument`` (``instrument.status_unknown``)."""
    return update_instrument(actor, instrument_id, {"status": status}, now, reason)


def set_published(actor: Actor, instrument_id: int, published: bool, now: datetime) -> Instrument:
    """Show it to the public, or keep it among its lab's own drafts."""
    return update_instrument(actor, instrument_id, {"published": published}, now)


@whole
def set_photo(actor: Actor, instrument_id: int, content: bytes, now: datetime) -> Instrument:
    """Keep a photo, drawn anew as WebP of at most 1600 pixels a side without metadata.

    Raises Refusal ``upload.*`` on field ``file`` for anything that is not a JPEG or PNG that can be read.
    """
    instrument = managed_instrument(actor, instrument_id)
    stored = files.store(
        uploads.drawn_picture(content),
        file_name=f"instrument-{instrument.pk}.webp",
        media_type="image/webp",
        user_id=actor.user_id,
        now=now,
    )
    before = {"photo": instrument.photo_id}
    instrument.photo = stored
    instrument.updated_at = now
    instrument.save(update_fields=["photo", "updated_at"])
    audit.record(actor, "instrument.photo", instrument, now, before=before, after={"photo": stored.pk, "sha256": stored.sha256})
    return instrument


@whole
def set_weekly_hours(actor: Actor, instrument_id: int, windows: Sequence[WeeklyWindow], valid_from: date, now: datetime) -> None:
    """From ``valid_from`` (local day) on, open in exactly these weekly windows; what was valid before stays in history.

    Closures, one-off openings and reservations stay as they are. Raises Refusal ``calendar.weekday_unknown``,
    ``calendar.windows_overlap``, ``calendar.year_out_of_range``.
    """
    instrument = managed_instrument(actor, instrument_id)
    schedule_store.refuse_year(valid_from, "valid_from")
    Refusal.raise_any(_window_reasons(windows))
    with schedule_store.changing([instrument.calendar_id]):
        before = replace_weekly_hours(instrument.calendar_id, instrument.site.time_zone, windows, valid_from)
    audit.record(
        actor,
        "instrument.hours",
        instrument,
        now,
        before={"windows": [_shown(window) for window in before]},
        after={"windows": [_shown(window) for window in windows], "valid_from": valid_from.isoformat()},
    )


@whole
def close_between(
    actor: Actor, instrument_id: int, starts_local: datetime, ends_local: datetime, reason: str, now: datetime
) -> int:
    """Close it once, in the site's wall time; returns the entry's id.

    Raises Refusal ``calendar.end_before_start``, ``calendar.no_such_wall_time``, ``name.*``.
    """
    instrument = managed_instrument(actor, instrument_id)
    if starts_local >= ends_local:
        raise Refusal.of("calendar.end_before_start", "ends_local")
    text = registry_values.clean_text(reason, 200, "reason")
    with schedule_store.changing([instrument.calendar_id]):
        entry_id = schedule_store.add_closure(
            instrument.calendar_id, instrument.site.time_zone, starts_local, ends_local, reason=text
        )
    after = {"from": starts_local.isoformat(), "to": ends_local.isoformat(), "entry": entry_id}
    audit.record(actor, "instrument.close", instrument, now, after=after, reason=text)
    return entry_id


@whole
def remove_calendar_entry(actor: Actor, instrument_id: int, entry_id: int, now: datetime) -> None:
    """Take back a closure or an opening. Raises NotFound ``calendar.no_such_entry``."""
    instrument = managed_instrument(actor, instrument_id)
    with schedule_store.changing([instrument.calendar_id]):
        stored = schedule_store.stored_entries_by_calendar([instrument.calendar_id])[instrument.calendar_id]
        gone = next((one for one in stored if one.id == entry_id), None)
        schedule_store.remove_entry(instrument.calendar_id, entry_id, now)
    before: dict[str, Any] = {"entry": entry_id}
    if gone is not None:
        entry = gone.entry
        before |= {
            "kind": entry.kind.value,
            "from": entry.starts_local.isoformat(),
            "to": entry.ends_local.isoformat(),
            "reason": gone.reason,
        }
    audit.record(actor, "instrument.reopen", instrument, now, before=before)


def replace_weekly_hours(
    calendar_id: int, zone_name: str, windows: Sequence[WeeklyWindow], valid_from: date
) -> list[WeeklyWindow]:
    """End the weekly windows of a locked calendar before ``valid_from`` and begin these; returns what was valid."""
    entries = schedule_store.stored_entries_by_calendar([calendar_id])[calendar_id]
    for stored in entries:
        if _is_weekly_opening(stored):
            schedule_store.end_entry(calendar_id, stored.id, valid_from - _DAY)
    schedule_store.add_entries([(calendar_id, zone_name, entry) for entry in weekly_openings(windows, valid_from)])
    return weekly_windows(entries)


def weekly_openings(windows: Sequence[WeeklyWindow], valid_from: date) -> list[CalendarEntry]:
    """Weekly windows as entries of a calendar that begin on or after ``valid_from``; days with the same hours are one entry."""
    weekdays_of: dict[tuple[time, time], list[int]] = {}
    for window in windows:
        weekdays_of.setdefault((window.opens, window.closes), []).append(window.weekday)
    found = []
    for (opens, closes), weekdays in sorted(weekdays_of.items()):
        starts = datetime.combine(_first_day(valid_from, weekdays), opens)
        ends = datetime.combine(starts.date() if closes > opens else starts.date() + _DAY, closes)
        found.append(CalendarEntry(EntryKind.OPENING, starts, ends, Recurrence("weekly", weekdays=tuple(weekdays))))
    return found


def weekly_windows(stored: Sequence[schedule_store.StoredEntry], local_day: date | None = None) -> list[WeeklyWindow]:
    """The weekly windows valid on a local day (those without an end when none is named), by weekday and hour."""
    windows = []
    for one in stored:
        recurrence = one.entry.recurrence
        if recurrence is None or not _is_weekly_opening(one) or not _holds_on(one, recurrence, local_day):
            continue
        for weekday in recurrence.weekdays or (one.entry.starts_local.weekday(),):
            windows.append(WeeklyWindow(weekday, one.entry.starts_local.time(), one.entry.ends_local.time()))
    return sorted(windows, key=lambda window: (window.weekday, window.opens))


def _holds_on(stored: schedule_store.StoredEntry, recurrence: Recurrence, local_day: date | None) -> bool:
    if local_day is None:
        return recurrence.until is None
    in_its_first_week = stored.entry.starts_local.date() <= local_day + _DAY * 6
    return in_its_first_week and (recurrence.until is None or local_day <= recurrence.until)


def _clean_site(fields: SiteFields) -> dict[str, Any]:
    values: dict[str, Any] = {}
    reasons: list[Reason] = []
    for name, clean in (
        ("name", lambda: registry_values.clean_name(fields.name, 200, "name")),
        ("name_en", lambda: registry_values.clean_text(fields.name_en, 200, "name_en")),
        ("time_zone", lambda: registry_map.time_zone(fields.time_zone or "Asia/Shanghai")),
        ("region_code", lambda: registry_values.region_code(fields.region_code)),
        ("address", lambda: registry_values.clean_text(fields.address, 300, "address")),
    ):
        try:
            values[name] = clean()
        except Refusal as refusal:
            reasons += refusal.reasons
    Refusal.raise_any(reasons)
    return values


def _clean_instrument(given: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = clean_fields(given)
    Refusal.raise_any([*cleaned.reasons, *class_reasons(cleaned.values.get("class_code", ""))])
    return cleaned.values


def site_of(organisation_id: int, site_id: int) -> Site:
    """One of an owner's places. Raises Refusal ``instrument.site_unknown``."""
    site = Site.objects.filter(pk=site_id, organisation_id=organisation_id).first()
    if site is None:
        raise Refusal.of("instrument.site_unknown", "site_id")
    return site


def _rename_own_calendar(instrument: Instrument) -> None:
    """A shared calendar keeps its name."""
    if not Instrument.objects.filter(calendar_id=instrument.calendar_id).exclude(pk=instrument.pk).exists():
        schedule_store.rename_calendar(instrument.calendar_id, instrument.name)


def _is_weekly_opening(stored: schedule_store.StoredEntry) -> bool:
    recurrence = stored.entry.recurrence
    return (
        stored.entry.is_base
        and recurrence is not None
        and recurrence.frequency == "weekly"
        and recurrence.interval == 1
        and recurrence.count is None
    )


def _first_day(valid_from: date, weekdays: Sequence[int]) -> date:
    return next(day for day in (valid_from + _DAY * i for i in range(7)) if day.weekday() in weekdays)


def _window_reasons(windows: Sequence[WeeklyWindow]) -> list[Reason]:
    reasons = [
        Reason("calendar.weekday_unknown", {"weekday": window.weekday}, "windows")
        for window in windows
        if not 0 <= window.weekday <= 6
    ]
    week = 7 * 1440
    spans = sorted(_span(window) for window in windows)
    wrapped = [*spans, *((start + week, end + week) for start, end in spans[:1])]
    for (_, end), (start, _) in pairwise(wrapped):
        if start < end:
            weekday, minute = divmod(start % week, 1440)
            shown = f"{minute // 60:02d}:{minute % 60:02d}"
            reasons.append(Reason("calendar.windows_overlap", {"weekday": weekday, "time": shown}, "windows"))
    return reasons


def _span(window: WeeklyWindow) -> tuple[int, int]:
    """Minutes since Monday 00:00; the end may lie in the next week."""
    start = window.weekday * 1440 + window.opens.hour * 60 + window.opens.minute
    length = (window.closes.hour - window.opens.hour) * 60 + window.closes.minute - window.opens.minute
    return start, start + (length if length > 0 else length + 1440)


def _shown(window: WeeklyWindow) -> list[Any]:
    return [window.weekday, f"{window.opens:%H:%M}", f"{window.closes:%H:%M}"]
