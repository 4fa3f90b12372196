"""Lists of bookings and past use that a lab kept before: which column means what, and what each row says.

A time without an offset is wall time of the instrument. What has been is evidence of use; what is to come takes its time here.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.mapping_guess import guess_by
from instruments.rules.registry_file import DELIMITERS, Row, Table, header_key
from instruments.rules.wall_time import end_instant, instants_showing, start_instant

MOST_ROWS = 5_000
LONGEST = timedelta(days=14)
FIRST_YEAR, LAST_YEAR = 2000, 2099
_FILE = Path(__file__).with_name("data") / "booking_columns.json"
_MAP_KEYS = ("kind", "title", "delimiter", "fields")
_CELL = 500
_NUMBER = 90
_DAY = timedelta(days=1)
_TEXT_DAY = r"([0-9]{4})\D{1,2}([0-9]{1,2})\D{1,2}([0-9]{1,2})\D?"
_TEXT_CLOCK = r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:\.0+)?)?"
_MOMENT = re.compile(rf"{_TEXT_DAY}[T ]*{_TEXT_CLOCK}\s*(Z|[+-][0-9]{{2}}:?[0-9]{{2}})?")
_ONLY_DAY = re.compile(rf"{_TEXT_DAY}(?:[T ]*0?0:00(?::00)?)?")
_ONLY_CLOCK = re.compile(_TEXT_CLOCK)


class Kind(StrEnum):
    """``upcoming``: it takes its time from now on; ``past``: it is over and is kept as use."""

    UPCOMING = "upcoming"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class BookingRow:
    """One row as it was read. ``starts`` and ``ends`` are wall times, or instants where the row names an offset.

    ``customer`` is the name or a code of the organisation, empty where the person has but one. ``charge``: whether it is to be
    charged, None where the row says nothing.
    """

    line: int
    external_id: str = ""
    instrument: str = ""
    email: str = ""
    customer: str = ""
    starts: datetime | None = None
    ends: datetime | None = None
    service_mode: str = ""
    purpose: str = ""
    research_project: str = ""
    evidence: str = ""
    charge: bool | None = None
    reasons: tuple[Reason, ...] = ()


@cache
def words() -> dict[str, Any]:
    """The headings and values that are known."""
    found: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


def known_headers() -> frozenset[str]:
    """The keys of all headers that mean something in a list of bookings."""
    return frozenset(header_key(name) for names in words()["columns"].values() for name in names)


def guess(headers: Sequence[str]) -> dict[str, str]:
    """What each heading that is known means; each meaning once, the first heading takes it."""
    meaning = {header_key(name): code for code, names in words()["columns"].items() for name in names}
    return guess_by(meaning, headers, words()["columns"])


def document_of(chosen: Mapping[str, str], title: str, delimiter: str) -> dict[str, Any]:
    """The mapping that reads each heading as what was chosen for it."""
    return {
        "kind": "bookings",
        "title": title,
        "delimiter": delimiter,
        "fields": {code: header for header, code in chosen.items() if code},
    }


def check_document(document: Mapping[str, Any]) -> None:
    """Raises Refusal ``import.map_*``, ``booking_import.column_missing`` for what is no mapping of a list of bookings."""
    fields = document.get("fields")
    if not isinstance(fields, dict):
        raise Refusal.of("import.map_shape", "map")
    for place, given, known in (("", document, _MAP_KEYS), ("fields.", fields, words()["columns"])):
        if unknown := sorted(set(given) - set(known)):
            raise Refusal.of("import.map_unknown_key", "map", place=f"{place}{unknown[0]}", known=sorted(known))
    if not all(isinstance(header, str) and header for header in fields.values()):
        raise Refusal.of("import.map_source", "map", place="fields")
    if document.get("delimiter", ",") not in DELIMITERS:
        raise Refusal.of("import.map_choice", "map", place="delimiter", known=list(DELIMITERS))
    require_needed(fields)


def columns_of(headers: Sequence[str], document: Mapping[str, Any] | None) -> dict[str, str]:
    """Which header holds each of our fields, by field: as the mapping says, else as the headings are called.

    Raises Refusal ``booking_import.column_missing`` (who, where and when are needed), ``booking_import.column_gone``.
    """
    if document is None:
        found = {code: header for header, code in guess(headers).items()}
    else:
        found = dict(document["fields"])
        gone = sorted(header for header in found.values() if header not in headers)
        Refusal.raise_any([Reason("booking_import.column_gone", {"column": header}, "file") for header in gone])
    require_needed(found)
    return found


def require_needed(fields: Mapping[str, Any]) -> None:
    """Raises Refusal ``booking_import.column_missing`` for who, where, and when: two times, or a day with two clock times."""
    missing = [name for name in words()["needed"] if name not in fields]
    if not ({"starts_at", "ends_at"} <= set(fields) or {"day", "from", "to"} <= set(fields)):
        missing += [name for name in ("starts_at", "ends_at") if name not in fields]
    Refusal.raise_any(
        [Reason("booking_import.column_missing", {"columns": words()["columns"][name]}, "file") for name in missing]
    )


def read_rows(table: Table, columns: Mapping[str, str]) -> list[BookingRow]:
    """Every row, in order."""
    return [_read(record, columns) for record in table.rows]


def _read(record: Row, columns: Mapping[str, str]) -> BookingRow:
    cells = {name: _plain(record.cells.get(header, ""))[:_CELL] for name, header in columns.items()}
    reasons: list[Reason] = []
    if not cells.get("instrument"):
        reasons.append(Reason("booking_import.instrument_missing", {}, "instrument"))
    if not cells.get("email"):
        reasons.append(Reason("booking_import.email_missing", {}, "email"))
    starts, ends = _times(cells, reasons)
    return BookingRow(
        line=record.line,
        external_id=_number(cells.get("external_id", "")),
        instrument=cells.get("instrument", ""),
        email=cells.get("email", "").lower(),
        customer=cells.get("customer", ""),
        starts=starts,
        ends=ends,
        service_mode=_mode(cells.get("service_mode", ""), reasons),
        purpose=cells.get("purpose", ""),
        research_project=cells.get("research_project", "")[:200],
        evidence=cells.get("evidence", ""),
        charge=_charge(cells.get("charge", ""), reasons),
        reasons=tuple(reasons),
    )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _number(text: str) -> str:
    """What names a row; a very long one is shortened so that it still differs from others."""
    return text if len(text) <= _NUMBER else f"sha256-{hashlib.sha256(text.encode()).hexdigest()}"


def _mode(text: str, reasons: list[Reason]) -> str:
    if not text:
        return ""
    for mode, known in words()["modes"].items():
        if header_key(text) in {header_key(name) for name in known}:
            return str(mode)
    reasons.append(Reason("booking_import.mode_unreadable", {"text": text[:60]}, "service_mode"))
    return ""


def _charge(text: str, reasons: list[Reason]) -> bool | None:
    key = header_key(text)
    if key in {header_key(word) for word in words()["yes"]}:
        return True
    if key not in {header_key(word) for word in words()["no"]}:
        reasons.append(Reason("booking_import.charge_unreadable", {"text": text[:60]}, "charge"))
    return False if key else None


# --- Times ------------------------------------------------------------------------------------------------------------
def _times(cells: Mapping[str, str], reasons: list[Reason]) -> tuple[datetime | None, datetime | None]:
    if cells.get("day") and not cells.get("starts_at"):
        return _from_clocks(cells, reasons)
    starts = _moment(cells.get("starts_at", ""), "starts_at", reasons)
    ends_text = cells.get("ends_at", "")
    if starts is None or not _ONLY_CLOCK.fullmatch(ends_text):
        return starts, _moment(ends_text, "ends_at", reasons)
    # A clock time alone is on the day, and by the clock, that the cell of the start shows.
    ends = _moment(f"{starts:%Y-%m-%d} {ends_text}", "ends_at", reasons)
    return starts, ends.replace(tzinfo=starts.tzinfo) if ends is not None else None


def _from_clocks(cells: Mapping[str, str], reasons: list[Reason]) -> tuple[datetime | None, datetime | None]:
    """A day with two clock times on the wall of the instrument; an end that is earlier is on the day after."""
    found = _ONLY_DAY.fullmatch(cells["day"])
    day = _date(found.groups()[:3]) if found else None
    if day is None:
        reasons.append(Reason("booking_import.time_unreadable", {"text": cells["day"][:60]}, "day"))
        return None, None
    starts, ends = (_clock(day, cells.get(name, ""), name, reasons) for name in ("from", "to"))
    if starts is None or ends is None:
        return starts, ends
    if ends == starts:
        reasons.append(Reason("booking_import.clocks_equal", {}, "to"))
    return starts, ends + _DAY if ends < starts else ends


def _clock(day: date, text: str, field: str, reasons: list[Reason]) -> datetime | None:
    """A clock time of the day. One that names an offset is refused: it may mean another day."""
    found = _ONLY_CLOCK.fullmatch(text)
    moment = _read_moment((str(day.year), str(day.month), str(day.day), *found.groups(), None)) if found else None
    if not text:
        reasons.append(Reason("booking_import.clock_missing", {}, field))
    elif moment is None:
        reasons.append(Reason("booking_import.clock_unreadable", {"text": text[:60]}, field))
    return moment


def _moment(text: str, field: str, reasons: list[Reason]) -> datetime | None:
    """A day alone is its midnight: so a workbook writes the first moment of a day."""
    found = _MOMENT.fullmatch(f"{text} 00:00" if _ONLY_DAY.fullmatch(text) and ":" not in text else text)
    moment = _read_moment(found.groups()) if found else None
    if not text:
        reasons.append(Reason("booking_import.time_missing", {}, field))
    elif moment is None:
        reasons.append(Reason("booking_import.time_unreadable", {"text": text[:60]}, field))
    return moment


def _read_moment(parts: Sequence[str | None]) -> datetime | None:
    day = _date(parts[:3])
    if day is None:
        return None
    hour, minute, second = (int(part or 0) for part in parts[3:6])
    whole_day = hour == 24 and minute == second == 0
    try:
        wall = datetime.combine(day, time(0 if whole_day else hour, minute, second)) + whole_day * _DAY
        return wall if parts[6] is None else datetime.fromisoformat(f"{wall.isoformat()}{parts[6]}")
    except ValueError:
        return None


def _date(parts: Sequence[str | None]) -> date | None:
    year, month, day = (int(part or 0) for part in parts)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def placed(row: BookingRow, zone: ZoneInfo, now: datetime) -> tuple[TimeRange | None, list[Reason]]:
    """When it is at an instrument whose wall is in ``zone``, and what is wrong with that."""
    if row.starts is None or row.ends is None:
        return None, []
    faults = [
        Reason("booking_import.no_such_time", {"text": moment.isoformat(" ", "minutes")}, field)
        for moment, field in ((row.starts, "starts_at"), (row.ends, "ends_at"))
        if moment.tzinfo is None and not instants_showing(moment, zone)
    ]
    if faults:
        return None, faults
    starts = row.starts.astimezone(UTC) if row.starts.tzinfo else start_instant(row.starts, zone)
    ends = row.ends.astimezone(UTC) if row.ends.tzinfo else end_instant(row.ends, zone)
    if ends <= starts:
        return None, [Reason("booking_import.ends_before_start", {}, "ends_at")]
    if ends - starts > LONGEST:
        return None, [Reason("booking_import.too_long", {"days": LONGEST.days}, "ends_at")]
    if starts <= now < ends:
        return None, [Reason("booking_import.running", {}, "starts_at")]
    if starts > now and row.charge is False:
        return None, [Reason("booking_import.upcoming_charged", {}, "charge")]
    return TimeRange(starts, ends), []


def kind_of(during: TimeRange, now: datetime) -> Kind:
    return Kind.PAST if during.ends_at <= now else Kind.UPCOMING


def key_of(row: BookingRow, instrument_id: int, during: TimeRange) -> str:
    """By what a row is known when its list comes again: its own number at its instrument (a lab numbers the lists of its instruments
    each by itself), else all that says who is where and when."""
    if row.external_id:
        return f"id:{instrument_id}:{row.external_id}"
    said = f"{instrument_id}|{row.email}|{during.starts_at.isoformat()}|{during.ends_at.isoformat()}"
    return f"sha256:{hashlib.sha256(said.encode()).hexdigest()}"


# --- Within the file --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Placed:
    """A row that can be placed on a calendar; ``occupied`` is what it takes of it, buffers included. ``position``: its place among the
    rows, which is its own (occurrences of an event share its line)."""

    position: int
    row: BookingRow
    calendar_id: int
    key: str
    during: TimeRange
    occupied: TimeRange


def repeated(rows: Sequence[Placed]) -> dict[int, Placed]:
    """Positions of rows that are known by the same as one before them, with that one: they say it again, or (``says_same``) otherwise."""
    first: dict[str, Placed] = {}
    found = {}
    for one in rows:
        before = first.setdefault(one.key, one)
        if before is not one:
            found[one.position] = before
    return found


def says_same(one: Placed, other: Placed) -> bool:
    """Whether two rows mean the same person and time."""
    return (one.row.email, one.during) == (other.row.email, other.during)


def colliding(rows: Sequence[Placed]) -> dict[int, Placed]:
    """Positions of rows that take time which another row of the file takes on the same calendar, with that row. Both are named."""
    found: dict[int, Placed] = {}
    last: dict[int, Placed] = {}
    for one in sorted(rows, key=lambda each: (each.calendar_id, each.occupied, each.position)):
        before = last.get(one.calendar_id)
        if before is not None and before.occupied.overlaps(one.occupied):
            found[one.position] = before
            found.setdefault(before.position, one)
        if before is None or one.occupied.ends_at > before.occupied.ends_at:
            last[one.calendar_id] = one
    return found


# --- Calendars as lists -----------------------------------------------------------------------------------------------
_ADDRESS = re.compile(r"[(<\[]?([A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24})[)>\]]?")


def row_of_event(
    line: int, uid: str, recurrence: str, title: str, instrument: str, starts: datetime | None, ends: datetime | None
) -> BookingRow:
    """An event of the calendar of one instrument: who comes is the e-mail address in its title, the rest of the title the purpose."""
    found = _ADDRESS.search(title)
    row = BookingRow(
        line=line,
        external_id=_number(f"{uid} {recurrence}".strip()),
        instrument=instrument,
        email=found.group(1).lower() if found else "",
        starts=starts,
        ends=ends,
        purpose=" ".join(_ADDRESS.sub(" ", title).split())[:_CELL],
    )
    if not found:
        row = replace(row, reasons=(Reason("booking_import.event_names_nobody", {}, "email"),))
    return row
