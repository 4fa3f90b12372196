"""What has to be true of a VAT invoice before it is recorded. Pure; every fault is found at once.

An invoice of the unified system (数电票) has a number of twenty digits and no code: digits 1-2 are the year, 3-4 the province, 5 the way
it was made, 6-20 its place. Old paper has a code of ten or twelve digits and a number of eight.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

_NUMBER, _OLD_NUMBER, _OLD_CODE = re.compile(r"[0-9]{20}"), re.compile(r"[0-9]{8}"), re.compile(r"[0-9]{10}|[0-9]{12}")
#: The first two digits of GB/T 2260.
_PROVINCES = frozenset("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65".split())  # noqa: SIM905  (a table)
#: How long after its bill an invoice may be dated, in days.
WINDOW_DAYS = 366


class InvoiceKind(StrEnum):
    """Ordinary, or special (专票) whose tax the buyer deducts."""

    ORDINARY = "ordinary"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Given:
    """An invoice as somebody says it is. ``code`` only on old paper. Amounts in fen; of a red-letter invoice all below zero."""

    number: str
    code: str
    issued_on: date
    buyer_code: str
    seller_code: str
    net_fen: int
    tax_fen: int
    total_fen: int

    @property
    def key(self) -> str:
        """What tells it from every other invoice of the country."""
        return f"{self.code}{self.number}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What its bill, or its settlement statement, says. ``claimed_fen``: what is owed after credit notes, or bought after what was taken
    back; ``price_fen``: the full price before subsidy; ``first_on``/``last_on``: the days on which it may be dated. ``exact``: it is over
    ``claimed_fen`` and nothing else."""

    buyer_code: str
    seller_code: str
    claimed_fen: int
    price_fen: int
    first_on: date
    last_on: date
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Paired:
    """The blue invoice that a red-letter one reverses, and what of it and of its tax is left (fen)."""

    buyer_code: str
    seller_code: str
    issued_on: date
    left_fen: int
    left_tax_fen: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A code of a sentence (``invoice.*``), the field it is about, and its parameters."""

    code: str
    field: str
    params: dict[str, Any]


def plain(text: str) -> str:
    """Digits and codes as they are compared: full width made plain, no blanks or hyphens, capitals."""
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).upper()


def faults(given: Given, expected: Expected) -> list[Fault]:
    """Everything wrong with a blue invoice for a bill or a settlement statement."""
    return [*_form(given), *_parties(given, expected), *_blue_amounts(given, expected), *_day(given, expected)]


def red_faults(given: Given, blue: Paired, today: date) -> list[Fault]:
    """Everything wrong with a red-letter invoice: it names the same parties, is not older and takes no more back than is left, of the
    price without tax and of the tax too."""
    found = [*_form(given)]
    found += _parties(given, Expected(blue.buyer_code, blue.seller_code, 0, 0, today, today))
    if given.total_fen >= 0 or given.net_fen >= 0 or given.tax_fen > 0:
        found.append(Fault("invoice.red_below_zero", "total_fen", {}))
    elif given.net_fen + given.tax_fen != given.total_fen:
        found.append(Fault("invoice.sum", "total_fen", _sum(given)))
    else:
        found += _beyond(given, blue)
    if not blue.issued_on <= given.issued_on <= today:
        found.append(Fault("invoice.window", "issued_on", {"first_on": blue.issued_on.isoformat(), "last_on": today.isoformat()}))
    return found


def _beyond(given: Given, blue: Paired) -> list[Fault]:
    """What a red-letter invoice takes back beyond what is left; where the total does, that says it alone."""
    taken = (
        ("total_fen", -given.total_fen, blue.left_fen),
        ("net_fen", -given.net_fen, blue.left_fen - blue.left_tax_fen),
        ("tax_fen", -given.tax_fen, blue.left_tax_fen),
    )
    return [Fault("invoice.red_too_much", name, {"left_fen": left}) for name, fen, left in taken if fen > left][:1]


def _form(given: Given) -> Iterator[Fault]:
    if given.code:
        if not _OLD_CODE.fullmatch(given.code) or not _OLD_NUMBER.fullmatch(given.number):
            yield Fault("invoice.old_number", "number", {})
    elif not _NUMBER.fullmatch(given.number):
        yield Fault("invoice.number", "number", {"digits": len(given.number)})
    elif int(given.number[:2]) != given.issued_on.year % 100:
        yield Fault("invoice.number_year", "number", {"year": given.number[:2]})
    elif given.number[2:4] not in _PROVINCES:
        yield Fault("invoice.number_province", "number", {"province": given.number[2:4]})


def _parties(given: Given, expected: Expected) -> Iterator[Fault]:
    if given.buyer_code != expected.buyer_code:
        yield Fault("invoice.buyer", "buyer_code", {"expected": expected.buyer_code})
    if given.seller_code != expected.seller_code:
        yield Fault("invoice.seller", "seller_code", {"expected": expected.seller_code})


def _blue_amounts(given: Given, expected: Expected) -> Iterator[Fault]:
    if given.net_fen <= 0 or given.tax_fen < 0:
        yield Fault("invoice.amount", "net_fen", {})
    elif given.net_fen + given.tax_fen != given.total_fen:
        yield Fault("invoice.sum", "total_fen", _sum(given))
    elif expected.exact:
        if given.total_fen != expected.claimed_fen:
            yield Fault("invoice.not_bought", "total_fen", {"claimed_fen": expected.claimed_fen})
    elif given.total_fen < expected.claimed_fen:
        yield Fault("invoice.below_bill", "total_fen", {"claimed_fen": expected.claimed_fen})
    elif given.total_fen > expected.price_fen:
        yield Fault("invoice.above_price", "total_fen", {"price_fen": expected.price_fen})


def _day(given: Given, expected: Expected) -> Iterator[Fault]:
    if not expected.first_on <= given.issued_on <= expected.last_on:
        params = {"first_on": expected.first_on.isoformat(), "last_on": expected.last_on.isoformat()}
        yield Fault("invoice.window", "issued_on", params)


def _sum(given: Given) -> dict[str, int]:
    return {"sum_fen": given.net_fen + given.tax_fen, "total_fen": given.total_fen}
