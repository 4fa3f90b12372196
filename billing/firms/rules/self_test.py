"""The facts behind the public self-test: what somebody says about themselves and a service they plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import (
    Amounts,
    ClaimAmounts,
    Facts,
    Label,
    More,
    Paper,
    Party,
    Profile,
    Quantities,
    Request,
    Service,
)
from billing.subsidy.rules.outcome import FACT_MISSING, Balance, Outcome, Refused, Unmet
from billing.subsidy.rules.parts.base import QUANTITIES
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.rules.parts.gates import AlternativesGate, Gate
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.questions import told
from billing.subsidy.rules.two_sided import USER
from instruments.rules.firm_size import Figures, Sizing, sizing

#: What is only asked where a programme looks at it: the question, and the facts that its answer gives.
QUESTIONS: Mapping[str, frozenset[str]] = {
    "purpose": frozenset({"service.purpose"}),
    "way": frozenset({"service.way"}),
    "hours": frozenset({"quantities.minutes"}),
    "samples": frozenset({"quantities.samples"}),
    "value_yuan": frozenset({"instrument.original_value"}),
    "owner_class": frozenset({"provider.owner_class"}),
    "founded_on": frozenset({"applicant.founded_on"}),
    "provider_region": frozenset({"provider.region_code", "instrument.region_code"}),
}
SetFor = Callable[[Programme], Mapping[str, int]]
"""Finds what was set of a programme's limits (fen, by cap id)."""
_ENOUGH_FEN = 10**15
"""What a limit counts as whose figure nobody has set: more than any fee."""


def nothing_set(_programme: Programme) -> Mapping[str, int]:
    """Where nobody has set any figure."""
    return {}


#: Parts of a document that are no rules.
_NO_RULES = frozenset({"examples", "clauses", "says", "name", "issuer", "open_points", "evidence"})


@dataclass(frozen=True, slots=True)
class Answers:
    """What was typed. Amounts in fen; ``size`` counts only while the figures that the industry looks at are not all given;
    ``service_on`` a local day.

    ``provider_region`` empty: the provider is where the applicant is.
    """

    kind: str
    size: str | None
    staff: int | None
    revenue_fen: int | None
    region_code: str | None
    policy_zones: frozenset[str]
    labels: tuple[str, ...]
    service_kind: str
    amount_fen: int
    service_on: date
    provider_region: str | None = None
    industry_code: str | None = None
    assets_fen: int | None = None
    purpose: str | None = None
    way: str | None = None
    minutes: int | None = None
    samples: int | None = None
    value_fen: int | None = None
    owner_class: str | None = None
    founded_on: date | None = None
    settlement: str = ""
    rate: Decimal | None = None
    """The way of settlement and the rate that are chosen, where a programme asks."""
    to_programmes: Mapping[str, str] = field(default_factory=dict)
    """What is answered to the questions of programmes, by the fact."""

    def sizing(self) -> Sizing | None:
        """How the standard finds the size of a firm; only firms have one."""
        figures = Figures(self.staff, self.revenue_fen, self.assets_fen)
        return sizing(self.industry_code, figures) if self.kind == "firm" else None

    def size_class(self) -> str | None:
        """By the standard where its figures are known, else what was said."""
        found = self.sizing()
        if found is None:
            return None
        return self.size if found.size is None else found.size.value


def facts_of(answers: Answers) -> Facts:
    """A verified applicant who used nothing before, on no list, with a verified and certified provider that is not related. What is paid
    and invoiced is the fee, as of a booking; who asks wants to know what the user gets."""
    on = answers.service_on
    profile = Profile(
        staff=answers.staff,
        annual_revenue=answers.revenue_fen,
        total_assets=answers.assets_fen,
        industry_code=answers.industry_code,
        founded_on=answers.founded_on,
        incorporated={"firm": True, "team": False}.get(answers.kind),
        labels=tuple(Label(code) for code in answers.labels),
        related_to_provider=False,
    )
    applicant = Party(
        kind=answers.kind,
        size=answers.size_class(),
        region_code=answers.region_code,
        policy_zones=answers.policy_zones,
        verified=True,
        first_use=True,
        profile=profile,
    )
    beside = answers.provider_region is None
    place = Party(
        region_code=answers.provider_region or answers.region_code,
        policy_zones=answers.policy_zones if beside else frozenset(),
        verified=True,
    )
    amount = answers.amount_fen
    return Facts(
        applicant=applicant,
        provider=replace(place, profile=Profile(certified=True, owner_class=answers.owner_class)),
        instrument=replace(place, verified=None, profile=Profile(listed=True, original_value=answers.value_fen)),
        service=Service(answers.service_kind, on, on, on, on, paper=Paper(way=answers.way, purpose=answers.purpose)),
        amounts=Amounts(fee=amount, contract=amount, minimum_top_up=0, claim=ClaimAmounts(paid=amount, invoice=amount)),
        quantities=Quantities(minutes=answers.minutes, samples=answers.samples),
        more=More(request=Request(side=USER, settlement=answers.settlement or None, rate=answers.rate)),
    )


