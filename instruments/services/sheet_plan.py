"""What a table that was handed in would change, row by row, and everything that stands against it; whatever its rows are about.

A table has two head rows, of which the first names the columns, and hidden key columns: whose row it is, as of when, and a mark by which
an untouched row is known.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.db.models import Model, QuerySet
from openpyxl.utils import get_column_letter

from config.kernel.errors import NotFound, Reason, Refusal
from instruments.rules.sheet_cells import Cell, Kind, Words, from_cell, mark_of
from instruments.services import xlsx_reading
from instruments.services.instrument_changes import jsonable
from instruments.services.sheet_writing import KEYS
from instruments.services.xlsx_reading import XlsxLimits

#: So many rows go out in one table: saving every one of them takes 22 s of a processor, and an answer has 30.
PART_ROWS = 1_000
#: What still comes in: more rows, which may have been added or put together, and every cell that a spreadsheet can hold.
LIMITS = XlsxLimits(max_rows=2 * PART_ROWS + 2, max_columns=100, max_cell_length=32_767)
_FIRST_ROW = 3
_Row = TypeVar("_Row", bound=Model)


class Subject(Protocol):
    """What a row is about."""

    pk: Any
    name: Any
    updated_at: Any


@dataclass(frozen=True, slots=True)
class CellChange:
    """``before`` and ``after`` as the audit trail writes them."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in a row (as the spreadsheet numbers it) and column (its letter; empty for the whole row)."""

    row: int
    column: str
    field: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class RowPlan:
    """What a row would change. ``values`` are clean, ``seen`` is the revision that the row was made from."""

    row: int
    subject: Any
    changes: tuple[CellChange, ...]
    values: Mapping[str, Any]
    seen: datetime


