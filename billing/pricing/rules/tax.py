"""The tax on a price: contained in it or added to it, rounded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from billing.ledger.rules.money import EXACT, WIDE, Rounding, round_fen
from billing.pricing.rules.steps import Step

INCLUDED, ADDED, IN_EXTRAS = "price.step.tax_included", "price.step.tax_added", "price.step.tax_in_extras"
"""The lines of the working that tell a tax: ``rate`` with ``tax_fen`` that the price, or what is charged beside it, contains, or
``line_fen`` that is added to the price."""


@dataclass(frozen=True, slots=True)
class Tax:
    """``rate`` (0.06 is six per cent), and whether the prices contain it."""

    rate: Decimal
    included: bool

    def added_fen(self, net_fen: int) -> int:
        """What is added to a price, rounded half up to the fen; nothing where the price contains it."""
        return 0 if self.included else round_fen(EXACT.multiply(Decimal(net_fen), self.rate), Rounding.HALF_UP)

    def with_tax_fen(self, price_fen: int) -> int:
        """What a price of the same document comes to with the tax that is added to it."""
        return price_fen + self.added_fen(price_fen)

    def contained_fen(self, gross_fen: int) -> int:
        """The part of a price that is tax, rounded half up to the fen."""
        part = EXACT.multiply(Decimal(gross_fen), self.rate)
        return round_fen(WIDE.divide(part, EXACT.add(Decimal(1), self.rate)), Rounding.HALF_UP)

    def step(self, net_fen: int, gross_fen: int) -> Step:
        """The line of the working that tells it."""
        if self.included:
            params: dict[str, Any] = {"rate": f"{self.rate:f}", "tax_fen": self.contained_fen(gross_fen)}
            return Step("price", "", INCLUDED, params, gross_fen)
        params = {"rate": f"{self.rate:f}", "net_fen": net_fen, "line_fen": gross_fen - net_fen}
        return Step("price", "", ADDED, params, gross_fen)

    def step_of_extras(self, extras_fen: int) -> Step:
        """The line that tells the tax in what is charged beside the price: what was agreed to is what is charged, so it contains the tax
        wherever the prices stand without it."""
        params: dict[str, Any] = {"rate": f"{self.rate:f}", "tax_fen": self.contained_fen(extras_fen)}
        return Step("price", "", IN_EXTRAS, params, extras_fen)


class TaxTold(NamedTuple):
    """The tax of a price as its working tells it, with what is in the extras: ``amount_fen`` at ``rate`` ("0.06" is six per cent); whether
    the price contains it or it was added to it."""

    rate: str
    amount_fen: int
    included: bool


def tax_told(steps: Iterable[tuple[str, Mapping[str, Any]]]) -> TaxTold | None:
    """The tax in a working, given as the keys and parameters of its steps; None where the price names no rate."""
    found = [(key, params) for key, params in steps if key in (INCLUDED, ADDED, IN_EXTRAS)]
    if not found:
        return None
    amount = sum(params["line_fen" if key == ADDED else "tax_fen"] for key, params in found)
    return TaxTold(found[0][1]["rate"], amount, included=all(key != ADDED for key, _ in found))


def tax_of(document: Mapping[str, Any] | None) -> Tax | None:
    """The part ``tax`` of a document that was checked by its schema."""
    return None if document is None else Tax(Decimal(document["rate"]), document["included"])
