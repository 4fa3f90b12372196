"""From the bytes of an .xlsx workbook to a table of cells, with every guard against broken and hostile files.

A workbook is a zip of XML. Before anything is parsed, every member is unpacked once and counted: how many, how big, how much bigger
than packed, no macros, no entities. Then only the cells of one sheet are read (and of the helper sheet that our own export adds);
links to other files and objects are never followed, formulas are refused because what they show may be old.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_file import Limits, Row, Table, header_key, header_reasons

HELPER_SHEET = "jishi"
OWN_NUMBER_HEADER = "own_number"
_MAX_MEMBERS = 2_000
_MAX_UNPACKED = 120 * 1024**2
_MAX_RATIO = 200
_RATIO_FROM = 5 * 1024**2
_CHUNK = 1024**2
_HEADER_ROWS = 5
_MOST_EMPTY_ROWS = 100_000
_CELLS_A_ROW = 60
_MAX_REASONS = 50
_DANGEROUS = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_BRACKETS = re.compile(r"[\uff08(].*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet's header row, its number, and the rows below it as (number, texts)."""

    headers: tuple[str, ...]
    rows: list[tuple[int, tuple[str, ...]]]


@dataclass(slots=True)
class _Budget:
    """How many cells and rows of a workbook are still looked at, over all its sheets: those that hold nothing cost time too."""

    left: int


def is_workbook(content: bytes) -> bool:
    """Whether the bytes begin as those of a workbook do."""
    return content.startswith(b"PK")


def read_workbook(content: bytes, wanted: frozenset[str], numbered: frozenset[str], limits: Limits) -> Table:
    """The table of the sheet whose headers best fit ``wanted`` (header keys); of those that fit equally the one with the most headers.

    The header row is among the first five; what stands in brackets after a header's name is left out where the name alone is
    wanted, and no other header has it. Columns of the helper sheet of our own export are added to the rows whose cell below
    ``numbered`` (header keys) holds the same number of ours; other rows do not have those cells. Lines are row numbers of the sheet.

    Raises Refusal ``import.workbook_*`` and those of ``read_table``.
    """
    if len(content) > limits.file_bytes:
        raise Refusal.of("import.file_too_big", "file", maximum_mb=limits.file_bytes // 1024**2)
    _check_members(content)
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.title != HELPER_SHEET and sheet.sheet_state == "visible"]
        budget = _Budget(limits.rows * _CELLS_A_ROW)
        found = [read for sheet in sheets if (read := _read_sheet(sheet, wanted, limits, budget)) is not None]
        helper = _read_sheet(book[HELPER_SHEET], frozenset(), limits, budget) if HELPER_SHEET in book.sheetnames else None
    except Refusal:
        raise
    except Exception:  # what a parser meets in a damaged workbook ends in KeyError, ValueError, ParseError and many others
        raise Refusal.of("import.workbook_broken", "file") from None
    if not found:
        raise Refusal.of("import.no_rows", "file")
    best = max(found, key=lambda sheet: (_fit(sheet.headers, wanted), _fit(sheet.headers, frozenset())))
    return _table(best, helper, numbered)


