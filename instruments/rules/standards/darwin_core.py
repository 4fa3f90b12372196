"""A minimal Darwin Core record for livestock and strains: the terms that a collection needs to be found and asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from config.kernel.errors import Reason, Refusal
from instruments.rules.standards.text import as_written

#: In the order of columns on the way out.
TERMS = (
    "occurrenceID",
    "basisOfRecord",
    "institutionCode",
    "collectionCode",
    "catalogNumber",
    "scientificName",
    "kingdom",
    "family",
    "genus",
    "specificEpithet",
    "infraspecificEpithet",
    "vernacularName",
    "sex",
    "lifeStage",
    "preparations",
    "recordedBy",
    "eventDate",
    "countryCode",
    "locality",
    "decimalLatitude",
    "decimalLongitude",
    "geodeticDatum",
    "typeStatus",
    "occurrenceRemarks",
)
LENGTHS = {
    "catalogNumber": 150,
    "institutionCode": 40,
    "genus": 100,
    "specificEpithet": 200,
    "scientificName": 300,
    "occurrenceRemarks": 4000,
}
LENGTH = 500
BASES = ("PreservedSpecimen", "LivingSpecimen", "MaterialSample", "FossilSpecimen", "HumanObservation")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,3}(\.[0-9]{1,15})?")
_PLACES = Decimal("0.000001")


def clean(given: Mapping[str, str]) -> tuple[dict[str, str], list[Reason]]:
    """The terms that hold something, as written, or every reason against them. A number and a name are needed."""
    values: dict[str, str] = {}
    reasons: list[Reason] = []
    for name in TERMS:
        try:
            text = as_written(given.get(name, ""), LENGTHS.get(name, LENGTH), name)
        except Refusal as refusal:
            reasons += refusal.reasons
            continue
        if text:
            values[name] = text
    reasons += [Reason("germplasm.descriptor_unknown", {"name": name[:60]}, name) for name in given if name not in TERMS]
    if "catalogNumber" not in values:
        reasons.append(Reason("germplasm.number_missing", {}, "catalogNumber"))
    if "scientificName" not in values:
        reasons.append(Reason("germplasm.scientific_name_missing", {}, "scientificName"))
    return values, [*reasons, *_faults(values)]


def _faults(values: Mapping[str, str]) -> list[Reason]:
    reasons = []
    if "eventDate" in values and not is_iso_date(values["eventDate"]):
        reasons.append(Reason("germplasm.iso_date_not_understood", {"text": values["eventDate"][:40]}, "eventDate"))
    if "countryCode" in values and not _COUNTRY.fullmatch(values["countryCode"]):
        reasons.append(Reason("germplasm.country_code_invalid", {"text": values["countryCode"][:40]}, "countryCode"))
    if "basisOfRecord" in values and values["basisOfRecord"] not in BASES:
        reasons.append(
            Reason("germplasm.code_unknown", {"text": values["basisOfRecord"][:60], "known": list(BASES)}, "basisOfRecord")
        )
    for name, most in (("decimalLatitude", 90), ("decimalLongitude", 180)):
        if name in values and _degrees(values[name], most) is None:
            reasons.append(Reason("germplasm.coordinate_not_understood", {"text": values[name][:40], "most": most}, name))
    return reasons


def coordinates(values: Mapping[str, str]) -> tuple[Decimal, Decimal] | tuple[None, None]:
    """Latitude and longitude in decimal degrees to six places."""
    latitude, longitude = _degrees(values.get("decimalLatitude", ""), 90), _degrees(values.get("decimalLongitude", ""), 180)
    if latitude is None or longitude is None:
        return None, None
    return latitude.quantize(_PLACES), longitude.quantize(_PLACES)


def is_iso_date(text: str) -> bool:
    """Whether it is a year, a month or a day of the calendar (2019, 2019-05, 2019-05-07)."""
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    try:
        date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return False
    return True


def _degrees(text: str, most: int) -> Decimal | None:
    if not _DECIMAL.fullmatch(text) or abs(Decimal(text)) > most:
        return None
    return Decimal(text)
