"""What each field of a resource may hold, for forms, API and imports alike: typed values in, clean values or reasons out.

The core is the same for every kind; each kind has a typed part. Fields that instruments have too obey the same rules
(``registry_values``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules import registry_values
from instruments.rules.names import clean_name
from instruments.rules.registry_values import Cleaned, clean_text
from instruments.rules.service_kinds import PUBLIC_KINDS, TESTING
from instruments.rules.standards import darwin_core, mcpd

TEST_ITEM, GERMPLASM, DATASET, LITERATURE = "test_item", "germplasm", "dataset", "literature"
KINDS = (TEST_ITEM, GERMPLASM, DATASET, LITERATURE)
STANDARDS = ("mcpd", "dwc")
LITERATURE_TYPES = ("article", "book", "report", "patent", "standard", "thesis", "conference_paper", "other")
NAME_LENGTH = 500
LICENCE_LENGTH = 200
MAX_ANALYTES = 200
MAX_QUALIFICATIONS = 20
MAX_CREATORS = 100
MAX_INSTRUMENTS = 50
MAX_TURNAROUND_DAYS = 1000
MAX_DAILY_CAPACITY = 100_000
MAX_BYTES = 2**60
#: Core fields that are those of an instrument, with the same lengths and rules.
_AS_INSTRUMENTS = (
    "inner_id",
    "description",
    "description_en",
    "keywords",
    "access_terms",
    "contact_name",
    "contact_phone",
    "contact_email",
    "doi",
    "cstr",
    "published",
)
TEXT_LENGTHS: dict[str, int] = {
    "method": 300,
    "standard": 500,
    "condition": 500,
    "group": 100,
    "matrix": 200,
    "sample_amount": 200,
    "version": 50,
    "spatial": 200,
    "publisher": 300,
    "source": 500,
    "rights": 300,
}
SAMPLE_PREPARATION_LENGTH = 1000
URL_LENGTH = 300
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,99}")
_URL = re.compile(r"https?://[^\s<>\"'\\]+")
_EARLIEST_YEAR = 1900


@dataclass(frozen=True, slots=True)
class GermplasmColumns:
    """What is kept of an accession's descriptors in columns of its own, to sort and search by."""

    institute_code: str
    genus: str
    species: str
    origin_country: str
    latitude: Decimal | None
    longitude: Decimal | None


def clean_core(given: Mapping[str, Any]) -> Cleaned:
    """Check core fields by name; a field that is not given is not looked at. Unknown names raise KeyError."""
    shared = registry_values.clean_fields({name: value for name, value in given.items() if name in _AS_INSTRUMENTS})
    own = _clean({name: value for name, value in given.items() if name not in _AS_INSTRUMENTS}, _CORE)
    return Cleaned(shared.values | own.values, (*own.reasons, *shared.reasons))


def clean_part(kind: str, given: Mapping[str, Any]) -> Cleaned:
    """Check the typed part; what is not given gets its default. Unknown names raise KeyError.

    ``instrument_ids`` and ``qualifications`` are lists; ``analytes`` are ``{"name", "limit", "unit"}``; the dates are dates or
    None. For germplasm only ``standard`` and ``descriptors`` are given.
    """
    cleaners, defaults = _PARTS[kind]
    unknown = set(given) - set(cleaners)
    if unknown:
        raise KeyError(sorted(unknown)[0])
    cleaned = _clean(given, cleaners)
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()} | cleaned.values
    if kind == GERMPLASM:
        return _germplasm(values, cleaned.reasons)
    return Cleaned(values, (*cleaned.reasons, *_order_faults(values)))


def part_fields(kind: str) -> frozenset[str]:
    """The names of the typed part's fields."""
    return frozenset(_PARTS[kind][0])


def germplasm_columns(standard: str, descriptors: Mapping[str, str]) -> GermplasmColumns:
    """The columns that follow from the descriptors."""
    if standard == "mcpd":
        latitude, longitude = mcpd.coordinates(descriptors)
        names = ("INSTCODE", "GENUS", "SPECIES", "ORIGCTY")
    else:
        latitude, longitude = darwin_core.coordinates(descriptors)
        names = ("institutionCode", "genus", "specificEpithet", "countryCode")
    code, genus, species, country = (descriptors.get(name, "") for name in names)
    return GermplasmColumns(code, genus, species, country, latitude, longitude)


def germplasm_number(standard: str, descriptors: Mapping[str, str]) -> str:
    """The collection's own number."""
    return descriptors.get("ACCENUMB" if standard == "mcpd" else "catalogNumber", "")


