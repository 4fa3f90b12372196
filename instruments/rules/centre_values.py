"""What the record of an instrument centre may hold, for forms and imports alike: typed values in, clean values or reasons out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_values import Cleaned, clean_fields, clean_text, region_code

INTRODUCTION_LENGTH = 200
#: So many subjects at most (the sheet's own limit).
MOST_SUBJECTS = 4
_AREA = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
#: Fields that are checked as those of an instrument are, by the field there.
_AS_THERE = {
    "inner_id": "inner_id",
    "name": "name",
    "website": "service_url",
    "founded_on": "commissioned_on",
    "subject_codes": "subject_codes",
    "accredited": "imported",
    "contact_name": "contact_name",
    "contact_phone": "contact_phone",
    "contact_email": "contact_email",
    "contact_address": "contact_address",
    "contact_postal_code": "contact_postal_code",
}


def clean_centre(given: Mapping[str, Any]) -> Cleaned:
    """Check the fields that were given: texts, a date or None (``founded_on``), True, False or None (``accredited``), codes
    (``subject_codes``), and the area in square metres as a text. Number and name are needed where they are given.

    Unknown field names raise KeyError.
    """
    values: dict[str, Any] = {}
    reasons: list[Reason] = []
    for field, value in given.items():
        try:
            values[field] = _CLEANERS[field](value, field)
        except Refusal as refusal:
            reasons += refusal.reasons
    return Cleaned(values, tuple(reasons))


def _there(value: Any, field: str) -> Any:
    other = _AS_THERE[field]
    cleaned = clean_fields({other: value})
    if cleaned.reasons:
        raise Refusal.of(cleaned.reasons[0].code, field, **cleaned.reasons[0].params)
    return cleaned.values[other]


def _number(value: str, field: str) -> str:
    number: str = _there(value, field)
    if not number:
        raise Refusal.of("name.empty", field)
    return number


def _subjects(value: Any, field: str) -> list[str]:
    found: list[str] = _there(value, field)
    if len(found) > MOST_SUBJECTS:
        raise Refusal.of("instrument.list_too_long", field, maximum=MOST_SUBJECTS, found=len(found))
    return found


def _area(value: str, field: str) -> Decimal | None:
    text = unicodedata.normalize("NFKC", value).replace(",", "").replace(" ", "").strip()
    if not text:
        return None
    if not _AREA.fullmatch(text):
        raise Refusal.of("centre.area", field, text=text[:20])
    return Decimal(text)


_CLEANERS: dict[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(_AS_THERE, _there),
    "inner_id": _number,
    "subject_codes": _subjects,
    "floor_area_m2": _area,
    "introduction": lambda value, field: clean_text(value, INTRODUCTION_LENGTH, field),
    "region_code": region_code,
}
CENTRE_FIELDS = tuple(_CLEANERS)
