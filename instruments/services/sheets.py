"""Many instruments at once: an owner's table is downloaded, filled in elsewhere, handed in, looked at, and saved as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import get_language, override
from openpyxl.utils import get_column_letter

from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.field_wording import CHOICE_NAMES, FIELD_NAMES, NO, YES
from instruments.models import Instrument, InstrumentSheet, Site
from instruments.rules.registry_values import clean_fields
from instruments.rules.sheet_cells import KINDS, Cell, Kind, from_cell, mark_of, to_cell
from instruments.services import instrument_edits, instrument_reviews, sheet_writing, xlsx_reading
from instruments.services.instrument_changes import class_reasons, jsonable, needs_review, owner_institution, require_manager
from instruments.services.instrument_edits import Edit
from instruments.services.sheet_writing import KEYS, Column
from instruments.services.xlsx_reading import XlsxLimits

LIMITS = XlsxLimits(max_rows=2002, max_columns=100)
#: Every column that there is, in the order of the form; publication is a matter of its own.
COLUMNS: tuple[str, ...] = tuple(name for name in FIELD_NAMES if name != "published")
DEFAULT_COLUMNS = ("name", "name_en", "inner_id", "class_code", "technique", "technical_indicators", "functions", "status")
_ALWAYS = "name"


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
    instrument: Instrument
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


# --- Out --------------------------------------------------------------------------------------------------------------
def download(actor: Actor, organisation_id: int, names: Sequence[str]) -> bytes:
    """The owner's instruments as a workbook with the named columns; the name is always among them.

    Raises Forbidden, Refusal ``instrument.owner_unknown``.
    """
    owner = _owner(actor, organisation_id)
    chosen = [name for name in COLUMNS if name in {*names, _ALWAYS}]
    words = {name: _words(name, organisation_id) for name in chosen}
    columns = [Column(name, KINDS[name], str(FIELD_NAMES[name]), tuple(words[name].values())) for name in chosen]
    both = {name: _all_words(name, organisation_id) for name in chosen}
    rows = []
    for instrument in _instruments(actor, organisation_id):
        cells = [to_cell(name, getattr(instrument, name), words[name]) for name in chosen]
        parsed = {name: _parsed(name, cell, both[name]) for name, cell in zip(chosen, cells, strict=True)}
        keys = {"id": str(instrument.pk), "revision": instrument.updated_at.isoformat(), "mark": mark_of(parsed)}
        rows.append((keys, cells))
    return sheet_writing.workbook(owner.name_en if _english() and owner.name_en else owner.name, columns, rows)


def _parsed(name: str, cell: Cell, words: Sequence[Mapping[str, str]]) -> Any:
    """What the cell will be read as when nobody touches it."""
    value = from_cell(name, cell, words)
    return jsonable({name: value})[name]


# --- In ---------------------------------------------------------------------------------------------------------------
@whole
def hand_in(actor: Actor, organisation_id: int, content: bytes, now: datetime) -> InstrumentSheet:
    """Keep a filled-in table so that it can be looked at; nothing of it is saved yet.

    Raises Forbidden, Refusal ``sheet.*`` at ``file``.
    """
    owner = _owner(actor, organisation_id)
    _table(content)
    stored = files.store(
        content,
        file_name=f"instruments-{owner.pk}.xlsx",
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        user_id=actor.user_id,
        now=now,
    )
    return InstrumentSheet.objects.create(organisation=owner, file=stored, uploaded_by_id=actor.person_id, uploaded_at=now)


def plan(actor: Actor, sheet: InstrumentSheet) -> SheetPlan:
    """What a table would change now, row by row, and everything that stands against it."""
    table = _table(files.read(sheet.file))
    return _Planner(actor, sheet, table).plan()


def sheet_for(actor: Actor, sheet_id: int) -> InstrumentSheet:
    """A table that was handed in. Raises NotFound."""
    return get_visible(InstrumentSheet.objects.select_related("organisation", "file"), actor, pk=sheet_id)


@whole
def apply(actor: Actor, sheet_id: int, now: datetime, *, submit: bool = True) -> SheetPlan:
    """Save everything in a table, or nothing. What the operator looks at first becomes drafts, handed in when ``submit``.

    Raises NotFound, Forbidden, Conflict ``sheet.applied_already``, ``sheet.not_applied`` (look at the plan again), Refusal
    ``sheet.nothing_to_do``.
    """
    sheet = sheet_for(actor, sheet_id)
    require_manager(actor, sheet.organisation_id)
    if InstrumentSheet.objects.filter(pk=sheet.pk, applied_at=None).update(applied_at=now) != 1:
        raise Conflict.of("sheet.applied_already")
    found = plan(actor, sheet)
    if found.problems:
        raise Conflict.of("sheet.not_applied")
    if not found.rows:
        raise Refusal.of("sheet.nothing_to_do")
    for row in found.rows:
        try:
            saved = instrument_edits.save(actor, row.instrument.pk, Edit(row.values, seen=row.seen), now)
        except Refusal as refusal:
            raise Conflict.of("sheet.not_applied") from refusal
        if saved.change is not None and submit:
            instrument_reviews.submit(actor, saved.change.pk, now)
    audit.record(actor, "instrument_sheet.apply", sheet, now, after={"rows": len(found.rows), "sha256": sheet.file.sha256})
    return found


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns by place, and the rows below the two head rows."""

    places: dict[int, str]
    rows: list[tuple[Any, ...]]
    formulas: frozenset[tuple[int, int]]


