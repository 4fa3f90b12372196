"""Code lists as they are published: reading one, and what a newer one changes about what is stored.

A list is CSV in one of the layouts of ``docs/standards.md``. Codes are never deleted: one that a newer list does not have
holds until the day of that list, and one whose name changes begins anew on it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from config.kernel.errors import Refusal
from instruments.rules.nations import nation_by_name, nation_name
from instruments.rules.techniques import techniques

_MAX_ROWS = 50_000
_CELL_CHARACTERS = 20_000
#: Columns of the PaNET table that name what a technique is under: seven of one name, and three for what it is the common part of.
_WIDER_COLUMNS = (
    "Parent IRI",
    *(f"Parent IRI {number}" for number in range(2, 8)),
    "Equivalent",
    *(f"Equivalent {number}" for number in range(2, 4)),
)
Record = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One entry of a list; ``parent_code`` is of the same scheme, ``level`` counts from 1. ``more_parents`` are other wider codes, where
    a list names more than one."""

    code: str
    name: str = ""
    name_en: str = ""
    parent_code: str = ""
    level: int = 1
    aliases: tuple[str, ...] = ()
    more_parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeList:
    """What was read: the rows by code and the line of each, lines that give no code (with what they say), and lines whose code stood
    before."""

    rows: Mapping[str, CodeRow]
    left_over: tuple[tuple[int, str], ...]
    repeated: tuple[tuple[int, str], ...]
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredCode:
    """A code that holds now (``valid_to`` is open) with the day since when, None from ever."""

    id: int
    row: CodeRow
    valid_from: date | None = None


@dataclass(slots=True)
class Changes:
    """What a list changes: rows that begin, codes that end, rows that are corrected in place, and how many stay."""

    begin: list[CodeRow] = field(default_factory=list)
    end: list[StoredCode] = field(default_factory=list)
    correct: list[tuple[StoredCode, CodeRow]] = field(default_factory=list)
    unchanged: int = 0


def read_code_list(scheme: str, text: str) -> CodeList:
    """The list in ``text``. Raises Refusal ``codes.layout_unknown``, ``codes.no_rows``, ``codes.broken``, ``codes.too_many``."""
    rows: dict[str, CodeRow] = {}
    lines: dict[str, int] = {}
    left_over: list[tuple[int, str]] = []
    repeated: list[tuple[int, str]] = []
    for line, record in _records(text, _NEEDED[scheme]):
        said, row = _READERS[scheme](record)
        if row is None:
            if said:
                left_over.append((line, said))
        elif row.code in rows:
            repeated.append((line, f"{row.code} {row.name or row.name_en}"))
        else:
            rows[row.code], lines[row.code] = row, line
        if len(rows) > _MAX_ROWS:
            raise Refusal.of("codes.too_many", "file", maximum=_MAX_ROWS)
    if not rows:
        raise Refusal.of("codes.no_rows", "file")
    if scheme == "panet":
        rows = _with_parents(rows)
    return CodeList(rows, tuple(left_over), tuple(repeated), lines)


def changes_of(scheme: str, stored: Sequence[StoredCode], listed: CodeList, on: date) -> Changes:
    """What the list means for the codes that hold now, from the day ``on``.

    Only codes of a level (and, for divisions, of a province) that the list speaks of can end. On the very day on which a code
    began, a new name is a correction and ends nothing.
    """
    found = Changes()
    known = {one.row.code: one for one in stored}
    spoken_of = {part_of(scheme, row) for row in listed.rows.values()}
    for code, row in listed.rows.items():
        before = known.get(code)
        if before is None:
            found.begin.append(row)
        elif before.row == row:
            found.unchanged += 1
        elif before.row.name == row.name or before.valid_from == on or not before.row.name:
            found.correct.append((before, row))
        else:
            found.end.append(before)
            found.begin.append(row)
    found.end += [one for code, one in known.items() if code not in listed.rows and part_of(scheme, one.row) in spoken_of]
    return found


def part_of(scheme: str, row: CodeRow) -> tuple[int, str]:
    """The part of its scheme that a row is of: its level, and for divisions below the top its province."""
    return row.level, row.code[:2] if scheme == "gbt2260" and row.level > 1 else ""


def _records(text: str, needed: Sequence[str]) -> list[tuple[int, Record]]:
    before = csv.field_size_limit(_CELL_CHARACTERS)
    try:
        reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True)
        header = next(reader, [])
        if not set(needed) <= set(header):
            raise Refusal.of("codes.layout_unknown", "file", needed=list(needed), found=header[:20])
        places = {name: place for place, name in enumerate(_told_apart(header)) if name}
        return [
            (reader.line_num, {name: cells[place].strip() for name, place in places.items() if place < len(cells)})
            for cells in reader
        ]
    except csv.Error:
        raise Refusal.of("codes.broken", "file", line=reader.line_num) from None
    finally:
        csv.field_size_limit(before)


