"""What each field of an instrument may hold, for forms, API and imports alike: typed values in, clean values or reasons out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.names import clean_name
from instruments.rules.persistent_ids import clean_cstr, clean_doi

STATUSES = ("normal", "occasionally_faulty", "frequently_faulty", "under_repair", "retired")
SERVICE_MODES = ("self_operated", "assisted", "commissioned", "remote")
NAME_LENGTH = 300
TEXT_LENGTHS: dict[str, int] = {
    "name_en": 300,
    "inner_id": 150,
    "model": 300,
    "manufacturer": 150,
    "technique": 200,
    "contact_name": 100,
    "contact_phone": 50,
    "contact_address": 300,
    "contact_postal_code": 20,
    "department": 200,
    "affiliation_name": 200,
    "asset_number": 100,
    "fixed_asset_code": 100,
    "doi": 200,
    "cstr": 200,
}
LONG_TEXT_LENGTHS: dict[str, int] = {
    "description": 4000,
    "description_en": 4000,
    "technical_indicators": 1500,
    "functions": 900,
    "service_content": 600,
    "achievements": 1500,
    "access_terms": 1500,
    "fee_note": 1500,
    "effect_1": 1500,
    "effect_2": 1500,
    "accessories": 1500,
    "known_users": 1500,
}
#: Fields that take one of a few values, or nothing.
CHOICES: dict[str, tuple[str, ...]] = {
    "affiliation": ("centre", "facility", "state_key_lab", "engineering_centre", "germplasm_bank"),
    "acquisition": ("purchased", "developed", "donated", "other"),
    "use_type": ("general", "special"),
    "share_mode": ("internal", "external", "not_shared"),
    "certification": ("none", "applied", "certified", "expired"),
}
#: Lists of short texts, and how many there may be.
LIST_LENGTHS: dict[str, int] = {"subject_codes": 8, "technique_codes": 20, "keywords": 30}
LIST_ITEM_LENGTH = 100
URL_LENGTH = 200
MAX_VALUE_FEN = 10**15
_EARLIEST_YEAR = 1900
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+\.[^\s@<>()\[\],;:\\\"]{2,}")
_CLASS = re.compile(r"([0-9]{2}){1,3}")
_REGION = re.compile(r"[1-9][0-9]{5}")
_MAY_HIDE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_URL = re.compile(r"https?://[^\s<>\"'\\]+")
_NATION = re.compile(r"[A-Z]{2}")
_UNITS_FEN = {"fen": 1, "yuan": 100, "10k_yuan": 1_000_000}
_DATE = re.compile(r"([0-9]{4})\s*[-/.\u5e74]\s*([0-9]{1,2})\s*(?:[-/.\u6708]\s*([0-9]{1,2})(?:\s*\u65e5)?)?")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Clean values of the fields that were given, or every reason why not."""

    values: dict[str, Any]
    reasons: tuple[Reason, ...]


def clean_fields(given: Mapping[str, Any]) -> Cleaned:
    """Check typed values by field name; a field that is not given is not looked at.

    Texts are NFC with blanks around them removed; ``original_value_fen`` is an int or None; ``commissioned_on`` and
    ``purchased_on`` a date or None; ``imported`` and ``customs_supervised`` True, False or None; ``service_modes`` becomes a sorted
    list without repetition; ``LIST_LENGTHS`` are lists of short texts. Unknown field names raise KeyError.
    """
    return cleaned_by(_CLEANERS, given)


def cleaned_by(cleaners: Mapping[str, Callable[[Any, str], Any]], given: Mapping[str, Any]) -> Cleaned:
    """What ``cleaners`` by field make of the values, with every reason against them. Unknown field names raise KeyError."""
    values: dict[str, Any] = {}
    reasons: list[Reason] = []
    for field, value in given.items():
        try:
            values[field] = cleaners[field](value, field)
        except Refusal as refusal:
            reasons += refusal.reasons
    return Cleaned(values, tuple(reasons))


