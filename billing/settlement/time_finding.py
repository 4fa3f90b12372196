"""Times that are free, with what each would cost the one who asks: by the same engine as the quote, for a whole page at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing.prepaid.rules.standing import Standing
from billing.settlement.customer_terms import standing_at
from billing.settlement.services import assessing
from billing.settlement.services.assessing import Prepared, Session
from billing.subsidy.rules.assess import Assessment, Candidate
from billing.subsidy.rules.outcome import Award
from billing.subsidy.rules.parts.caps import CapPer
from booking.queries import finding
from booking.queries.eligibility import Shown, eligibility_of
from booking.queries.finding import Found, FoundTime
from booking.rules.eligibility import Eligibility
from booking.rules.time_search import TimeSearch
from config.kernel.access import Actor
from config.kernel.errors import Reason, Refusal
from instruments.models import Organisation, OrganisationKind, OrganisationStatus

SORTS = ("earliest", "cost", "nearest")
#: The final cost is compared among so many of the earliest times.
COMPARED = 100
#: A budget is nearly used up when less than so many per cent of it are left.
NEARLY_PERCENT = 10

#: Who somebody may say to be, to see what they would pay: kind of organisation, people, revenue in fen.
PROFILES: Mapping[str, tuple[str, int | None, int | None]] = {
    "firm_small": (OrganisationKind.FIRM.value, 30, 1_500_000_000),
    "firm_large": (OrganisationKind.FIRM.value, 2000, 100_000_000_000),
    "team": (OrganisationKind.TEAM.value, 5, 0),
    "academic": (OrganisationKind.OWNER.value, None, None),
}


@dataclass(frozen=True, slots=True)
class Customer:
    """For whom prices are asked. ``assumed``: nobody stands behind it, so that everything is an estimate; ``known`` is False for a
    visitor who said nothing: then only the list price means anything. ``person_id``: who of the organisation asks, where it is known."""

    organisation: Organisation
    assumed: bool
    known: bool = True
    person_id: int | None = None


@dataclass(frozen=True, slots=True)
class PricedTime:
    """A free time with its figures; ``assessment`` is None without a price. ``nearly_used_up`` are the codes of programmes that would
    pay and have little left. ``eligibility``: what would become of a request (None where nobody asked)."""

    found: FoundTime
    assessment: Assessment | None
    nearly_used_up: tuple[str, ...] = ()
    eligibility: Eligibility | None = None

    @property
    def final_cost_fen(self) -> int | None:
        return self.assessment.final_cost_fen if self.assessment is not None else None


@dataclass(frozen=True, slots=True)
class PricedTimes:
    """``more``: a longer page would show more. ``compared``: among how many of the earliest times the costs were compared; None for the
    other orders. ``others``: there are times beside those that were compared. ``sort``: the order that they have."""

    rows: list[PricedTime]
    more: bool
    exact: bool
    compared: int | None = None
    others: bool = False
    sort: str = SORTS[0]


def customer_of(organisation: Organisation, person_id: int | None = None) -> Customer:
    """Somebody's own organisation; ``person_id``: who of it asks."""
    return Customer(organisation, assumed=False, person_id=person_id)


def assumed_customer(profile: str, region_code: str) -> Customer:
    """A verified organisation such as ``profile`` says (of ``PROFILES``) in a division; an unknown profile is a visitor."""
    if profile not in PROFILES:
        return Customer(Organisation(kind=OrganisationKind.FIRM, region_code=""), assumed=True, known=False)
    kind, staff, revenue = PROFILES[profile]
    organisation = Organisation(
        kind=kind,
        status=OrganisationStatus.VERIFIED,
        region_code=region_code,
        staff_count=staff,
        annual_revenue_fen=revenue,
    )
    return Customer(organisation, assumed=True)


