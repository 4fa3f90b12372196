"""The national network's record of a single instrument (type 4), as keys and values, and as rows of its Excel sheet.

Keys, headings, words and limits are data (``data/national.json``). The sheet takes less than we know: amounts rounded to 10,000 yuan,
names instead of codes, no running state. So our export adds a second sheet that says the rest exactly; it counts on the way back as
long as the cell it belongs to was not touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from instruments.rules.details_values import FUNDING_SOURCES, empty_customs
from instruments.rules.registry_details import ten_thousand_yuan

Cell = str | Decimal
_FILE = Path(__file__).parent.parent / "data" / "national.json"
#: Fields of ours that the sheet has no column for; the second sheet takes them as they are.
_BESIDE = (
    "technique",
    "description",
    "description_en",
    "service_modes",
    "status",
    "published",
    "technique_codes",
    "keywords",
    "achievements",
    "share_mode",
    "effect_1",
    "effect_2",
    "asset_number",
    "fixed_asset_code",
    "accessories",
    "certification",
    "known_users",
    "purchased_on",
    "imported",
    "training_needed",
    "doi",
    "cstr",
)
#: Fields of ours that a column of the sheet says less exactly, by its key.
_EXACT = {
    "insideDepart": "department",
    "instrCategory": "class_code",
    "worth": "original_value_fen",
    "nation": "nation_code",
    "subject": "subject_codes",
    "fee": "fee_note",
    "serviceUrl": "service_url",
}
_CUSTOMS_BESIDE = (
    "imported_on",
    "exemption_number",
    "exemption_item",
    "contract_number",
    "port",
    "customs_office",
    "hs_code",
    "may_share",
    "may_charge",
    "supervision_notes",
)


@dataclass(frozen=True, slots=True)
class RecordField:
    """One key of the record: our field that it comes from, its limit in characters (0 without one), whether it must be said."""

    key: str
    field: str
    length: int
    required: bool


@dataclass(frozen=True, slots=True)
class NationalFacts:
    """Everything that a record is made of.

    ``values`` are the instrument's own fields as they are stored; ``customs`` is empty without a record; ``facility`` is the record
    of a large facility, None where it is none; ``fundings`` has the amount in fen (or None) by source. ``province``, ``city``,
    ``county``, ``nation``, ``subjects`` are names (Chinese). ``service_url`` is the address of our page and ``fee_text`` our
    structured price in words: they are used where the instrument has none of its own.
    Hours are Decimal or None, ``service_income_fen`` is in fen.
    """

    own_number: str
    values: Mapping[str, Any]
    instrument_id: int = 0
    site_id: int = 0
    owner_code: str = ""
    site_name: str = ""
    region_code: str = ""
    province: str = ""
    city: str = ""
    county: str = ""
    street: str = ""
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    nation: str = ""
    subjects: tuple[str, ...] = ()
    customs: Mapping[str, Any] = field(default_factory=dict)
    facility: Mapping[str, Any] | None = None
    fundings: Mapping[str, int | None] = field(default_factory=dict)
    service_url: str = ""
    fee_text: str = ""
    image_url: str = ""
    run_hours: Decimal | None = None
    service_hours: Decimal | None = None
    service_income_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A national sheet: its title, its two head rows, a row of it, and the same of our second sheet."""

    title: Callable[[], str]
    head: Callable[[], tuple[tuple[str, ...], tuple[str, ...]]]
    row: Callable[[NationalFacts], list[Cell | None]]
    helper_head: Callable[[], tuple[str, ...]]
    helper_row: Callable[[NationalFacts], list[str]]


def record_fields() -> tuple[RecordField, ...]:
    """The keys of the record in its order."""
    return _fields("record")


def customs_fields() -> tuple[RecordField, ...]:
    """The keys of the customs part that the sheet has, asked for when an instrument is under customs supervision."""
    return _fields("customs")


def national_record(facts: NationalFacts) -> dict[str, Cell | None]:
    """The record by key, in the record's order; what is not known is an empty text, hours that nobody counted are None."""
    values = facts.values
    worth = values["original_value_fen"]
    income = facts.service_income_fen
    found: dict[str, Cell | None] = {
        "insCode": facts.owner_code,
        "innerId": values["inner_id"],
        "cname": values["name"],
        "ename": values["name_en"],
        "insideDepart": values["department"] or _word("insideDepart", ""),
        "instrBelongsType": _word("instrBelongsType", values["affiliation"]),
        "instrBelongsName": values["affiliation_name"],
        "instrCategory": class_of_six(values["class_code"]),
        "instrSource": _word("instrSource", values["acquisition"]),
        "instrSupervise": _flag(values["customs_supervised"]),
        "worth": "" if worth is None else Decimal(ten_thousand_yuan(worth)),
        "nation": facts.nation,
        "manufacturer": values["manufacturer"],
        "beginDate": day_text(values["commissioned_on"]),
        "type": _word("type", values["use_type"]),
        "instrVersion": values["model"],
        "technical": values["technical_indicators"],
        "function": values["functions"],
        "subject": "\uff0c".join(facts.subjects),
        "funds": "\uff0c".join(dict.fromkeys(_word("funds", source) for source in _sources(facts))),
        "serviceContent": values["service_content"],
        "achievement": values["achievements"],
        "requirement": values["access_terms"],
        "fee": values["fee_note"] or facts.fee_text,
        "serviceUrl": values["service_url"] or facts.service_url,
        "runMachine": facts.run_hours,
        "serviceMachine": facts.service_hours,
        "serviceIncome": None if income is None else Decimal(ten_thousand_yuan(income)),
        "province": facts.province,
        "city": facts.city,
        "county": facts.county,
        "street": facts.street,
        "longitude": facts.longitude,
        "latitude": facts.latitude,
        "status": _word("status", values["status"]),
        "shareMode": _word("shareMode", values["share_mode"]),
        "contact": values["contact_name"],
        "phone": values["contact_phone"],
        "email": values["contact_email"],
        "address": values["contact_address"],
        "postalcode": values["contact_postal_code"],
        "image": facts.image_url,
        "singleRemarkOne": values["effect_1"],
        "singleRemarkTwo": values["effect_2"],
    }
    return {one.key: found[one.key] for one in record_fields()}


