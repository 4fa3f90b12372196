"""What a commissioned test would cost, and when its result is promised; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.ledger import services as ledger
from billing.pricing import sample_prices
from billing.pricing.rules.customer_class import customer_class
from billing.pricing.rules.samples import CUSTOMER_CLASSES, MOST_SAMPLES, PricedSamples, SamplePrice
from billing.settlement.services import assessing
from billing.settlement.services.quotes import CapLeft, caps_left
from billing.subsidy import services as subsidy
from billing.subsidy.rules.assess import Assessment, Candidate, assess_samples
from billing.subsidy.services import InForce
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Forbidden, Refusal
from instruments.models import Organisation, OrganisationStatus, Resource, ResourceKind
from instruments.queries.places import resource_place
from instruments.rules.spending import is_in_house
from instruments.rules.turnaround import promised_in


@dataclass(frozen=True, slots=True)
class SampleInputs:
    """Everything the assessment of a commissioned test depends on; the arguments of ``assess_samples``."""

    price: SamplePrice
    samples: int
    elements: int
    local_on: date
    customer_class: str
    candidates: tuple[Candidate, ...]

    def assess(self) -> Assessment[PricedSamples]:
        return assess_samples(self.price, self.samples, self.elements, self.local_on, self.customer_class, self.candidates)

    def once_verified(self) -> SampleInputs:
        """The same commission of an applicant whose identity had been checked already."""
        candidates = tuple(
            replace(each, facts=replace(each.facts, applicant=replace(each.facts.applicant, verified=True)))
            for each in self.candidates
        )
        return replace(self, candidates=candidates)


@dataclass(frozen=True, slots=True)
class SampleQuote:
    """A live quote. ``once_verified`` is set for a customer whose identity is not checked yet and whose cost would change;
    ``promised_on`` is a local day, None where the lab names no turnaround."""

    price_version_id: int
    inputs: SampleInputs
    versions: tuple[InForce, ...]
    assessment: Assessment[PricedSamples]
    caps_left: tuple[CapLeft, ...]
    once_verified: Assessment[PricedSamples] | None
    promised_on: date | None


def preview(actor: Actor, resource_id: int, organisation_id: int, samples: int, elements: int, now: datetime) -> SampleQuote:
    """Price and subsidise a test of ``samples`` (each with ``elements``) for one of the actor's organisations.

    Raises NotFound (test item), Forbidden ``booking.not_for_this_organisation``, Refusal ``price.on_request``,
    ``price.samples_out_of_range``, ``price.elements_out_of_range``.
    """
    if organisation_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
    rows = Resource.objects.filter(kind=ResourceKind.TEST_ITEM).select_related("organisation", "test_item")
    resource = get_visible(rows, actor, pk=resource_id)
    customer = Organisation.objects.get(pk=organisation_id)
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    priced = sample_prices.in_force([resource.pk], today).get(resource.pk)
    if priced is None or priced.price is None:
        raise Refusal.of("price.on_request", "resource")
    owner = resource.organisation
    facts = assessing.facts_of(owner, resource_place(resource.pk), customer, assessing.TESTING_KIND, today, today)
    own = is_in_house(customer.pk, owner.pk)
    versions = () if own else tuple(subsidy.in_force(version_id) for version_id in subsidy.version_ids_in_force(today))
    accounts = assessing.accounts_of(versions, facts, customer.pk, today)
    known = ledger.known(spec.key for spec in assessing.specs_of(versions, accounts, customer.pk))
    named_class = customer_class(kind=customer.kind, size=facts.applicant.size, is_owner=own, priced=CUSTOMER_CLASSES)
    candidates = assessing.candidates_of(versions, facts, accounts, customer.pk, known)
    inputs = SampleInputs(priced.price, samples, elements, today, named_class, candidates)
    assessment = inputs.assess()
    return SampleQuote(
        price_version_id=priced.version_id,
        inputs=inputs,
        versions=versions,
        assessment=assessment,
        caps_left=caps_left(versions, assessment.outcomes),
        once_verified=_once_verified(customer, inputs, assessment),
        promised_on=promise(resource, samples, today),
    )


def promise(resource: Resource, samples: int, today: date) -> date | None:
    """The local day on which results are due when the samples arrive today; None where the lab names no turnaround, and for a number
    of samples that cannot be asked for."""
    item = resource.test_item
    if not 1 <= samples <= MOST_SAMPLES:
        return None
    return promised_in(settings.TIME_ZONE, today, item.turnaround_days, samples=samples, daily_capacity=item.daily_capacity)


def _once_verified(
    customer: Organisation, inputs: SampleInputs, assessment: Assessment[PricedSamples]
) -> Assessment[PricedSamples] | None:
    if customer.status == OrganisationStatus.VERIFIED:
        return None
    verified = inputs.once_verified().assess()
    return verified if verified.final_cost_fen != assessment.final_cost_fen else None
