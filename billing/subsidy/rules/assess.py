"""The one function behind quote, hold, charge, statement and replay: a price and every subsidy on it.

What is priced differs (a session by its time, a commissioned test by its samples); what follows the price is the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from billing.pricing.rules.pricing import ALONE, PricedSession, Use, price_session, with_session_extras
from billing.pricing.rules.samples import ExtraCharge, PricedSamples, SamplePrice, price_samples, with_extras
from billing.pricing.rules.schedule import PriceSchedule
from billing.pricing.rules.steps import Step
from billing.pricing.rules.tax import Tax, TaxTold, tax_told
from billing.subsidy.rules import given_here, priced_facts
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import NO_QUANTITIES, Amounts, ClaimAmounts, Facts, Quantities
from billing.subsidy.rules.for_customers import is_cost_unsure
from billing.subsidy.rules.given_here import OTHERS, Given
from billing.subsidy.rules.outcome import Award, Balance, Outcome, Refused, SettlementMode, Unmet
from billing.subsidy.rules.programme import Programme
from config.kernel.time_range import TimeRange

#: Changes whenever the same inputs could give another result; the older one stays then (``engines``). Frozen with every quote and charge.
ENGINE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A programme to be tried on a session: the facts without amounts, and the balances of its caps before it. ``told``: the paths of the
    facts that it is told of the price (``priced_facts``) and of what other programmes give (``given_here``). ``beside``: what was given
    before it by programmes that are not tried with it."""

    programme: Programme
    facts: Facts
    balances: Mapping[str, Balance]
    told: frozenset[str] = frozenset()
    beside: tuple[Given, ...] = ()


class Priced(Protocol):
    """What a price has whatever was priced."""

    @property
    def local_on(self) -> date: ...
    @property
    def gross_fen(self) -> int: ...
    @property
    def minimum_top_up_fen(self) -> int: ...
    @property
    def steps(self) -> tuple[Step, ...]: ...


P = TypeVar("P", PricedSession, PricedSamples)


class Assessment(NamedTuple, Generic[P]):
    """What a session or a commissioned test costs and who pays. All in fen.

    ``payable_now_fen`` = gross - deducted; ``final_cost_fen`` = payable now - refunded; never negative.
    ``outcomes`` follow the order of the candidates. ``estimate``: at least one award rests on an assumption; of what both sides claimed
    only what the user gets counts.
    ``steps`` are the price and the four numbers; each outcome carries its own. ``engine``: the version that worked it out.
    """

    gross_fen: int
    priced: P
    outcomes: tuple[Outcome, ...]
    deducted_fen: int
    refunded_fen: int
    payable_now_fen: int
    final_cost_fen: int
    estimate: bool
    steps: tuple[Step, ...]
    engine: str = ENGINE_VERSION

    @property
    def awards(self) -> tuple[Award, ...]:
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Award))

    @property
    def tax(self) -> TaxTold | None:
        """The tax in the gross price or on it."""
        return tax_told((step.key, step.params) for step in self.priced.steps)


