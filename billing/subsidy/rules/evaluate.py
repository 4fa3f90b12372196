"""The subsidy of one request under one programme: gates, base, rate, adjustments, rounding, caps, payers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Award, Balance, Outcome, PayerLine, Refused, Unmet
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.rules.programme import Programme

Balances = Mapping[str, Balance]


def evaluate(programme: Programme, facts: Facts, balances: Balances, *, cost_left_fen: int | None = None) -> Outcome:
    """Decide one request. Pure: the same programme, facts and balances always give the same outcome.

    ``balances`` maps cap ids to what their accounts say (a cap without one counts as unused). ``cost_left_fen`` is
    what other subsidies leave of the session's cost; an award never exceeds it, nor its own base.
    Order: gates (all of them), base, rate, adjustments as listed, rounding, the cost, joint caps as listed, split over
    payers, caps of single payers as listed.
    """
    steps: list[Step] = []
    unmet = _check_gates(programme, facts, balances, steps)
    basis_on = programme.validity.basis_on(facts)
    if unmet or basis_on is None:
        return Refused(programme.code, programme.version, tuple(unmet), tuple(steps))
    base_fen = programme.base.take(facts, steps)
    amount, estimate = _amount(programme, facts, base_fen, steps)
    computed_fen = programme.rounding.apply(amount, steps)
    return _Cutting(programme, facts, balances, steps).award(computed_fen, base_fen, cost_left_fen, basis_on, estimate=estimate)


def _check_gates(programme: Programme, facts: Facts, balances: Balances, steps: list[Step]) -> list[Unmet]:
    """Every unmet condition; what is met is noted in ``steps``."""
    unmet: list[Unmet] = []
    for condition in programme.conditions:
        found = condition.check(facts)
        if isinstance(found, Step):
            steps.append(found)
        elif found is not None and found not in unmet:
            unmet.append(found)
    for cap in programme.must_be_set:
        unset = cap.check(balances.get(cap.id))
        if unset is not None:
            unmet.append(unset)
    return unmet


def _amount(programme: Programme, facts: Facts, base_fen: int, steps: list[Step]) -> tuple[Decimal, bool]:
    """The exact amount before rounding, and whether it rests on an assumption."""
    amount = programme.rate.apply(base_fen, steps)
    estimate = False
    for adjustment in programme.adjustments:
        amount = adjustment.apply(amount, facts, steps)
        estimate = estimate or adjustment.estimates(facts)
    return amount, estimate


class _Cutting:
    """From the rounded amount to the award: cost, joint caps, payers, payers' caps."""

    __slots__ = ("accounts", "balances", "binding", "kind", "programme", "steps", "unmet")

    def __init__(self, programme: Programme, facts: Facts, balances: Balances, steps: list[Step]) -> None:
        self.programme = programme
        self.balances = balances
        self.steps = steps
        self.kind = facts.applicant.kind
        self.binding: list[str] = []
        self.unmet: list[Unmet] = []
        self.accounts: list[tuple[Cap, int]] = []

    def award(self, computed_fen: int, base_fen: int, cost_left_fen: int | None, basis_on: date, *, estimate: bool) -> Outcome:
        programme = self.programme
        amount = self._within_cost(computed_fen, base_fen, cost_left_fen)
        for cap in programme.joint_caps:
            amount = self._cut(cap, amount)
        parts = dict(zip(programme.payers.names, programme.payers.split(amount), strict=True))
        for payer, part in parts.items():
            params = {"payer": payer, "part_fen": part}
            self.steps.append(Step("payers", programme.payers.clause, "subsidy.step.payer", params, amount))
        for cap in programme.payer_caps:
            parts[cap.payer] = self._cut(cap, parts[cap.payer])
        if self.unmet:
            return Refused(programme.code, programme.version, tuple(self.unmet), tuple(self.steps))
        lines = tuple(PayerLine(payer, programme.payee, part) for payer, part in parts.items())
        total = sum(parts.values())
        self.steps.append(Step("total", programme.payers.clause, "subsidy.step.total", {"total_fen": total}, total))
        draws, left_after = self._draws(total, parts)
        return Award(
            programme=programme.code,
            version=programme.version,
            mode=programme.mode,
            payee=programme.payee,
            lines=lines,
            total_fen=total,
            base_fen=base_fen,
            computed_fen=computed_fen,
            basis_on=basis_on,
            estimate=estimate,
            binding_caps=tuple(self.binding),
            left_after=left_after,
            draws=draws,
            steps=tuple(self.steps),
        )

    def _within_cost(self, amount: int, base_fen: int, cost_left_fen: int | None) -> int:
        cost = base_fen if cost_left_fen is None else min(base_fen, cost_left_fen)
        if amount <= cost:
            return amount
        amount = self.programme.rounding.floor(cost)
        self.steps.append(Step("cost", self.programme.base.clause, "subsidy.step.within_cost", {"cost_fen": cost}, amount))
        return amount

    def _cut(self, cap: Cap, amount: int) -> int:
        """What the cap leaves of the amount, noted in either case; a cap of all or nothing that is short is unmet."""
        if not cap.concerns(self.kind):
            return amount
        room = cap.room(self.balances.get(cap.id))
        if room is None:
            return amount
        if cap.on_account:
            self.accounts.append((cap, room))
        params = {"cap": cap.id, "per": cap.per, "payer": cap.payer, "left_fen": room}
        if amount <= room:
            self.steps.append(Step("cap", cap.clause, "subsidy.step.cap_kept", params, amount))
            return amount
        if not cap.partial:
            self.unmet.append(cap.short(room, amount))
            return amount
        self.binding.append(cap.id)
        params["wanted_fen"] = amount
        amount = self.programme.rounding.floor(room)
        self.steps.append(Step("cap", cap.clause, "subsidy.step.cap_cut", params, amount))
        return amount

    def _draws(self, total: int, parts: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
        """What the award takes from each account that limits it, and what it leaves there."""
        draws = {cap.id: parts[cap.payer] if cap.payer else total for cap, _ in self.accounts}
        return draws, {cap.id: room - draws[cap.id] for cap, room in self.accounts}