def find(actor: Actor, search: TimeSearch, customer: Customer, sort: str, now: datetime, count: int, origin: str) -> PricedTimes:
    """``count`` free times with their figures and what would become of a request for each, in the order asked for. The nearest to no place
    at all are the earliest."""
    if sort == "cost":
        found = finding.find_earliest(actor, search, now, COMPARED, origin=origin, customer=meant(customer))
        rows = sorted(price_all(found.rows, customer, now), key=_by_cost)
        shown = _judged(actor, rows[:count], customer, search, now)
        return PricedTimes(shown, len(rows) > count, found.exact, len(rows), found.more, sort)
    sort = "nearest" if sort == "nearest" and origin else "earliest"
    found = _in_order(actor, search, sort, now, count, origin, meant(customer))
    shown = _judged(actor, price_all(found.rows, customer, now), customer, search, now)
    return PricedTimes(shown, found.more, found.exact, sort=sort)


def meant(customer: Customer) -> Organisation | None:
    """For whom it has to be open; for a visitor of whom nothing is known: for everybody."""
    return customer.organisation if customer.known else None


def _in_order(
    actor: Actor, search: TimeSearch, sort: str, now: datetime, count: int, origin: str, customer: Organisation | None
) -> Found:
    if sort == "nearest":
        return finding.find_nearest(actor, search, now, count, origin, customer)
    return finding.find_earliest(actor, search, now, count, origin=origin, customer=customer)


def price_all(rows: Sequence[FoundTime], customer: Customer, now: datetime) -> list[PricedTime]:
    """The rows with their figures, in three queries however many."""
    if not rows:
        return []
    sessions = [Session(row.instrument, row.during, person_id=customer.person_id) for row in rows]
    prepared = assessing.prepare_many(sessions, customer.organisation, now)
    return [_priced(row, inputs) for row, inputs in zip(rows, prepared, strict=True)]


def _priced(row: FoundTime, prepared: Prepared | None) -> PricedTime:
    if prepared is None:
        return PricedTime(row, None)
    try:
        assessment = prepared.inputs.assess()
    except Refusal:  # the lab has no price for such customers
        return PricedTime(row, None)
    return PricedTime(row, assessment, nearly_used_up(prepared.inputs.candidates, assessment))


def nearly_used_up(candidates: Sequence[Candidate], assessment: Assessment[Any]) -> tuple[str, ...]:
    """The codes of the programmes that would pay and have little left."""
    codes = []
    for candidate, outcome in zip(candidates, assessment.outcomes, strict=True):
        if not isinstance(outcome, Award):
            continue
        for cap in candidate.programme.caps:
            balance = candidate.balances.get(cap.id)
            if cap.per is not CapPer.POOL or balance is None:
                continue
            limit = balance.limit_fen if balance.limit_fen is not None else cap.limit_fen
            if limit and 100 * (limit - balance.used_fen) < limit * NEARLY_PERCENT:
                codes.append(candidate.programme.code)
                break
    return tuple(codes)


def _judged(actor: Actor, rows: Sequence[PricedTime], customer: Customer, search: TimeSearch, now: datetime) -> list[PricedTime]:
    """With how long each lab takes to answer, and what would become of a request."""
    answered = finding.with_answers([row.found for row in rows])
    stored = meant(customer)
    owners = {row.found.instrument.organisation_id for row in rows}
    standing = standing_at(owners, stored.pk, actor.user_id, now) if stored is not None and stored.pk is not None else None
    shown = [_shown(row, standing) for row in rows]
    judged = eligibility_of(actor, stored, shown, search.service_mode, now)
    return [
        replace(row, found=found, eligibility=eligibility) for row, found, eligibility in zip(rows, answered, judged, strict=True)
    ]


def _shown(row: PricedTime, standing: Standing | None) -> Shown:
    payable = row.assessment.payable_now_fen if row.assessment is not None else None
    on = row.found.context.local_day(row.found.during.starts_at)
    against = standing.against(row.found.instrument.organisation_id, on, payable) if standing is not None else ()
    return Shown(row.found, payable, against if payable is not None else (*against, Reason("price.none")))


def _by_cost(row: PricedTime) -> tuple[int, datetime, int]:
    """Times without a price come last."""
    cost = row.final_cost_fen
    return (cost if cost is not None else 2**62, row.found.during.starts_at, row.found.instrument.pk)
