"""A running amount in exact fen: a Decimal, or a Fraction where a part of an hour or of a pool leaves no decimal."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.ledger.rules.money import EXACT, Rounding, round_fen
from billing.pricing.rules.steps import Step

Exact = Decimal | Fraction


def parse_exact(text: str) -> Exact:
    """A share as a document writes it: a decimal, or a fraction such as a third, of which there is no decimal."""
    return Fraction(text) if "/" in text else Decimal(text)


def times(amount: Exact | int, factor: Exact) -> Exact:
    """The amount times a factor, nothing lost."""
    if isinstance(factor, Fraction) or isinstance(amount, Fraction):
        return Fraction(amount) * Fraction(factor)
    return EXACT.multiply(Decimal(amount), factor)


def plus(amount: Exact, more: Exact | int) -> Exact:
    """The sum, nothing lost."""
    if isinstance(amount, Decimal) and not isinstance(more, Fraction):
        return EXACT.add(amount, Decimal(more))
    return Fraction(amount) + Fraction(more)


def at_most(amount: Exact, limit: Exact | int) -> Exact:
    """The lower of the two."""
    return amount if plus(amount, -limit) <= 0 else (Decimal(limit) if isinstance(limit, int) else limit)


def amount_step(part: str, clause: str, key: str, params: dict[str, Any], amount: Exact) -> Step:
    """A step with the running amount. A fraction of a fen is shown half-up and kept exactly in ``exact_fen``."""
    whole = int(amount)
    if whole == amount:
        return Step(part, clause, key, params, whole)
    params["exact_fen"] = f"{amount.normalize():f}" if isinstance(amount, Decimal) else str(amount)
    return Step(part, clause, key, params, round_fen(amount, Rounding.HALF_UP))
