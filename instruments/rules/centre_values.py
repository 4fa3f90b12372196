"""What the record of an instrument centre may hold, for forms and imports alike: typed values in, clean values or reasons out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from config.kernel.errors import Refusal
from instruments.rules.registry_values import Cleaned, checked_as, clean_text, cleaned_by, region_code

INTRODUCTION_LENGTH = 200
#: So many subjects at most (the sheet's own limit).
MOST_SUBJECTS = 4
_AREA = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")


def clean_centre(given: Mapping[str, Any]) -> Cleaned:
    """Check the fields that were given: texts, a date or None (``founded_on``), True, False or None (``accredited``), codes
    (``subject_codes``), and the area in square metres as a text. Number and name are needed where they are given.

    Unknown field names raise KeyError.
    """
    return cleaned_by(_CLEANERS, given)


def _number(value: str, field: str) -> str:
    number: str = checked_as("inner_id")(value, field)
    if not number:
        raise Refusal.of("name.empty", field)
    return number


def _subjects(value: Any, field: str) -> list[str]:
    found: list[str] = checked_as("subject_codes")(value, field)
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
    "inner_id": _number,
    "name": checked_as("name"),
    "website": checked_as("service_url"),
    "founded_on": checked_as("commissioned_on"),
    "subject_codes": _subjects,
    "accredited": checked_as("imported"),
    "floor_area_m2": _area,
    "introduction": lambda value, field: clean_text(value, INTRODUCTION_LENGTH, field),
    "region_code": region_code,
    **{
        name: checked_as(name)
        for name in ("contact_name", "contact_phone", "contact_email", "contact_address", "contact_postal_code")
    },
}
CENTRE_FIELDS = tuple(_CLEANERS)


def lacking(values: Mapping[str, Any]) -> list[str]:
    """The fields of a clean record that say nothing, in the sheet's order: the national sheet asks for each."""
    return [name for name in CENTRE_FIELDS if values[name] in ("", None, [])]
