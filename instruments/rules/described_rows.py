"""Lists of data sets and of literature: which column means what, what each row says, and which row is which."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.mapping_guess import guess_by
from instruments.rules.persistent_ids import bare_doi
from instruments.rules.registry_file import Progress, Row, Table, followed, header_key, silent
from instruments.rules.registry_values import day
from instruments.rules.resource_rows import ResourceRow, kept_columns, row_hash
from instruments.rules.resource_values import CORE_FIELDS, clean_core, clean_part

_FILE = Path(__file__).with_name("data") / "described_columns.json"
#: What no row can do without.
NEEDED = ("name",)
_TOLD = ("title", "名称", "题名")
"""Of the headings of a name those that are told to who has none; any list knows them."""
_LONGEST_KEY = 190
#: What names a row without a number and without a DOI.
_IDENTITY = ("name", "creators", "issued", "issued_on", "version", "source")
_ENTRIES = re.compile(r"[;\uff1b|\n\u3001\uff0c]")
_WORDS = re.compile(r"[;\uff1b|\n\u3001\uff0c]|,(?![0-9])")  # 1,10-phenanthroline is one
_TYPES = re.compile(r"[,;\uff0c\uff1b\u3001|\s]+")
_DATE = re.compile(
    r"(?P<year>[0-9]{4})\s*\u5e74?(?:\s*[-/.]?\s*(?P<month>[0-9]{1,2})\s*\u6708?(?:\s*[-/.]?\s*(?P<day>[0-9]{1,2})\s*\u65e5?)?)?"
    r"(?:[T ][0-9:.+Z-]*)?"
)

InstrumentOf = Callable[[str], int | None]


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return words


@cache
def fields_of(kind: str) -> tuple[str, ...]:
    """The fields that a list of the kind may have, in the order in which people choose from them."""
    return tuple(dict.fromkeys((*_words()["core"], *_words()[kind])))


@cache
def known_names(kind: str) -> dict[str, str]:
    """The field that each known heading means, by header key; the kind's own words first."""
    names: dict[str, str] = {}
    for part in (_words()[kind], _words()["core"]):
        for name, headings in part.items():
            for heading in (name, *headings):
                names.setdefault(header_key(heading), name)
    return names


def columns_of(kind: str, headers: Sequence[str]) -> dict[str, str]:
    """Which header holds each of our fields, by field. Raises Refusal ``import.name_column_missing``."""
    return needed({name: header for header, name in guess_by(known_names(kind), headers, fields_of(kind)).items()})


def needed(columns: Mapping[str, str]) -> dict[str, str]:
    """The columns when one says what each row is called. Raises Refusal ``import.name_column_missing``."""
    if not columns.keys() >= set(NEEDED):
        raise Refusal.of("import.name_column_missing", "name", headings=[*_TOLD])
    return dict(columns)


def read_rows(
    kind: str,
    table: Table,
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    instrument_of: InstrumentOf,
    progress: Progress = silent,
) -> list[ResourceRow]:
    """Every row with its key: its number, else its DOI, else a fingerprint of what names it. Of rows with the same key the first counts.

    ``constants`` are texts by field for rows whose own cell is empty, ``instrument_of`` knows the owner's instruments by number and name.
    Raises Refusal ``import.constant_unknown``.
    """
    unknown = [name for name in constants if name not in fields_of(kind)]
    known = sorted(fields_of(kind))
    Refusal.raise_any([Reason("import.constant_unknown", {"text": name[:60], "known": known}, "set") for name in unknown])
    counting: dict[str, ResourceRow] = {}
    rows = []
    for record in followed(table.rows, progress):
        row = _read(kind, record, columns, constants, instrument_of)
        if row.counts:
            first = counting.setdefault(row.key, row)
            if first is not row:
                row = replace(row, same_as_line=first.line, left_out=_repeated(first, row))
        rows.append(row)
    return rows


