"""Price lists of tests: which column means what, which row is which test item, and what it costs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_file import Progress, Row, Table, followed, header_key, silent
from instruments.rules.registry_values import money_fen
from instruments.rules.resource_rows import ResourceRow, kept_columns, row_hash
from instruments.rules.resource_values import clean_core, clean_part
from instruments.rules.service_kinds import TESTING
from instruments.rules.test_item_cells import (
    analytes_as_first_read,
    analytes_cell,
    analytes_fingerprint,
    read_analytes,
    read_qualifications,
)

_FILE = Path(__file__).with_name("data") / "test_item_columns.json"
_CORE = ("name", "name_en", "inner_id")
_PART = ("condition", "standard", "method", "group", "matrix", "sample_amount", "turnaround_days")
#: What names a test item that has no number of its own: everything but its price.
_IDENTITY = ("name", "condition", "inner_id", "standard", "method", "group", "matrix")

#: What stands in a list that we write, in this order.
EXPORTED = ("inner_id", "name", "name_en", "condition", "standard", "method", "group", "matrix", "sample_amount", "turnaround_days",
            "analytes", "qualifications", "price", "currency", "price_unit", "service_kind")  # fmt: skip

_DAYS = re.compile(
    r"(?P<first>[0-9]{1,4})(?:\s*[-~\u2013\u2014\uff5e\u81f3\u5230]\s*(?P<last>[0-9]{1,4}))?\s*\u4e2a?"
    r"(?:(?P<week>\u5468|\u661f\u671f|weeks?)|\u5de5\u4f5c\u65e5|\u5de5\u4f5c\u5929|\u65e5|\u5929|d|days?|work(?:ing )?days?)?",
    re.IGNORECASE,
)
_WORKDAYS_A_WEEK = 5


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return words


#: What a column of a price list can mean, and what it cannot do without.
FIELDS: tuple[str, ...] = tuple(_words()["columns"])
NEEDED = ("name", "price")


def known_headers() -> frozenset[str]:
    """The keys of all headers that mean something in a price list."""
    return frozenset(header_key(name) for names in _words()["columns"].values() for name in names)


def headings(*, chinese: bool) -> list[str]:
    """The headers of ``EXPORTED`` in one of the two languages, as ``columns_of`` understands them."""
    known = _words()["columns"]
    return [next((name for name in known[field] if name.isascii() is not chinese), known[field][0]) for field in EXPORTED]


def columns_of(headers: Sequence[str]) -> dict[str, str]:
    """Which header holds each of our fields, by field. Raises Refusal ``import.column_missing`` without a name or a price."""
    return needed({field: header for header, field in guess(headers, FIELDS).items()})


def guess(headers: Sequence[str], choices: Collection[str]) -> dict[str, str]:
    """The field that each heading means, as far as headings are known; of several for one field the first name of our list counts."""
    by_key = {header_key(header): header for header in headers}
    found = {}
    for field, known in _words()["columns"].items():
        header = next((by_key[header_key(name)] for name in known if header_key(name) in by_key), None)
        if header is not None and field in choices:
            found[header] = field
    return found


def needed(columns: Mapping[str, str]) -> dict[str, str]:
    """The columns when name and price are among them. Raises Refusal ``import.column_missing``."""
    missing = [field for field in NEEDED if field not in columns]
    Refusal.raise_any(
        [Reason("import.column_missing", {"columns": _words()["columns"][field], "for_field": field}, field) for field in missing]
    )
    return dict(columns)


def with_constants(table: Table, columns: Mapping[str, str], constants: Mapping[str, str]) -> tuple[Table, dict[str, str]]:
    """The table and its columns with ``constants`` (by field) in every cell that is empty or missing.

    Raises Refusal ``import.constant_unknown`` for a field that a price list cannot have.
    """
    known = sorted(_words()["columns"])
    Refusal.raise_any(
        [Reason("import.constant_unknown", {"text": name[:60], "known": known}, "set") for name in constants if name not in known]
    )
    named = {**columns, **{name: name for name in constants if name not in columns}}
    rows = tuple(Row(record.line, record.cells | _filled(record, named, constants)) for record in table.rows)
    return Table(table.headers, rows), named


def _filled(record: Row, columns: Mapping[str, str], constants: Mapping[str, str]) -> dict[str, str]:
    return {columns[name]: value for name, value in constants.items() if not record.cells.get(columns[name], "").strip()}


def read_rows(table: Table, columns: Mapping[str, str], currency: str, progress: Progress = silent) -> list[ResourceRow]:
    """Every row with its key.

    A number that stands once in the file is the key. Without one, or where it stands on several rows, the key is a fingerprint of
    the text of everything but the price, and an ordinal: a second row of the same test at the same price is repeated, at another
    price it is another test item.
    """
    numbers = Counter(number for record in table.rows if (number := _cell(record, columns, "inner_id")))
    counting: dict[tuple[str, int | None], int] = {}
    ordinals: Counter[str] = Counter()
    rows = []
    for record in followed(table.rows, progress):
        row = _read(record, columns, currency)
        if row.counts:
            alone = numbers[row.number] == 1
            if row.number and not alone:
                shared = Reason("import.number_repeated", {"number": row.number, "rows": numbers[row.number]}, "inner_id")
                row = replace(row, notes=(*row.notes, shared))
            digest = _digest(record, columns, analytes_fingerprint(_lines(record, columns, "analytes")))
            line = counting.setdefault((f"no:{row.number}" if alone else digest, row.price_fen), row.line)
            if line != row.line:
                repeated = Reason("import.repeated_row", {"counting_line": line}, "name")
                row = replace(row, same_as_line=line, left_out=repeated)
            elif alone:
                row = replace(row, key=f"no:{row.number}")
            else:
                key, *former = (_numbered(each, ordinals) for each in (digest, *_former_digests(record, columns, digest)))
                row = replace(row, key=key, former_keys=tuple(former))
        rows.append(row)
    return rows


def _read(record: Row, columns: Mapping[str, str], currency: str) -> ResourceRow:
    reasons: list[Reason] = []
    core = clean_core({name: _cell(record, columns, name) for name in _CORE if name in columns})
    given: dict[str, Any] = {name: _cell(record, columns, name) for name in _PART if name in columns}
    if "turnaround_days" in given:
        given["turnaround_days"] = _days(given["turnaround_days"], reasons)
    if "service_kind" in columns:
        given["service_kind"] = _service_kind(_cell(record, columns, "service_kind"), reasons)
    given |= _several(record, columns, reasons)
    part = clean_part("test_item", given)
    row = ResourceRow(
        line=record.line,
        key="",
        name=core.values.get("name", ""),
        number=core.values.get("inner_id", ""),
        core=core.values,
        part={name: part.values[name] for name in given if name in part.values},
        extra=kept_columns(record.cells, columns.values()),
    )
    fen = _price(record, columns, currency, reasons)
    is_zero = fen == 0
    fen = fen or None
    if not _cell(record, columns, "name") and not row.number and not fen and not reasons:
        return replace(row, left_out=Reason("import.placeholder_row", {}, "name"))
    told = "import.price_zero" if is_zero else "import.price_on_request"
    notes = (Reason(told, {}, "price"),) if fen is None and not reasons else ()
    unit = _unit(_cell(record, columns, "price_unit"), reasons)
    faults = (*core.reasons, *part.reasons, *reasons)
    return replace(row, price_fen=fen, price_unit=unit, notes=notes, reasons=faults)


def _numbered(digest: str, ordinals: Counter[str]) -> str:
    ordinals[digest] += 1
    return f"row:{digest}:{ordinals[digest]}"


def _digest(record: Row, columns: Mapping[str, str], measured: str) -> str:
    """A fingerprint of what names the test: what it measures too, where the list says so. It is made of the row's own text, never of what
    we read in it, so that it stays when we read better."""
    cells = [f"{name}={_cell(record, columns, name)}" for name in _IDENTITY]
    return row_hash(cells + ([f"analytes={measured}"] if measured else []))


def _former_digests(record: Row, columns: Mapping[str, str], digest: str) -> list[str]:
    """The fingerprints of earlier releases where they differ: of what was measured as we wrote it, and as the cell had it on one line."""
    as_written = analytes_cell(analytes_as_first_read(_lines(record, columns, "analytes")))
    former = (_digest(record, columns, text) for text in (as_written, _cell(record, columns, "analytes")))
    return [one for one in dict.fromkeys(former) if one != digest]


def _several(record: Row, columns: Mapping[str, str], reasons: list[Reason]) -> dict[str, Any]:
    """The columns that speak of several things, where the file has them."""
    found: dict[str, Any] = {}
    if "analytes" in columns:
        found["analytes"] = read_analytes(_lines(record, columns, "analytes"))
    if "qualifications" in columns:
        try:
            found["qualifications"] = read_qualifications(_lines(record, columns, "qualifications"), "qualifications")
        except Refusal as refusal:
            reasons += refusal.reasons
    return found


def _lines(record: Row, columns: Mapping[str, str], field: str) -> str:
    """A cell as it stands, with its lines."""
    return record.cells[columns[field]] if _cell(record, columns, field) else ""


def _cell(record: Row, columns: Mapping[str, str], field: str) -> str:
    """A cell on one line; what stands for nothing (a slash, a dash) is nothing."""
    text = re.sub(r"\s+", " ", record.cells[columns[field]]).strip() if field in columns else ""
    return "" if text in _words()["nothing"] else text


def _price(record: Row, columns: Mapping[str, str], currency: str, reasons: list[Reason]) -> int | None:
    """The price in fen as it is written (zero, which lists write for a price on request, is told apart); None for none."""
    written = _cell(record, columns, "currency").upper()
    if written and written != currency:
        reasons.append(Reason("import.currency_other", {"text": written[:20], "currency": currency}, "price"))
    try:
        return money_fen(_cell(record, columns, "price"), "yuan", "price")
    except Refusal as refusal:
        reasons += refusal.reasons
        return None


def _unit(text: str, reasons: list[Reason]) -> str:
    for unit, words in _words()["units"].items():
        if text.casefold() in words or not text:
            return str(unit)
    reasons.append(Reason("import.value_unknown", {"text": text[:60], "known": sorted(_words()["units"])}, "price_unit"))
    return ""


def _service_kind(text: str, reasons: list[Reason]) -> str:
    for kind, words in _words()["service_kinds"].items():
        if text.casefold() in words:
            return str(kind)
    if text:
        known = [kind or TESTING for kind in _words()["service_kinds"]]
        reasons.append(Reason("import.value_unknown", {"text": text[:60], "known": known}, "service_kind"))
    return ""


def _days(text: str, reasons: list[Reason]) -> int | None:
    """Workdays; of a range the later end, a week is five."""
    found = _DAYS.fullmatch(text)
    if text and found is None:
        reasons.append(Reason("import.value_unknown", {"text": text[:60], "known": ["5", "5-7", "10 days"]}, "turnaround_days"))
    if found is None:
        return None
    return int(found["last"] or found["first"]) * (_WORKDAYS_A_WEEK if found["week"] else 1)
