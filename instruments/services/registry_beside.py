"""What an import writes beside the instruments themselves: customs records, what makes a facility, sources of money, opening hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from instruments.models import CustomsRecord, FacilityRecord, InstrumentFunding
from instruments.rules import facility_values
from instruments.rules.details_values import CUSTOMS_FIELDS, empty_customs
from instruments.rules.facility_values import FACILITY_FIELDS, empty_facility
from instruments.rules.registry_details import merged_fundings
from instruments.rules.registry_hours import DayWindow
from instruments.rules.registry_map import ImportMap, RowValues
from instruments.rules.wall_time import to_wall
from instruments.services import schedule_store
from instruments.services.opening_hours import replace_weekly_hours
from instruments.services.weekly_hours import WeeklyWindow, weekly_entries, weekly_windows


@dataclass(frozen=True, slots=True)
class Details:
    """An instrument whose details are to be written as its row says."""

    instrument_id: int
    calendar_id: int
    zone_name: str
    row: RowValues
    is_new: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of the instruments that the file names: customs and facilities by id, amounts by id and source, weekly hours by
    calendar."""

    customs: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    facilities: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    fundings: Mapping[int, Mapping[str, int | None]] = field(default_factory=dict)
    hours: Mapping[int, tuple[DayWindow, ...]] = field(default_factory=dict)

    def differences(self, instrument_id: int, calendar_id: int, row: RowValues) -> dict[str, tuple[Any, Any]]:
        """What the row changes: (was, becomes) by field, in values that JSON takes."""
        found: dict[str, tuple[Any, Any]] = {}
        if row.customs is not None:
            known = self.customs.get(instrument_id, empty_customs())
            found |= {
                f"customs.{name}": (_shown(known[name]), _shown(value))
                for name, value in row.customs.items()
                if known[name] != value
            }
        if row.facility is not None:
            found |= self._facility_differences(instrument_id, row.facility)
        if row.fundings is not None:
            before = dict(self.fundings.get(instrument_id, {}))
            after = merged_fundings(before, row.fundings)
            if before != after:
                found["fundings"] = (before, after)
        if row.windows is not None and self.hours.get(calendar_id, ()) != row.windows:
            found["hours"] = (_hours(self.hours.get(calendar_id, ())), _hours(row.windows))
        return found

    def _facility_differences(self, instrument_id: int, given: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        known = self.facilities.get(instrument_id)
        became = {"facility": (False, True)} if known is None else {}
        before = known or empty_facility()
        return became | {
            f"facility.{name}": (_shown(before[name]), _shown(value)) for name, value in given.items() if before[name] != value
        }


def shows(names: Iterable[str]) -> bool:
    """Whether everybody sees a difference in these names, and the operator may look first: the public sheet of a facility alone."""
    fields = [name.removeprefix("facility.") for name in names if name.startswith("facility")]
    return facility_values.shows(fields, is_new=facility_values.IS_FACILITY in fields)


def stored(plan: ImportMap, matches: Sequence[tuple[int, Mapping[str, Any]]]) -> Stored:
    """Read, in one query each, what the map speaks of."""
    ids = [pk for pk, _values in matches]
    names = set(plan.fields)
    customs: dict[int, Mapping[str, Any]] = {}
    facilities: dict[int, Mapping[str, Any]] = {}
    fundings: dict[int, dict[str, int | None]] = {}
    hours: dict[int, tuple[DayWindow, ...]] = {}
    if any(name.startswith("customs.") for name in names):
        for record in CustomsRecord.objects.filter(instrument_id__in=ids).values("instrument_id", *CUSTOMS_FIELDS):
            customs[record["instrument_id"]] = record
    if any(name.startswith("facility.") for name in names):
        for record in FacilityRecord.objects.filter(instrument_id__in=ids).values("instrument_id", *FACILITY_FIELDS):
            facilities[record["instrument_id"]] = record
    if "fundings" in names:
        for funding in InstrumentFunding.objects.filter(instrument_id__in=ids).order_by("pk"):
            fundings.setdefault(funding.instrument_id, {})[funding.source] = funding.amount_fen
    if plan.hours is not None:
        calendars = sorted({values["calendar_id"] for _pk, values in matches})
        for calendar_id, entries in schedule_store.stored_entries_by_calendar(calendars).items():
            hours[calendar_id] = tuple(DayWindow(one.weekday, one.opens, one.closes) for one in weekly_windows(entries))
    return Stored(customs, facilities, fundings, hours)


def write(details: Sequence[Details], known: Stored, now: datetime) -> None:
    """Write what the rows say; new opening hours begin on the local day of ``now``."""
    _write_customs(details, known)
    _write_facilities(details, known)
    _write_fundings(details, known)
    _write_hours(details, known, now)


def _write_customs(details: Sequence[Details], known: Stored) -> None:
    records = []
    for one in details:
        if one.row.customs is None:
            continue
        before = known.customs.get(one.instrument_id)
        after = {name: value for name, value in (before or empty_customs()).items() if name in CUSTOMS_FIELDS} | dict(
            one.row.customs
        )
        if before is not None or after != empty_customs():
            records.append(CustomsRecord(instrument_id=one.instrument_id, **after))
    CustomsRecord.objects.bulk_create(
        records, update_conflicts=True, unique_fields=["instrument"], update_fields=list(CUSTOMS_FIELDS), batch_size=1000
    )


def _write_facilities(details: Sequence[Details], known: Stored) -> None:
    records = []
    for one in details:
        if one.row.facility is not None:
            before = known.facilities.get(one.instrument_id) or empty_facility()
            after = {name: before[name] for name in FACILITY_FIELDS} | dict(one.row.facility)
            records.append(FacilityRecord(instrument_id=one.instrument_id, **after))
    FacilityRecord.objects.bulk_create(
        records, update_conflicts=True, unique_fields=["instrument"], update_fields=list(FACILITY_FIELDS), batch_size=1000
    )


def _write_fundings(details: Sequence[Details], known: Stored) -> None:
    told = [(one.instrument_id, one.row.fundings) for one in details if one.row.fundings is not None]
    wanted = {pk: merged_fundings(known.fundings.get(pk, {}), given) for pk, given in told}
    changed = {pk: sources for pk, sources in wanted.items() if sources != known.fundings.get(pk, {})}
    InstrumentFunding.objects.filter(instrument_id__in=[pk for pk in changed if pk in known.fundings]).delete()
    InstrumentFunding.objects.bulk_create(
        (
            InstrumentFunding(instrument_id=pk, source=source, amount_fen=amount)
            for pk, sources in changed.items()
            for source, amount in sources.items()
        ),
        batch_size=1000,
    )


def _write_hours(details: Sequence[Details], known: Stored, now: datetime) -> None:
    told = [(one, one.row.windows) for one in details if one.row.windows is not None]
    differing = [(one, windows) for one, windows in told if known.hours.get(one.calendar_id, ()) != windows]
    new = []
    with schedule_store.changing([one.calendar_id for one, _ in differing]):
        for one, wanted in differing:
            today = _local_day(one.zone_name, now)
            windows = [WeeklyWindow(window.weekday, window.opens, window.closes) for window in wanted]
            if one.is_new:
                new += [(one.calendar_id, one.zone_name, entry) for entry in weekly_entries(windows, today)]
            else:
                replace_weekly_hours(one.calendar_id, one.zone_name, windows, today)
        schedule_store.add_entries(new)


def _local_day(zone_name: str, now: datetime) -> date:
    return to_wall(now, ZoneInfo(zone_name)).date()


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _hours(windows: Iterable[DayWindow]) -> list[str]:
    return [f"{window.weekday + 1} {window.opens:%H:%M}-{window.closes:%H:%M}" for window in windows]
