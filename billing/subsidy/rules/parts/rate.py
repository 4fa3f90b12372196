"""The rate: what share of the base is subsidised. Exact; nothing is rounded here.

The plain kinds stand here; ``rate_choice`` has those that choose among others, ``rate_fixed`` those that give amounts by the unit or
the piece. ``rate_parsing`` reads any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from billing.ledger.rules.money import EXACT, Rounding, round_fen
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.fact_fields import FactField
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet
from billing.subsidy.rules.parts.base import Taken
from billing.subsidy.rules.parts.exact import Exact, amount_step, plus, times


class Rate(Protocol):
    """Turns a base (fen, or a quantity) into an exact amount of fen.

    ``after``: the rate for what follows, once so much of the same claim was worked out (a claim that is rounded line by line).
    """

    def check(self, facts: Facts) -> Unmet | None: ...

    def estimates(self, facts: Facts) -> bool: ...

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact: ...

    def after(self, fen: int) -> Rate: ...


class Certain:
    """What most rates share: they refuse nobody, rest on no assumption and are the same for every line of a claim."""

    __slots__ = ()

    def check(self, facts: Facts) -> Unmet | None:
        return None

    def estimates(self, facts: Facts) -> bool:
        return False

    def after(self, fen: int) -> Rate:
        return self  # type: ignore[return-value]  # what derives from this has ``apply``


@dataclass(frozen=True, slots=True)
class FlatRate(Certain):
    """One share of the whole base."""

    clause: str
    rate: Exact
    rate_text: str

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        amount = times(base, self.rate)
        params = {"base_fen": base, "rate": self.rate_text}
        steps.append(amount_step("rate", self.clause, "subsidy.step.flat_rate", params, amount))
        return amount


@dataclass(frozen=True, slots=True)
class Tier:
    """The slice of the base above ``from_fen`` up to ``to_fen`` (None: without end) and its share."""

    from_fen: int
    to_fen: int | None
    rate: Exact
    rate_text: str


@dataclass(frozen=True, slots=True)
class MarginalTiers(Certain):
    """Each slice of the base has its own share, as in an income tax: more spent never means less subsidy.

    ``before``: an amount that filled the first slices already (a year counted as a whole), None where each claim starts anew.
    ``filled_fen``: what earlier lines of the same claim filled besides.
    """

    clause: str
    tiers: tuple[Tier, ...]
    before: FactField | None = None
    filled_fen: int = 0

    def after(self, fen: int) -> Rate:
        return self if self.before is None else replace(self, filled_fen=self.filled_fen + fen)

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        start_fen = 0 if self.before is None else (self.before.read(facts) or 0) + self.filled_fen
        end_fen = start_fen + base
        amount: Exact = Decimal(0)
        for tier in self.tiers:
            if end_fen <= tier.from_fen:
                break
            from_fen = tier.from_fen if tier.from_fen > start_fen else start_fen
            slice_fen = (end_fen if tier.to_fen is None else min(end_fen, tier.to_fen)) - from_fen
            if slice_fen <= 0:
                continue
            amount = plus(amount, times(slice_fen, tier.rate))
            params = {"from_fen": from_fen, "slice_fen": slice_fen, "rate": tier.rate_text}
            steps.append(amount_step("rate", self.clause, "subsidy.step.tier", params, amount))
        return amount


@dataclass(frozen=True, slots=True)
class Bracket:
    """All of a base up to ``to_fen`` (None: without end): a share of it, or one amount."""

    to_fen: int | None
    rate: Exact | None
    rate_text: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Brackets(Certain):
    """The bracket in which the whole base lies decides for all of it: one share, or one amount (a table of prizes)."""

    clause: str
    brackets: tuple[Bracket, ...]

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        found = next(each for each in self.brackets if each.to_fen is None or base <= each.to_fen)
        if found.rate is None:
            amount: Exact = Decimal(found.amount_fen)
            fixed: dict[str, Any] = {"base_fen": base, "bracket_fen": found.amount_fen}
            steps.append(amount_step("rate", self.clause, "subsidy.step.bracket_amount", fixed, amount))
            return amount
        amount = times(base, found.rate)
        params = {"base_fen": base, "rate": found.rate_text}
        steps.append(amount_step("rate", self.clause, "subsidy.step.bracket_rate", params, amount))
        return amount


@dataclass(frozen=True, slots=True)
class ExPostRate(Certain):
    """One rate for a whole batch, fixed afterwards: the pool divided by all claims, never below ``lowest`` nor above ``highest``.

    ``decimals``: places to which the rate is cut (``mode``) before it is applied; None: the exact ratio. Until pool and claims are
    known ``assume`` is used, and the amount is an estimate.
    """

    clause: str
    lowest: Decimal
    highest: Decimal
    decimals: int | None
    mode: Rounding
    assume: str

    def estimates(self, facts: Facts) -> bool:
        totals = facts.more.batch
        return totals.pool is None or totals.claims is None

    def ratio(self, pool_fen: int, claims_fen: int) -> Fraction:
        """The rate of a batch; with nothing claimed it is the highest."""
        found = Fraction(pool_fen, claims_fen) if claims_fen else Fraction(self.highest)
        found = min(max(found, Fraction(self.lowest)), Fraction(self.highest))
        if self.decimals is None:
            return found
        scale = 10**self.decimals
        whole = found * scale
        return Fraction(round_fen(whole, self.mode), scale)

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        totals = facts.more.batch
        if totals.pool is None or totals.claims is None:
            guessed = EXACT.multiply(Decimal(base), Decimal(self.assume))  # type: ignore[arg-type]  # as above
            params = {"base_fen": base, "rate": self.assume}
            steps.append(amount_step("rate", self.clause, "subsidy.step.ex_post_assumed", params, guessed))
            return guessed
        rate = self.ratio(totals.pool, totals.claims)
        amount = Fraction(base) * rate
        params = {"base_fen": base, "ratio": str(rate), "pool_fen": totals.pool, "claims_fen": totals.claims}
        steps.append(amount_step("rate", self.clause, "subsidy.step.ex_post", params, amount))
        return amount