def checked_as(other: str) -> Callable[[Any, str], Any]:
    """A cleaner that checks a value as that field of an instrument is checked, and tells what is wrong at its own field."""

    def cleaner(value: Any, field: str) -> Any:
        cleaned = clean_fields({other: value})
        if cleaned.reasons:
            raise Refusal.of(cleaned.reasons[0].code, field, **cleaned.reasons[0].params)
        return cleaned.values[other]

    return cleaner


def clean_text(value: str, max_length: int, field: str, *, lines: bool = False) -> str:
    """One line (or several) of text in NFC; empty is fine. Raises Refusal as ``names.clean_name`` does."""
    text = unicodedata.normalize("NFC", value).strip()
    if not text:
        return ""
    if not lines:
        return _clean_line(re.sub(r"\s+", " ", text), max_length, field)
    rows = [re.sub(r"[^\S\n]+", " ", row).strip() for row in re.split(r"\r\n?|\n", text)]
    kept = re.sub(r"\n{3,}", "\n\n", "\n".join(rows))
    if len(kept) > max_length:
        raise Refusal.of("name.too_long", field, max_length=max_length, length=len(kept))
    for row in filter(None, rows):
        _clean_line(row, max_length, field)
    return kept


def _clean_line(text: str, max_length: int, field: str) -> str:
    """As ``clean_name``; at once for the many texts without a character that could hide anything."""
    if len(text) <= max_length and text.isprintable() and not _MAY_HIDE.search(text):
        return text
    return clean_name(text, max_length, field)


def money_fen(text: str, unit: str, field: str = "original_value_fen") -> int | None:
    """An amount as people type it, in fen; None when empty. ``unit`` is fen, yuan or 10k_yuan.

    Raises Refusal ``instrument.value_not_a_number`` or ``instrument.value_negative``.
    """
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "").lstrip("\u00a5")
    if not plain:
        return None
    if not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", plain):
        raise Refusal.of("instrument.value_not_a_number", field, text=text[:40])
    try:
        fen = Decimal(plain) * _UNITS_FEN[unit]
    except InvalidOperation:
        raise Refusal.of("instrument.value_not_a_number", field, text=text[:40]) from None
    return _value(int(fen.to_integral_value("ROUND_HALF_UP")), field)