def _table(content: bytes) -> _Table:
    sheets = xlsx_reading.read_xlsx(content, LIMITS)
    if not sheets or not sheets[0].rows:
        raise Refusal.of("sheet.no_rows", "file")
    head, reasons = sheets[0].rows[0], []
    if any(key not in head for key in KEYS):
        raise Refusal.of("sheet.key_row_missing", "file")
    places: dict[int, str] = {}
    for place, name in enumerate(head):
        if name is None:
            continue
        if name not in (*KEYS, *COLUMNS):
            params = {"column": get_column_letter(place + 1), "name": str(name)[:40]}
            reasons.append(Reason("sheet.column_unknown", params, "file"))
        elif name in places.values():
            reasons.append(Reason("sheet.column_twice", {"name": name}, "file"))
        places[place] = name
    Refusal.raise_any(reasons)
    if len(sheets[0].rows) < 3:
        raise Refusal.of("sheet.no_rows", "file")
    return _Table(places, sheets[0].rows[2:], sheets[0].formulas)


class _Planner:
    """Compares the rows of a table with what is stored."""

    def __init__(self, actor: Actor, sheet: InstrumentSheet, table: _Table) -> None:
        self.table = table
        owner = sheet.organisation
        self.known = {str(each.pk): each for each in _instruments(actor, owner.pk)}
        self.words = {name: _all_words(name, owner.pk) for name in table.places.values() if name in KINDS}
        self.found = SheetPlan(needs_review(actor, owner))
        self.seen_in: dict[str, int] = {}

    def plan(self) -> SheetPlan:
        for number, cells in enumerate(self.table.rows, start=3):
            if any(cell is not None for cell in cells):
                self._row(number, cells)
        return self.found

    def _row(self, number: int, cells: tuple[Any, ...]) -> None:
        given = {name: cells[place] if place < len(cells) else None for place, name in self.table.places.items()}
        keys = {key: str(given.pop(key) or "") for key in KEYS}
        instrument = self.known.get(keys["id"])
        if not keys["id"]:
            return self._problem(number, Reason("sheet.new_row"))
        if instrument is None:
            return self._problem(number, Reason("sheet.instrument_unknown"))
        if keys["id"] in self.seen_in:
            return self._problem(number, Reason("sheet.row_twice", {"first_row": self.seen_in[keys["id"]]}))
        self.seen_in[keys["id"]] = number
        values = self._values(number, given)
        if values is None:
            return None
        if mark_of(jsonable(values)) == keys["mark"]:
            self.found.untouched += 1
            return None
        return self._changed_row(number, instrument, values, keys["revision"])

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
                values[name] = from_cell(name, given[name], self.words[name])
            except Refusal as refusal:
                self._refused(number, refusal.reasons)
                readable = False
        return values if readable else None

    def _changed_row(self, number: int, instrument: Instrument, values: dict[str, Any], revision: str) -> None:
        cleaned = clean_fields({name: value for name, value in values.items() if name != "site_id"})
        reasons = [*cleaned.reasons, *class_reasons(cleaned.values.get("class_code", ""))]
        if reasons:
            return self._refused(number, reasons)
        clean = cleaned.values | ({"site_id": values["site_id"]} if "site_id" in values else {})
        differing = {name: value for name, value in clean.items() if getattr(instrument, name) != value}
        if not differing:
            self.found.untouched += 1
            return None
        if instrument.updated_at.isoformat() != revision:
            return self._problem(number, Reason("sheet.changed_meanwhile"))
        before = jsonable({name: getattr(instrument, name) for name in differing})
        after = jsonable(differing)
        changes = tuple(CellChange(name, before[name], after[name]) for name in differing)
        self.found.rows.append(RowPlan(number, instrument, changes, differing, instrument.updated_at))
        return None

    def _refused(self, number: int, reasons: Sequence[Reason]) -> None:
        for reason in reasons:
            self._problem(number, reason)

    def _problem(self, number: int, reason: Reason) -> None:
        place = next((place for place, name in self.table.places.items() if name == reason.field), None)
        letter = "" if place is None else get_column_letter(place + 1)
        self.found.problems.append(RowProblem(number, letter, reason.field, reason))


# --- Words ------------------------------------------------------------------------------------------------------------
def _owner(actor: Actor, organisation_id: int) -> Any:
    require_manager(actor, organisation_id)
    return owner_institution(organisation_id)


def _instruments(actor: Actor, organisation_id: int) -> QuerySet[Instrument]:
    rows = visible_to(Instrument.objects.filter(organisation_id=organisation_id), actor)
    return rows.order_by("name_pinyin", "pk")


def _words(name: str, organisation_id: int) -> dict[str, str]:
    """The words of a field's values in the language that is active, by code."""
    if KINDS[name] is Kind.PLACE:
        return {str(pk): text for pk, text in Site.objects.filter(organisation_id=organisation_id).values_list("pk", "name")}
    if KINDS[name] in (Kind.FLAG, Kind.MAYBE):
        return {"yes": str(YES), "no": str(NO)}
    return {code: str(word) for code, word in CHOICE_NAMES.get(name, {}).items()}


def _all_words(name: str, organisation_id: int) -> list[dict[str, str]]:
    return [_in(language, lambda: _words(name, organisation_id)) for language, _label in settings.LANGUAGES]


def _in(language: str, work: Callable[[], dict[str, str]]) -> dict[str, str]:
    with override(language):
        return work()


def _english() -> bool:
    return (get_language() or "").startswith("en")
