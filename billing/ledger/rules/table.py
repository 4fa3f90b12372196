"""A small table that somebody hands in as CSV: read by the names of its columns, every fault told with its row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any

from config.kernel.errors import Reason, Refusal

MOST_ROWS = 20_000
MOST_DIGITS = 4
_ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True, slots=True)
class Column:
    """``names``: what its heading may be (lower case). ``read`` turns the text into a value or raises ValueError. An optional one may
    be missing or empty and is then None."""

    key: str
    names: tuple[str, ...]
    read: Callable[[str], Any]
    optional: bool = False


def read_table(content: bytes, columns: Sequence[Column]) -> list[tuple[int, dict[str, Any]]]:
    """The rows by column key, in order, each with its number as a spreadsheet counts (the heading is row 1); blank rows are left out.

    Raises Refusal on field ``file`` with every fault: ``table.unreadable``, ``table.broken``, ``table.column_missing`` (column),
    ``table.empty``, ``table.too_long`` (maximum), ``table.cell_empty`` and ``table.cell_invalid`` (row as a spreadsheet numbers it,
    column, text).
    """
    lines = _lines(_text(content))
    if not lines:
        raise Refusal.of("table.empty", field="file")
    places = _places([cell.strip().lower() for cell in lines[0]], columns)
    if len(lines) - 1 > MOST_ROWS:
        raise Refusal.of("table.too_long", field="file", maximum=MOST_ROWS)
    reasons: list[Reason] = []
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in line):
            rows.append(
                (number, {column.key: _cell(line, places.get(column.key), column, number, reasons) for column in columns})
            )
    Refusal.raise_any(reasons)
    if not rows:
        raise Refusal.of("table.empty", field="file")
    return rows


def day(text: str) -> date:
    """``2026-01-31``, ``2026/1/31`` or ``20260131``. Raises ValueError."""
    parts = text.replace("/", "-").replace(".", "-").split("-")
    if len(parts) == 3:
        if any(len(part) > MOST_DIGITS for part in parts):
            raise ValueError("a part of a day has at most four digits")
        return date(*(int(part) for part in parts))
    return date.fromisoformat(text)


def _text(content: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:  # no database keeps one, and no table has one
            return text
    raise Refusal.of("table.unreadable", field="file")


def _lines(text: str) -> list[list[str]]:
    try:
        return list(csv.reader(StringIO(text, newline="")))
    except csv.Error as error:  # a cell beyond the reader's limit, a line end within a cell
        raise Refusal.of("table.broken", field="file") from error


def _places(heading: Sequence[str], columns: Sequence[Column]) -> Mapping[str, int]:
    places, reasons = {}, []
    for column in columns:
        found = [place for place, name in enumerate(heading) if name in column.names]
        if found:
            places[column.key] = found[0]
        elif not column.optional:
            reasons.append(Reason("table.column_missing", {"column": column.names[0]}, "file"))
    Refusal.raise_any(reasons)
    return places


def _cell(line: Sequence[str], place: int | None, column: Column, number: int, reasons: list[Reason]) -> Any:
    text = line[place].strip() if place is not None and place < len(line) else ""
    if not text:
        if not column.optional:
            reasons.append(Reason("table.cell_empty", {"row": number, "column": column.names[0]}, "file"))
        return None
    try:
        return column.read(text)
    except (ValueError, Refusal):
        params = {"row": number, "column": column.names[0], "text": text[:60]}
        reasons.append(Reason("table.cell_invalid", params, "file"))
        return None