def day(text: str, field: str = "commissioned_on") -> date | None:
    """A date as registries write it (2019-05-07, 2019/5/7, year and month); None when empty; a month means its first day.

    Raises Refusal ``instrument.date_not_understood`` or ``instrument.date_out_of_range``.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return None
    found = _DATE.match(plain)
    try:
        if found is None or not re.fullmatch(r"([T ][0-9:.+Z-]*)?", plain[found.end() :]):
            raise ValueError(plain)
        value = date(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        raise Refusal.of("instrument.date_not_understood", field, text=text[:40]) from None
    return _day(value, field)


def region_code(value: str, field: str = "region_code") -> str:
    """A six-digit code, or nothing. Raises Refusal ``instrument.region_code_invalid``."""
    code = unicodedata.normalize("NFKC", value).strip()
    if code and not _REGION.fullmatch(code):
        raise Refusal.of("instrument.region_code_invalid", field, text=code[:20])
    return code


def _text(value: str, field: str) -> str:
    return clean_text(value, TEXT_LENGTHS[field], field)


def _long_text(value: str, field: str) -> str:
    return clean_text(value, LONG_TEXT_LENGTHS[field], field, lines=True)


def _name(value: str, field: str) -> str:
    return clean_name(re.sub(r"\s+", " ", value), NAME_LENGTH, field)


def _email(value: str, field: str) -> str:
    address = unicodedata.normalize("NFKC", value).strip()
    if address and (len(address) > 254 or not _EMAIL.fullmatch(address)):
        raise Refusal.of("instrument.email_invalid", field, text=address[:80])
    return address


def _class_code(value: str, field: str) -> str:
    code = unicodedata.normalize("NFKC", value).strip()
    if code and not _CLASS.fullmatch(code):
        raise Refusal.of("instrument.class_code_invalid", field, text=code[:20])
    return code


def _value(value: int | None, field: str) -> int | None:
    if value is not None and value < 0:
        raise Refusal.of("instrument.value_negative", field)
    if value is not None and value > MAX_VALUE_FEN:
        raise Refusal.of("instrument.value_too_big", field)
    return value


def _day(value: date | None, field: str) -> date | None:
    if value is not None and not _EARLIEST_YEAR <= value.year <= 2199:
        raise Refusal.of("instrument.date_out_of_range", field, first=_EARLIEST_YEAR, last=2199)
    return value


def _status(value: str, field: str) -> str:
    if value not in STATUSES:
        raise Refusal.of("instrument.status_unknown", field, text=str(value)[:40], known=list(STATUSES))
    return str(value)


def _modes(value: Iterable[str], field: str) -> list[str]:
    chosen = set(value)
    unknown = sorted(str(mode)[:40] for mode in chosen - set(SERVICE_MODES))
    if unknown:
        raise Refusal.of("instrument.service_mode_unknown", field, text=unknown, known=list(SERVICE_MODES))
    return [mode for mode in SERVICE_MODES if mode in chosen]


def _choice(value: str, field: str) -> str:
    if value and value not in CHOICES[field]:
        raise Refusal.of("instrument.choice_unknown", field, text=str(value)[:40], known=list(CHOICES[field]))
    return str(value)


def _list(value: Iterable[str], field: str) -> list[str]:
    found = list(dict.fromkeys(text for item in value if (text := clean_text(str(item), LIST_ITEM_LENGTH, field))))
    if len(found) > LIST_LENGTHS[field]:
        raise Refusal.of("instrument.list_too_long", field, maximum=LIST_LENGTHS[field], found=len(found))
    return found


def _url(value: str, field: str) -> str:
    address = unicodedata.normalize("NFKC", value).strip()
    if address and (len(address) > URL_LENGTH or not _URL.fullmatch(address)):
        raise Refusal.of("instrument.url_invalid", field, text=address[:80])
    return address


def _nation(value: str, field: str) -> str:
    code = unicodedata.normalize("NFKC", value).strip().upper()
    if code and not _NATION.fullmatch(code):
        raise Refusal.of("instrument.nation_code_invalid", field, text=code[:20])
    return code


def _flag(value: bool, field: str) -> bool:
    return bool(value)


def _maybe(value: bool | None, field: str) -> bool | None:
    return None if value is None else bool(value)


_CLEANERS: dict[str, Callable[[Any, str], Any]] = {
    "name": _name,
    **dict.fromkeys(TEXT_LENGTHS, _text),
    **dict.fromkeys(LONG_TEXT_LENGTHS, _long_text),
    "class_code": _class_code,
    "original_value_fen": _value,
    "commissioned_on": _day,
    "purchased_on": _day,
    "service_modes": _modes,
    "status": _status,
    "published": _flag,
    "training_needed": _flag,
    "contact_email": _email,
    **dict.fromkeys(CHOICES, _choice),
    **dict.fromkeys(LIST_LENGTHS, _list),
    "service_url": _url,
    "doi": clean_doi,
    "cstr": clean_cstr,
    "nation_code": _nation,
    "imported": _maybe,
    "customs_supervised": _maybe,
}
INSTRUMENT_FIELDS = frozenset(_CLEANERS)
_NOT_TEXT: dict[str, Any] = {
    "original_value_fen": None,
    "commissioned_on": None,
    "purchased_on": None,
    "imported": None,
    "customs_supervised": None,
    "service_modes": (),
    **dict.fromkeys(LIST_LENGTHS, ()),
    "status": "normal",
    "published": True,
    "training_needed": False,
}


def field_defaults() -> dict[str, Any]:
    """What each field holds when nobody said anything, lists new each time."""
    values: dict[str, Any] = dict.fromkeys(INSTRUMENT_FIELDS, "") | _NOT_TEXT
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
