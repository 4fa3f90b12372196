"""The national network's record of a large research facility (type 2), as keys and values, and as rows of its Excel sheet.

As with instruments (``national``): headings and limits are data (``data/facility.json``), and a second sheet says on the way out what
the first one cannot. The interface shares keys with the record of an instrument; what only the sheet has, we named.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from instruments.rules.details_values import CUSTOMS_FIELDS, FUNDING_SOURCES
from instruments.rules.facility_values import empty_facility
from instruments.rules.registry_values import INSTRUMENT_FIELDS
from instruments.rules.standards.national import (
    Cell,
    NationalFacts,
    RecordField,
    Sheet,
    day_text,
    head_rows,
    national_record,
    plain,
)

_FILE = Path(__file__).parent.parent / "data" / "facility.json"
_PREFIX = "facility."
#: Fields of ours that a column of the sheet says less exactly, by its key.
_EXACT = {"worth": "original_value_fen", "subject": "subject_codes"}


def facility_fields() -> tuple[RecordField, ...]:
    """The keys of the record in the order of the sheet, without our own number."""
    columns = (column for column in _data()["columns"] if column["field"])
    return tuple(RecordField(one["key"], one["field"], one["length"], one["required"]) for one in columns)


def facility_record(facts: NationalFacts) -> dict[str, Cell | None]:
    """The record by key in the order of the sheet; what is not known is an empty text."""
    shared = national_record(facts)
    return {"insCode": shared["insCode"]} | {one.key: _value(one, facts, shared) for one in facility_fields()}


def _value(one: RecordField, facts: NationalFacts, shared: dict[str, Cell | None]) -> Cell | None:
    if not one.field.startswith(_PREFIX):
        return shared[one.key]
    value = (facts.facility or empty_facility())[one.field.removeprefix(_PREFIX)]
    if isinstance(value, date) or value is None:
        return day_text(value)
    words = _data()["values"].get(one.key)
    return str(words[value] if words else value)


def _title() -> str:
    return str(_data()["sheet"])


def _head() -> tuple[tuple[str, ...], tuple[str, ...]]:
    return head_rows(_data()["columns"])


def _row(facts: NationalFacts) -> list[Cell | None]:
    record = {"own_number": facts.own_number} | facility_record(facts)
    return [record[column["key"]] for column in _data()["columns"]]


@cache
def _beside() -> tuple[str, ...]:
    """Fields of an instrument that the sheet has no column for."""
    said = {column["field"] for column in _data()["columns"]}
    return tuple(sorted(INSTRUMENT_FIELDS - said))


def _helper_head() -> tuple[str, ...]:
    return (
        "own_number",
        "site.name",
        "site.region_code",
        "shown.place",
        "shown.region",
        *_EXACT.values(),
        *(f"shown.{key}" for key in _EXACT),
        *_beside(),
        "fundings",
        *(f"fundings.{source}_fen" for source in FUNDING_SOURCES),
        *(f"customs.{name}" for name in CUSTOMS_FIELDS),
    )


def _helper_row(facts: NationalFacts) -> list[str]:
    shown = facility_record(facts)
    names = (facts.province, facts.city, facts.county)
    return [
        facts.own_number,
        facts.site_name,
        facts.region_code,
        " ".join(text for text in (*names, facts.street) if text),
        "/".join(name for name in names if name),
        *(plain(facts.values[name]) for name in _EXACT.values()),
        *(plain(shown[key]) for key in _EXACT),
        *(plain(facts.values[name]) for name in _beside()),
        ",".join(source for source in FUNDING_SOURCES if source in facts.fundings),
        *(plain(facts.fundings.get(source)) for source in FUNDING_SOURCES),
        *(plain(facts.customs.get(name)) for name in CUSTOMS_FIELDS),
    ]


@cache
def _data() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))


SHEET = Sheet(_title, _head, _row, _helper_head, _helper_row)
