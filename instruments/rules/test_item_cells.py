"""What stands in one cell of a price list about several things: what is measured with its limits, and qualifications with their days.

As we write it: one a line, its parts behind semicolons (``Li; 0.01; mg/L``, ``CMA; 2024-001; 2024-01-01; 2029-12-31``). Lists of others
are read as they come: a bar as a line, plain names behind commas, a limit behind its name (``Li 0.01 mg/L``), unless the number belongs
to the name (``PM 2.5``, ``Cs 137 Bq/kg``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from instruments.rules.registry_values import day

_LINES = re.compile(r"[\n|]+")
_PARTS = re.compile(r"[;\uff1b\t]")
#: Between plain names. A comma within 2,4-D has no blank behind it; behind one without a blank only a symbol of an element is a name.
_NAMES = re.compile(r",\s+|[\uff0c\u3001]\s*|(?<=[A-Za-z]),(?=[A-Z][a-z]?(?:[,\uff0c\u3001\s]|\Z))")
_SCHEMES = re.compile(r"\s*[,\uff0c\u3001/+]\s*")
#: A limit behind a name: without a unit or a sign a whole number is part of the name (PCB 153, Nylon 6).
_WITH_LIMIT = re.compile(
    r"(?P<name>.*\S)\s+(?P<limit>[<\u2264]?=?\s*[0-9]+(?:\.[0-9]+)?(?:[eE]-?[0-9]+)?)(?:\s*(?P<unit>(?:[^\W\d_]|[%\u2030\u00b0])\S*))?"
)
#: A name that is none without its number: a size of particles, a degree of acidity, a polyamide.
_NUMBERED = re.compile(
    r"(?:.*\s)?(?:PM\s+(?:0?\.1|1(?:\.0)?|2\.5|10)|pH\s+(?:[1-9]|1[0-4])(?:\.[0-9]+)?|(?:PA|Nylon|\u5c3c\u9f99)\s+[46]\.(?:6|10|12))",
    re.IGNORECASE,
)
#: A nuclide, whose activity is measured in its unit (Cs 137 Bq/kg); a wavelength, at which is measured (UV 254 nm).
_NUCLIDE = re.compile(r"(?:.*\s)?[A-Z][a-z]?\s+[1-9][0-9]{0,2}")
_ACTIVITY = re.compile(r"(?:[kMG]|m|[\u00b5\u03bcn])?(?:Bq|Ci)(?:\W.*)?")
_WAVELENGTH = re.compile(r"(?:.*\s)?(?:UV|OD|Abs)\s+[0-9]{3,4}", re.IGNORECASE)
#: What stands between entries, parts and names, and between a limit and its unit.
_APART = re.compile(r"[\s,;|\uff0c\uff1b\u3001]+")
#: Of those, what stands between a number and its unit.
_UNIT_APART = re.compile(r"(?<=[0-9])\|(?=[^\W\d_]|[%\u2030])")
ANALYTE = ("name", "limit", "unit")
_QUALIFICATION = ("scheme", "certificate_number", "valid_from", "valid_to")


def read_analytes(cell: str) -> list[dict[str, str]]:
    """Each thing that is measured, with limit and unit where they are said."""
    return _analytes(cell, _with_limit)


def analytes_as_first_read(cell: str) -> list[dict[str, str]]:
    """The same as it was read before a number could belong to a name or its wavelength: keys of that time are made of it."""
    return _analytes(cell, _with_any_limit)


def analytes_fingerprint(cell: str) -> str:
    """What a cell says, apart from how its entries and parts stand beside each other: the same for a cell of others and for ours of it."""
    return _UNIT_APART.sub("", _APART.sub("|", unicodedata.normalize("NFKC", cell)).strip("|"))


def read_qualifications(cell: str, field: str) -> list[dict[str, Any]]:
    """Each qualification with its certificate and its days. Raises Refusal ``instrument.date_not_understood`` and the like."""
    found: list[dict[str, Any]] = []
    for parts in _entries(cell, _SCHEMES):
        row: dict[str, Any] = _named(_QUALIFICATION, parts)
        found.append(row | {name: day(row[name], field) for name in ("valid_from", "valid_to")})
    return found


def analytes_cell(rows: Iterable[Mapping[str, str]]) -> str:
    """The opposite of ``read_analytes``."""
    return "\n".join(_line([row.get(name, "") for name in ANALYTE], _NAMES, _WITH_LIMIT) for row in rows)


def qualifications_cell(rows: Iterable[Mapping[str, Any]]) -> str:
    """The opposite of ``read_qualifications``."""
    return "\n".join(_line([_text(row[name]) for name in _QUALIFICATION], _SCHEMES) for row in rows)


def _analytes(cell: str, with_limit: Callable[[str], dict[str, str] | None]) -> list[dict[str, str]]:
    return [(len(parts) == 1 and with_limit(parts[0])) or _named(ANALYTE, parts) for parts in _entries(cell, _NAMES)]


def _with_limit(text: str) -> dict[str, str] | None:
    found = _with_any_limit(text)
    if found is None:
        return None
    numbered, unit = f"{found['name']} {found['limit']}", found["unit"]
    if _WAVELENGTH.fullmatch(numbered) and unit == "nm":
        return {"name": text, "limit": "", "unit": ""}
    if _NUMBERED.fullmatch(numbered) or (_NUCLIDE.fullmatch(numbered) and _ACTIVITY.fullmatch(unit)):
        return {"name": numbered, "limit": "", "unit": unit}
    return found


def _with_any_limit(text: str) -> dict[str, str] | None:
    matched = _WITH_LIMIT.fullmatch(text)
    return matched.groupdict("") if matched and (matched["unit"] or not matched["limit"].isdigit()) else None


def _entries(cell: str, between: re.Pattern[str]) -> Iterable[list[str]]:
    """The parts of each entry; one without semicolons may name several."""
    for line in filter(None, (line.strip() for line in _LINES.split(cell))):
        if _PARTS.search(line):
            yield [part.strip() for part in _PARTS.split(line)]
        else:
            yield from ([name] for name in map(str.strip, between.split(line)) if name)


def _named(names: tuple[str, ...], parts: list[str]) -> dict[str, str]:
    return dict(zip(names, [*parts, *[""] * len(names)], strict=False))


def _line(parts: list[str], *apart: re.Pattern[str]) -> str:
    """An entry on a line; a lone name that would be taken apart has a semicolon behind it."""
    said = "; ".join(parts).rstrip("; ")
    lone = ";" not in said and any(pattern.search(said) for pattern in apart)
    return said + ";" if lone else said


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value or "")
