"""The subsidy of one request under one programme: gates, base, rate, adjustments, rounding, caps, payers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import takewhile

from billing.pricing.rules.steps import Step
from billing.subsidy.rules.cutting import Cutting, Worked
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Balance, Outcome, Refused, Unmet
from billing.subsidy.rules.parts.adjustments import Adjustment, OncePerClaim
from billing.subsidy.rules.parts.base import Taken
from billing.subsidy.rules.parts.exact import Exact
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.sides import evaluate_both, evaluate_sides
from billing.subsidy.rules.two_sided import is_both

Balances = Mapping[str, Balance]


def evaluate(programme: Programme, facts: Facts, balances: Balances, *, cost_left_fen: int | None = None) -> Outcome:
    """Decide one request. Pure: the same programme, facts and balances always give the same outcome.

    ``balances`` maps cap ids to what their accounts say (a cap without one counts as unused). ``cost_left_fen`` is
    what other subsidies leave of the session's cost; an award that makes it cheaper never exceeds it, nor its own base.
    Order: gates (all of them), base, rate, adjustments as listed, rounding, the cost, joint caps as listed, split over
    payers, caps of single payers as listed. A programme of several sides decides each side so, in their order; where both sides claim
    (``request.side``), each on the facts of its own claim.
    """
    if programme.sides:
        each = evaluate_both if is_both(facts) else evaluate_sides
        return each(programme, facts, balances, cost_left_fen, evaluate_one)
    return evaluate_one(programme, facts, balances, cost_left_fen)


def evaluate_one(programme: Programme, facts: Facts, balances: Balances, cost_left_fen: int | None) -> Outcome:
    """``evaluate`` for a programme, or a side of one, that has its own base, rate and payers."""
    steps: list[Step] = []
    unmet = unmet_conditions(programme, facts, balances, steps)
    basis_on = programme.validity.basis_on(facts)
    if unmet or basis_on is None:
        return Refused(programme.code, programme.version, tuple(unmet), tuple(steps))
    worked = worked_out(programme, facts, basis_on, steps)
    return Cutting(programme, facts, balances, steps).award(worked, cost_left_fen)


def unmet_conditions(programme: Programme, facts: Facts, balances: Balances, steps: list[Step] | None = None) -> list[Unmet]:
    """Every unmet condition of a programme of one side; what is met is noted in ``steps``."""
    steps = [] if steps is None else steps
    unmet: list[Unmet] = []
    for condition in programme.conditions:
        found = condition.check(facts)
        if isinstance(found, Step):
            steps.append(found)
        elif found is not None and (said := programme.in_its_words(found)) not in unmet:
            unmet.append(said)
    return unmet + unset_limits(programme, balances) if programme.must_be_set else unmet


def unset_limits(programme: Programme, balances: Balances) -> list[Unmet]:
    """The caps whose limit should have been set and has not."""
    found = (cap.check(balances.get(cap.id)) for cap in programme.must_be_set)
    return [unset for unset in found if unset is not None]


def worked_out(programme: Programme, facts: Facts, basis_on: date, steps: list[Step]) -> Worked:
    """From the base to the rounded amount."""
    base = programme.base.take(facts, steps)
    if programme.rounding.per_line and facts.amounts.claim.lines:
        computed_fen = _by_line(programme, facts, base, steps)
    else:
        computed_fen = programme.rounding.apply(_amount(programme, facts, base, steps), steps)
    estimate = False
    for part in programme.unsure:
        estimate = estimate or part.estimates(facts)
    base_fen = base if isinstance(base, int) else programme.base.whole(facts)
    return Worked(computed_fen, base_fen, programme.base.cost(facts, base_fen), basis_on, estimate)


def _amount(programme: Programme, facts: Facts, base: Taken, steps: list[Step]) -> Exact:
    """The exact amount before rounding."""
    return _adjusted(programme.adjustments, programme.rate.apply(base, facts, steps), base, facts, steps)


def _adjusted(adjustments: Iterable[Adjustment], amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
    for adjustment in adjustments:
        amount = adjustment.apply(amount, base, facts, steps)
    return amount


def _by_line(programme: Programme, facts: Facts, base: Taken, steps: list[Step]) -> int:
    """A claim that is worked out and rounded line by line, in fen. What counts once for a claim (an amount asked for, a bonus) and what
    follows it changes the sum of the lines, which is rounded again."""
    rounding, rate, whole = programme.rounding, programme.rate, 0
    of_lines = tuple(takewhile(lambda each: not isinstance(each, OncePerClaim), programme.adjustments))
    for line in facts.amounts.claim.lines:
        steps.append(Step("base", programme.base.clause, "subsidy.step.line", {"line_fen": line}, line))
        amount = rate.apply(line, facts, steps)
        whole += rounding.apply(_adjusted(of_lines, amount, line, facts, steps), steps)
        rate = rate.after(line)
    once = programme.adjustments[len(of_lines) :]
    return rounding.apply(_adjusted(once, Decimal(whole), base, facts, steps), steps) if once else whole
