"""How the fields of an instrument are written into the cells of a table, and read back: pure values both ways.

Words of codes are given by the caller (they depend on the reader's language); codes themselves are understood too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from config.kernel.errors import Refusal
from instruments.rules.registry_values import (
    CHOICES,
    LIST_LENGTHS,
    LONG_TEXT_LENGTHS,
    SERVICE_MODES,
    STATUSES,
    TEXT_LENGTHS,
    day,
    money_fen,
)


class Kind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    LIST = "list"
    CHOICE = "choice"
    CHOICES = "choices"
    FLAG = "flag"
    MAYBE = "maybe"
    MONEY = "money"
    FUNDING = "funding"
    DAY = "day"
    NUMBER = "number"
    PLACE = "place"


KINDS: dict[str, Kind] = {
    "name": Kind.TEXT,
    **dict.fromkeys(TEXT_LENGTHS, Kind.TEXT),
    **dict.fromkeys(LONG_TEXT_LENGTHS, Kind.LONG_TEXT),
    **dict.fromkeys(LIST_LENGTHS, Kind.LIST),
    **dict.fromkeys(CHOICES, Kind.CHOICE),
    "status": Kind.CHOICE,
    "service_modes": Kind.CHOICES,
    "class_code": Kind.TEXT,
    "nation_code": Kind.TEXT,
    "contact_email": Kind.TEXT,
    "service_url": Kind.TEXT,
    "original_value_fen": Kind.MONEY,
    "commissioned_on": Kind.DAY,
    "purchased_on": Kind.DAY,
    "imported": Kind.MAYBE,
    "customs_supervised": Kind.MAYBE,
    "training_needed": Kind.FLAG,
    "published": Kind.FLAG,
    "site_id": Kind.PLACE,
}
#: Every code of a field with a closed list, in the list's order.
CODES: dict[str, tuple[str, ...]] = {**CHOICES, "status": STATUSES, "service_modes": SERVICE_MODES}
#: Of a source of money: that it paid, and nobody knows how much.
KNOWN_ONLY = "known"
_DASHES = ("-", "\u2013", "\u2014")
_BETWEEN = re.compile(r"[;\uff1b]")
Cell = str | int | float | Decimal | date | datetime | bool | None
Words = Mapping[str, str]


def to_cell(field: str, value: Any, words: Words, kind: Kind | None = None) -> Cell:
    """A stored value as a cell: text, a date, a whole number, an amount in yuan as a Decimal, or None for an empty cell.

    ``kind`` is that of the field, where it is none of an instrument. ``words`` are the field's words by code; of a yes-or-no field those of
    ``yes`` and ``no``; of the place names by id.
    """
    kind = kind or KINDS[field]
    if value is None or value == "" or value == []:
        return None
    if kind is Kind.FUNDING and value == KNOWN_ONLY:
        return _DASHES[0]
    if kind in (Kind.MONEY, Kind.FUNDING):
        return Decimal(value) / 100
    if kind in (Kind.FLAG, Kind.MAYBE):
        return words["yes" if value else "no"]
    if kind in (Kind.LIST, Kind.CHOICES):
        shown = [words.get(each, each) for each in value]
        return ("\n" if any(_BETWEEN.search(each) for each in shown) else "; ").join(shown)
    if kind in (Kind.CHOICE, Kind.PLACE):
        return words.get(str(value), str(value))
    return value if isinstance(value, date) or kind is Kind.NUMBER else str(value)


def from_cell(field: str, cell: Cell, words: Sequence[Words], kind: Kind | None = None) -> Any:
    """What a cell says, as the service takes it; ``words`` in every language that may stand there, ``kind`` as in ``to_cell``.

    Raises Refusal ``sheet.word_unknown``, ``sheet.not_a_date``, ``sheet.not_a_number``, ``sheet.not_yes_or_no``, ``instrument.value_*``,
    ``instrument.site_unknown``. Lengths and contents are the cleaners' business.
    """
    kind = kind or KINDS[field]
    if kind is Kind.DAY:
        return _day(cell, field)
    text = _text(cell)
    if kind is Kind.FUNDING and text in _DASHES:
        return KNOWN_ONLY
    if kind in (Kind.MONEY, Kind.FUNDING):
        return money_fen(text, "yuan", field)
    if kind is Kind.NUMBER:
        return _number(text, field)
    if kind in (Kind.FLAG, Kind.MAYBE):
        return _yes_or_no(text, kind, field, words)
    if kind is Kind.LIST:
        return _split(text)
    if kind is Kind.CHOICES:
        return [_code(each, field, words) for each in _split(text)]
    if kind is Kind.CHOICE:
        return _code(text, field, words) if text or field == "status" else ""
    return _place(text, field, words) if kind is Kind.PLACE else text


def mark_of(values: Mapping[str, Any]) -> str:
    """A fingerprint of a row's values, by which an untouched row is known."""
    canonical = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:24]


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, float):
        return format(Decimal(repr(cell)), "f")
    return str(cell).strip()


def _day(cell: Cell, field: str) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return day(_text(cell), field)
    except Refusal:
        raise Refusal.of("sheet.not_a_date", field, text=_text(cell)[:40]) from None


def _number(text: str, field: str) -> int | None:
    plain = text.replace(",", "")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) < 19):
        raise Refusal.of("sheet.not_a_number", field, text=text[:40])
    return int(plain)


def _yes_or_no(text: str, kind: Kind, field: str, words: Sequence[Words]) -> bool | None:
    if not text:
        return None if kind is Kind.MAYBE else False
    lowered = text.casefold()
    for answer, value in (("yes", True), ("no", False)):
        if lowered in {answer, str(value).casefold(), *(known[answer].casefold() for known in words)}:
            return value
    raise Refusal.of("sheet.not_yes_or_no", field, text=text[:40])


def _split(text: str) -> list[str]:
    """Entries stand on lines of their own, or with semicolons between them on one line."""
    parts = text.split("\n") if "\n" in text else _BETWEEN.split(text)
    return [each for part in parts if (each := part.strip())]


def _code(text: str, field: str, words: Sequence[Words]) -> str:
    if text in CODES.get(field, ()):
        return text
    for known in words:
        for code, word in known.items():
            if word.casefold() == text.casefold():
                return code
    raise Refusal.of("sheet.word_unknown", field, text=text[:40])


def _place(text: str, field: str, words: Sequence[Words]) -> int:
    for known in words:
        for key, name in known.items():
            if name == text:
                return int(key)
    raise Refusal.of("instrument.site_unknown", field)
