"""The base: the amount a rate is applied to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet, missing


@dataclass(frozen=True, slots=True)
class Base:
    """``amount`` is ``fee`` or ``contract``. What is only due because of a minimum charge is part of it or not, as the
    document says: a minimum must not carry a subsidy nobody decided."""

    clause: str
    amount: str
    with_minimum: bool

    def check(self, facts: Facts) -> Unmet | None:
        """An Unmet when the amount is not known."""
        known = getattr(facts.amounts, self.amount) is not None
        return None if known else missing(self.clause, f"amounts.{self.amount}")

    def take(self, facts: Facts, steps: list[Step]) -> int:
        """The base in fen."""
        whole: int = getattr(facts.amounts, self.amount)
        left_out = 0 if self.with_minimum else facts.amounts.minimum_top_up or 0
        eligible = whole - left_out
        params: dict[str, Any] = {"of": self.amount, "whole_fen": whole}
        key = "subsidy.step.base"
        if left_out:
            params["left_out_fen"] = left_out
            key = "subsidy.step.base_without_minimum"
        steps.append(Step("base", self.clause, key, params, eligible))
        return eligible


def parse_base(document: Mapping[str, Any]) -> Base:
    """The base that a valid piece of a document describes."""
    return Base(document["clause"], document["amount"], document["minimum_charge"] == "included")
