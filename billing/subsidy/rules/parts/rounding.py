"""Rounding of the claim: the one place where an award loses a fraction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.ledger.rules.money import Rounding, round_fen
from billing.pricing.rules.schedule import STEP_FEN
from billing.pricing.rules.steps import Step


@dataclass(frozen=True, slots=True)
class ClaimRounding:
    """Step (1 fen or whole yuan) and mode. What a cap cuts afterwards is cut down to whole steps."""

    clause: str
    step: str
    step_fen: int
    mode: Rounding

    def apply(self, amount: Decimal, steps: list[Step]) -> int:
        rounded = round_fen(amount, self.mode, self.step_fen)
        params = {"step": self.step, "mode": self.mode}
        steps.append(Step("rounding", self.clause, "subsidy.step.rounding", params, rounded))
        return rounded

    def floor(self, fen: int) -> int:
        """The largest whole step that is not above ``fen`` (never negative)."""
        return fen - fen % self.step_fen if fen > 0 else 0


def parse_rounding(document: Mapping[str, Any]) -> ClaimRounding:
    """The rounding that a valid piece of a document describes."""
    step = document["step"]
    return ClaimRounding(document["clause"], step, STEP_FEN[step], Rounding(document["mode"]))
