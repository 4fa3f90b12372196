"""What is needed to look at a few things side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, IntegerField, Value, When

from config.kernel.access import Actor, visible_to
from instruments import catalogue_ports as ports
from instruments.models import CatalogueEntry
from instruments.queries.catalogue import with_card
from instruments.rules.search_state import NEXT_FREE_DAYS

ITEMS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Compared:
    """An entry with what is only compared: what is measured with it, and within how many days it is free.

    ``free_within`` is None when that is later or not known.
    """

    entry: CatalogueEntry
    test_items: list[CatalogueEntry]
    free_within: int | None


def compared(actor: Actor, entry_ids: Sequence[int], now: datetime) -> list[Compared]:
    """Those of the entries that the actor may see, in the order given: three statements."""
    entries = {entry.pk: entry for entry in with_card(visible_to(CatalogueEntry.objects.filter(pk__in=entry_ids), actor))}
    items = _items(actor, [entry.instrument_id for entry in entries.values() if entry.instrument_id is not None])
    free = _free_within(actor, entry_ids, now)
    return [
        Compared(entries[pk], items.get(entries[pk].instrument_id or 0, [])[:ITEMS_SHOWN], free.get(pk))
        for pk in entry_ids
        if pk in entries
    ]


def _items(actor: Actor, instrument_ids: Sequence[int]) -> dict[int, list[CatalogueEntry]]:
    """The test items of each instrument, by name."""
    rows = visible_to(CatalogueEntry.objects.filter(resource__test_item__instruments__in=instrument_ids), actor)
    found: dict[int, list[CatalogueEntry]] = {}
    for entry in rows.distinct().defer("search", "facets").order_by("name_pinyin", "pk")[:200]:
        for instrument_id in entry.behind:
            found.setdefault(instrument_id, []).append(entry)
    return found


def _free_within(actor: Actor, entry_ids: Sequence[int], now: datetime) -> dict[int, int | None]:
    builder = ports.next_free()
    if builder is None:
        return {}
    whens = [When(builder(days, now), then=Value(days)) for days in NEXT_FREE_DAYS]
    rows = visible_to(CatalogueEntry.objects.filter(pk__in=entry_ids), actor)
    return dict(rows.annotate(within=Case(*whens, default=None, output_field=IntegerField())).values_list("pk", "within"))
