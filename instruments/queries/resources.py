"""Resources of other kinds that stand behind an instrument."""

from __future__ import annotations

from config.kernel.access import Actor, visible_to
from instruments.models import DataSet, Instrument, Literature, TestItem


def test_items_of(actor: Actor, instrument_id: int) -> list[TestItem]:
    """The published test items that are measured with an instrument that the actor may see, by name."""
    seen = visible_to(Instrument.objects.filter(pk=instrument_id), actor)
    rows = TestItem.objects.filter(instruments__in=seen, resource__published=True)
    return list(rows.select_related("resource").order_by("resource__name_pinyin", "resource__name", "pk"))


def supported_by(actor: Actor, instrument_id: int) -> list[DataSet | Literature]:
    """The published data sets and literature that an instrument which the actor may see supported, the newest first."""
    seen = visible_to(Instrument.objects.filter(pk=instrument_id), actor)
    sets = DataSet.objects.filter(instruments__in=seen, resource__published=True).order_by("-issued_on", "pk")
    texts = Literature.objects.filter(instruments__in=seen, resource__published=True).order_by("-issued", "pk")
    return [*sets.select_related("resource"), *texts.select_related("resource")]
