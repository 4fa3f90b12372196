"""Test items that somebody can commission, with the day on which the result is promised."""

from __future__ import annotations

from collections.abc import Iterable
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
    """A public test item; ``promised_on`` is the local day on which the results of the samples are due if they arrive today, None where
    the lab names no turnaround. ``price_from_fen`` is for one ``price_unit``, None on request; ``total_fen`` for all the samples where
    the price is one of a sample."""

    resource: Resource
    promised_on: date | None
    price_from_fen: int | None
    price_unit: str
    region_code: str
    total_fen: int | None = None


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """What narrows the choice; an empty value narrows nothing. ``region`` are the digits with which divisions begin. ``samples`` narrow
    nothing: for so many the day is promised."""

    text: str = ""
    technique: str = ""
    region: str = ""
    zone: str = ""
    owner: int | None = None
    samples: int = 1


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
    found = list(shown.order_by(soonest, "name_pinyin", "pk")[:count])
    days = promised_days(found, search.samples, today)
    return [_promised(entry, days.get(entry.pk), search.samples) for entry in found], rows.count()


def promised_days(entries: Iterable[CatalogueEntry], samples: int, today: date) -> dict[int, date]:
    """By the id of each test item's entry (with its resource and test item): the local day on which the results of so many samples are
    due if they arrive today. Without those whose lab names no turnaround."""
    found = {}
    for entry in entries:
        if entry.kind != CatalogueKind.TEST_ITEM or entry.resource is None:
            continue
        item = entry.resource.test_item
        due = promised_in(settings.TIME_ZONE, today, item.turnaround_days, samples=samples, daily_capacity=item.daily_capacity)
        if due is not None:
            found[entry.pk] = due
    return found


def total_fen(entry: CatalogueEntry, samples: int) -> int | None:
    """The lowest public price of so many samples; None where the price is not one of a sample."""
    if entry.price_from_fen is None or entry.price_unit != "sample":
        return None
    return entry.price_from_fen * samples


def _promised(entry: CatalogueEntry, due: date | None, samples: int) -> PromisedItem:
    if entry.resource is None:
        raise RuntimeError("an entry of a test item stands for a resource")
    total = total_fen(entry, samples)
    return PromisedItem(entry.resource, due, entry.price_from_fen, entry.price_unit, entry.region_code, total)
