"""A running amount in exact fen, written into a step."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billing.ledger.rules.money import Rounding, round_fen
from billing.pricing.rules.steps import Step


def amount_step(part: str, clause: str, key: str, params: dict[str, Any], amount: Decimal) -> Step:
    """A step with the running amount. A fraction of a fen is shown half-up and kept exactly in ``exact_fen``."""
    whole = int(amount)
    if whole == amount:
        return Step(part, clause, key, params, whole)
    params["exact_fen"] = f"{amount.normalize():f}"
    return Step(part, clause, key, params, round_fen(amount, Rounding.HALF_UP))