def _check_members(content: bytes) -> None:
    """Unpack every member once, without keeping it. Raises Refusal ``import.workbook_broken``, ``_bomb``, ``_macros``, ``_entities``."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _MAX_MEMBERS:
                raise Refusal.of("import.workbook_bomb", "file")
            names = {member.filename for member in members}
            if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
                raise Refusal.of("import.workbook_broken", "file")
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise Refusal.of("import.workbook_macros", "file")
            total = 0
            for member in members:
                total = _check_member(archive, member, total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        raise Refusal.of("import.workbook_broken", "file") from None


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, total: int) -> int:
    """Count what a member really holds (its own word is not taken for it); the sum so far."""
    size, tail = 0, b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if total + size > _MAX_UNPACKED or (size > _RATIO_FROM and size > _MAX_RATIO * max(1, member.compress_size)):
                raise Refusal.of("import.workbook_bomb", "file")
            if _DANGEROUS.search(tail + chunk):
                raise Refusal.of("import.workbook_entities", "file")
            tail = chunk[-16:]
    return total + size


def _read_sheet(sheet: Any, wanted: frozenset[str], limits: Limits, budget: _Budget) -> _Sheet | None:
    """The cells of a sheet as text; None when it holds no header row."""
    sheet.reset_dimensions()
    headers: tuple[str, ...] = ()
    rows: list[tuple[int, tuple[str, ...]]] = []
    reasons: list[Reason] = []
    heads = _heads(sheet, limits)
    if not heads:
        return None
    header_at, headers = max(heads, key=lambda head: (_fit(head[1], wanted), -head[0]))
    last = header_at
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        budget.left -= 1 + len(cells)
        if budget.left < 0 or number > limits.rows + _MOST_EMPTY_ROWS:
            raise Refusal.of("import.too_many_rows", "file", maximum=limits.rows)
        if number <= header_at:
            continue
        texts = _texts(cells, number, reasons)
        if len(reasons) >= _MAX_REASONS:
            break
        if not any(texts):
            if number - last > _MOST_EMPTY_ROWS:  # formats reach to the last row of many sheets
                break
            continue
        last = number
        _refuse_width(texts, limits)
        if any(len(text) > limits.field_characters for text in texts):
            raise Refusal.of("import.field_too_long", "file", line=number, maximum=limits.field_characters)
        if len(rows) >= limits.rows:
            raise Refusal.of("import.too_many_rows", "file", maximum=limits.rows)
        rows.append((number, texts))
    Refusal.raise_any(reasons)
    return _Sheet(_short(headers, wanted), rows) if rows else None


def _heads(sheet: Any, limits: Limits) -> list[tuple[int, tuple[str, ...]]]:
    """The first rows that could be the header, with their numbers."""
    found = []
    for number, cells in enumerate(sheet.iter_rows(max_row=_HEADER_ROWS), start=1):
        texts = tuple(_text(cell) for cell in cells)
        _refuse_width(texts, limits)
        if any(texts):
            found.append((number, texts))
    return found


def _texts(cells: Sequence[Any], number: int, reasons: list[Reason]) -> tuple[str, ...]:
    for place, cell in enumerate(cells, start=1):
        if getattr(cell, "data_type", "") == "f":
            params = {"cell": f"{get_column_letter(place)}{number}"}
            reasons.append(Reason("import.workbook_formula", params, "file"))
        elif getattr(cell, "data_type", "") == "e":
            params = {"cell": f"{get_column_letter(place)}{number}", "text": str(cell.value)}
            reasons.append(Reason("import.workbook_error_cell", params, "file"))
    return tuple(_text(cell) for cell in cells)


def _text(cell: Any) -> str:
    """A cell as a person would type it: days as 2026-11-23, numbers without an exponent or a needless point."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0") if value == value and abs(value) != float("inf") else ""
    return str(value).strip()


def _refuse_width(texts: Sequence[str], limits: Limits) -> None:
    width = max((place for place, text in enumerate(texts, start=1) if text), default=0)
    if width > limits.columns:
        raise Refusal.of("import.too_many_columns", "file", found=width, maximum=limits.columns)


def _short(headers: Sequence[str], wanted: frozenset[str]) -> tuple[str, ...]:
    """Headers without what stands in brackets after them, where only the name itself is wanted."""
    trimmed = list(headers)
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    names = frozenset(map(header_key, trimmed))
    counted: Counter[str] = Counter()
    found = []
    for header in trimmed:
        name = _named(header, wanted, names)
        counted[name] += 1
        numbered = f"{name} ({counted[name]})"  # the national sheet of facilities says one heading twice
        found.append(numbered if counted[name] > 1 and header_key(numbered) in wanted else name)
    return tuple(found)


def _named(header: str, wanted: frozenset[str], taken: frozenset[str] = frozenset()) -> str:
    alone = _BRACKETS.sub("", header).strip()
    return alone if header_key(header) not in wanted and header_key(alone) in wanted - taken else header


def _fit(headers: Sequence[str], wanted: frozenset[str]) -> int:
    """How many headers are wanted; without wishes the number of those that are filled."""
    keys = {header_key(_named(header, wanted)) for header in headers if header}
    return len(keys & wanted) if wanted else len(keys)


def _table(sheet: _Sheet, helper: _Sheet | None, numbered: frozenset[str]) -> Table:
    headers = sheet.headers
    Refusal.raise_any(header_reasons(headers, ","))
    reasons = [
        Reason("import.row_length", {"line": number, "found": len(texts), "expected": len(headers)}, "file")
        for number, texts in sheet.rows
        if any(texts[len(headers) :])
    ]
    Refusal.raise_any(reasons[:_MAX_REASONS])
    rows = [Row(number, dict(zip(headers, _padded(texts, len(headers)), strict=True))) for number, texts in sheet.rows]
    more, added = _helper_cells(helper, {header_key(header) for header in headers})
    place = next((header for header in headers if header_key(header) in numbered), None)
    if place is None or not more:
        return Table(headers, tuple(rows))
    return Table((*headers, *added), tuple(Row(row.line, row.cells | more.get(row.cells[place], {})) for row in rows))


def _helper_cells(helper: _Sheet | None, taken: set[str]) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """The cells of the helper sheet by our number, and its headers that the sheet itself does not have."""
    if helper is None or OWN_NUMBER_HEADER not in helper.headers:
        return {}, ()
    added = tuple(header for header in helper.headers if header and header_key(header) not in taken | {OWN_NUMBER_HEADER})
    found = {}
    for _number, texts in helper.rows:
        cells = dict(zip(helper.headers, _padded(texts, len(helper.headers)), strict=True))
        found[cells[OWN_NUMBER_HEADER]] = {header: cells[header] for header in added}
    return found, added


def _padded(texts: Sequence[str], width: int) -> tuple[str, ...]:
    return (*texts[:width], *("" for _ in range(width - len(texts))))