def facts_for(programme: Programme, answers: Answers) -> Facts:
    """The facts as a programme is told them, with the answers to its own questions."""
    return told(facts_of(answers), programme.asks, answers.to_programmes)


def questions(programmes: Iterable[Programme]) -> frozenset[str]:
    """The questions of ``QUESTIONS`` whose answers some of the programmes look at."""
    looked_at = {path for programme in programmes for path in _named(programme.document)}
    return frozenset(name for name, facts in QUESTIONS.items() if facts & looked_at)


def tried(programmes: Sequence[Programme], answers: Answers, figures: SetFor = nothing_set) -> list[Outcome]:
    """What each programme would say, each for itself: the same decision as for a booking, with nothing used of any limit.

    Whether somebody is eligible does not rest on a figure that nobody has set yet: such a limit counts as high enough (``unset``).
    ``figures``: what was set of a programme's limits (fen, by cap id).
    """
    return [
        evaluate(programme, facts_for(programme, answers), _as_if_set(programme, figures(programme))) for programme in programmes
    ]


def unset(programme: Programme, answers: Answers, figures: SetFor = nothing_set) -> tuple[Cap, ...]:
    """The limits without whose figure nothing is given, and that nobody has set yet."""
    facts, known = facts_for(programme, answers), figures(programme)
    sides = [side for side in programme.sides if side.when is None or side.when.holds(facts, [])]
    limits = [cap for each in (programme, *(side.programme for side in sides)) for cap in each.must_be_set]
    found = {cap.id: cap for cap in limits if cap.id not in known and cap.check(None) is not None}
    return tuple(found.values())


def _as_if_set(programme: Programme, figures: Mapping[str, int]) -> dict[str, Balance]:
    limits = (cap for each in (programme, *(side.programme for side in programme.sides)) for cap in each.must_be_set)
    return {cap.id: Balance(_ENOUGH_FEN) for cap in limits} | {cap_id: Balance(limit) for cap_id, limit in figures.items()}


def depends_on(programme: Programme, answers: Answers, figures: SetFor = nothing_set) -> tuple[str, ...]:
    """The facts that nobody told and without which nobody can say whether the programme refuses; none where it gives something, or refuses
    whatever they are."""
    facts, balances = facts_for(programme, answers), _as_if_set(programme, figures(programme))
    outcome = evaluate(programme, facts, balances)
    if not isinstance(outcome, Refused):
        return ()
    if not programme.sides:
        return _open_facts(programme, facts, outcome)
    found: list[str] = []
    for side in programme.sides:
        unknown: list[str] = []
        holds = side.when is None or side.when.holds(facts, unknown)
        own = evaluate(side.programme, facts, balances)
        if holds is None:
            found += unknown
        elif holds and isinstance(own, Refused):
            found += _open_facts(side.programme, facts, own)
    return tuple(dict.fromkeys(found))


def _open_facts(programme: Programme, facts: Facts, refused: Refused) -> tuple[str, ...]:
    """What every reason of a refusal misses; nothing where one of them misses nothing."""
    choices = [each for each in programme.conditions if isinstance(each, AlternativesGate)]
    found: list[str] = []
    for reason in refused.reasons:
        own = [reason.params["fact"]] if reason.code == FACT_MISSING else _of_choices(choices, facts, reason)
        if not own:
            return ()
        found += own
    return tuple(dict.fromkeys(found))


def _of_choices(choices: Sequence[AlternativesGate], facts: Facts, reason: Unmet) -> list[str]:
    """What the alternatives miss that are not refused whatever it is."""
    found: list[str] = []
    for gate in choices:
        if gate.check(facts) == reason:
            for gates, _met in gate.alternatives:
                found += _missed(gates, facts)
    return found


def _missed(gates: Iterable[Gate], facts: Facts) -> list[str]:
    unmet = [found for gate in gates if isinstance(found := gate.check(facts), Unmet)]
    return [each.params["fact"] for each in unmet] if all(each.code == FACT_MISSING for each in unmet) else []


def _named(rules: Any) -> Iterator[str]:
    """Every text of the rules, facts among them, and the facts behind bases that are quantities and behind regions."""
    if isinstance(rules, str):
        yield rules
    elif isinstance(rules, Mapping):
        if rules.get("type") == "region":
            yield f"{rules['subject']}.region_code"
        if rules.get("quantity") in QUANTITIES:
            yield QUANTITIES[rules["quantity"]]
        for name, value in rules.items():
            if name not in _NO_RULES:
                yield from _named(value)
    elif isinstance(rules, list):
        for each in rules:
            yield from _named(each)