def _read(
    kind: str, record: Row, columns: Mapping[str, str], constants: Mapping[str, str], instrument_of: InstrumentOf
) -> ResourceRow:
    texts = {name: _cell(record, header) for name, header in columns.items()}
    texts |= {name: value for name, value in constants.items() if not texts.get(name)}
    given: dict[str, Any] = {}
    reasons: list[Reason] = []
    for name, text in texts.items():
        try:
            given[name] = _instruments(text, instrument_of) if name == "instrument_ids" else _typed(name, text)
        except Refusal as refusal:
            reasons += refusal.reasons
    core = clean_core({name: value for name, value in given.items() if name in CORE_FIELDS})
    asked = {name: value for name, value in given.items() if name not in CORE_FIELDS}
    part = clean_part(kind, asked)
    key, *former = _keys(core.values, texts)
    return ResourceRow(
        line=record.line,
        key=key,
        former_keys=tuple(former),
        name=core.values.get("name", ""),
        number=core.values.get("inner_id", ""),
        core=core.values,
        part={name: part.values[name] for name in asked if name in part.values},
        extra=kept_columns(record.cells, columns.values()),
        reasons=(*reasons, *core.reasons, *part.reasons),
    )


def _cell(record: Row, header: str) -> str:
    """A cell with its lines; what stands for nothing (a slash, a dash) is nothing."""
    text = record.cells.get(header, "").strip()
    return "" if text in _words()["nothing"] else text


def _typed(name: str, text: str) -> Any:
    """What a cell says, as ``clean_core`` and ``clean_part`` take it."""
    return _READERS[name](text) if name in _READERS else text


def _keys(core: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    """Every key under which the row may be known, the strongest first."""
    number, doi = core.get("inner_id", ""), bare_doi(core.get("doi", "")).casefold()
    named = [f"{name}={' '.join(texts.get(name, '').split()).casefold()}" for name in _IDENTITY]
    keys = [*([f"no:{number}"] if number else []), *([f"doi:{doi}"] if doi else []), f"row:{row_hash(named)}"]
    return [key if len(key) <= _LONGEST_KEY else f"{key.partition(':')[0]}:{row_hash([key])}" for key in keys]


def _repeated(first: ResourceRow, row: ResourceRow) -> Reason:
    """What to say of a second row that is known by what the first one is known by."""
    one, other = first.core | first.part, row.core | row.part
    differs = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    code = "import.repeated_differs" if differs else "import.repeated_same"
    return Reason(code, {"counting_line": first.line, "fields": differs}, "inner_id")


def _instruments(text: str, instrument_of: InstrumentOf) -> list[int]:
    """The instruments that a cell names: by the owner's number, by ours (``#17``) or by name.

    Raises Refusal ``import.instrument_not_found`` with every entry that nobody knows.
    """
    found, reasons = [], []
    for entry in _entries(text):
        whole = instrument_of(entry)
        for part in [entry] if whole is not None else _some(entry.split(",")):
            pk = whole if whole is not None else instrument_of(part)
            if pk is None:
                reasons.append(Reason("import.instrument_not_found", {"text": part[:60]}, "instrument_ids"))
            else:
                found.append(pk)
    Refusal.raise_any(reasons)
    return found


def _entries(text: str) -> list[str]:
    return _some(_ENTRIES.split(text))


def _some(parts: Sequence[str]) -> list[str]:
    return [entry for part in parts if (entry := part.strip())]


def _media_types(text: str) -> list[str]:
    """Media types; the usual names of formats (``CSV``) are known too."""
    known: dict[str, str] = {word: code for code, words in _words()["formats"].items() for word in words}
    return [known.get(entry.casefold(), entry) for entry in _TYPES.split(text) if entry]


def _bytes(text: str) -> int | None:
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    if not plain:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", plain):
        raise Refusal.of("import.bytes_not_understood", "size_bytes", text=text[:40])
    return int(plain)


def _of_list(words: str) -> Callable[[str], str]:
    """One of the codes of a list, by itself or by one of its words; what is none stays, for the cleaner to refuse."""

    def read(text: str) -> str:
        wanted = header_key(text)
        return next((code for code, known in _words()[words].items() if wanted in (header_key(code), *known)), text)

    return read


def _issued(text: str) -> str:
    """A date that may be partial, in the form of the standard; what is none stays, for the cleaner to refuse."""
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    if found is None:
        return text
    parts = [found["year"], *(f"{int(each):02d}" for each in (found["month"], found["day"]) if each)]
    return "-".join(parts)


_READERS: dict[str, Callable[[str], Any]] = {
    "keywords": lambda text: _some(_WORDS.split(text)),
    "creators": _entries,
    "media_types": _media_types,
    "size_bytes": _bytes,
    "issued_on": lambda text: day(text, "issued_on"),
    "temporal_from": lambda text: day(text, "temporal_from"),
    "temporal_to": lambda text: day(text, "temporal_to"),
    "type": _of_list("types"),
    "language": _of_list("languages"),
    "issued": _issued,
}
