"""Rounding of the claim: the one place where an award loses a fraction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.ledger.rules.money import Rounding, parse_yuan, round_fen
from billing.pricing.rules.schedule import STEP_FEN
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet
from billing.subsidy.rules.parts.base import AnyBase
from billing.subsidy.rules.parts.exact import Exact


@dataclass(frozen=True, slots=True)
class ClaimRounding:
    """Step (1 fen, whole yuan or more) and mode. What a cap cuts afterwards is cut down to whole steps.

    ``per_line``: each line of a claim is worked out and rounded by itself; otherwise the claim as a whole, once.
    """

    clause: str
    step: str
    step_fen: int
    mode: Rounding
    per_line: bool = False

    def apply(self, amount: Exact, steps: list[Step]) -> int:
        rounded = round_fen(amount, self.mode, self.step_fen)
        params = {"step": self.step, "mode": self.mode}
        steps.append(Step("rounding", self.clause, "subsidy.step.rounding", params, rounded))
        return rounded

    def floor(self, fen: int) -> int:
        """The largest whole step that is not above ``fen`` (never negative)."""
        return fen - fen % self.step_fen if fen > 0 else 0


@dataclass(frozen=True, slots=True)
class LinesAgree:
    """The lines of a claim that is rounded line by line are the whole of its base."""

    clause: str
    base: AnyBase

    def check(self, facts: Facts) -> Unmet | None:
        lines = facts.amounts.claim.lines
        if not lines or self.base.check(facts) is not None:
            return None
        whole = self.base.take(facts, [])
        if sum(lines) == whole:
            return None
        return Unmet(self.clause, "subsidy.unmet.lines_differ", {"lines_fen": sum(lines), "base_fen": int(whole)})


def parse_step(step: str) -> int:
    """A step in fen. What is no word is an amount of yuan."""
    return STEP_FEN[step] if step in STEP_FEN else parse_yuan(step)


def parse_rounding(document: Mapping[str, Any]) -> ClaimRounding:
    """The rounding that a valid piece of a document describes."""
    step = str(document["step"])
    step_fen = parse_step(step)
    per_line = document.get("per", "claim") == "line"
    return ClaimRounding(document["clause"], step, step_fen, Rounding(document["mode"]), per_line)
