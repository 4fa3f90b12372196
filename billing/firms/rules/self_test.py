"""The facts behind the public self-test: what somebody says about themselves and a service they plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import Amounts, Facts, Label, More, Party, Profile, Request, Service
from billing.subsidy.rules.outcome import Outcome
from billing.subsidy.rules.programme import Programme
from instruments.rules.firm_size import Figures, Sizing, sizing


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
    settlement: str = ""
    rate: Decimal | None = None
    """The way of settlement and the rate that are chosen, where a programme asks."""

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
    """A verified applicant who used nothing before, on no list, with a verified and certified provider that is not related."""
    on = answers.service_on
    profile = Profile(
        staff=answers.staff,
        annual_revenue=answers.revenue_fen,
        total_assets=answers.assets_fen,
        industry_code=answers.industry_code,
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
        provider=replace(place, profile=Profile(certified=True)),
        instrument=replace(place, verified=None, profile=Profile(listed=True)),
        service=Service(answers.service_kind, on, on, on, on),
        amounts=Amounts(fee=amount, contract=amount, minimum_top_up=0),
        more=More(request=Request(settlement=answers.settlement or None, rate=answers.rate)),
    )


def tried(programmes: Sequence[Programme], answers: Answers) -> list[Outcome]:
    """What each programme would say, each for itself: the same decision as for a booking, with nothing used of any limit."""
    facts = facts_of(answers)
    return [evaluate(programme, facts, {}) for programme in programmes]
