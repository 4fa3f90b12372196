"""Lists of licences that a lab keeps already: which column means what, and what each row says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_file import Row, Table, header_key
from instruments.rules.registry_values import day

_FILE = Path(__file__).with_name("data") / "licence_columns.json"
_CELL = 300


@dataclass(frozen=True, slots=True)
class LicenceRow:
    """One row as it was read. ``instrument`` is the lab's number or the name; empty with an empty class: all of the lab's.

    ``same_as_line`` is the line of an earlier row that says the same.
    """

    line: int
    email: str
    instrument: str
    class_code: str
    level: str
    granted_on: date | None
    valid_until: date | None
    evidence: str
    reasons: tuple[Reason, ...] = ()
    same_as_line: int | None = None


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return words


def known_headers() -> frozenset[str]:
    """The keys of all headers that mean something in a list of licences."""
    return frozenset(header_key(name) for names in _words()["columns"].values() for name in names)


def columns_of(headers: tuple[str, ...]) -> dict[str, str]:
    """Which header holds each of our fields, by field. Raises Refusal ``licence.column_missing`` without an e-mail or a level."""
    by_key = {header_key(header): header for header in headers}
    found = {}
    for name, known in _words()["columns"].items():
        header = next((by_key[header_key(one)] for one in known if header_key(one) in by_key), None)
        if header is not None:
            found[name] = header
    missing = [name for name in _words()["needed"] if name not in found]
    Refusal.raise_any([Reason("licence.column_missing", {"columns": _words()["columns"][name]}, "file") for name in missing])
    return found


def read_rows(table: Table, columns: Mapping[str, str]) -> list[LicenceRow]:
    """Every row, in order; a row that says the same as one before it is marked as such."""
    rows: list[LicenceRow] = []
    first: dict[tuple[str, str, str, str], int] = {}
    for record in table.rows:
        row = _read(record, columns)
        key = (row.email, row.instrument, row.class_code, row.level)
        if not row.reasons:
            line = first.setdefault(key, row.line)
            row = replace(row, same_as_line=line if line != row.line else None)
        rows.append(row)
    return rows


def _read(record: Row, columns: Mapping[str, str]) -> LicenceRow:
    cells = {name: record.cells.get(header, "").strip()[:_CELL] for name, header in columns.items()}
    reasons: list[Reason] = []
    email = cells.get("email", "").lower()
    if not email:
        reasons.append(Reason("licence.email_missing", {}, "email"))
    code = cells.get("class_code", "")
    if code and not (code.isascii() and code.isdigit() and len(code) in {2, 4, 6}):
        reasons.append(Reason("training.class_unreadable", {}, "class_code"))
    granted_on = _day(cells.get("granted_on", ""), "granted_on", reasons)
    valid_until = _day(cells.get("valid_until", ""), "valid_until", reasons)
    return LicenceRow(
        line=record.line,
        email=email,
        instrument=cells.get("instrument", ""),
        class_code="" if cells.get("instrument") else code,
        level=_level(cells.get("level", ""), reasons),
        granted_on=granted_on,
        valid_until=valid_until,
        evidence=cells.get("evidence", ""),
        reasons=tuple(reasons),
    )


def _level(text: str, reasons: list[Reason]) -> str:
    for level, known in _words()["levels"].items():
        if header_key(text) in {header_key(name) for name in known}:
            return str(level)
    known = [names[0] for names in _words()["levels"].values()]
    reasons.append(Reason("licence.level_unreadable", {"text": text[:60], "known": known}, "level"))
    return ""


def _day(text: str, field: str, reasons: list[Reason]) -> date | None:
    try:
        return day(text, field)
    except Refusal:
        reasons.append(Reason("licence.day_unreadable", {"text": text[:60]}, field))
        return None
