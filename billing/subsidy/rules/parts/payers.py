"""Payers: who pays which share, and who takes the fen that rounding leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import EXACT, Rounding, round_fen, split_whole, whole_weights


@dataclass(frozen=True, slots=True)
class Payers:
    """The payers with their shares (sum 1), and the same proportions in whole numbers (``weights``).

    ``rest``: place of the payer who takes what the others leave, each of them rounded to the fen with ``rounding``;
    None: largest remainder over all.
    """

    clause: str
    names: tuple[str, ...]
    shares: tuple[Decimal, ...]
    weights: tuple[int, ...]
    rest: int | None
    rounding: Rounding

    def split(self, total_fen: int) -> tuple[int, ...]:
        """The amount of each payer in fen, in the order of ``names``; they sum to ``total_fen`` exactly."""
        if self.rest is None:
            return split_whole(total_fen, self.weights)
        left = total_fen
        parts = []
        for place, share in enumerate(self.shares):
            if place == self.rest:
                parts.append(0)
                continue
            part = min(left, round_fen(EXACT.multiply(Decimal(total_fen), share), self.rounding))
            parts.append(part)
            left -= part
        parts[self.rest] = left
        return tuple(parts)


def parse_payers(document: Mapping[str, Any]) -> Payers:
    """The payers that a valid piece of a document describes."""
    names = tuple(each["payer"] for each in document["shares"])
    by_rest = document["rule"] == "named_rest"
    shares = tuple(Decimal(each["share"]) for each in document["shares"])
    return Payers(
        clause=document["clause"],
        names=names,
        shares=shares,
        weights=whole_weights(shares),
        rest=names.index(document["rest"]) if by_rest else None,
        rounding=Rounding(document.get("rounding", Rounding.DOWN)),
    )


def payer_faults(document: Mapping[str, Any]) -> list[Fault]:
    """What the schema cannot say: payers are different, shares sum to 1, the rest goes to one of them."""
    names = [each["payer"] for each in document["shares"]]
    faults = []
    if len(set(names)) != len(names):
        faults.append(Fault("$.payers.shares", "a payer is named twice"))
    if sum(Decimal(each["share"]) for each in document["shares"]) != 1:
        faults.append(Fault("$.payers.shares", "the shares must sum to 1"))
    if document["rule"] == "named_rest" and document["rest"] not in names:
        faults.append(Fault("$.payers.rest", f"{document['rest']!r} is not one of the payers"))
    return faults