@dataclass(slots=True)
class SheetPlan:
    """``review``: what would be saved is looked at by the operator first."""

    review: bool
    rows: list[RowPlan] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    untouched: int = 0

    @property
    def may_apply(self) -> bool:
        return bool(self.rows) and not self.problems


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that go out in one table: ``first`` to ``last`` of all that an owner has, counted from 1."""

    number: int
    first: int
    last: int


def parts_of(count: int) -> list[Part]:
    """The tables in which so many rows go out; an empty one where there are none."""
    starts = range(0, max(count, 1), PART_ROWS)
    return [Part(number, start + 1, min(start + PART_ROWS, count)) for number, start in enumerate(starts, start=1)]


def in_part(rows: QuerySet[_Row], number: int) -> QuerySet[_Row]:
    """The rows of a part. Raises NotFound when there is none of this number."""
    if number not in {part.number for part in parts_of(rows.count())}:
        raise NotFound.of("access.not_found", model="part of a table")
    return rows[(number - 1) * PART_ROWS : number * PART_ROWS]


@dataclass(frozen=True, slots=True)
class Table:
    """The columns by place, and the rows below the two head rows."""

    places: dict[int, str]
    rows: list[tuple[Any, ...]]
    formulas: frozenset[tuple[int, int]]

    @property
    def ids(self) -> list[int]:
        """Whose the rows say they are, as far as they say a number."""
        (place,) = (place for place, name in self.places.items() if name == "id")
        texts = (str(cells[place]) for cells in self.rows if place < len(cells))
        return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]


def read_table(content: bytes, columns: Sequence[str], limits: XlsxLimits = LIMITS) -> Table:
    """The first sheet of a workbook. Raises Refusal ``sheet.*`` at ``file``."""
    sheets = xlsx_reading.read_xlsx(content, limits, first_alone=True)
    if not sheets or not sheets[0].rows:
        raise Refusal.of("sheet.no_rows", "file")
    head, reasons = sheets[0].rows[0], []
    if any(key not in head for key in KEYS):
        raise Refusal.of("sheet.key_row_missing", "file")
    places: dict[int, str] = {}
    for place, name in enumerate(head):
        if name is None:
            continue
        if name not in (*KEYS, *columns):
            params = {"column": get_column_letter(place + 1), "name": str(name)[:40]}
            reasons.append(Reason("sheet.column_unknown", params, "file"))
        elif name in places.values():
            reasons.append(Reason("sheet.column_twice", {"name": name}, "file"))
        places[place] = name
    Refusal.raise_any(reasons)
    if len(sheets[0].rows) < _FIRST_ROW:
        raise Refusal.of("sheet.no_rows", "file")
    return Table(places, sheets[0].rows[_FIRST_ROW - 1 :], sheets[0].formulas)


def keys_of(
    subject: Subject, cells: Mapping[str, Cell], kinds: Mapping[str, Kind], words: Mapping[str, Sequence[Words]]
) -> dict[str, str]:
    """The hidden cells of a row that goes out: with the mark of what its cells will be read as when nobody touches them."""
    parsed = {name: from_cell(name, cell, words[name], kinds[name]) for name, cell in cells.items()}
    return {"id": str(subject.pk), "revision": subject.updated_at.isoformat(), "mark": mark_of(jsonable(parsed))}


class Planner(ABC):
    """Compares the rows of a table with what is stored. ``known`` are the subjects by id, ``kinds`` those of the columns, ``words`` the
    columns' words in every language."""

    unknown = "sheet.instrument_unknown"
    new_row = "sheet.new_row"

    def __init__(
        self,
        table: Table,
        known: Mapping[str, Any],
        kinds: Mapping[str, Kind],
        words: Mapping[str, Sequence[Words]],
        *,
        review: bool,
    ) -> None:
        self.table, self.known, self.kinds, self.words = table, known, kinds, words
        self.found = SheetPlan(review)
        self._seen_in: dict[str, int] = {}

    @abstractmethod
    def differing(self, subject: Any, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[CellChange, ...]]:
        """Of the values that were typed those that differ from what is stored, clean, and the cells in which they do. Raises Refusal with
        every reason."""

    def plan(self) -> SheetPlan:
        """Every row that is not empty."""
        for number, cells in enumerate(self.table.rows, start=_FIRST_ROW):
            if any(cell is not None for cell in cells):
                self._row(number, cells)
        return self.found

    def _row(self, number: int, cells: tuple[Any, ...]) -> None:
        given = {name: cells[place] if place < len(cells) else None for place, name in self.table.places.items()}
        keys = {key: str(given.pop(key) or "") for key in KEYS}
        subject = self.known.get(keys["id"])
        if not keys["id"]:
            return self._problem(number, Reason(self.new_row))
        if subject is None:
            return self._problem(number, Reason(self.unknown))
        if keys["id"] in self._seen_in:
            return self._problem(number, Reason("sheet.row_twice", {"first_row": self._seen_in[keys["id"]]}))
        self._seen_in[keys["id"]] = number
        values = self._values(number, given)
        if values is None:
            return None
        if mark_of(jsonable(values)) == keys["mark"]:
            self.found.untouched += 1
            return None
        return self._changed_row(number, subject, values, keys["revision"])

    def _values(self, number: int, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row's values as they were typed; None when a cell cannot be read."""
        values: dict[str, Any] = {}
        readable = True
        for place, name in self.table.places.items():
            if name in KEYS:
                continue
            try:
                if (number - 1, place) in self.table.formulas:
                    raise Refusal.of("sheet.formula", name)
                values[name] = from_cell(name, given[name], self.words[name], self.kinds[name])
            except Refusal as refusal:
                self._refused(number, refusal.reasons)
                readable = False
        return values if readable else None

    def _changed_row(self, number: int, subject: Any, values: dict[str, Any], revision: str) -> None:
        try:
            differing, changes = self.differing(subject, values)
        except Refusal as refusal:
            return self._refused(number, refusal.reasons)
        if not differing:
            self.found.untouched += 1
            return None
        if subject.updated_at.isoformat() != revision:
            return self._problem(number, Reason("sheet.changed_meanwhile"))
        self.found.rows.append(RowPlan(number, subject, changes, differing, subject.updated_at))
        return None

    def _refused(self, number: int, reasons: Sequence[Reason]) -> None:
        for reason in reasons:
            self._problem(number, reason)

    def _problem(self, number: int, reason: Reason) -> None:
        place = next((place for place, name in self.table.places.items() if name == reason.field), None)
        letter = "" if place is None else get_column_letter(place + 1)
        self.found.problems.append(RowProblem(number, letter, reason.field, reason))
