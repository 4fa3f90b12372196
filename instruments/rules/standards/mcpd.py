"""Multi-Crop Passport Descriptors, version 2.1 (FAO/Bioversity): what each descriptor may hold, and where an accession is from.

Values are texts as the file has them. Dates may be partial (``1988----``, ``198802--``); coordinates come as decimal degrees, as
degrees, minutes and seconds (``261060N``, missing digits as hyphens), or both, and then have to agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_file import header_key
from instruments.rules.standards.text import as_written

#: In the standard's own order, which is the order of columns on the way out.
DESCRIPTORS = (
    "PUID",
    "INSTCODE",
    "ACCENUMB",
    "COLLNUMB",
    "COLLCODE",
    "COLLNAME",
    "COLLINSTADDRESS",
    "COLLMISSID",
    "GENUS",
    "SPECIES",
    "SPAUTHOR",
    "SUBTAXA",
    "SUBTAUTHOR",
    "CROPNAME",
    "ACCENAME",
    "ACQDATE",
    "ORIGCTY",
    "COLLSITE",
    "DECLATITUDE",
    "LATITUDE",
    "DECLONGITUDE",
    "LONGITUDE",
    "COORDUNCERT",
    "COORDDATUM",
    "GEOREFMETH",
    "ELEVATION",
    "COLLDATE",
    "BREDCODE",
    "BREDNAME",
    "SAMPSTAT",
    "ANCEST",
    "COLLSRC",
    "DONORCODE",
    "DONORNAME",
    "DONORNUMB",
    "OTHERNUMB",
    "DUPLSITE",
    "DUPLINSTNAME",
    "STORAGE",
    "MLSSTAT",
    "REMARKS",
)
LENGTHS = {"ACCENUMB": 150, "INSTCODE": 40, "GENUS": 100, "SPECIES": 200, "REMARKS": 4000}
LENGTH = 500
SAMPLE_STATUS = frozenset(
    "100 110 120 130 200 300 400 410 411 412 413 414 415 416 420 421 422 423 500 600 999".split()  # noqa: SIM905
)
COLLECTING_SOURCE = frozenset(
    "10 11 12 13 14 15 20 21 22 23 24 25 26 27 28 30 40 50 60 61 62 99".split()  # noqa: SIM905
)
STORAGE = frozenset({"10", "11", "12", "13", "20", "30", "40", "50", "99"})
MLS_STATUS = frozenset({"0", "1", "99"})
#: Other headers that mean a descriptor, as genebanks and their extracts write them.
ALIASES = {
    "ig": "ACCENUMB",
    "accession number": "ACCENUMB",
    "institute code": "INSTCODE",
    "country": "ORIGCTY",
    "latitude": "DECLATITUDE",
    "longitude": "DECLONGITUDE",
    "altitude": "ELEVATION",
}
_COUNTRY = re.compile(r"[A-Z]{3}")
_DATE = re.compile(r"([0-9]{4})([0-9]{2}|--)([0-9]{2}|--)")
_DMS = {
    "LATITUDE": re.compile(r"([0-9]{2})([0-9]{2}|--)([0-9]{2}|--)([NS])"),
    "LONGITUDE": re.compile(r"([0-9]{3})([0-9]{2}|--)([0-9]{2}|--)([EW])"),
}
_DECIMAL = re.compile(r"[-+]?[0-9]{1,3}(\.[0-9]{1,15})?")
_NUMBER = re.compile(r"[-+]?[0-9]{1,6}(\.[0-9]{1,12})?")
_UNKNOWN_PART = frozenset({"--", "00"})
_MOST = {"LATITUDE": 90, "LONGITUDE": 180}
_PLACES = Decimal("0.000001")


def columns_of(headers: tuple[str, ...]) -> dict[str, str]:
    """Which descriptor each header means, by header; a header that means none is left out.

    A header that is a descriptor's own name counts first: with ``DECLATITUDE`` in the file, ``LATITUDE`` is degrees, minutes,
    seconds; alone and written as a word (``Latitude``) it is decimal degrees, as extracts have it.
    """
    found: dict[str, str] = {header: header for header in headers if header in DESCRIPTORS}
    folded = {header.upper() for header in headers}
    for header in headers:
        own = header.upper()
        named = None if f"DEC{own}" in folded else ALIASES.get(header_key(header))
        meant = named or (own if own in DESCRIPTORS else None)
        if header not in found and meant is not None and meant not in found.values():
            found[header] = meant
    return found


def clean(given: Mapping[str, str]) -> tuple[dict[str, str], list[Reason]]:
    """The descriptors that hold something, as written, or every reason against them."""
    values: dict[str, str] = {}
    reasons: list[Reason] = []
    for name in DESCRIPTORS:
        try:
            text = as_written(given.get(name, ""), LENGTHS.get(name, LENGTH), name)
        except Refusal as refusal:
            reasons += refusal.reasons
            continue
        if text:
            values[name] = text
    reasons += [Reason("germplasm.descriptor_unknown", {"name": name[:60]}, name) for name in given if name not in DESCRIPTORS]
    if "ACCENUMB" not in values and not any(reason.field == "ACCENUMB" for reason in reasons):
        reasons.append(Reason("germplasm.number_missing", {}, "ACCENUMB"))
    return values, [*reasons, *_faults(values)]


def _faults(values: Mapping[str, str]) -> list[Reason]:
    reasons = []
    for name in ("ACQDATE", "COLLDATE"):
        if name in values and not is_partial_date(values[name]):
            reasons.append(Reason("germplasm.date_not_understood", {"text": values[name][:40]}, name))
    if "ORIGCTY" in values and not _COUNTRY.fullmatch(values["ORIGCTY"]):
        reasons.append(Reason("germplasm.country_invalid", {"text": values["ORIGCTY"][:40]}, "ORIGCTY"))
    for name, known in (
        ("SAMPSTAT", SAMPLE_STATUS),
        ("COLLSRC", COLLECTING_SOURCE),
        ("MLSSTAT", MLS_STATUS),
        ("STORAGE", STORAGE),
    ):
        codes = values[name].split(";") if name in values else []
        unknown = [code.strip()[:20] for code in codes if code.strip() not in known]
        if unknown or (len(codes) > 1 and name != "STORAGE"):
            reasons.append(Reason("germplasm.code_unknown", {"text": values[name][:60], "known": sorted(known, key=int)}, name))
    for name in ("ELEVATION", "COORDUNCERT"):
        if name in values and not _NUMBER.fullmatch(values[name]):
            reasons.append(Reason("germplasm.not_a_number", {"text": values[name][:40]}, name))
    return [*reasons, *_place_faults(values)]


def _place_faults(values: Mapping[str, str]) -> list[Reason]:
    reasons = []
    for name in ("LATITUDE", "LONGITUDE"):
        decimal, dms = values.get(f"DEC{name}"), values.get(name)
        degrees = decimal_degrees(decimal, name) if decimal else None
        read = dms_degrees(dms, name) if dms else None
        if decimal and degrees is None:
            reasons.append(
                Reason("germplasm.coordinate_not_understood", {"text": decimal[:40], "most": _MOST[name]}, f"DEC{name}")
            )
        if dms and read is None:
            reasons.append(Reason("germplasm.dms_not_understood", {"text": dms[:40]}, name))
        if degrees is not None and read is not None and abs(degrees - read) > _tolerance(dms or ""):
            params = {"dms": dms, "decimal": decimal, "read": str(read.quantize(_PLACES))}
            reasons.append(Reason("germplasm.coordinates_differ", params, name))
    return reasons


def coordinates(values: Mapping[str, str]) -> tuple[Decimal, Decimal] | tuple[None, None]:
    """Latitude and longitude in decimal degrees to six places, from the decimal fields or else from degrees, minutes, seconds."""
    found = []
    for name in ("LATITUDE", "LONGITUDE"):
        degrees = decimal_degrees(values.get(f"DEC{name}", ""), name)
        if degrees is None:
            degrees = dms_degrees(values.get(name, ""), name)
        if degrees is None:
            return None, None
        found.append(degrees.quantize(_PLACES))
    return found[0], found[1]


def decimal_degrees(text: str, name: str) -> Decimal | None:
    """Decimal degrees on earth, or None. ``name`` is LATITUDE or LONGITUDE."""
    if not _DECIMAL.fullmatch(text) or abs(Decimal(text)) > _MOST[name]:
        return None
    return Decimal(text)


def dms_degrees(text: str, name: str) -> Decimal | None:
    """Degrees, minutes and seconds as decimal degrees, or None. Missing minutes and seconds (hyphens) count as zero.

    Sixty seconds occur in real files, where a program rounded; they are read as the next minute.
    """
    found = _DMS[name].fullmatch(text)
    if found is None or (found[2] == "--" and found[3] != "--"):
        return None
    degrees, minutes, seconds = int(found[1]), _part(found[2]), _part(found[3])
    value = Decimal(degrees) + Decimal(minutes) / 60 + Decimal(seconds) / 3600
    if minutes > 60 or seconds > 60 or value > _MOST[name]:
        return None
    return -value if found[4] in "SW" else value


def _tolerance(dms: str) -> Decimal:
    """How far the two ways of writing a place may differ: what the written digits leave open."""
    missing = dms.count("-")
    return Decimal(1) if missing == 4 else Decimal(1) / 60 if missing == 2 else Decimal(1) / 3600


def _part(text: str) -> int:
    return 0 if text == "--" else int(text)


def is_partial_date(text: str) -> bool:
    """Whether it is YYYYMMDD with month and day of the calendar, either of them unknown as hyphens or zeros."""
    found = _DATE.fullmatch(text)
    if found is None or (found[2] in _UNKNOWN_PART and found[3] not in _UNKNOWN_PART):
        return False
    try:
        date(
            int(found[1]),
            1 if found[2] in _UNKNOWN_PART else int(found[2]),
            1 if found[3] in _UNKNOWN_PART else int(found[3]),
        )
    except ValueError:
        return False
    return True