def customs_record(facts: NationalFacts) -> dict[str, str] | None:
    """The record of customs supervision (type 5) of an instrument, by key; None where nothing is recorded."""
    if not facts.customs:
        return None
    about = {"insCode": facts.owner_code, "innerId": str(facts.values["inner_id"])}
    return about | {one["key"]: _customs_text(facts.customs[one["field"]]) for one in _data()["customs_record"]}


def _customs_text(value: Any) -> str:
    return _flag(value) if isinstance(value, bool) else plain(value)


def class_of_six(code: str) -> str:
    """A class with all its six digits: 03 is 030000, and 99 the national list's other class."""
    return code.ljust(6, "0") if code else ""


def sheet_title() -> str:
    return str(_data()["sheet"])


def sheet_head() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The two head rows of the sheet: groups (each above its first column) and headings."""
    return head_rows(_data()["columns"])


def head_rows(columns: Sequence[Mapping[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The two head rows of columns with ``group`` and ``header``."""
    groups: list[str] = []
    seen = ""
    for column in columns:
        groups.append(column["group"] if column["group"] != seen else "")
        seen = column["group"]
    return tuple(groups), tuple(column["header"] for column in columns)


def sheet_row(facts: NationalFacts) -> list[Cell | None]:
    """The instrument's row of the sheet, one cell per heading."""
    record = _sheet_values(facts)
    return [record[column["key"]] for column in _data()["columns"]]


def helper_head() -> tuple[str, ...]:
    """The headings of our second sheet."""
    return (
        "own_number",
        "site.name",
        "site.region_code",
        "shown.place",
        "shown.region",
        *_EXACT.values(),
        *(f"shown.{key}" for key in _EXACT),
        "fundings",
        "shown.funds",
        *_BESIDE,
        *(f"fundings.{source}_fen" for source in FUNDING_SOURCES),
        *(f"customs.{name}" for name in _CUSTOMS_BESIDE),
    )


def helper_row(facts: NationalFacts) -> list[str]:
    """The instrument's row of our second sheet: what the first one cannot say, or not as exactly."""
    shown = _sheet_values(facts)
    names = (facts.province, facts.city, facts.county)
    return [
        facts.own_number,
        facts.site_name,
        facts.region_code,
        " ".join(text for text in (*names, facts.street) if text),
        "/".join(name for name in names if name),
        *(plain(facts.values[name]) for name in _EXACT.values()),
        *(plain(shown[key]) for key in _EXACT),
        plain(_sources(facts)),
        plain(shown["funds"]),
        *(plain(facts.values[name]) for name in _BESIDE),
        *(plain(facts.fundings.get(source)) for source in FUNDING_SOURCES),
        *(plain(facts.customs.get(name)) for name in _CUSTOMS_BESIDE),
    ]


def _sources(facts: NationalFacts) -> list[str]:
    """Who paid for it, by our codes; the national list tells fewer apart."""
    return [source for source in FUNDING_SOURCES if source in facts.fundings]


def _sheet_values(facts: NationalFacts) -> dict[str, Cell | None]:
    customs = empty_customs() | dict(facts.customs)
    return national_record(facts) | {
        "own_number": facts.own_number,
        "image": facts.image_url.rsplit("/", 1)[-1],
        "declarationNumber": plain(customs["declaration_number"]),
        "itemNumber": plain(customs["item_number"]),
        "releasedOn": day_text(customs["released_on"]),
        "declaredName": plain(customs["declared_name"]),
    }


def plain(value: Any) -> str:
    """A stored value as the text that reads back to it; entries of a list stand on lines of their own."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "\n".join(str(entry) for entry in value)
    return day_text(value) if isinstance(value, date) else str(value)


def day_text(value: date | None) -> str:
    """A day as 2026-11-23, or nothing."""
    return value.isoformat() if value else ""


def _flag(value: bool | None) -> str:
    return _word("flag", "" if value is None else "true" if value else "false")


def _word(key: str, value: str) -> str:
    """The national word for one of our values."""
    return str(_data()["values"][key][value])


def _fields(name: str) -> tuple[RecordField, ...]:
    rows: Sequence[Mapping[str, Any]] = _data()[name]
    return tuple(RecordField(row["key"], row["field"], row["length"], row["required"]) for row in rows)


@cache
def _data() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))


SHEET = Sheet(sheet_title, sheet_head, sheet_row, helper_head, helper_row)
