"""What a commissioned test would cost, and when its result is promised; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from billing.firms.rules.places import place_of
from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.ledger.services import AccountSpec
from billing.pricing import sample_prices
from billing.pricing.customers import customer_of
from billing.pricing.rules.samples import MOST_SAMPLES, UNITS_OF_TIME, PricedSamples, SamplePrice
from billing.settlement import contracts
from billing.settlement.contracts import Contract
from billing.settlement.earlier import Earlier
from billing.settlement.offered import NOTHING, Offered, offered
from billing.settlement.queries import local_today
from billing.settlement.services import assessing
from billing.settlement.services.assessing import Accounts, Told
from billing.settlement.services.gathering import Gathered, gather
from billing.settlement.services.quotes import CapLeft, caps_left
from billing.subsidy import services as subsidy
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.questions import Answers
from billing.subsidy.rules.sample_codec import SampleInputs
from billing.subsidy.services import InForce
from billing.vouchers.rules.backing import Usable
from billing.vouchers.usable import usable
from booking.rules.answers import known_answers
from booking.rules.sample_days import require_arrival
from booking.rules.service_facts import UNSAID, Said, said_faults, said_of_test
from booking.services import sample_days
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Forbidden, Refusal
from instruments.models import Organisation, OrganisationStatus, Resource, ResourceKind, ServiceMode
from instruments.queries.places import resource_place
from instruments.rules.spending import is_in_house
from instruments.services.answer_time import zone_of_owner


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """All that is known about a test before balances: ``inputs`` without candidates, and the accounts an award would draw on."""

    inputs: SampleInputs
    facts: Facts
    versions: tuple[InForce, ...]
    accounts: Accounts
    customer_id: int
    vouchers: tuple[Usable, ...] = ()
    earlier: Earlier | None = None
    """What came before where it is loaded with that of others."""
    answers: Answers = field(default_factory=dict)
    """What was answered to the questions of programmes."""

    def tried(self) -> list[tuple[Programme, Facts]]:
        """Each programme with the facts of the test."""
        return [(version.programme, self.facts) for version in self.versions]

    def specs(self) -> list[AccountSpec]:
        """Every account an award touches."""
        return assessing.specs_of(self.versions, self.accounts, self.customer_id)

    def with_balances(self, known: Mapping[str, Account]) -> SampleInputs:
        """The engine's inputs under the balances of ``known`` accounts."""
        earlier = self.earlier
        if earlier is None:
            earlier = assessing.earlier_of(self.versions, self.facts, self.accounts, self.customer_id)
        candidates = assessing.candidates_of(
            self.versions, self.facts, self.accounts, self.customer_id, known, earlier, self.vouchers, self.answers
        )
        return replace(self.inputs, candidates=candidates)


@dataclass(frozen=True, slots=True)
class Around:
    """What is loaded of many tests at once: ``places`` are the divisions in which they lie, by resource (empty: nobody said)."""

    gathered: Gathered
    places: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class SampleQuote:
    """A live quote. ``once_verified`` is set for a customer whose identity is not checked yet and whose cost would change;
    ``promised_on`` is a local day, None where the lab names no turnaround."""

    inputs: SampleInputs
    versions: tuple[InForce, ...]
    assessment: Assessment[PricedSamples]
    caps_left: tuple[CapLeft, ...]
    once_verified: Assessment[PricedSamples] | None
    promised_on: date | None
    offered: Offered = NOTHING
    """What can be chosen under the programmes, with its figures."""
    marked: str = ""
    """The kind of service that the lab has marked the test as; empty: ordinary testing."""


def preview(
    actor: Actor,
    resource_id: int,
    organisation_id: int,
    samples: int,
    elements: int,
    now: datetime,
    *,
    arrive_on: date | None = None,
    price: SamplePrice | None = None,
    contract: Contract | None = None,
    project: str = "",
    direction: str = "",
    said: Said = UNSAID,
) -> SampleQuote:
    """Price and subsidise a test of ``samples`` (each with ``elements``) for one of the actor's organisations; they come on ``arrive_on``
    (today unless it is given). ``project``: the research project it is for, ``direction`` what for (empty: what is usual for
    the customer), ``said``: what programmes that ask are told. ``price`` takes the place of the lab's list where both sides agreed to
    another, in the ``contract`` they signed for it.

    Programmes are those of the day on which the samples come, the price is today's. Raises NotFound (test item), Forbidden
    ``booking.not_for_this_organisation``, Refusal ``price.on_request``, ``price.samples_out_of_range``,
    ``price.elements_out_of_range``. With ``arrive_on`` it refuses what asking would, with Refusal ``samples.arrival_out_of_range``,
    ``samples.priced_by_time``, ``samples.no_capacity``; without it nobody is about to send samples, and ``promised_on`` is None where
    nothing can be promised.
    """
    Refusal.raise_any(said_faults(said))
    if organisation_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
    rows = Resource.objects.filter(kind=ResourceKind.TEST_ITEM).select_related("organisation", "test_item")
    resource = get_visible(rows, actor, pk=resource_id)
    customer = Organisation.objects.get(pk=organisation_id)
    today = local_today(now)
    if arrive_on is not None:
        require_arrival(arrive_on, now.astimezone(zone_of_owner(resource.organisation_id)).date())
    planned = plan(
        resource,
        customer,
        samples,
        elements,
        arrive_on or today,
        today,
        price=price,
        project=project.strip(),
        person_id=actor.user_id,
        direction=direction,
        contract=lambda: contract,
        said=said_of_test(resource.test_item.service_kind, said),
    )
    assessing.require_offered(planned.tried(), said)
    if arrive_on is not None:
        require_counted(planned)
    inputs = planned.with_balances(ledger.known(spec.key for spec in planned.specs()))
    assessment = inputs.assess()
    return SampleQuote(
        inputs=inputs,
        versions=planned.versions,
        assessment=assessment,
        caps_left=caps_left([each.programme for each in planned.versions], assessment.outcomes),
        once_verified=_once_verified(customer, inputs, assessment),
        promised_on=promise(resource, samples, today) if arrive_on is None else _promised(resource, samples, arrive_on),
        offered=offered(inputs),
        marked=resource.test_item.service_kind,
    )


