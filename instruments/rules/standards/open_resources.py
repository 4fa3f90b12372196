"""Published resources other than instruments as open data: one record by key, and as a row of a table. No persons in it.

Authors of data sets and literature stay out too: their own records (DataCite, Dublin Core) name them, a file of everything does not.
Of an accession the descriptors of its standard are given, but for those in which collectors, breeders and donors are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from instruments.rules.standards import darwin_core, mcpd
from instruments.rules.standards.public import LICENCE_ID
from instruments.rules.standards.tables import harmless
from instruments.rules.test_item_cells import ANALYTE, analytes_cell, qualifications_cell

_CORE = (
    "id", "url", "name", "name_en", "owner", "owner_en", "inner_id", "description", "description_en", "keywords", "region_code",
    "access_terms", "resource_licence", "doi", "cstr",
)  # fmt: skip
#: What the typed part adds, by kind.
PARTS: dict[str, tuple[str, ...]] = {
    "test_item": (
        "group", "condition", "method", "standard", "matrix", "analytes", "sample_amount", "sample_preparation", "turnaround_days",
        "daily_capacity", "price_yuan", "price_unit", "currency", "qualifications", "instruments",
    ),
    "dataset": (
        "issued_on", "version", "media_types", "size_bytes", "temporal_from", "temporal_to", "spatial", "landing_page", "instruments",
    ),
    "literature": ("issued", "publisher", "type", "language", "source", "rights", "instruments"),
    "germplasm": ("standard", "institute_code", "genus", "species", "origin_country", "latitude", "longitude", "descriptors"),
}  # fmt: skip
_NAME_PEOPLE = frozenset(
    {"COLLNAME", "COLLINSTADDRESS", "BREDNAME", "DONORNAME", "DUPLINSTNAME", "REMARKS", "recordedBy", "occurrenceRemarks"}
)
_DESCRIPTORS = frozenset({*mcpd.DESCRIPTORS, *darwin_core.TERMS}) - _NAME_PEOPLE


@dataclass(frozen=True, slots=True)
class PublicResource:
    """A published resource. ``core`` and ``part`` hold its values by the names of ``head``, as they are stored; ``instruments`` among
    them are addresses of pages, a price is a Decimal of yuan or None."""

    kind: str
    core: Mapping[str, Any]
    part: Mapping[str, Any]
    updated_at: datetime


def head(kind: str) -> tuple[str, ...]:
    """The columns of a kind, in their order."""
    return (*_CORE, *PARTS[kind], "updated_at", "licence")


def record(one: PublicResource) -> dict[str, Any]:
    """The open-data record by key, in values that JSON takes."""
    part = dict(one.part)
    if "descriptors" in part:
        part["descriptors"] = {name: text for name, text in part["descriptors"].items() if name in _DESCRIPTORS and text}
    if "analytes" in part:
        part["analytes"] = [{name: each.get(name, "") for name in ANALYTE} for each in part["analytes"]]
    said = {**one.core, **part, "updated_at": one.updated_at, "licence": LICENCE_ID}
    return {name: _plain(said[name]) for name in head(one.kind)}


def row(one: PublicResource) -> list[str]:
    """One line of the table; entries of a list stand behind bars, the parts of an entry behind semicolons."""
    return [harmless(_CELLS.get(name, _text)(value)) for name, value in record(one).items()]


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "|".join(str(each) for each in value)
    if isinstance(value, Mapping):
        return "|".join(f"{name}={text}" for name, text in value.items())
    return str(value)


_CELLS: dict[str, Callable[[Any], str]] = {
    "analytes": lambda rows: analytes_cell(rows).replace("\n", "|"),
    "qualifications": lambda rows: qualifications_cell(rows).replace("\n", "|"),
}
