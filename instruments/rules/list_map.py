"""A list of resources under a mapping: the table as its kind reads it. The language of the mapping is that of ``registry_map``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_file import Row, Table, header_key
from instruments.rules.registry_map import PLAIN_SOURCE_KEYS, ImportMap, MapWords, fitted, mended_cell, value_of
from instruments.rules.resource_rows import ResourceRow

#: What stands in a mapping of such a list beside its fields.
KEYS = frozenset({"kind", "title", "encoding", "delimiter", "optional_columns", "fields", "ignored"})
#: Before the name of a field it is a heading that no file has: blanks around headings are taken off.
_OURS = "\x1f"


def map_words(targets: Sequence[str], needed: tuple[str, ...]) -> MapWords:
    """What may stand in the mappings of a list with these fields."""
    return MapWords(frozenset(targets), needed, KEYS, PLAIN_SOURCE_KEYS)


def documents_of(kind: str) -> Callable[[Mapping[str, str], str, str], dict[str, Any]]:
    """How a choice for each heading becomes the document of a mapping for lists of this kind (chosen by heading, title, delimiter)."""

    def document_of(chosen: Mapping[str, str], title: str, delimiter: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "title": title,
            "delimiter": delimiter,
            "fields": {choice: {"column": header} for header, choice in chosen.items() if choice},
            "ignored": [header for header, choice in chosen.items() if not choice],
        }

    return document_of


@dataclass(frozen=True, slots=True)
class Laid:
    """A table whose ``columns`` are known: the heading of each field. ``read`` are the file's own headings that were read, ``left_out``
    those that the mapping leaves out on purpose; ``told`` are notes (what was mended) and reasons against a row, by its line."""

    table: Table
    columns: Mapping[str, str]
    read: frozenset[str]
    left_out: frozenset[str] = frozenset()
    told: Mapping[int, tuple[tuple[Reason, ...], tuple[Reason, ...]]] = field(default_factory=dict)


def laid_out(plan: ImportMap, table: Table) -> Laid:
    """The table with one column for each field that the mapping fills; columns that it does not name stay as they are.

    Raises Refusal ``import.column_missing``.
    """
    plan = fitted(plan, table.headers)
    columns = {name: f"{_OURS}{name}" for name in plan.fields}
    kept = tuple(header for header in table.headers if header_key(header) not in plan.known)
    rows, told = [], {}
    for record in table.rows:
        notes: list[Reason] = []
        reasons: list[Reason] = []
        cells = {
            key: mended_cell(text, header, notes)
            for header, text in record.cells.items()
            if (key := header_key(header)) in plan.known
        }
        values = {columns[name]: _value(plan, name, cells, notes, reasons) for name in plan.fields}
        rows.append(Row(record.line, {header: record.cells[header] for header in kept if header in record.cells} | values))
        if notes or reasons:
            told[record.line] = (tuple(notes), tuple(reasons))
    read = frozenset(header for header in table.headers if header_key(header) in plan.columns)
    left_out = frozenset(header for header in table.headers if header_key(header) in plan.ignored)
    return Laid(Table((*kept, *columns.values()), tuple(rows)), columns, read, left_out, told)


def with_told(rows: Sequence[ResourceRow], laid: Laid) -> list[ResourceRow]:
    """The rows with what the mapping had to say about their lines."""
    found = []
    for row in rows:
        notes, reasons = laid.told.get(row.line, ((), ()))
        told = replace(row, notes=(*notes, *row.notes), reasons=(*reasons, *row.reasons)) if notes or reasons else row
        found.append(told)
    return found


def _value(plan: ImportMap, name: str, cells: Mapping[str, str], notes: list[Reason], reasons: list[Reason]) -> str:
    try:
        return value_of(plan.fields[name], cells, name, notes)[0]
    except Refusal as refusal:
        reasons += refusal.reasons
        return ""