def germplasm_name(standard: str, descriptors: Mapping[str, str]) -> str:
    """What an accession is called: crop or species, and its own name or number."""
    if standard == "dwc":
        kind = descriptors.get("vernacularName") or descriptors.get("scientificName", "")
        own = descriptors.get("catalogNumber", "")
    else:
        species = f"{descriptors.get('GENUS', '')} {descriptors.get('SPECIES', '')}".strip()
        kind = descriptors.get("CROPNAME") or species
        own = descriptors.get("ACCENAME") or descriptors.get("ACCENUMB", "")
    return f"{kind} {own}".strip()[:NAME_LENGTH]


def _clean(given: Mapping[str, Any], cleaners: Mapping[str, Callable[[Any, str], Any]]) -> Cleaned:
    values: dict[str, Any] = {}
    reasons: list[Reason] = []
    for field, value in given.items():
        try:
            values[field] = cleaners[field](value, field)
        except Refusal as refusal:
            reasons += refusal.reasons
    return Cleaned(values, tuple(reasons))


def _germplasm(values: dict[str, Any], reasons: Iterable[Reason]) -> Cleaned:
    """The descriptors checked against their standard, as they can only be together."""
    if any(reason.field in {"standard", "descriptors"} for reason in reasons):
        return Cleaned(values, tuple(reasons))
    checked = mcpd if values["standard"] == "mcpd" else darwin_core
    values["descriptors"], faults = checked.clean(values["descriptors"])
    return Cleaned(values, (*reasons, *faults))


def _order_faults(values: Mapping[str, Any]) -> list[Reason]:
    first, last = values.get("temporal_from"), values.get("temporal_to")
    if first is not None and last is not None and last < first:
        return [Reason("resource.end_before_start", {"first_on": first.isoformat(), "last_on": last.isoformat()}, "temporal_to")]
    return []


def _name(value: str, field: str) -> str:
    return clean_name(re.sub(r"\s+", " ", value), NAME_LENGTH, field)


def _text(value: str, field: str) -> str:
    return clean_text(value, TEXT_LENGTHS[field], field)


def _sized(length: int, *, lines: bool = False) -> Callable[[str, str], str]:
    return lambda value, field: clean_text(value, length, field, lines=lines)


def _attributes(value: Mapping[str, str], field: str) -> dict[str, str]:
    """Columns of a file that no field takes, by their headers."""
    return {str(name): str(text) for name, text in value.items()}


def _whole(most: int) -> Callable[[int | None, str], int | None]:
    def check(value: int | None, field: str) -> int | None:
        if value is not None and not 1 <= value <= most:
            raise Refusal.of("resource.number_out_of_range", field, least=1, most=most)
        return value

    return check


def _day(value: date | None, field: str) -> date | None:
    if value is not None and not _EARLIEST_YEAR <= value.year <= 2199:
        raise Refusal.of("instrument.date_out_of_range", field, first=_EARLIEST_YEAR, last=2199)
    return value


def _choice(known: tuple[str, ...], *, needed: bool = False) -> Callable[[str, str], str]:
    def check(value: str, field: str) -> str:
        if value not in known and (value or needed):
            raise Refusal.of("resource.choice_unknown", field, text=str(value)[:40], known=list(known))
        return str(value)

    return check


def _service_kind(value: str, field: str) -> str:
    """A code of ``PUBLIC_KINDS``; ordinary testing is kept as nothing said."""
    return "" if value == TESTING else _choice(PUBLIC_KINDS)(value, field)


def _names(most: int, length: int = 200) -> Callable[[Iterable[str], str], list[str]]:
    """A list of short texts without repetition."""

    def check(value: Iterable[str], field: str) -> list[str]:
        found = list(dict.fromkeys(text for item in value if (text := clean_text(str(item), length, field))))
        if len(found) > most:
            raise Refusal.of("instrument.list_too_long", field, maximum=most, found=len(found))
        return found

    return check


def _media_types(value: Iterable[str], field: str) -> list[str]:
    found = _names(20, 120)([str(item).strip().lower() for item in value], field)
    for item in found:
        if not _MEDIA_TYPE.fullmatch(item):
            raise Refusal.of("resource.media_type_invalid", field, text=item[:60])
    return found


def _analytes(value: Iterable[Mapping[str, str]], field: str) -> list[dict[str, str]]:
    found = []
    for item in value:
        row = {
            "name": clean_text(str(item.get("name", "")), 60, field),
            "limit": clean_text(str(item.get("limit", "")), 40, field),
            "unit": clean_text(str(item.get("unit", "")), 30, field),
        }
        if not row["name"] and (row["limit"] or row["unit"]):
            raise Refusal.of("resource.analyte_without_name", field, text=f"{row['limit']} {row['unit']}".strip())
        if row["name"]:
            found.append(row)
    if len(found) > MAX_ANALYTES:
        raise Refusal.of("instrument.list_too_long", field, maximum=MAX_ANALYTES, found=len(found))
    return found


