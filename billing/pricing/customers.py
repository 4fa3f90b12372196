"""A customer's organisation as prices see it."""

from __future__ import annotations

from billing.pricing.rules.classes import Customer
from instruments.models import Organisation, OrganisationStatus
from instruments.rules.firm_size import size_class
from instruments.rules.spending import is_in_house


def customer_of(organisation: Organisation, owner_id: int, size: str | None = None) -> Customer:
    """What is known and was shown of ``organisation`` that wants something of the owner ``owner_id``. ``size``: as its facts say; without
    one its columns do, which name no industry."""
    size = size or size_class(None, organisation.staff_count, organisation.annual_revenue_fen)
    return Customer(
        kind=organisation.kind,
        size=size,
        is_owner=is_in_house(organisation.pk, owner_id),
        region_code=organisation.region_code or "",
        zones=frozenset(organisation.policy_zones),
        verified=organisation.status == OrganisationStatus.VERIFIED,
    )
