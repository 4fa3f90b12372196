"""What the customs record and the sources of purchase money of an instrument may hold: typed values in, clean values or reasons out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_values import MAX_VALUE_FEN, Cleaned, clean_text, cleaned_by

FUNDING_SOURCES = ("central", "local", "district", "own", "loan", "other")
#: What the national list counts as one: the source that says more exactly where the money of another came from.
FINER_SOURCES = {"local": "district", "other": "loan"}
CUSTOMS_LENGTHS: dict[str, int] = {
    "declared_name": 300,
    "exemption_number": 50,
    "exemption_item": 45,
    "contract_number": 100,
    "port": 100,
    "customs_office": 100,
    "supervision_notes": 200,
}
#: What the codes of a customs record look like, and how many characters they have at most.
CUSTOMS_CODES: dict[str, tuple[re.Pattern[str], int]] = {
    "declaration_number": (re.compile(r"[0-9A-Z]{9,18}"), 18),
    "item_number": (re.compile(r"[0-9]{1,2}"), 2),
    "hs_code": (re.compile(r"[0-9]{6,12}"), 12),
}
CUSTOMS_DAYS = ("released_on", "imported_on")
#: True, False, or None while nobody has asked.
CUSTOMS_FLAGS = ("may_share", "may_charge")
_EARLIEST_YEAR = 1980


def clean_customs(given: Mapping[str, Any]) -> Cleaned:
    """Check the fields of a customs record that were given; ``may_share`` and ``may_charge`` are True, False or None.

    Unknown field names raise KeyError.
    """
    return cleaned_by(_CLEANERS, given)


def clean_fundings(given: Iterable[tuple[str, int | None]]) -> list[tuple[str, int | None]]:
    """Sources with amounts in fen (None: only the source is known), in the order of ``FUNDING_SOURCES``.

    Raises Refusal ``instrument.funding_unknown``, ``instrument.funding_twice``, ``instrument.value_negative``,
    ``instrument.value_too_big``, each at ``funding_<source>``.
    """
    reasons: list[Reason] = []
    found: dict[str, int | None] = {}
    for source, amount in given:
        field = f"funding_{source}"
        if source not in FUNDING_SOURCES:
            reasons.append(
                Reason("instrument.funding_unknown", {"text": source[:40], "known": list(FUNDING_SOURCES)}, "fundings")
            )
        elif source in found:
            reasons.append(Reason("instrument.funding_twice", {"text": source}, field))
        elif amount is not None and amount < 0:
            reasons.append(Reason("instrument.value_negative", {}, field))
        elif amount is not None and amount > MAX_VALUE_FEN:
            reasons.append(Reason("instrument.value_too_big", {}, field))
        else:
            found[source] = amount
    Refusal.raise_any(reasons)
    return [(source, found[source]) for source in FUNDING_SOURCES if source in found]


def _text(value: str, field: str) -> str:
    return clean_text(value, CUSTOMS_LENGTHS[field], field)


def _code(value: str, field: str) -> str:
    code = unicodedata.normalize("NFKC", value).replace(" ", "").upper()
    if code and not CUSTOMS_CODES[field][0].fullmatch(code):
        raise Refusal.of("instrument.customs_code_invalid", field, text=code[:30])
    return code


def _day(value: date | None, field: str) -> date | None:
    if value is not None and not _EARLIEST_YEAR <= value.year <= 2199:
        raise Refusal.of("instrument.date_out_of_range", field, first=_EARLIEST_YEAR, last=2199)
    return value


def _maybe(value: bool | None, field: str) -> bool | None:
    return None if value is None else bool(value)


_CLEANERS: dict[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(CUSTOMS_LENGTHS, _text),
    **dict.fromkeys(CUSTOMS_CODES, _code),
    **dict.fromkeys(CUSTOMS_DAYS, _day),
    **dict.fromkeys(CUSTOMS_FLAGS, _maybe),
}
CUSTOMS_FIELDS = tuple(_CLEANERS)


def empty_customs() -> dict[str, Any]:
    """What a customs record holds when nobody said anything."""
    return dict.fromkeys((*CUSTOMS_LENGTHS, *CUSTOMS_CODES), "") | dict.fromkeys((*CUSTOMS_DAYS, *CUSTOMS_FLAGS))
