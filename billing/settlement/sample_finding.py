"""Test items that were looked for, with the day on which each lab promises results and what they cost the one who asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from billing.pricing.rules.samples import MOST_SAMPLES, PricedSamples
from billing.settlement.queries import local_today
from billing.settlement.services import sample_quotes
from billing.settlement.time_finding import COMPARED, Customer, nearly_used_up
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.sample_codec import SampleInputs
from booking.queries.samples import median_accept_hours
from booking.rules.time_search import ELSEWHERE, nearness
from booking.services import sample_days
from config.kernel.errors import Refusal
from instruments.models import CatalogueEntry, CatalogueKind, Resource
from instruments.queries.promises import ItemSearch, items_count, items_found

_NEVER = date.max


@dataclass(frozen=True, slots=True)
class PricedItem:
    """A test item with its figures for all the samples; ``assessment`` is None where the price is on request or counts time.

    ``promised_on`` is the local day on which results are due if the samples come today, None where nothing can be promised;
    ``nearness`` one of ``booking.rules.time_search``'s; ``nearly_used_up`` are the codes of programmes that would pay and have little
    left; ``answer_hours`` how long the lab usually takes to accept, None where it never did.
    """

    entry: CatalogueEntry
    resource: Resource
    promised_on: date | None
    nearness: int = ELSEWHERE
    assessment: Assessment[PricedSamples] | None = None
    nearly_used_up: tuple[str, ...] = ()
    answer_hours: float | None = None


@dataclass(frozen=True, slots=True)
class PricedItems:
    """``total``: how many test items match. ``compared``: among how many of those with the shortest turnaround (of the nearest ones,
    where those come first) the rows were chosen."""

    rows: list[PricedItem]
    total: int
    compared: int


def find_items(search: ItemSearch, customer: Customer, sort: str, now: datetime, count: int, origin: str) -> PricedItems:
    """``count`` test items in the order asked for (of ``time_finding.SORTS``): by promised day, final cost, or division from ``origin``
    (by promised day where there is none). The statements do not grow with the number of items."""
    today = local_today(now)
    entries = items_found(search, COMPARED, origin if sort == "nearest" else "")
    items = _promised(entries, search.samples, today, origin)
    if sort == "cost":
        rows = sorted(_priced(items, search.samples, search.elements, customer, today), key=_by_cost)[:count]
    else:
        by_place = sort == "nearest" and bool(origin)
        items.sort(key=lambda each: (each.nearness if by_place else 0, *_by_day(each)))
        rows = _priced(items[:count], search.samples, search.elements, customer, today)
    total = len(entries) if len(entries) < COMPARED else items_count(search)
    hours = median_accept_hours([each.resource.pk for each in rows])
    return PricedItems([replace(each, answer_hours=hours.get(each.resource.pk)) for each in rows], total, len(entries))


def items_of(
    entries: Iterable[CatalogueEntry], samples: int, customer: Customer, now: datetime, *, priced: bool, elements: int = 1
) -> dict[int, PricedItem]:
    """Those of the entries (with resource, owner and test item) that are test items, by the entry's id: two queries however many, and seven
    more where they are ``priced`` (with so many ``elements`` in each sample, where elements cost)."""
    today = local_today(now)
    items = _promised([each for each in entries if each.kind == CatalogueKind.TEST_ITEM], samples, today, "")
    return {each.entry.pk: each for each in (_priced(items, samples, elements, customer, today) if priced else items)}


def _promised(entries: Iterable[CatalogueEntry], samples: int, today: date, origin: str) -> list[PricedItem]:
    found = [(each, resource) for each in entries if (resource := _owned(each)) is not None]
    items = (resource.test_item for _, resource in found)
    days = sample_days.work_out_many(items, samples, today) if samples <= MOST_SAMPLES else {}
    return [PricedItem(entry, resource, days.get(resource.pk), nearness(origin, entry.region_code)) for entry, resource in found]


def _owned(entry: CatalogueEntry) -> Resource | None:
    """What the entry stands for with its owner, whom the entry has in hand."""
    resource = entry.resource
    if resource is not None and resource.organisation_id == entry.organisation_id:
        resource.organisation = entry.organisation
    return resource


def _priced(items: Sequence[PricedItem], samples: int, elements: int, customer: Customer, today: date) -> list[PricedItem]:
    if not items or samples > MOST_SAMPLES:
        return list(items)
    places = {each.resource.pk: each.entry.region_code for each in items}
    resources = [each.resource for each in items]
    prepared = sample_quotes.prepare_many(resources, places, customer.organisation, samples, today, customer.person_id, elements)
    return [_with_figures(each, inputs) for each, inputs in zip(items, prepared, strict=True)]


def _with_figures(item: PricedItem, inputs: SampleInputs | None) -> PricedItem:
    if inputs is None:
        return item
    try:
        assessment = inputs.assess()
    except Refusal:  # the lab has no price for such customers
        return item
    return replace(item, assessment=assessment, nearly_used_up=nearly_used_up(inputs.candidates, assessment))


def _by_day(item: PricedItem) -> tuple[date, str, int]:
    """Items without a promise come last."""
    return (item.promised_on or _NEVER, item.entry.name_pinyin, item.entry.pk)


def _by_cost(item: PricedItem) -> tuple[int, date, str, int]:
    """Items without a price come last."""
    cost = item.assessment.final_cost_fen if item.assessment is not None else 2**62
    return (cost, *_by_day(item))