def plan(
    resource: Resource,
    customer: Organisation,
    samples: int,
    elements: int,
    service_on: date,
    today: date,
    *,
    price: SamplePrice | None = None,
    version_ids: Sequence[int] | None = None,
    project: str = "",
    person_id: int | None = None,
    direction: str = "",
    said: Said = UNSAID,
    around: Around | None = None,
    contract: contracts.Look = contracts.none,
) -> SamplePlan:
    """Everything but balances for pricing and subsidising a test: under the price in force on ``today`` and the programmes in force then
    (by ``service_on``, or by ``today`` where the day of the approval counts), or those that are given (pinned before). ``project``: the
    research project it is for; ``person_id``: who asks for it, ``direction`` what for; ``around`` what is loaded of many tests already,
    ``said``: what programmes that ask are told; ``contract`` finds the one it stands under.

    Raises Refusal ``price.on_request``.
    """
    if price is None:
        priced = sample_prices.in_force([resource.pk], today).get(resource.pk)
        if priced is None or priced.price is None:
            raise Refusal.of("price.on_request", "resource")
        price = priced.price
    owner = resource.organisation
    lies_in = resource_place(resource.pk) if around is None else around.places[resource.pk]
    place = place_of(lies_in, owner.region_code, owner.policy_zones)
    gathered = gather(customer, [owner.pk]) if around is None else around.gathered
    facts = gathered.facts(owner, place, customer, said.service_kind or assessing.TESTING_KIND, service_on, today)
    own = is_in_house(customer.pk, owner.pk)
    ids = subsidy.version_ids_in_force(service_on, today) if version_ids is None else version_ids
    versions = () if own else tuple(subsidy.in_force(version_id) for version_id in ids)
    told = Told(customer.kind, ServiceMode.COMMISSIONED, direction, person_id, contract)
    facts = replace(facts, service=assessing.service_of(facts.service, versions, told, project=project))
    facts = assessing.requested(facts, versions, said)
    named_class = price.class_of(customer_of(customer, owner.pk, facts.applicant.size))
    vouchers = gathered.vouchers
    if vouchers is None:
        vouchers = usable(customer.pk, [one.programme for one in versions])
    accounts = assessing.accounts_of(versions, facts, customer.pk, service_on, vouchers)
    inputs = SampleInputs(price, samples, elements, service_on, named_class, ())
    answers = known_answers(said.answers)
    return SamplePlan(inputs, facts, versions, accounts, customer.pk, vouchers, answers=answers)


def prepare_many(
    resources: Sequence[Resource],
    places: Mapping[int, str],
    customer: Organisation,
    samples: int,
    today: date,
    person_id: int | None = None,
    elements: int = 1,
) -> list[SampleInputs | None]:
    """The engine's inputs for ``samples`` of each of the tests (with owner and test item) that come ``today``, with so many ``elements``
    each where elements cost: seven queries at most however many. None where the price is on request or counts time.

    ``places`` as in ``Around``; the customer need not be stored. ``person_id``: who asks, where it is known.
    """
    prices = sample_prices.in_force([each.pk for each in resources], today)
    ids = subsidy.version_ids_in_force(today, today)
    vouchers = usable(customer.pk, [subsidy.in_force(version_id).programme for version_id in ids])
    gathered = replace(gather(customer, {each.organisation_id for each in resources}), vouchers=vouchers)
    around = Around(gathered, places)

    def planned(resource: Resource) -> SamplePlan | None:
        priced = prices.get(resource.pk)
        if priced is None or priced.price is None or priced.unit in UNITS_OF_TIME:
            return None
        pinned: dict[str, Any] = {"price": priced.price, "version_ids": ids, "around": around, "person_id": person_id}
        pinned["said"] = said_of_test(resource.test_item.service_kind, UNSAID)
        return plan(resource, customer, samples, elements, today, today, **pinned)

    plans = [planned(each) for each in resources]
    loaded, known = assessing.with_what_is_known(plans)
    return [each.with_balances(known) if each is not None else None for each in loaded]


def require_counted(planned: SamplePlan) -> None:
    """Raises Refusal ``samples.priced_by_time`` for a test whose price does not count what is sent."""
    if planned.inputs.price.unit in UNITS_OF_TIME:
        raise Refusal.of("samples.priced_by_time", "resource")


def promise(resource: Resource, samples: int, arrive_on: date) -> date | None:
    """The lab's local day for which it can promise results beside what is promised to others, when the samples come on ``arrive_on``;
    None where it names no turnaround, and for a number of samples that cannot be promised."""
    if not 1 <= samples <= MOST_SAMPLES:
        return None
    try:
        return _promised(resource, samples, arrive_on)
    except Refusal:
        return None


def _promised(resource: Resource, samples: int, arrive_on: date) -> date | None:
    found = sample_days.work_out(resource.test_item, resource.organisation_id, samples, arrive_on)
    return found.promised_on if found is not None else None


def _once_verified(
    customer: Organisation, inputs: SampleInputs, assessment: Assessment[PricedSamples]
) -> Assessment[PricedSamples] | None:
    if customer.status == OrganisationStatus.VERIFIED:
        return None
    verified = inputs.once_verified().assess()
    return verified if verified.final_cost_fen != assessment.final_cost_fen else None
