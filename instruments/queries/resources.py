"""Reading resources of the other kinds: what is behind an instrument, one resource, an owner's own."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from config.kernel.access import Actor, get_visible, visible_to
from instruments.models import Instrument, Resource, ResourceKind
from instruments.services.instrument_changes import manages


def test_items_of(actor: Actor, instrument_id: int) -> QuerySet[Resource]:
    """The test items that are measured with an instrument, by name, each with ``test_item``.

    Raises NotFound when the instrument is foreign.
    """
    instrument = get_visible(Instrument.objects.all(), actor, pk=instrument_id)
    rows = visible_to(Resource.objects.filter(kind=ResourceKind.TEST_ITEM, test_item__instruments=instrument), actor)
    return rows.select_related("test_item", "organisation").defer("search").order_by("name_pinyin", "pk")


test_items_of.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest's


def supported_by(actor: Actor, instrument_id: int) -> QuerySet[Resource]:
    """The literature and the data sets that an instrument supported, newest first, each with ``literature`` or ``dataset``.

    Raises NotFound when the instrument is foreign.
    """
    instrument = get_visible(Instrument.objects.all(), actor, pk=instrument_id)
    supported = Q(literature__instruments=instrument) | Q(dataset__instruments=instrument)
    rows = visible_to(Resource.objects.filter(supported), actor).distinct()
    return rows.select_related("literature", "dataset", "organisation").defer("search").order_by("-created_at", "-pk")


def resource_for(actor: Actor, resource_id: int) -> Resource:
    """The resource with its owner and typed part. Raises NotFound for a foreign one."""
    return get_visible(_whole(Resource.objects.all()), actor, pk=resource_id)


def resources_of(actor: Actor, organisation_id: int, kind: str = "") -> QuerySet[Resource]:
    """What the actor may see of an owner's resources (of one kind), by name, with owner and typed part."""
    rows = Resource.objects.filter(organisation_id=organisation_id)
    if kind:
        rows = rows.filter(kind=kind)
    return visible_to(_whole(rows), actor).order_by("kind", "name_pinyin", "pk")


def germplasm_of(actor: Actor, organisation_id: int) -> list[Resource]:
    """An owner's accessions that the actor may see, in the order in which they came."""
    return list(resources_of(actor, organisation_id, ResourceKind.GERMPLASM).order_by("pk"))


def may_manage_resource(actor: Actor, resource: Resource) -> bool:
    """Whether the actor may change it and answers requests for it."""
    return manages(actor, resource.organisation_id)


def _whole(rows: QuerySet[Resource]) -> QuerySet[Resource]:
    return rows.select_related("organisation", "test_item", "germplasm", "dataset", "literature").defer("search")
