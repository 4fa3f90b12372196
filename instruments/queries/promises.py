"""Test items that somebody can commission, of a search."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from django.db.models import BooleanField, Case, F, IntegerField, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from instruments.models import CatalogueEntry, CatalogueKind
from instruments.queries.catalogue import WORKED_OUT_FROM
from instruments.rules.facets import LETTERS
from instruments.rules.synonyms import elements_in
from instruments.services import search_tokens

#: What a row says, and what its figures need: a third of what there is.
_READ = (
    *WORKED_OUT_FROM,
    *("kind", "name_pinyin", "region_code", "price_from_fen", "price_unit"),
    *("organisation__name", "organisation__name_en", "resource__name", "resource__name_en"),
)
#: What narrows the choice, in the order in which it is shown.
ITEM_FILTERS = ("text", "technique", "region", "zone", "owner")


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

    @property
    def elements(self) -> int:
        """In how many elements each sample is measured: those that the words name, or one."""
        return max(1, len(elements_in(self.text)))

    @property
    def active(self) -> tuple[str, ...]:
        """The names of the filters that narrow the choice."""
        return tuple(name for name in ITEM_FILTERS if getattr(self, name) not in ("", None))

    def without(self, name: str) -> ItemSearch:
        """The same search without one of its filters."""
        usual: dict[str, Any] = {one.name: one.default for one in fields(self)}
        return replace(self, **{name: usual[name]})


def items_found(search: ItemSearch, count: int, near: str = "") -> list[CatalogueEntry]:
    """``count`` public entries (each with owner, resource and test item) with the shortest turnaround, items without one last.

    With ``near``, a division: those of its county before those of its prefecture, its province and everywhere else.
    """
    rows = _matching(search).select_related("organisation", "resource__test_item").only(*_READ)
    soonest: list[Any] = [F("resource__test_item__turnaround_days").asc(nulls_last=True), "name_pinyin", "pk"]
    if near:
        rings = [When(region_code__startswith=near[:width], then=Value(place)) for place, width in enumerate((6, 4, 2))]
        rows = rows.annotate(ring=Case(*rings, default=Value(len(rings)), output_field=IntegerField()))
        return list(rows.order_by("ring", *soonest)[:count])
    return list(rows.order_by(*soonest)[:count])


def items_count(search: ItemSearch) -> int:
    """How many public test items match."""
    return _matching(search).count()


def items_without(search: ItemSearch) -> list[tuple[str, int]]:
    """For each filter of the search how many would match without it, the most first; filters without which nothing matches either are
    left out. One query for each filter."""
    counts = [(name, items_count(search.without(name))) for name in search.active]
    return sorted((each for each in counts if each[1]), key=lambda each: -each[1])


def total_fen(entry: CatalogueEntry, samples: int) -> int | None:
    """The lowest public price of so many samples; None where the price is not one of a sample."""
    if entry.price_from_fen is None or entry.price_unit != "sample":
        return None
    return entry.price_from_fen * samples


def _matching(search: ItemSearch) -> QuerySet[CatalogueEntry]:
    rows = CatalogueEntry.objects.filter(public=True)
    if search.text:
        asked = search_tokens.query(search.text)
        if not asked:
            return rows.none()
        rows = rows.filter(RawSQL("instruments_catalogueentry.search @@ %s::tsquery", [asked], output_field=BooleanField()))
    # As facets, so that narrower techniques and all divisions within one are found too, all by one index.
    wanted = {
        "kind": CatalogueKind.TEST_ITEM.value,
        "technique": search.technique,
        "region_code": search.region and f"{search.region:0<6}",
    }
    rows = rows.filter(facets__contains=[f"{LETTERS[name]}:{value}" for name, value in wanted.items() if value])
    if search.zone:
        rows = rows.filter(zones__contains=[search.zone])
    if search.owner is not None:
        rows = rows.filter(organisation_id=search.owner)
    return rows
