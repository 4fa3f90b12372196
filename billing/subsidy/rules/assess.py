"""The one function behind quote, hold, charge, statement and replay: the price of a session and every subsidy on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from billing.pricing.rules.pricing import PricedSession, price_session
from billing.pricing.rules.schedule import PriceSchedule
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import Amounts, Facts, Quantities, Service
from billing.subsidy.rules.outcome import Award, Balance, Outcome, Refused, SettlementMode, Unmet
from billing.subsidy.rules.programme import Programme
from config.kernel.time_range import TimeRange

#: Changes whenever the same inputs could give another result. Frozen with every charge; replay asks for the same one.
ENGINE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A programme to be tried on a session: the facts without amounts, and the balances of its caps before it."""

    programme: Programme
    facts: Facts
    balances: Mapping[str, Balance]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a session costs and who pays. All in fen.

    ``payable_now_fen`` = gross - deducted; ``final_cost_fen`` = payable now - refunded; never negative.
    ``outcomes`` follow the order of the candidates. ``estimate``: at least one award rests on an assumption.
    ``steps`` are the price and the four numbers; each outcome carries its own.
    """

    gross_fen: int
    priced: PricedSession
    outcomes: tuple[Outcome, ...]
    deducted_fen: int
    refunded_fen: int
    payable_now_fen: int
    final_cost_fen: int
    estimate: bool
    steps: tuple[Step, ...]

    @property
    def awards(self) -> tuple[Award, ...]:
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Award))


def assess_session(
    schedule: PriceSchedule,
    time_range: TimeRange,
    zone: ZoneInfo,
    customer_class: str,
    candidates: Sequence[Candidate] = (),
) -> Assessment:
    """Price a session and apply every candidate programme.

    The session's fee and contract amount are its gross, the minutes its length, the service date the local date of its
    start unless the facts say otherwise. Of programmes with the same exclusive class the one that gives most stays
    (at a tie the lower code). What stays is granted in the order of the candidates, each within what the ones before
    it left of the cost, so that subsidies never exceed the gross.
    Raises Refusal ``price.class_without_rate``; ValueError when a programme is listed twice.
    """
    if len({candidate.programme.code for candidate in candidates}) != len(candidates):
        raise ValueError("a programme can be applied to a session only once")
    priced = price_session(schedule, time_range, zone, customer_class)
    outcomes = _granted(candidates, [_session_facts(each.facts, priced, time_range) for each in candidates], priced)
    deducted = refunded = 0
    estimate = False
    for outcome in outcomes:
        if isinstance(outcome, Award):
            estimate = estimate or outcome.estimate
            if outcome.mode is SettlementMode.DEDUCTED_NOW:
                deducted += outcome.total_fen
            else:
                refunded += outcome.total_fen
    payable_now = priced.gross_fen - deducted
    final_cost = payable_now - refunded
    return Assessment(
        gross_fen=priced.gross_fen,
        priced=priced,
        outcomes=outcomes,
        deducted_fen=deducted,
        refunded_fen=refunded,
        payable_now_fen=payable_now,
        final_cost_fen=final_cost,
        estimate=estimate,
        steps=(
            *priced.steps,
            Step("total", "", "session.step.gross", {"gross_fen": priced.gross_fen}, priced.gross_fen),
            Step("total", "", "session.step.payable_now", {"deducted_fen": deducted}, payable_now),
            Step("total", "", "session.step.final_cost", {"refunded_fen": refunded}, final_cost),
        ),
    )


def _session_facts(facts: Facts, priced: PricedSession, time_range: TimeRange) -> Facts:
    """The caller's facts completed by what the session itself says; only the amount asked for is the caller's."""
    service, quantities = facts.service, facts.quantities
    if service.service_on is None:
        service = Service(service.kind, priced.local_on, service.invoice_on, service.claim_on, service.approval_on)
    if quantities.minutes is None:
        quantities = Quantities(time_range.seconds // 60, quantities.samples)
    gross = priced.gross_fen
    amounts = Amounts(gross, gross, priced.minimum_top_up_fen, facts.amounts.asked)
    return Facts(facts.applicant, facts.provider, facts.instrument, service, amounts, quantities, facts.grade)


def _granted(candidates: Sequence[Candidate], facts: Sequence[Facts], priced: PricedSession) -> tuple[Outcome, ...]:
    outcomes = [
        evaluate(candidate.programme, fact, candidate.balances, cost_left_fen=priced.gross_fen)
        for candidate, fact in zip(candidates, facts, strict=True)
    ]
    if len(outcomes) < 2:
        return tuple(outcomes)
    _exclude(candidates, outcomes)
    left = priced.gross_fen
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, Award) and outcome.total_fen > left:
            candidate = candidates[place]
            outcome = evaluate(candidate.programme, facts[place], candidate.balances, cost_left_fen=left)
            outcomes[place] = outcome
        if isinstance(outcome, Award):
            left -= outcome.total_fen
    return tuple(outcomes)


def _exclude(candidates: Sequence[Candidate], outcomes: list[Outcome]) -> None:
    """Within each exclusive class keep the award that gives most and refuse the others, naming it."""
    best: dict[str, Award] = {}
    for candidate, outcome in zip(candidates, outcomes, strict=True):
        name = candidate.programme.exclusive_class
        if name and isinstance(outcome, Award):
            best[name] = min(best.get(name, outcome), outcome, key=lambda award: (-award.total_fen, award.programme))
    for place, (candidate, outcome) in enumerate(zip(candidates, outcomes, strict=True)):
        winner = best.get(candidate.programme.exclusive_class)
        if winner is None or not isinstance(outcome, Award) or outcome is winner:
            continue
        params = {
            "exclusive_class": candidate.programme.exclusive_class,
            "programme": winner.programme,
            "version": winner.version,
            "winner_fen": winner.total_fen,
            "instead_fen": outcome.total_fen,
        }
        reason = Unmet(candidate.programme.exclusive_clause, "subsidy.unmet.exclusive", params)
        outcomes[place] = Refused(outcome.programme, outcome.version, (reason,), outcome.steps)
