"""The rows that go to the tax platform: of a bill one for each rate of tax, and one for each red letter that is due. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.ledger.rules.money import Rounding, round_fen


@dataclass(frozen=True, slots=True)
class Part:
    """What is invoiced at one ``rate`` (text of a decimal) of tax, in fen; ``net_fen`` + ``tax_fen`` = ``total_fen``. Where the price names
    no rate it is empty, and amount and tax are None. ``quantity`` of a ``unit``, both empty where lines of several units are together."""

    rate: str
    net_fen: int | None
    tax_fen: int | None
    total_fen: int
    quantity: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A row of the file: to whom which part of a bill is made out. ``blue``: of a red letter the number of the invoice that it takes back;
    its amounts are below zero."""

    bill: str
    title: str
    buyer_code: str
    seller_code: str
    kind: str
    email: str
    part: Part
    note: str = ""
    blue: str = ""


def parts(lines: Sequence[Mapping[str, Any]], credited: Mapping[int, int]) -> list[Part]:
    """What is owed of the lines of a bill (as its content has them) by rate of tax; ``credited``: position -> fen that is owed no longer.
    Never empty: of a bill of which nothing is owed one part over nil."""
    groups: dict[str, list[tuple[Mapping[str, Any], int]]] = {}
    for line in lines:
        left = line["amount_fen"] - credited.get(line["position"], 0)
        if left > 0:
            groups.setdefault(line.get("tax", {}).get("rate", ""), []).append((line, left))
    return [_part(rate, group) for rate, group in sorted(groups.items())] or [Part("", None, None, 0)]


def bought(total_fen: int) -> Part:
    """What an office buys by a settlement statement: its lines say neither a rate of tax nor one unit of what is bought."""
    return Part("", None, None, total_fen)


def red_part(due_fen: int, left_tax_fen: int, left_fen: int, rate: str) -> Part:
    """The red letter that takes ``due_fen`` back of what is left of an invoice: the same share of the tax that is left, all below zero, so
    that several together take no more tax than it has."""
    tax = round_fen(Fraction(due_fen * left_tax_fen, left_fen), Rounding.HALF_UP)
    return Part(rate, tax - due_fen, -tax, -due_fen)


def _part(rate: str, group: Sequence[tuple[Mapping[str, Any], int]]) -> Part:
    total = sum(left for _line, left in group)
    units = {line["unit"] for line, _left in group}
    quantity = format(sum(Decimal(line["quantity"]) for line, _left in group), "f") if len(units) == 1 else ""
    unit = units.pop() if len(units) == 1 else ""
    if not rate:
        return Part("", None, None, total, quantity, unit)
    share = Fraction(Decimal(rate))
    tax = round_fen(total * share / (1 + share), Rounding.HALF_UP)
    return Part(rate, total - tax, tax, total, quantity, unit)
