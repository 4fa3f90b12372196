"""Eligibility looked at again when a service is charged: what was lost since the promise takes the subsidy away, nothing adds to it.

Figures, size and place of the applicant stay as they were when the money was held (ADR 0007): whoever booked was told a price. Looked at
again are the facts that programmes ask for at request and at payment: credit lists, a suspension, labels, ties to the provider; and of
the provider the same and where its instrument stands (ADR 33). Days of invoice, claim and payment, which were expected on the day of the
service, are then those of the charge at the earliest: a rule that judges one of them judges it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from billing.firms.rules.profile import ProviderStanding, Standing, own_violations
from billing.settlement.models import Charge, Quote
from billing.settlement.services.gathering import Gathered, gather
from billing.subsidy.rules.assess import Candidate
from billing.subsidy.rules.codec import steps_of
from billing.subsidy.rules.facts import Facts, Listing, Profile
from billing.subsidy.rules.for_customers import by_side, unmet_by_customer
from billing.subsidy.rules.parts.validity import AWAITABLE
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.sides import claims
from billing.subsidy.rules.two_sided import is_both
from instruments.models import Organisation, OrganisationStatus


def looked_at_again(
    candidates: Sequence[Candidate],
    owner: Organisation,
    customer: Organisation,
    service_on: date,
    today: date,
    gathered: Gathered | None = None,
    place: str = "",
) -> tuple[Candidate, ...]:
    """The candidates; one that would be refused under the facts of ``today`` about applicant, provider and instrument carries those facts
    from now on.

    ``service_on`` and ``today`` are local days; ``gathered``: what is loaded of both sides already, otherwise one query. ``place``: the
    division in which the instrument stands now, empty where that is as it was.
    """
    if not candidates:
        return ()
    gathered = gathered or gather(customer, [owner.pk])
    now = gathered.standing(customer.pk, owner.pk, service_on)
    suspended = customer.status == OrganisationStatus.SUSPENDED
    served = _Served(gathered.provider_standing(owner.pk, service_on), owner.status == OrganisationStatus.SUSPENDED, place)
    return tuple(_again(each, now, today, served, suspended=suspended) for each in candidates)


class _Served(NamedTuple):
    """What is known now of who serves, and where; ``place`` empty: as it was."""

    standing: ProviderStanding
    suspended: bool = False
    place: str = ""

    def facts(self, before: Facts) -> Facts:
        """The facts with these in place; the same where nothing is otherwise. What was not told then is not told now."""
        provider, instrument = before.provider, before.instrument
        told = self.standing._asdict()
        if provider.profile.certified is None:
            told["certified"] = None
        if any(getattr(provider.profile, name) != value for name, value in told.items()):
            provider = replace(provider, profile=replace(provider.profile, **told))
        if self.suspended and provider.verified is not False:
            provider = replace(provider, verified=False)
        if self.place and self.place != instrument.region_code:
            instrument = replace(instrument, region_code=self.place)
        if provider is before.provider and instrument is before.instrument:
            return before
        return replace(before, provider=provider, instrument=instrument)


def _again(candidate: Candidate, now: Standing, today: date, served: _Served, *, suspended: bool) -> Candidate:
    before, facts = candidate.facts.applicant, served.facts(candidate.facts)
    stands = _stands(before.profile, now) and not (suspended and before.verified is not False)
    if stands and facts is candidate.facts and not candidate.programme.judges_days:
        return candidate
    profile = before.profile if stands else replace(before.profile, **now._asdict())
    facts = _as_of(facts, profile, today, suspended=suspended)
    if candidate.programme.judges_days:
        facts = on_days(facts, dict.fromkeys(AWAITABLE.values(), today))
    return replace(candidate, facts=facts) if loses(candidate.programme, candidate.facts, facts) else candidate


def would_lose(
    candidate: Candidate, listings: tuple[Listing, ...], today: date, *, suspended: bool, mode: str | None = None
) -> bool:
    """Whether a programme would refuse what it gave if the applicant were paid on the local day ``today`` with these entries of credit
    lists; everything else stays as it was charged. ``mode`` as in ``loses``."""
    profile = replace(candidate.facts.applicant.profile, credit_listings=listings, violations=own_violations(listings))
    facts = _as_of(candidate.facts, profile, today, suspended=suspended)
    return loses(candidate.programme, candidate.facts, facts, mode)


def _as_of(facts: Facts, profile: Profile, today: date, *, suspended: bool) -> Facts:
    """The facts of an applicant who is paid today."""
    applicant = replace(facts.applicant, profile=profile, verified=False if suspended else facts.applicant.verified)
    service = replace(facts.service, paper=replace(facts.service.paper, payment_on=today))
    return replace(facts, applicant=applicant, service=service)


def _stands(profile: Profile, now: Standing) -> bool:
    """Whether what programmes ask for at request and at payment is as it was."""
    return Standing(*(getattr(profile, name) for name in Standing._fields)) == now


def on_days(facts: Facts, known: Mapping[str, date]) -> Facts:
    """The facts with days of ``invoice``, ``claim`` and ``payment`` as far as they are known. What the windows ask of them stays a
    condition: that is judged elsewhere."""
    service = facts.service
    paper = replace(service.paper, payment_on=known.get("payment", service.paper.payment_on))
    invoice_on, claim_on = known.get("invoice", service.invoice_on), known.get("claim", service.claim_on)
    return replace(facts, service=replace(service, paper=paper, invoice_on=invoice_on, claim_on=claim_on))


def loses(programme: Programme, before: Facts, now: Facts, mode: str | None = None) -> bool:
    """Whether the programme, or one of its sides that could pay before, asks now for what was met then. ``mode``: of several sides only
    those count that settle so."""
    if not programme.sides:
        return bool(programme.unmet(now) - programme.unmet(before))
    if is_both(before):
        then, paid = claims(programme, now), claims(programme, before)
    else:
        then = [(side, now) for side in programme.sides if side.when is None or side.when.holds(now, []) is not False]
        paid = [(side, before) for side in programme.sides if side.when is None or side.when.holds(before, []) is not False]
    asked = {side.id: side.programme.unmet(own) for side, own in then}
    return any(
        side.id not in asked or asked[side.id] - side.programme.unmet(own)
        for side, own in paid
        if mode is None or side.programme.mode == mode
    )


@dataclass(frozen=True, slots=True)
class Lost:
    """A programme that was promised and is not paid; of one of several sides what the customer was promised. ``reasons``: its refusal in
    the frozen form (clause, code, params)."""

    programme: str
    version: str
    promised_fen: int
    reasons: tuple[dict[str, Any], ...]


def lost_since(held: Quote | None, charge: Charge | None) -> tuple[Lost, ...]:
    """What was promised when the money was held and was refused when the service was charged, with why."""
    if held is None or charge is None:
        return ()
    promised = {each["programme"]: by_side(each) for each in held.result["outcomes"]}
    found = (_lost(promised.get(each["programme"], {}), each) for each in charge.result["outcomes"])
    return tuple(lost for lost in found if lost is not None)


def _lost(promised: Mapping[str, int], charged: Mapping[str, Any]) -> Lost | None:
    given = by_side(charged)
    lost_fen = sum(fen for side, fen in promised.items() if side not in given)
    if not lost_fen:
        return None
    reasons = [each._asdict() for each in unmet_by_customer(steps_of(charged["steps"]))] or charged.get("reasons", ())
    return Lost(charged["programme"], charged["version"], lost_fen, tuple(reasons))
