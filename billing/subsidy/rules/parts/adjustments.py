"""What changes the amount after the rate, in the order of the document: quality, bonus, the amount asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import EXACT, parse_yuan
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet
from billing.subsidy.rules.parts.exact import amount_step


class Adjustment(Protocol):
    """A change of the exact amount. ``estimates`` says whether it rests on an assumption for these facts."""

    def check(self, facts: Facts) -> Unmet | None: ...

    def estimates(self, facts: Facts) -> bool: ...

    def apply(self, amount: Decimal, facts: Facts, steps: list[Step]) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class QualityFactor:
    """The amount times the factor of the quality grade. Until a grade is known the document's ``assume`` is used."""

    clause: str
    factors: Mapping[str, Decimal]
    assume: str

    def check(self, facts: Facts) -> Unmet | None:
        if facts.grade is None or facts.grade in self.factors:
            return None
        params = {"grade": facts.grade, "allowed": sorted(self.factors)}
        return Unmet(self.clause, "subsidy.unmet.grade_unknown", params)

    def estimates(self, facts: Facts) -> bool:
        return facts.grade is None

    def apply(self, amount: Decimal, facts: Facts, steps: list[Step]) -> Decimal:
        grade = self.assume if facts.grade is None else facts.grade
        factor = self.factors[grade]
        amount = EXACT.multiply(amount, factor)
        key = "subsidy.step.quality_assumed" if facts.grade is None else "subsidy.step.quality"
        steps.append(amount_step("quality", self.clause, key, {"grade": grade, "factor": str(factor)}, amount))
        return amount


@dataclass(frozen=True, slots=True)
class FirstUseBonus:
    """A fixed amount on top for an applicant never subsidised before. An unknown ``first_use`` gives none."""

    clause: str
    bonus_fen: int
    only_with_subsidy: bool

    def check(self, facts: Facts) -> Unmet | None:
        return None

    def estimates(self, facts: Facts) -> bool:
        return False

    def apply(self, amount: Decimal, facts: Facts, steps: list[Step]) -> Decimal:
        if not facts.applicant.first_use or (self.only_with_subsidy and not amount):
            return amount
        amount = EXACT.add(amount, Decimal(self.bonus_fen))
        params = {"bonus_fen": self.bonus_fen}
        steps.append(amount_step("bonus", self.clause, "subsidy.step.first_use_bonus", params, amount))
        return amount


@dataclass(frozen=True, slots=True)
class AskedLimit:
    """Nobody gets more than was asked for; without an amount asked nothing changes."""

    clause: str

    def check(self, facts: Facts) -> Unmet | None:
        return None

    def estimates(self, facts: Facts) -> bool:
        return False

    def apply(self, amount: Decimal, facts: Facts, steps: list[Step]) -> Decimal:
        asked = facts.amounts.asked
        if asked is None:
            return amount
        limited = min(amount, Decimal(asked))
        key = "subsidy.step.asked_less" if limited < amount else "subsidy.step.asked_enough"
        steps.append(amount_step("asked", self.clause, key, {"asked_fen": asked}, limited))
        return limited


def parse_adjustment(document: Mapping[str, Any]) -> Adjustment:
    """The adjustment that a valid piece of a document describes."""
    clause = document["clause"]
    if document["type"] == "quality_factor":
        factors = {grade: Decimal(factor) for grade, factor in document["factors"].items()}
        return QualityFactor(clause, factors, document["assume"])
    if document["type"] == "first_use_bonus":
        return FirstUseBonus(clause, parse_yuan(document["amount"]), document["only_with_subsidy"])
    return AskedLimit(clause)


def adjustment_faults(documents: list[Mapping[str, Any]]) -> list[Fault]:
    """What the schema cannot say: the grade assumed has a factor."""
    return [
        Fault(f"$.adjustments[{place}].assume", f"the grade {piece['assume']!r} has no factor")
        for place, piece in enumerate(documents)
        if piece["type"] == "quality_factor" and piece["assume"] not in piece["factors"]
    ]
