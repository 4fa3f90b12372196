"""Test items that somebody can commission, with the day on which the result is promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import BooleanField, F
from django.db.models.expressions import RawSQL

from instruments.models import CatalogueEntry, CatalogueKind, Resource
from instruments.rules.facets import LETTERS
from instruments.rules.turnaround import promised_in
from instruments.services import search_tokens


@dataclass(frozen=True, slots=True)
class PromisedItem:
    """A public test item; ``promised_on`` is the local day on which the results of one sample that arrives today are due, None where
    the lab names no turnaround. ``price_from_fen`` is for one ``price_unit``, None on request."""

    resource: Resource
    promised_on: date | None
    price_from_fen: int | None
    price_unit: str
    region_code: str


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """What narrows the choice; an empty value narrows nothing. ``region`` are the digits with which divisions begin."""

    text: str = ""
    technique: str = ""
    region: str = ""
    zone: str = ""
    owner: int | None = None


def promised_items(search: ItemSearch, today: date, count: int) -> tuple[list[PromisedItem], int]:
    """The items with the earliest promise, and how many there are."""
    rows = CatalogueEntry.objects.filter(kind=CatalogueKind.TEST_ITEM, public=True)
    if search.text:
        asked = search_tokens.query(search.text)
        if not asked:
            return [], 0
        rows = rows.filter(RawSQL("instruments_catalogueentry.search @@ %s::tsquery", [asked], output_field=BooleanField()))
    if search.technique:
        rows = rows.filter(facets__contains=[f"{LETTERS['technique']}:{search.technique}"])  # the narrower ones too
    if search.region:
        rows = rows.filter(region_code__startswith=search.region)
    if search.zone:
        rows = rows.filter(zones__contains=[search.zone])
    if search.owner is not None:
        rows = rows.filter(organisation_id=search.owner)
    soonest = F("resource__test_item__turnaround_days").asc(nulls_last=True)
    shown = rows.select_related("resource__organisation", "resource__test_item").defer("search", "facets")
    return [_promised(entry, today) for entry in shown.order_by(soonest, "name_pinyin", "pk")[:count]], rows.count()


def _promised(entry: CatalogueEntry, today: date) -> PromisedItem:
    resource = entry.resource
    if resource is None:
        raise RuntimeError("an entry of a test item stands for a resource")
    item = resource.test_item
    due = promised_in(settings.TIME_ZONE, today, item.turnaround_days, daily_capacity=item.daily_capacity)
    return PromisedItem(resource, due, entry.price_from_fen, entry.price_unit, entry.region_code)
