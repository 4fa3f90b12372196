"""What machines read of the public pages of resources: a description in JSON-LD without persons to contact, and where the pages are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from config.kernel.access import Actor, visible_to
from instruments.models import CatalogueEntry, Germplasm, Resource, ResourceKind, TestItem
from instruments.queries import codes
from instruments.rules.standards.dcat import schema_org_dataset
from instruments.rules.standards.schema_org_resources import SharedThing, accession, scholarly_work, testing_service
from instruments.services.resource_exports import record_of


def described(resource: Resource) -> dict[str, Any]:
    """The schema.org description of a public resource with its owner: at most four queries."""
    if resource.kind == ResourceKind.DATASET:
        return schema_org_dataset(record_of(resource))
    if resource.kind == ResourceKind.LITERATURE:
        return scholarly_work(record_of(resource))
    if resource.kind == ResourceKind.TEST_ITEM:
        return testing_service(_thing(resource, _tested(resource.test_item), price=True))
    germplasm: Germplasm = resource.germplasm
    taxon = " ".join(filter(None, (germplasm.genus, germplasm.species)))
    return accession(_thing(resource, {"countryOfOrigin": germplasm.origin_country}, taxon=taxon))


def public_count(actor: Actor) -> int:
    """How many published resources the actor may see."""
    return visible_to(Resource.objects.filter(published=True), actor).count()


def public_pages(actor: Actor, first: int, count: int) -> list[tuple[int, datetime]]:
    """Ids of published resources that the actor may see and when they changed, from place ``first`` on."""
    rows = visible_to(Resource.objects.filter(published=True), actor).order_by("pk").values_list("pk", "updated_at")
    return list(rows[max(first, 0) : max(first, 0) + count])


def _thing(resource: Resource, properties: dict[str, str], *, taxon: str = "", price: bool = False) -> SharedThing:
    owner = resource.organisation
    entry = CatalogueEntry.objects.filter(resource=resource).only("price_from_fen", "price_unit", "region_code").first()
    fen = entry.price_from_fen if entry is not None and price else None
    place = codes.name_of("gbt2260", entry.region_code, timezone.localdate(), "zh") if entry is not None else ""
    return SharedThing(
        url=settings.PUBLIC_URL + reverse("resource_detail", args=[resource.pk]),
        name=resource.name,
        name_en=resource.name_en,
        about=resource.description,
        keywords=tuple(resource.keywords),
        owner=owner.name,
        owner_en=owner.name_en,
        owner_url=settings.PUBLIC_URL + reverse("organisation_detail", args=[owner.pk]),
        identifiers=tuple(filter(None, (resource.inner_id, resource.doi, resource.cstr))),
        place=place,
        price_yuan=f"{fen // 100}.{fen % 100:02d}" if fen is not None else "",
        price_unit=entry.price_unit if entry is not None and fen is not None else "",
        properties=properties,
        taxon=taxon,
    )


def _tested(item: TestItem) -> dict[str, str]:
    measured = ", ".join(str(one.get("name", "")) for one in item.analytes)
    return {"method": item.method, "standard": item.standard, "sample": item.matrix, "measured": measured}
