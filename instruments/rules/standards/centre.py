"""The national network's record of an instrument centre (type 1): as rows of its Excel sheet, both ways, and as keys and values.

How many instruments a centre has and what they are worth is counted from the instruments that say they belong to it; a sheet that comes in
may say otherwise and is not asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_details import flag, ten_thousand_yuan
from instruments.rules.registry_file import Row, header_key
from instruments.rules.registry_values import day
from instruments.rules.standards.national import day_text, head_rows

_FILE = Path(__file__).parent.parent / "data" / "centre.json"
#: What a text of the sheet is called here; the others are worked out below.
_TEXTS = {
    "innerId": "inner_id",
    "cname": "name",
    "url": "website",
    "area": "floor_area_m2",
    "introduction": "introduction",
    "contact": "contact_name",
    "phone": "contact_phone",
    "email": "contact_email",
    "address": "contact_address",
    "postalcode": "contact_postal_code",
}
#: Counted from the instruments, or given by the network.
_NOT_READ = frozenset({"ownNumber", "instruments", "worth", "image"})
_SEPARATORS = str.maketrans(dict.fromkeys(",\uff0c;\uff1b\u3001\n", ","))
_YES, _NO = "\u662f", "\u5426"


@dataclass(frozen=True, slots=True)
class CentreFacts:
    """A stored centre (``values`` by field), the names behind its codes, and what its instruments come to (``worth_fen``: those with a
    value)."""

    values: Mapping[str, Any]
    owner_code: str
    subjects: tuple[str, ...]
    place: tuple[str, str, str]
    instruments: int
    worth_fen: int


def sheet_title() -> str:
    return str(_data()["sheet"])


def sheet_head() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The two head rows of the sheet."""
    return head_rows(_data()["columns"])


def sheet_row(facts: CentreFacts) -> list[str]:
    """The centre's row, one text per heading."""
    said = centre_record(facts)
    return [said.get(column["key"], "") for column in _data()["columns"]]


def centre_record(facts: CentreFacts) -> dict[str, str]:
    """The record by key; what is not known is an empty text."""
    values, (province, city, county) = facts.values, facts.place
    told = {key: "" if values[field] is None else str(values[field]) for key, field in _TEXTS.items()}
    return {
        "insCode": facts.owner_code,
        **told,
        "instruments": str(facts.instruments),
        "worth": ten_thousand_yuan(facts.worth_fen),
        "beginDate": day_text(values["founded_on"]),
        "subject": "\uff0c".join(facts.subjects),
        "accredited": {True: _YES, False: _NO}.get(values["accredited"], ""),
        "province": province,
        "city": city,
        "county": county,
    }


def known_headers() -> frozenset[str]:
    """The keys of all headings, whole and without what stands in brackets."""
    return frozenset(_by_heading())


def columns_of(headers: tuple[str, ...]) -> dict[str, str]:
    """Which heading of a file is which key of the sheet. Raises Refusal ``import.column_missing`` without number or name."""
    found = {header: key for header in headers if (key := _by_heading().get(header_key(header))) is not None}
    needed = {"innerId": "inner_id", "cname": "name"}
    Refusal.raise_any(
        [
            Reason("import.column_missing", {"columns": [column["header"]], "for_field": needed[column["key"]]}, "file")
            for column in _data()["columns"]
            if column["key"] in needed and column["key"] not in found.values()
        ]
    )
    return found


def read_values(
    row: Row, columns: Mapping[str, str], code_of: Callable[[str, str], str | None]
) -> tuple[dict[str, Any], list[Reason]]:
    """The typed values of a row by our fields, and what cannot be read. ``code_of(scheme, text)`` finds a code by a name or itself."""
    said = {key: row.cells[header].strip() for header, key in columns.items() if key not in _NOT_READ}
    values: dict[str, Any] = {_TEXTS[key]: text for key, text in said.items() if key in _TEXTS}
    reasons: list[Reason] = []

    def read(field: str, work: Callable[[], Any]) -> None:
        try:
            values[field] = work()
        except Refusal as refusal:
            reasons.extend(refusal.reasons)

    if "beginDate" in said:
        read("founded_on", lambda: day(said["beginDate"], "founded_on"))
    if "accredited" in said:
        read("accredited", lambda: flag("accredited", said["accredited"]))
    if "subject" in said:
        read("subject_codes", lambda: _subjects(said["subject"], code_of))
    if "province" in said:
        read("region_code", lambda: _region([said.get(key, "") for key in ("province", "city", "county")], code_of))
    return values, reasons


def _subjects(text: str, code_of: Callable[[str, str], str | None]) -> list[str]:
    names = [part.strip() for part in text.translate(_SEPARATORS).split(",") if part.strip()]
    return [_coded("gbt13745", name, "subject_codes", code_of) for name in names]


def _region(names: list[str], code_of: Callable[[str, str], str | None]) -> str:
    path = "/".join(name for name in names if name)
    return _coded("gbt2260", path, "region_code", code_of) if path else ""


def _coded(scheme: str, text: str, field: str, code_of: Callable[[str, str], str | None]) -> str:
    code = code_of(scheme, text)
    if code is None:
        raise Refusal.of("import.name_unknown", field, text=text[:60])
    return code


@cache
def _by_heading() -> dict[str, str]:
    found = {}
    for column in _data()["columns"]:
        header = column["header"]
        for form in (header, header.split("\uff08")[0].split("(")[0]):
            found[header_key(form)] = column["key"]
    return found


@cache
def _data() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))
