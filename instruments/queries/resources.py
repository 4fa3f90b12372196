"""Reading resources of the other kinds: what is behind an instrument, one resource, an owner's own."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from config.kernel.access import Actor, get_visible, visible_to
from instruments.models import Instrument, Resource, ResourceKind


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