def assess_session(
    schedule: PriceSchedule,
    time_range: TimeRange,
    zone: ZoneInfo,
    customer_class: str,
    candidates: Sequence[Candidate] = (),
    subsidised_until: datetime | None = None,
    use: Use = ALONE,
    extras: Sequence[ExtraCharge] = (),
) -> Assessment[PricedSession]:
    """Price a session and apply every candidate programme.

    The session's fee and contract amount are its gross, the minutes its length, the service date the local date of its
    start unless the facts say otherwise. Of programmes that exclude each other the one that gives most stays
    (at a tie the lower code). What stays is granted in the order of the candidates, each within what the ones before
    it left of the cost, so that subsidies never exceed the gross; one that looks at what others gave is told what those before it gave.
    What lies after ``subsidised_until`` (within the range) is priced and never subsidised. ``use``: what the price asks of the session
    beside its time. ``extras``: what was used besides and agreed to; it is charged and never subsidised.
    Raises Refusal ``price.class_without_rate``; ValueError when a programme is listed twice.
    """
    priced = price_session(schedule, time_range, zone, customer_class, use)
    whole = with_session_extras(priced, extras, schedule.tax)
    more = [("session.step.extras", whole.gross_fen - priced.gross_fen)] if extras else []
    if subsidised_until is None or not time_range.starts_at < subsidised_until < time_range.ends_at:
        return _shared(priced, candidates, Quantities(time_range.seconds // 60), "session.step.gross", whole, more)
    inside = TimeRange(time_range.starts_at, subsidised_until)
    agreed = price_session(schedule, inside, zone, customer_class, use)
    beyond = [("session.step.beyond_booked", max(0, priced.gross_fen - agreed.gross_fen)), *more]
    return _shared(agreed, candidates, Quantities(inside.seconds // 60), "session.step.gross", whole, beyond)


def assess_nothing(
    on: date,
    customer_class: str,
    candidates: Sequence[Candidate] = (),
    extras: Sequence[ExtraCharge] = (),
    tax: Tax | None = None,
) -> Assessment[PricedSession]:
    """A session for whose time nothing is charged: no price, and so no subsidy; ``extras`` as in ``assess_session``, with the ``tax``
    that the price names."""
    priced = PricedSession(customer_class, on, 0, 0, (), ())
    whole = with_session_extras(priced, extras, tax)
    more = [("session.step.extras", whole.gross_fen)] if extras else []
    return _shared(priced, candidates, Quantities(minutes=0), "session.step.gross", whole, more)


def assess_samples(
    price: SamplePrice,
    samples: int,
    elements: int,
    local_on: date,
    customer_class: str,
    candidates: Sequence[Candidate] = (),
    extras: Sequence[ExtraCharge] = (),
) -> Assessment[PricedSamples]:
    """Price a commissioned test and apply every candidate programme, as ``assess_session`` does with a session.

    What was agreed to be charged beyond the price (``extras``) is never subsidised.
    Raises Refusal ``price.samples_out_of_range``, ``price.elements_out_of_range``; ValueError as there.
    """
    priced = price_samples(price, samples, elements, customer_class, local_on)
    measured = Quantities(samples=samples)
    if not extras:
        return _shared(priced, candidates, measured, "samples.step.gross", priced)
    whole = with_extras(priced, extras, price.terms.tax if price.terms is not None else None)
    beyond = [("samples.step.extras", whole.gross_fen - priced.gross_fen)]
    return _shared(priced, candidates, measured, "samples.step.gross", whole, beyond)


def session_facts(
    candidate: Candidate,
    schedule: PriceSchedule,
    time_range: TimeRange,
    zone: ZoneInfo,
    customer_class: str,
    subsidised_until: datetime | None = None,
    use: Use = ALONE,
) -> Facts:
    """The facts on which ``assess_session`` decides about a candidate, completed by what is priced; for rules over a whole batch."""
    if subsidised_until is not None and time_range.starts_at < subsidised_until < time_range.ends_at:
        time_range = TimeRange(time_range.starts_at, subsidised_until)
    priced = price_session(schedule, time_range, zone, customer_class, use)
    return _complete(candidate, priced, Quantities(minutes=time_range.seconds // 60))


def sample_facts(
    candidate: Candidate, price: SamplePrice, samples: int, elements: int, local_on: date, customer_class: str
) -> Facts:
    """The facts on which ``assess_samples`` decides about a candidate."""
    priced = price_samples(price, samples, elements, customer_class, local_on)
    return _complete(candidate, priced, Quantities(samples=samples))


def _shared(
    priced: Priced,
    candidates: Sequence[Candidate],
    measured: Quantities,
    gross_key: str,
    whole: P,
    beyond: Sequence[tuple[str, int]] = (),
) -> Assessment[P]:
    """The programmes share in ``priced``; ``whole`` is the price with what nobody subsidises: ``beyond`` are the key of each part's step
    and how much more it is."""
    outcomes = _granted(candidates, priced, measured)
    deducted = refunded = 0
    estimate = False
    for outcome in outcomes:
        if isinstance(outcome, Award):
            estimate = estimate or is_cost_unsure(outcome)
            if outcome.sides is not None:
                deducted += outcome.given_fen(SettlementMode.DEDUCTED_NOW)
                refunded += outcome.given_fen(SettlementMode.REFUNDED_LATER)
            elif outcome.mode is SettlementMode.DEDUCTED_NOW:
                deducted += outcome.total_fen
            elif outcome.mode is SettlementMode.REFUNDED_LATER:
                refunded += outcome.total_fen
    gross: int = whole.gross_fen
    payable_now = gross - deducted
    final_cost = payable_now - refunded
    steps = (
        *whole.steps,
        *(_beyond_steps(beyond, gross) if beyond else ()),
        Step("total", "", gross_key, {"gross_fen": gross}, gross),
        Step("total", "", "session.step.payable_now", {"deducted_fen": deducted}, payable_now),
        Step("total", "", "session.step.final_cost", {"refunded_fen": refunded}, final_cost),
    )
    return Assessment(gross, whole, outcomes, deducted, refunded, payable_now, final_cost, estimate, steps)


def _beyond_steps(beyond: Sequence[tuple[str, int]], whole_fen: int) -> Iterator[Step]:
    running = whole_fen - sum(fen for _, fen in beyond[1:])
    for place, (key, fen) in enumerate(beyond):
        running += fen if place else 0
        yield Step("total", "", key, {"beyond_fen": fen}, running)


def _complete(candidate: Candidate, priced: Priced, measured: Quantities) -> Facts:
    """The caller's facts completed by what was priced; what is asked for and what the claim brings along is the caller's.

    Invoice and payment have not happened yet: they are expected to be the price.
    """
    facts = candidate.facts
    service, quantities = facts.service, facts.quantities
    if service.service_on is None:
        service = replace(service, service_on=priced.local_on)
    gross = priced.gross_fen
    claim = facts.amounts.claim
    if candidate.programme.asks_what_was_paid:
        claim = replace(
            claim,
            paid=gross if claim.paid is None else claim.paid,
            invoice=gross if claim.invoice is None else claim.invoice,
        )
    known = measured if quantities is NO_QUANTITIES else _with_measured(quantities, measured)
    if candidate.told:
        claim, known = _with_told(candidate.told, priced, facts, claim, known)
    amounts = Amounts(gross, gross, priced.minimum_top_up_fen, facts.amounts.asked, claim)
    found = Facts(facts.applicant, facts.provider, facts.instrument, service, amounts, known, facts.grade, facts.more)
    return given_here.with_given(found, candidate.beside) if OTHERS in candidate.told else found


def _with_told(
    paths: frozenset[str], priced: Priced, facts: Facts, claim: ClaimAmounts, known: Quantities
) -> tuple[ClaimAmounts, Quantities]:
    """With what follows from the price, of that what the programme is told; what the caller said stays."""
    assert isinstance(priced, PricedSession | PricedSamples)
    found = {path: value for path, value in priced_facts.told(priced, known.minutes, facts).items() if path in paths}
    if claim.tax is None and priced_facts.TAX in found:
        claim = replace(claim, tax=found[priced_facts.TAX])
    if claim.external_income is None and priced_facts.EXTERNAL_INCOME in found:
        claim = replace(claim, external_income=found[priced_facts.EXTERNAL_INCOME])
    names = {path.partition(".")[2]: value for path, value in found.items() if path.startswith("quantities.")}
    counted = {name: value for name, value in names.items() if getattr(known.counts, name) is None}
    return claim, replace(known, counts=replace(known.counts, **counted)) if counted else known


def _with_measured(quantities: Quantities, measured: Quantities) -> Quantities:
    """What the caller said; what was left open is what was measured."""
    minutes = measured.minutes if quantities.minutes is None else quantities.minutes
    samples = measured.samples if quantities.samples is None else quantities.samples
    return Quantities(minutes, samples, quantities.counts)


def _granted(candidates: Sequence[Candidate], priced: Priced, measured: Quantities) -> tuple[Outcome, ...]:
    """What comes of every candidate, in their order. Raises ValueError when a programme is listed twice."""
    left = priced.gross_fen
    facts = [_complete(candidate, priced, measured) for candidate in candidates]
    if len(candidates) == 1:
        return (_decided(candidates[0], facts[0], left),)
    if len({candidate.programme.code for candidate in candidates}) != len(candidates):
        raise ValueError("a programme can be applied only once")
    outcomes = [_decided(candidate, fact, left) for candidate, fact in zip(candidates, facts, strict=True)]
    excluded = _exclude(candidates, outcomes)
    for place, candidate in enumerate(candidates):
        outcome = outcomes[place]
        if OTHERS in candidate.told and place not in excluded and (given := given_here.given_of(outcomes[:place])):
            outcome = _beside_others(place, candidates, outcomes, _decided(candidate, facts[place], left, given))
        elif isinstance(outcome, Award) and outcome.off_cost_fen > left:
            outcome = _decided(candidate, facts[place], left)
        outcomes[place] = outcome
        if isinstance(outcome, Award):
            left -= outcome.off_cost_fen
    return tuple(outcomes)


def _decided(candidate: Candidate, facts: Facts, left_fen: int, given: tuple[Given, ...] = ()) -> Outcome:
    """One programme on completed facts. ``given``: what programmes before it give, where it is told."""
    if given:
        facts = given_here.with_given(facts, given)
    outcome = evaluate(candidate.programme, facts, candidate.balances, cost_left_fen=left_fen)
    if not given and not candidate.beside:
        return outcome
    programme = candidate.programme
    return given_here.saying(outcome, programme.exclusive_clause or programme.validity.clause, (*candidate.beside, *given))


def _beside_others(place: int, candidates: Sequence[Candidate], outcomes: Sequence[Outcome], told: Outcome) -> Outcome:
    """What comes of a programme that was ``told`` what others gave. Which of those that exclude each other stay was decided before: one
    that gives something only beside others gives way to them."""
    if isinstance(outcomes[place], Award) or not isinstance(told, Award):
        return told
    programme = candidates[place].programme
    for other, outcome in zip(candidates, outcomes, strict=True):
        if isinstance(outcome, Award) and (programme.excludes(other.programme) or other.programme.excludes(programme)):
            return Refused(told.programme, told.version, (_excluded(programme, told, other.programme, outcome),), told.steps)
    return told


def _exclude(candidates: Sequence[Candidate], outcomes: list[Outcome]) -> set[int]:
    """Of awards that exclude each other, by a class that they share or because one is not combined with the other, the one that gives most
    stays (从高不重复; at a tie the lower code): the greatest first, each unless it is excluded by one that stays. Returns the places of the
    others."""
    awards = [(place, outcome) for place, outcome in enumerate(outcomes) if isinstance(outcome, Award)]
    kept: list[tuple[Programme, Award]] = []
    excluded: set[int] = set()
    for place, award in sorted(awards, key=lambda each: (-each[1].total_fen, each[1].programme)):
        programme = candidates[place].programme
        stronger = next(((other, by) for other, by in kept if programme.excludes(other) or other.excludes(programme)), None)
        if stronger is None:
            kept.append((programme, award))
        else:
            reason = _excluded(programme, award, *stronger)
            outcomes[place] = Refused(award.programme, award.version, (reason,), award.steps)
            excluded.add(place)
    return excluded


def _excluded(programme: Programme, award: Award, other: Programme, winner: Award) -> Unmet:
    """Why an award does not stay beside one that gives more, with the clause of its own programme as far as that says so."""
    params: dict[str, Any] = {
        "programme": winner.programme,
        "version": winner.version,
        "winner_fen": winner.total_fen,
        "instead_fen": award.total_fen,
    }
    if programme.exclusive_class and programme.exclusive_class == other.exclusive_class:
        same = {"exclusive_class": programme.exclusive_class} | params
        return Unmet(programme.exclusive_clause, "subsidy.unmet.exclusive", same)
    says = programme if programme.excludes(other) else other
    params |= {"says": says.code, "clause": says.exclusive_clause}
    return Unmet(programme.exclusive_clause or programme.validity.clause, "subsidy.unmet.not_combined", params)
