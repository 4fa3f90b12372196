"""Public instruments as rows: UNIQUIP 1.0, and our open data as CSV and JSON."""

from __future__ import annotations

import re
from typing import Any

from instruments.rules.own_numbers import is_own_number
from instruments.rules.standards.public import LICENCE_ID, PublicInstrument

UNIQUIP_HEAD = (
    "Type",
    "Name",
    "Description",
    "Related Facility ID",
    "Technique",
    "Location",
    "Contact Name",
    "Contact Telephone",
    "Contact URL",
    "Contact Email",
    "Secondary Contact Name",
    "Secondary Contact Telephone",
    "Secondary Contact URL",
    "Secondary Contact Email",
    "ID",
    "Photo",
    "Department",
    "Site Location",
    "Building",
    "Service Level",
    "Web Address",
)
OPEN_DATA_HEAD = (
    "id",
    "url",
    "name",
    "name_en",
    "owner",
    "owner_en",
    "owner_scheme",
    "owner_code",
    "inner_id",
    "class_code",
    "class",
    "class_en",
    "technique",
    "technique_codes",
    "techniques",
    "techniques_en",
    "keywords",
    "manufacturer",
    "model",
    "nation_code",
    "commissioned_on",
    "description",
    "description_en",
    "functions",
    "technical_indicators",
    "service_content",
    "access_terms",
    "service_modes",
    "status",
    "bookable",
    "site_name",
    "site_address",
    "region_code",
    "region",
    "latitude",
    "longitude",
    "doi",
    "cstr",
    "photo_url",
    "kind",
    "updated_at",
    "licence",
    "own_number",
)
#: Columns of UNIQUIP that nothing of ours fills: what an imported list said in them comes out again. Contact persons stay out.
_UNIQUIP_KEPT = ("Related Facility ID", "Location", "Secondary Contact URL", "Photo", "Service Level")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def uniquip_row(one: PublicInstrument) -> list[str]:
    """One line of the UNIQUIP list. Contact persons stay out; the contact is the instrument's page."""
    department, building, location = _uniquip_place(one)
    said = {
        "Type": "facility" if one.kind == "facility" else one.attributes.get("Type") or "equipment",
        "Name": one.name,
        "Description": one.about,
        "Technique": one.technique or "; ".join(named.en or named.zh for named in one.techniques),
        "Contact URL": one.url,
        "ID": one.own_number if not one.inner_id or is_own_number(one.inner_id) else one.inner_id,
        "Photo": one.photo_url,
        "Department": department,
        "Site Location": location,
        "Building": building,
        "Web Address": one.url,
    }
    kept = {name: one.attributes[name] for name in _UNIQUIP_KEPT if name in one.attributes and not said.get(name)}
    return [harmless((said | kept).get(name, "")) for name in UNIQUIP_HEAD]


def _uniquip_place(one: PublicInstrument) -> tuple[str, str, str]:
    """Department, Building and Site Location. The place of an imported list has their cells joined as its name and the last two as its
    address: it is taken apart again, so that no list gets longer by coming and going."""
    building, _comma, location = one.address.rpartition(", ")
    if one.address and one.site == one.address:
        return "", building, location
    inside = one.site.removesuffix(f", {one.address}") if one.address else one.site
    return (one.site, one.address, one.region) if inside == one.site else (inside, building, location)


def open_data_row(one: PublicInstrument) -> list[str]:
    """One line of the open data, in the order of ``OPEN_DATA_HEAD``; lists are joined by a bar."""
    values = open_data(one)
    return [harmless(_text(values[name])) for name in OPEN_DATA_HEAD]


def open_data(one: PublicInstrument) -> dict[str, Any]:
    """The open-data record by key."""
    return {
        "id": one.id,
        "url": one.url,
        "name": one.name,
        "name_en": one.name_en,
        "owner": one.owner,
        "owner_en": one.owner_en,
        "owner_scheme": one.owner_scheme,
        "owner_code": one.owner_code,
        "inner_id": one.inner_id,
        "class_code": next((named.code for named in one.classes), ""),
        "class": next((named.zh for named in one.classes), ""),
        "class_en": next((named.en for named in one.classes), ""),
        "technique": one.technique,
        "technique_codes": [named.code for named in one.techniques],
        "techniques": [named.zh for named in one.techniques],
        "techniques_en": [named.en for named in one.techniques],
        "keywords": list(one.keywords),
        "manufacturer": one.manufacturer,
        "model": one.model,
        "nation_code": one.nation_code,
        "commissioned_on": one.commissioned_on.isoformat() if one.commissioned_on else None,
        "description": one.description,
        "description_en": one.description_en,
        "functions": one.functions,
        "technical_indicators": one.technical_indicators,
        "service_content": one.service_content,
        "access_terms": one.access_terms,
        "service_modes": list(one.service_modes),
        "status": one.status,
        "bookable": one.bookable,
        "site_name": one.site,
        "site_address": one.address,
        "region_code": one.region_code,
        "region": one.region,
        "latitude": str(one.latitude) if one.latitude is not None else None,
        "longitude": str(one.longitude) if one.longitude is not None else None,
        "doi": one.doi,
        "cstr": one.cstr,
        "photo_url": one.photo_url,
        "kind": one.kind,
        "updated_at": one.updated_at.isoformat(),
        "licence": LICENCE_ID,
        "own_number": one.own_number,
    }


def harmless(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula; our import takes this apostrophe off again, and none of the text's own."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA_STARTS) else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _joined([str(entry) for entry in value]) if isinstance(value, list) else str(value)


def _joined(entries: list[str]) -> str:
    """Entries with bars between them; one that could be taken for several has a bar after it."""
    return "|".join(entries) + ("|" if len(entries) == 1 and re.search("[,;\uff0c\uff1b]", entries[0]) else "")
