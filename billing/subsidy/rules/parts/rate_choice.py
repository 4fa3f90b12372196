"""Rates that choose: by cases (a matrix of any facts), the best of several, within a range, and one rate per level of government."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from billing.ledger.rules.money import EXACT
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet, missing
from billing.subsidy.rules.parts.base import Taken
from billing.subsidy.rules.parts.conditions import Condition
from billing.subsidy.rules.parts.exact import Exact, amount_step, plus, times
from billing.subsidy.rules.parts.rate import Certain, Rate


@dataclass(frozen=True, slots=True)
class Case:
    """A rate for those of whom a condition holds; ``says`` is the condition in words (zh, en)."""

    when: Condition
    says: Mapping[str, str]
    rate: Rate


def _after(cases: tuple[Case, ...], fen: int) -> tuple[Case, ...]:
    return tuple(replace(case, rate=case.rate.after(fen)) for case in cases)


def _choose(cases: tuple[Case, ...], facts: Facts, unknown: list[str]) -> Case | None:
    """The first case that holds. A case of which it cannot be told stops the choice: a later one might be wrong. ``unknown`` learns what
    that case would have to know; what a case that does not hold anyway did not know is of no matter."""
    for case in cases:
        not_known: list[str] = []
        answer = case.when.holds(facts, not_known)
        if answer:
            return case
        if answer is None:
            unknown += not_known
            return None
    return None


@dataclass(frozen=True, slots=True)
class CasesRate:
    """The first case that holds gives the rate, otherwise ``otherwise``; without one the request is refused."""

    clause: str
    cases: tuple[Case, ...]
    otherwise: Rate | None

    def check(self, facts: Facts) -> Unmet | None:
        unknown: list[str] = []
        case = _choose(self.cases, facts, unknown)
        if case is not None:
            return case.rate.check(facts)
        if unknown:
            return missing(self.clause, unknown[0])
        if self.otherwise is not None:
            return self.otherwise.check(facts)
        return Unmet(self.clause, "subsidy.unmet.no_case", {"count": len(self.cases)})

    def estimates(self, facts: Facts) -> bool:
        return self._rate(facts)[0].estimates(facts)

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        rate, says = self._rate(facts)
        if says is not None:
            steps.append(Step("gate", self.clause, "subsidy.step.case", {"says": dict(says)}, 0))
        return rate.apply(base, facts, steps)

    def after(self, fen: int) -> Rate:
        otherwise = None if self.otherwise is None else self.otherwise.after(fen)
        return replace(self, cases=_after(self.cases, fen), otherwise=otherwise)

    def _rate(self, facts: Facts) -> tuple[Rate, Mapping[str, str] | None]:
        case = _choose(self.cases, facts, [])
        if case is not None:
            return case.rate, case.says
        if self.otherwise is None:
            raise ValueError("no case holds; check the facts first")
        return self.otherwise, None


@dataclass(frozen=True, slots=True)
class BestOfRate:
    """Of all cases that hold the one that gives most; they are not added up. At a tie the first. A case that cannot be told is passed."""

    clause: str
    cases: tuple[Case, ...]

    def check(self, facts: Facts) -> Unmet | None:
        fitting = self._fitting(facts)
        if not fitting:
            return Unmet(self.clause, "subsidy.unmet.no_case", {"count": len(self.cases)})
        unmet = [case.rate.check(facts) for case in fitting]
        return unmet[0] if all(unmet) else None

    def estimates(self, facts: Facts) -> bool:
        return any(case.rate.estimates(facts) for case in self._fitting(facts) if case.rate.check(facts) is None)

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        worked: list[tuple[Exact, Case, list[Step]]] = []
        for case in self._fitting(facts):
            if case.rate.check(facts) is None:
                own: list[Step] = []
                worked.append((case.rate.apply(base, facts, own), case, own))
        best = worked[0]
        for other in worked[1:]:
            if plus(other[0], -best[0]) > 0:
                best = other
        params = {"says": dict(best[1].says), "count": len(worked)}
        steps.append(Step("gate", self.clause, "subsidy.step.best_case", params, 0))
        steps += best[2]
        return best[0]

    def after(self, fen: int) -> Rate:
        return replace(self, cases=_after(self.cases, fen))

    def _fitting(self, facts: Facts) -> list[Case]:
        return [case for case in self.cases if case.when.holds(facts, [])]


@dataclass(frozen=True, slots=True)
class ChosenRate(Certain):
    """A rate chosen for each claim between ``lowest`` and ``highest``. Where none was chosen: the highest, or the request is refused."""

    clause: str
    lowest: Decimal
    highest: Decimal
    when_not_chosen: str

    def check(self, facts: Facts) -> Unmet | None:
        if facts.more.request.rate is None and self.when_not_chosen == "refuse":
            return missing(self.clause, "request.rate")
        return None

    def estimates(self, facts: Facts) -> bool:
        return facts.more.request.rate is None

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        asked = facts.more.request.rate
        wanted = asked if asked is not None else (self.highest if self.when_not_chosen == "highest" else self.lowest)
        rate = min(max(wanted, self.lowest), self.highest)
        amount = EXACT.multiply(Decimal(base), rate)  # type: ignore[arg-type]  # a share is of an amount (rate_faults)
        key = "subsidy.step.rate_not_chosen" if asked is None else "subsidy.step.rate_chosen"
        params = {"base_fen": base, "rate": str(rate), "lowest_rate": str(self.lowest), "highest_rate": str(self.highest)}
        steps.append(amount_step("rate", self.clause, key, params, amount))
        return amount


@dataclass(frozen=True, slots=True)
class Level:
    """What one level of government adds: a share of the base, on a condition or always."""

    payer: str
    rate: Exact
    rate_text: str
    when: Condition | None
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StackedRate(Certain):
    """Every level of government adds its own rate, an upper one perhaps only on a condition; who pays follows the levels."""

    clause: str
    levels: tuple[Level, ...]

    def paying(self, facts: Facts) -> list[Level]:
        """The levels that pay for these facts; one of which it cannot be told does not."""
        return [level for level in self.levels if level.when is None or level.when.holds(facts, [])]

    def apply(self, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        amount: Exact = Decimal(0)
        for level in self.paying(facts):
            amount = plus(amount, times(base, level.rate))
            params: dict[str, Any] = {"payer": level.payer, "base_fen": base, "rate": level.rate_text}
            steps.append(amount_step("rate", self.clause, "subsidy.step.level_rate", params, amount))
        return amount