def _told_apart(header: Sequence[str]) -> list[str]:
    """The columns' names; one that stands there before gets a number: ``Parent IRI``, ``Parent IRI 2``."""
    names: list[str] = []
    for name in header:
        before = header[: len(names)].count(name)
        names.append(f"{name} {before + 1}" if name and before else name)
    return names


def _class(record: Record) -> tuple[str, CodeRow | None]:
    """A class: six digits, ``level`` 1 to 3; the list repeats some rows under one code."""
    code = record["code"]
    if not re.fullmatch("[0-9]{6}", code):
        return " ".join(record.values()).strip(), None
    parent = record.get("parent", "")
    level = 1 if code.endswith("0000") else 2 if code.endswith("00") else 3
    return code, CodeRow(code, record["name_zh"], parent_code="" if parent == code else parent, level=level)


def _subject(record: Record) -> tuple[str, CodeRow | None]:
    """A subject: three, five or seven digits; what it begins with is what it belongs to."""
    code = record["code"]
    if not re.fullmatch("[0-9]{3}([0-9]{2}){0,2}", code):
        return " ".join(record.values()).strip(), None
    return code, CodeRow(code, record["name_zh"], parent_code=code[:-2] if len(code) > 3 else "", level=(len(code) - 1) // 2)


def _nation(record: Record) -> tuple[str, CodeRow | None]:
    """A country of the national list, by its name; the list's own name is kept as an alias of the code."""
    name = record["name_zh"]
    code = nation_by_name(name)
    if code is None:
        return name, None
    ours = nation_name(code, "zh")
    return code, CodeRow(code, ours, nation_name(code, "en"), aliases=() if name == ours else (name,))


def _division(record: Record) -> tuple[str, CodeRow | None]:
    """A division of two, four or six digits; the code is filled up to six."""
    if not re.fullmatch("[1-9][0-9]([0-9]{2}){0,2}", record["code"]):
        return " ".join(record.values()).strip(), None
    digits = re.sub(r"(00){1,2}\Z", "", record["code"])
    level = len(digits) // 2
    parent = digits[:-2].ljust(6, "0") if level > 1 else ""
    return record["code"], CodeRow(digits.ljust(6, "0"), record["name_zh"], parent_code=parent, level=level)


def _technique(record: Record) -> tuple[str, CodeRow | None]:
    """A technique of the PaNET table; other rows are headings and relations. Chinese names are those of our short list."""
    code = record["ID"].rsplit("/", 1)[-1]
    if not re.fullmatch("PaNET0[0-9]{4}", code):
        return "", None
    ours = techniques().get(code)
    aliases = [record.get(column, "") for column in ("Alt Label 1", "Alt Label 2")]
    aliases += list(ours.aliases) if ours else []
    unlike = tuple(dict.fromkeys(alias for alias in aliases if alias))
    said = tuple(record[column] for column in _WIDER_COLUMNS if record.get(column))
    return code, CodeRow(code, ours.zh if ours else "", record["Label"], aliases=unlike, more_parents=said)


def _with_parents(rows: Mapping[str, CodeRow]) -> dict[str, CodeRow]:
    """The same techniques with codes where the table names what they are under, by code (``PaNET:PaNET01022``) or by label; what is no
    technique of the table, such as an expression of several, goes."""
    by_label = {row.name_en.casefold(): code for code, row in rows.items()}
    found = {}
    for code, row in rows.items():
        said = [one.rpartition(":")[2] for one in row.more_parents]
        wider = [one if one in rows else by_label.get(one.casefold(), "") for one in said]
        first, *others = list(dict.fromkeys(one for one in wider if one and one != code)) or [""]
        found[code] = replace(row, parent_code=first, more_parents=tuple(others))
    return found


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "nrii": ("code", "parent", "name_zh"),
    "gbt13745": ("code", "name_zh"),
    "iso3166": ("name_zh",),
    "gbt2260": ("code", "name_zh"),
    "panet": ("ID", "Label"),
}
_READERS: Mapping[str, Callable[[Record], tuple[str, CodeRow | None]]] = {
    "nrii": _class,
    "gbt13745": _subject,
    "iso3166": _nation,
    "gbt2260": _division,
    "panet": _technique,
}
