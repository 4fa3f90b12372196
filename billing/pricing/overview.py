"""What a lab's things cost and which of them have a price that is being written: constant numbers of queries for pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, QuerySet

from billing.pricing import sample_prices, services
from billing.pricing.models import PriceDraft, PriceFamily, PriceVersion, TestItemPrice
from billing.pricing.rules.samples import SamplePrice
from billing.pricing.rules.schedule import PriceSchedule
from billing.pricing.subjects import PRICERS, Kind, Subject
from config.kernel.access import Actor, visible_to
from instruments.models import Instrument, Resource, ResourceKind


@dataclass(frozen=True, slots=True)
class Priced:
    """A thing with its price in force: ``schedule`` of time or ``price`` of what is counted (both None: none, or on request)."""

    kind: Kind
    thing: Any
    schedule: PriceSchedule | None = None
    price: SamplePrice | None = None
    has_draft: bool = False
    family: str = ""
    members: int = 0


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version of a thing's price, for its history. ``schedule`` or ``price`` as above."""

    pk: int
    effective_from: date
    published_at: datetime
    published_by: str
    family: str
    cost_sheet: dict[str, Any] | None
    document: dict[str, Any] | None


def things_of(actor: Actor, kind: Kind, text: str = "") -> QuerySet[Any]:
    """What of a kind the actor may write prices for, by name."""
    own = actor.organisations(*PRICERS)
    if kind is Kind.FAMILY:
        rows: QuerySet[Any] = PriceFamily.objects.annotate(member_count=Count("members"))
        order = ("name", "pk")
    elif kind is Kind.TEST_ITEM:
        rows = Resource.objects.filter(kind=ResourceKind.TEST_ITEM).select_related("organisation")
        order = ("name_pinyin", "pk")
    else:
        rows, order = Instrument.objects.select_related("organisation", "site"), ("name_pinyin", "pk")
    found = visible_to(rows, actor).filter(organisation_id__in=own)
    return (found.filter(name__icontains=text) if text else found).order_by(*order)


def with_prices(kind: Kind, things: Sequence[Any], on: date) -> list[Priced]:
    """The things of a page with their prices in force: three queries."""
    ids = [thing.pk for thing in things]
    drafts = set(PriceDraft.objects.filter(**{f"{kind}_id__in": ids}).values_list(f"{kind}_id", flat=True))
    if kind is Kind.FAMILY:
        return [Priced(kind, thing, has_draft=thing.pk in drafts, members=thing.member_count) for thing in things]
    families = _families(kind, ids)
    if kind is Kind.TEST_ITEM:
        prices = sample_prices.in_force(ids, on)
        return [
            Priced(kind, each, price=prices[each.pk].price if each.pk in prices else None, has_draft=each.pk in drafts,
                   family=families.get(each.pk, ""))
            for each in things
        ]  # fmt: skip
    versions = services.version_ids_in_force(ids, on)
    schedules = services.schedules(versions.values())
    return [
        Priced(kind, each, schedules[versions[each.pk]] if each.pk in versions else None, has_draft=each.pk in drafts,
               family=families.get(each.pk, ""))
        for each in things
    ]  # fmt: skip


def _families(kind: Kind, ids: Iterable[int]) -> dict[int, str]:
    path = "members__instrument_id" if kind is Kind.INSTRUMENT else "members__test_item_id"
    return dict(PriceFamily.objects.filter(**{f"{path}__in": list(ids)}).values_list(path, "name"))


def versions_of(subject: Subject) -> list[KnownVersion]:
    """Every version of one thing's price, the latest first; of a family those that were published for it (of its first member)."""
    rows: QuerySet[Any]
    if subject.test_items:
        rows = TestItemPrice.objects.filter(test_item_id=subject.test_items[0].pk)
    elif subject.instruments:
        rows = PriceVersion.objects.filter(instrument_id=subject.instruments[0].pk)
    else:
        return []
    if subject.kind is Kind.FAMILY:
        rows = rows.filter(family_id=subject.pk)
    found = rows.select_related("published_by", "family").order_by("-effective_from", "-pk")
    return [
        KnownVersion(
            row.pk,
            row.effective_from,
            row.published_at,
            str(row.published_by) if row.published_by else "",
            row.family.name if row.family else "",
            row.cost_sheet,
            _plain(row) if row.document is None else row.document,
        )
        for row in found
    ]


def _plain(row: Any) -> dict[str, Any] | None:
    """The price of a test item (``TestItemPrice``) without a schedule as a document; None for one on request."""
    if row.amount_fen is None:
        return None
    return sample_prices.document_of(row.unit, row.amount_fen, row.class_fen)


def in_force_of(versions: Sequence[KnownVersion], on: date) -> KnownVersion | None:
    """The version in force on a local date."""
    return next((each for each in versions if each.effective_from <= on), None)