def _qualifications(value: Iterable[Mapping[str, Any]], field: str) -> list[dict[str, Any]]:
    found = []
    for item in value:
        row: dict[str, Any] = {
            "scheme": clean_text(str(item.get("scheme", "")), 30, field),
            "certificate_number": clean_text(str(item.get("certificate_number", "")), 100, field),
            "valid_from": _day(item.get("valid_from"), field),
            "valid_to": _day(item.get("valid_to"), field),
        }
        if not any(row.values()):
            continue
        if not row["scheme"]:
            raise Refusal.of("resource.qualification_without_scheme", field)
        if row["valid_from"] and row["valid_to"] and row["valid_to"] < row["valid_from"]:
            params = {"first_on": row["valid_from"].isoformat(), "last_on": row["valid_to"].isoformat()}
            raise Refusal(Reason("resource.end_before_start", params, field))
        found.append(row)
    if len(found) > MAX_QUALIFICATIONS:
        raise Refusal.of("instrument.list_too_long", field, maximum=MAX_QUALIFICATIONS, found=len(found))
    return found


def _ids(value: Iterable[int], field: str) -> list[int]:
    found = sorted(set(value))
    if len(found) > MAX_INSTRUMENTS:
        raise Refusal.of("instrument.list_too_long", field, maximum=MAX_INSTRUMENTS, found=len(found))
    return found


def _descriptors(value: Mapping[str, str], field: str) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()}


def _issued(value: str, field: str) -> str:
    text = value.strip()
    if text and not darwin_core.is_iso_date(text):
        raise Refusal.of("germplasm.iso_date_not_understood", field, text=text[:40])
    return text


def _language(value: str, field: str) -> str:
    text = value.strip()
    if text and (len(text) > 20 or not _LANGUAGE.fullmatch(text)):
        raise Refusal.of("resource.language_invalid", field, text=text[:40])
    return text


def _url(value: str, field: str) -> str:
    address = value.strip()
    if address and (len(address) > URL_LENGTH or not _URL.fullmatch(address)):
        raise Refusal.of("instrument.url_invalid", field, text=address[:80])
    return address


_Cleaners = dict[str, Callable[[Any, str], Any]]
_CORE: _Cleaners = {
    "name": _name,
    "name_en": _sized(NAME_LENGTH),
    "region_code": registry_values.region_code,
    "licence": _sized(LICENCE_LENGTH),
    "attributes": _attributes,
}
CORE_FIELDS = frozenset(_CORE) | frozenset(_AS_INSTRUMENTS)
_PARTS: dict[str, tuple[_Cleaners, dict[str, Any]]] = {
    TEST_ITEM: (
        {
            **dict.fromkeys(("method", "standard", "condition", "group", "matrix", "sample_amount"), _text),
            "sample_preparation": _sized(SAMPLE_PREPARATION_LENGTH, lines=True),
            "analytes": _analytes,
            "turnaround_days": _whole(MAX_TURNAROUND_DAYS),
            "daily_capacity": _whole(MAX_DAILY_CAPACITY),
            "service_kind": _service_kind,
            "qualifications": _qualifications,
            "instrument_ids": _ids,
        },
        {
            **dict.fromkeys(("method", "standard", "condition", "group", "matrix", "sample_amount", "sample_preparation"), ""),
            "analytes": (),
            "turnaround_days": None,
            "daily_capacity": None,
            "service_kind": "",
            "qualifications": (),
            "instrument_ids": (),
        },
    ),
    GERMPLASM: (
        {"standard": _choice(STANDARDS, needed=True), "descriptors": _descriptors},
        {"standard": "mcpd", "descriptors": {}},
    ),
    DATASET: (
        {
            "creators": _names(MAX_CREATORS),
            "issued_on": _day,
            "version": _text,
            "media_types": _media_types,
            "size_bytes": _whole(MAX_BYTES),
            "temporal_from": _day,
            "temporal_to": _day,
            "spatial": _text,
            "landing_page": _url,
            "instrument_ids": _ids,
        },
        {
            "creators": (),
            "issued_on": None,
            "version": "",
            "media_types": (),
            "size_bytes": None,
            "temporal_from": None,
            "temporal_to": None,
            "spatial": "",
            "landing_page": "",
            "instrument_ids": (),
        },
    ),
    LITERATURE: (
        {
            "creators": _names(MAX_CREATORS),
            "issued": _issued,
            "publisher": _text,
            "type": _choice(LITERATURE_TYPES),
            "language": _language,
            "source": _text,
            "rights": _text,
            "instrument_ids": _ids,
        },
        {
            "creators": (),
            **dict.fromkeys(("issued", "publisher", "type", "language", "source", "rights"), ""),
            "instrument_ids": (),
        },
    ),
}
