"""Reads of declarations and credit lists that pages and API share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from billing.firms import loading
from billing.firms.models import CreditImport, FirmDeclaration
from billing.firms.partner_models import PartnerList, PartnerRegion
from billing.firms.rules.declarations import DECLARES
from billing.firms.rules.group import controller_of, group_of
from billing.firms.rules.profile import Known, party
from billing.subsidy.rules.facts import Listing, Party
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound
from instruments.access import sees_private_profile
from instruments.models import Organisation


@dataclass(frozen=True, slots=True)
class Standing:
    """What the platform holds for true about an organisation on a day. ``names``: of the organisations among ``members`` (keys)."""

    organisation: Organisation
    key: str
    facts: Party
    controller: str
    members: tuple[str, ...]
    names: dict[str, str]
    listings: tuple[Listing, ...]


def standing(actor: Actor, organisation_id: int, on: date) -> Standing:
    """The verified facts of who declares them, for its people and officials. Raises NotFound."""
    organisation = get_visible(Organisation.objects.all(), actor, pk=organisation_id)
    if organisation.kind not in DECLARES or not sees_private_profile(actor, organisation):
        raise NotFound.of("access.not_found", model="organisation")
    known, keys = loading.known([organisation.pk])
    key = keys[organisation.pk]
    members = group_of(known.control, key, on)
    return Standing(
        organisation,
        key,
        party(known, key, None, on),
        controller_of(known.control, key, on),
        tuple(sorted(members)),
        _names(known, keys),
        known.listings.get(key, ()),
    )


def _names(known: Known, keys: Mapping[int | None, str]) -> dict[str, str]:
    """Names by key: of organisations here, and as declared of the others."""
    declared = {entry.party_key: str(entry.content.get("name", "")) for entry in known.entries if entry.party_key}
    return declared | {
        keys[pk]: name for pk, name in Organisation.objects.filter(pk__in=[pk for pk in keys if pk]).values_list("pk", "name")
    }


def declarations_of(actor: Actor, organisation_id: int) -> QuerySet[FirmDeclaration]:
    """What an organisation declared, the latest first."""
    rows = visible_to(FirmDeclaration.objects.filter(organisation_id=organisation_id), actor)
    return rows.select_related("evidence", "declared_by", "decided_by").order_by("kind", "-valid_from", "-pk")


def declarations_visible(actor: Actor) -> QuerySet[FirmDeclaration]:
    """Everything that the actor may see, the latest first."""
    return visible_to(FirmDeclaration.objects.all(), actor).select_related("organisation", "evidence").order_by("-pk")


def declaration_for(actor: Actor, pk: int) -> FirmDeclaration:
    """One declaration. Raises NotFound."""
    return get_visible(FirmDeclaration.objects.select_related("organisation", "evidence", "declared_by"), actor, pk=pk)


def queue(actor: Actor) -> QuerySet[FirmDeclaration]:
    """What waits for the operator, the oldest first. Raises Forbidden."""
    actor.require(Role.OPERATOR)
    rows = visible_to(FirmDeclaration.objects.filter(decided_at__isnull=True), actor)
    return rows.select_related("organisation", "declared_by").order_by("declared_at", "pk")


def credit_imports(actor: Actor) -> QuerySet[CreditImport]:
    """The hand-ins of credit lists, the latest first."""
    return visible_to(CreditImport.objects.all(), actor).select_related("imported_by").order_by("-pk")


def partner_regions(actor: Actor) -> list[tuple[PartnerRegion, int]]:
    """The partner regions by name, each with how many providers its latest list holds; two queries."""
    regions = list(visible_to(PartnerRegion.objects.all(), actor).order_by("name", "pk"))
    lists = PartnerList.objects.filter(region__in=regions).order_by("pk").values_list("region_id", "row_count")
    counts = dict(lists)
    return [(region, counts.get(region.pk, 0)) for region in regions]
