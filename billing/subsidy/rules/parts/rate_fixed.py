"""Rates that are amounts: by the unit of service, one amount, the face value of a voucher, a number of vouchers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.ledger.rules.money import EXACT, Rounding, round_fen
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.fact_fields import FactField
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet, missing
from billing.subsidy.rules.parts.base import Taken, quantity_text
from billing.subsidy.rules.parts.exact import Exact, amount_step, at_most
from billing.subsidy.rules.parts.rate import Certain


@dataclass(frozen=True, slots=True)
class UnitTier:
    """The units above ``start`` up to ``end`` (None: without end) and the amount of each."""

    start: int
    end: int | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PerUnitRate(Certain):
    """A fixed amount per unit, or marginal tiers of units with an amount each.

    ``part_units``: how a part of a unit counts (exactly, or rounded to whole units). ``before``: units that filled the first tiers
    already, in the unit of the base; ``before_per`` of the fact's count make one unit.
    """

    clause: str
    tiers: tuple[UnitTier, ...]
    part_units: Rounding | None
    before: FactField | None
    before_per: int

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        quantity = Fraction(base)
        if self.part_units is not None:
            quantity = Fraction(round_fen(quantity, self.part_units))
        start = Fraction(0 if self.before is None else self.before.read(facts) or 0, self.before_per)
        end = start + quantity
        amount = Fraction(0)
        for tier in self.tiers:
            upper = end if tier.end is None else min(end, Fraction(tier.end))
            units = upper - max(start, Fraction(tier.start))
            if units <= 0:
                continue
            amount += units * tier.amount_fen
            params = {"quantity": quantity_text(units), "unit_fen": tier.amount_fen}
            steps.append(amount_step("rate", self.clause, "subsidy.step.per_unit", params, amount))
        return amount


@dataclass(frozen=True, slots=True)
class FixedRate(Certain):
    """One amount, whatever the base."""

    clause: str
    amount_fen: int

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        amount = Decimal(self.amount_fen)
        steps.append(amount_step("rate", self.clause, "subsidy.step.fixed", {"amount_fen": self.amount_fen}, amount))
        return amount


@dataclass(frozen=True, slots=True)
class FaceValueRate(Certain):
    """A voucher pays up to its face value; of the base the applicant bears ``own_share`` itself (0: nothing).

    ``face_fen`` None: the face value is a fact of the voucher presented.
    """

    clause: str
    face_fen: int | None
    own_share: Decimal

    def check(self, facts: Facts) -> Unmet | None:
        if self.face_fen is None and facts.amounts.claim.face_value is None:
            return missing(self.clause, "amounts.face_value")
        return None

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        face = facts.amounts.claim.face_value if self.face_fen is None else self.face_fen
        payable = EXACT.multiply(Decimal(base), EXACT.subtract(Decimal(1), self.own_share))  # type: ignore[arg-type]
        if self.own_share:
            params = {"base_fen": base, "rate": str(self.own_share)}
            steps.append(amount_step("rate", self.clause, "subsidy.step.own_share", params, payable))
        amount = at_most(payable, face or 0)
        steps.append(amount_step("rate", self.clause, "subsidy.step.face_value", {"face_fen": face or 0}, amount))
        return amount


@dataclass(frozen=True, slots=True)
class VouchersRate(Certain):
    """A number of vouchers of one face value; for a share of them the applicant adds money of its own.

    Of n vouchers n x ``co_funded_share``, rounded up, are co-funded: each asks for ``own_fen`` of the applicant's money beside it. As
    many vouchers are taken, at most those presented and ``most``, as the base can use up whole.
    """

    clause: str
    face_fen: int
    most: int
    co_funded_share: Decimal
    own_fen: int

    def check(self, facts: Facts) -> Unmet | None:
        return missing(self.clause, "quantities.vouchers") if facts.quantities.counts.vouchers is None else None

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        taken = min(facts.quantities.counts.vouchers or 0, self.most)
        while taken and self._needs(taken) > base:
            taken -= 1
        amount = Decimal(taken * self.face_fen)
        params = {
            "count": taken,
            "face_fen": self.face_fen,
            "co_funded": self._co_funded(taken),
            "own_fen": self._co_funded(taken) * self.own_fen,
        }
        steps.append(amount_step("rate", self.clause, "subsidy.step.vouchers", params, amount))
        return amount

    def _co_funded(self, count: int) -> int:
        return round_fen(EXACT.multiply(Decimal(count), self.co_funded_share), Rounding.UP)

    def _needs(self, count: int) -> int:
        """The least base that uses up so many vouchers whole, with the money that goes beside them."""
        return count * self.face_fen + self._co_funded(count) * self.own_fen
