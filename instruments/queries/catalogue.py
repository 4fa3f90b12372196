"""Finding anything in the catalogue: text with facets, bounded whatever is asked.

One statement finds, counts and ranks, over at most ``BOUND`` entries; where more match it says so. A page costs the same number of
statements however many are found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Count, Exists, FloatField, Q, QuerySet
from django.db.models.expressions import RawSQL

from config.kernel.access import NOBODY, Actor, visible_to
from instruments import catalogue_ports as ports
from instruments.models import CatalogueCount, CatalogueEntry, CodeScheme, InstrumentStatus
from instruments.queries import codes, divisions
from instruments.queries.facet_labels import labelled
from instruments.rules.asking import Asking, days_meant, parse_asking
from instruments.rules.facets import LETTERS, NAMES, class_path
from instruments.rules.regions import division_prefix
from instruments.rules.search_state import NEXT_FREE_DAYS, CatalogueSearch
from instruments.services import search_tokens

BOUND = 1_500
"""So many entries are counted and ranked; of more it is said that there are more."""
PAGE_SIZE = 24
MAX_PAGE_SIZE = 200
VALUES_SHOWN = 60
COUNTS_NEXT_FREE_UP_TO = 1000
_USUAL_MINUTES, _DAY_MINUTES = 60, 23 * 60
_ALL = "*"
WORKED_OUT_FROM = (
    *("organisation__region_code", "organisation__policy_zones", "organisation__status", "organisation__owner_class"),
    *("organisation__quality_grade", "resource__organisation", "resource__test_item__resource"),
    *("resource__test_item__turnaround_days", "resource__test_item__daily_capacity", "resource__test_item__service_kind"),
)
"""Columns behind an entry from which its day and its cost are worked out."""
_ON_CARDS = (
    *WORKED_OUT_FROM,
    *("kind", "name", "name_en", "class_code", "region_code", "zones", "technique_codes", "service_modes", "status", "public"),
    *("calendar", "bookable", "training_needed", "approval_needed", "subsidy_eligible", "price_from_fen", "price_unit"),
    *("organisation__name", "organisation__name_en"),
    *("instrument__name", "instrument__model", "instrument__manufacturer", "instrument__photo__sha256"),
    *("instrument__site__name", "instrument__site__address", "instrument__site__time_zone"),
    *("resource__name", "resource__test_item__method", "resource__test_item__matrix", "resource__test_item__analytes"),
)
"""Columns of an entry and of what is behind it that a card of a list or of the API says, and from which its day and its cost are worked
out: a third of what there is."""
_SORTED: Mapping[str, tuple[str, ...]] = {
    "name": ("name_pinyin", "pk"),
    "newest": ("-public_at", "-pk"),
    "price": ("price_from_fen", "pk"),
}
_SORTED_SQL: Mapping[str, str] = {
    "relevance": "rank DESC, name_pinyin, id",
    "name": "name_pinyin, id",
    "newest": "public_at DESC, id DESC",
    "price": "price_from_fen, id",
}


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a facet and how many would be found with it and the other filters; ``label`` where it has its own name.

    ``count`` is None where nobody counted.
    """

    value: str
    count: int | None
    label: str = ""
    label_en: str = ""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What would be found without one of the filters, or (``filters``) with the words alone."""

    without: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of entries with what a card shows, how many there are, and the facets of all of them.

    ``search`` is what was searched for, ``asked`` what was typed, taken apart. ``total`` is exact up to ``BOUND``; above that
    ``more`` is set and it is ``BOUND`` or a count of the last minutes. ``first_only``: facets count the first ``BOUND`` only.
    ``any_word``: nothing has all the words, these have some. ``elsewhere``: nothing is near the place that the words name, these are
    farther away, those of the same province first. ``relaxations`` is filled when nothing was found.
    """

    search: CatalogueSearch
    asked: Asking
    items: list[CatalogueEntry]
    total: int
    page: int
    page_size: int
    facets: dict[str, list[FacetValue]]
    more: bool = False
    first_only: bool = False
    any_word: bool = False
    elsewhere: bool = False
    relaxations: list[Relaxation] = field(default_factory=list)

    @property
    def pages(self) -> int:
        return max(1, -(-min(self.total, BOUND) // self.page_size))


@dataclass(frozen=True, slots=True)
class _Found:
    """What one statement told: how many (at most one above the bound), counts by facet value, ids of the page in order."""

    total: int
    counts: dict[str, int]
    ids: list[int]


def search_catalogue(
    actor: Actor, search: CatalogueSearch, now: datetime, page: int = 1, page_size: int = PAGE_SIZE
) -> SearchResult:
    """What the actor may see of what is asked for. Words in the text that mean a place or a time narrow like filters do, unless
    such a filter is set; near a place means elsewhere too where nothing is near it. Where nothing has all the words, the name of a place
    among them means what lies in it."""
    page_size, page = min(max(1, page_size), MAX_PAGE_SIZE), min(max(1, page), BOUND)

    def found(asked: Asking) -> SearchResult:
        near = asked.near and not search.region_code
        return _Search(actor, _meant(search, asked), now, page_size, asked, near).result(asked, page)

    asked = parse_asking(search.text, divisions.known_places())
    result = found(asked)
    if result.total and not result.any_word:
        return result
    placed = _placed(search, asked)
    inside = found(placed) if placed is not None else result
    return inside if inside.total and not inside.any_word else result


def entries_for(actor: Actor, entry_ids: Sequence[int]) -> list[CatalogueEntry]:
    """Those of the entries that the actor may see, with what a card shows and nothing else, in the order given: one statement."""
    rows = with_card(visible_to(CatalogueEntry.objects.filter(pk__in=entry_ids), actor)).defer(None).only(*_ON_CARDS)
    found = {entry.pk: entry for entry in rows}
    return [found[pk] for pk in entry_ids if pk in found]


def with_card(rows: QuerySet[CatalogueEntry]) -> QuerySet[CatalogueEntry]:
    """With owner, instrument, place, photo, resource and test item, and without the search words."""
    return rows.select_related("organisation", "instrument__site", "instrument__photo", "resource__test_item").defer(
        "search", "facets", "instrument__description", "instrument__description_en", "resource__description"
    )


def new_since(search: CatalogueSearch, since: datetime, now: datetime, most: int = 1000) -> list[int]:
    """Ids of public entries that a search finds (all its words) and that became public after an instant, the newest first."""
    asked = parse_asking(search.text, divisions.known_places())
    found: set[tuple[datetime, int]] = set()
    for one in filter(None, (asked, _placed(search, asked))):
        meant = _meant(search.without("next_free", "sort"), one)
        rows = _Search(NOBODY, meant, now, 1).rows(meant.filters).filter(public_at__gt=since).order_by("-public_at", "-pk")
        found.update((at, pk) for at, pk in rows.values_list("public_at", "pk")[:most] if at is not None)
    return [pk for _at, pk in sorted(found, reverse=True)][:most]


def count_at(actor: Actor, result: SearchResult, calendar_ids: Sequence[int], now: datetime) -> int:
    """How many entries at these calendars fit a search that was made, but for when they are free: one statement, none for no calendars."""
    if not calendar_ids:
        return 0
    search = _Search(actor, replace(result.search, next_free=""), now, 1)
    search.any_word = result.any_word
    return search.rows(search.search.filters).filter(calendar__in=calendar_ids).count()


def counts_by_class(actor: Actor, now: datetime) -> dict[str, int]:
    """How many instruments of each class (two digits) the actor may find, retired ones left out."""
    found = _Search(actor, CatalogueSearch(kind="instrument"), now, 1).result(Asking(""), 1)
    return {value.value: value.count or 0 for value in found.facets["class_code"]}


def _placed(search: CatalogueSearch, asked: Asking) -> Asking | None:
    """What was asked with the name of a place among its words taken for the place; None where there is none, or another place is meant."""
    if search.region_code or asked.region_code or not asked.words:
        return None
    placed = parse_asking(search.text, divisions.known_places(), places_alone=True)
    return placed if placed.region_code else None


def _meant(search: CatalogueSearch, asked: Asking) -> CatalogueSearch:
    return replace(search, text=asked.words, region_code=search.region_code or asked.region_code)


def _free(search: CatalogueSearch, asked: Asking | None, now: datetime) -> Q | Exists | None:
    """The condition of being free that the filter or else the words mean."""
    builder = ports.next_free()
    if builder is None:
        return None
    if search.next_free:
        return builder(int(search.next_free), now)
    meant = days_meant(asked.when, now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()) if asked is not None else None
    if asked is None or meant is None:
        return None
    minutes = min(asked.duration_minutes or _USUAL_MINUTES, _DAY_MINUTES)
    return Q(calendar=None) | Q(builder(meant[1], now, minutes, after_days=meant[0]))  # what is not booked by time stays


class _Search:
    """One search on behalf of an actor. The time that the words mean (``asked``) narrows it when no such filter is set; ``near``: its
    place was only said to be near."""

    def __init__(
        self,
        actor: Actor,
        search: CatalogueSearch,
        now: datetime,
        page_size: int,
        asked: Asking | None = None,
        near: bool = False,
    ) -> None:
        self.actor, self.search, self.now, self.page_size, self.near = actor, search, now, page_size, near
        self.today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
        self.free = _free(search, asked, now)
        self.any_word = False
        self.around = ""  # the province of the place that nothing is near to
        self.cut = False  # whether counts are of the first ones only
        self._counted: dict[str, dict[str, int]] | None = None

    def result(self, asked: Asking, page: int) -> SearchResult:
        stored = self._stored()
        if stored is not None:
            return self._browse(asked, page, stored)
        found = self._find(page)
        if not found.total and self._widened(asked):
            found = self._find(page)
        if not found.total and search_tokens.has_parts(self.search.text) and not self._any(self.search.without(*LETTERS)):
            self.any_word = True
            found = self._find(page)
            if not found.total and self._widened(asked):
                found = self._find(page)
        last = max(1, -(-min(found.total, BOUND) // self.page_size))
        if page > last:
            page = last
            found = self._find(page)
        others = self._others(found.counts)
        more = found.total > BOUND
        return SearchResult(
            search=self.search,
            asked=asked,
            items=entries_for(self.actor, self._page_ids(found, page)),
            total=min(found.total, BOUND),
            page=page,
            page_size=self.page_size,
            facets=self._facets(found.counts, others, found.total),
            more=more,
            first_only=more or self.cut,
            any_word=self.any_word,
            elsewhere=bool(self.around),
            relaxations=[] if found.total else self._relaxations(others),
        )

    def _widened(self, asked: Asking) -> bool:
        """Look everywhere, where nothing is near the place that was only said in words and something is elsewhere."""
        wider = self.search.without("region_code")
        if not self.near or not self.rows(wider.filters).exists():
            return False
        self.search, self.around = wider, f"{asked.region_code[:2]}0000"
        return True

    # --- Rows -------------------------------------------------------------------------------------------------------------
    def rows(self, filters: Mapping[str, str], text: str | None = None) -> QuerySet[CatalogueEntry]:
        """Entries the actor may see with the words and these facet filters; without a status no retired ones."""
        rows = visible_to(CatalogueEntry.objects.order_by(), self.actor)
        if filters:
            rows = rows.filter(facets__contains=facet_values_of(filters))
        if "status" not in self.search.filters:
            rows = rows.exclude(status=InstrumentStatus.RETIRED)
        if self.free is not None:
            rows = rows.filter(self.free)
        if self.search.order == "price":
            rows = rows.filter(price_from_fen__isnull=False)
        return self._with_words(rows, self.search.text if text is None else text)

    def _with_words(self, rows: QuerySet[CatalogueEntry], text: str) -> QuerySet[CatalogueEntry]:
        if not text:
            return rows
        asked = search_tokens.query(text, any_word=self.any_word)
        if not asked:
            return rows.none()
        return rows.filter(RawSQL("instruments_catalogueentry.search @@ %s::tsquery", [asked], output_field=BooleanField()))

    def _any(self, search: CatalogueSearch) -> bool:
        return _Search(self.actor, search, self.now, 1).rows(search.filters).exists()

    # --- Counting ---------------------------------------------------------------------------------------------------------
    def _find(self, page: int) -> _Found:
        rows = self.rows(self.search.filters)
        rank = RawSQL("0::float8", [], output_field=FloatField())
        if self.search.order == "relevance":
            asked = search_tokens.query(self.search.text, any_word=self.any_word)
            rank = RawSQL("ts_rank(instruments_catalogueentry.search, %s::tsquery)", [asked], output_field=FloatField())
        columns = rows.annotate(rank=rank).values_list("pk", "facets", "name_pinyin", "public_at", "price_from_fen", "rank")
        compiled = _compiled(columns[: BOUND + 1])
        if compiled is None:
            return _Found(0, {}, [])
        inner, params = compiled
        nearest = "facets @> ARRAY[%s]::varchar[] DESC, " if self.around else ""
        around = facet_values_of({"region_code": self.around}) if self.around else []
        sql = f"""
            WITH found (id, facets, name_pinyin, public_at, price_from_fen, rank) AS MATERIALIZED ({inner}),
            page AS (SELECT id, row_number() OVER () AS place
                       FROM (SELECT id FROM found ORDER BY {nearest}{_SORTED_SQL[self.search.order]} LIMIT %s OFFSET %s) AS sorted)
            SELECT '{_ALL}', NULL, count(*) FROM found
            UNION ALL SELECT 'page', id::text, place FROM page
            UNION ALL SELECT 'value', value, count(*) FROM (SELECT unnest(facets) AS value FROM found) AS each GROUP BY value"""  # noqa: S608  (our own SQL)
        with connection.cursor() as cursor:
            cursor.execute(sql, [*params, *around, self.page_size, (page - 1) * self.page_size])
            told = cursor.fetchall()
        return _Found(
            total=next(int(number) for what, _, number in told if what == _ALL),
            counts={value: number for what, value, number in told if what == "value"},
            ids=[int(pk) for _, pk, place in sorted((each for each in told if each[0] == "page"), key=lambda each: each[2])],
        )

    def _page_ids(self, found: _Found, page: int) -> list[int]:
        """The page's ids: what was found, or by an index where more match than are looked at."""
        if found.total <= BOUND or self.search.order not in _SORTED:
            return found.ids
        return self._by_index(page)

    def _by_index(self, page: int) -> list[int]:
        start = (page - 1) * self.page_size
        rows = self.rows(self.search.filters).order_by(*_SORTED[self.search.order])
        return list(rows.values_list("pk", flat=True)[start : start + self.page_size])

    def _others(self, counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
        """For each filter that is set, by value what another choice would find: of what was found (``counts``), and of what fails only
        this filter (``*``: all of that). Looks at the first ``BOUND`` entries that have the words and may fail but
        one."""
        filters = self.search.filters
        told = self._stored_others()
        asked = [name for name in filters if name not in told]
        if not asked:
            return told
        rows = self.rows({})
        if len(filters) > 1:
            rows = rows.filter(_one_of([facet_values_of(_without(filters, name)) for name in asked]))
        compiled = _compiled(rows.values_list("facets"))
        if compiled is None:
            return told
        inner, params = compiled
        fails = ", ".join(f"NOT facets @> ARRAY[%s]::varchar[] AS fails_{place}" for place in range(len(filters)))
        failed = " + ".join(f"fails_{place}::int" for place in range(len(filters)))
        cases = " ".join(f"WHEN fails_{place} THEN %s" for place, name in enumerate(filters) if name in asked)
        sql = f"""
            WITH looked AS MATERIALIZED (SELECT facets, {fails} FROM ({inner} LIMIT %s) AS first_ones),
            near AS MATERIALIZED (SELECT facets, CASE {cases} END AS letter FROM looked WHERE {failed} = 1)
            SELECT left(value, 1), value, count(*) FROM (SELECT letter, unnest(facets) AS value FROM near) AS each
             WHERE left(value, 1) = letter GROUP BY value
            UNION ALL SELECT letter, '{_ALL}', count(*) FROM near GROUP BY letter
            UNION ALL SELECT '', '', count(*) FROM looked"""  # noqa: S608  (our own SQL)
        with connection.cursor() as cursor:
            cursor.execute(sql, [*facet_values_of(filters), *params, BOUND, *(LETTERS[name] for name in asked)])
            for letter, value, number in cursor.fetchall():
                if letter == "":
                    self.cut = number >= BOUND
                elif letter is not None:
                    told.setdefault(NAMES[letter], {})[value] = number + counts.get(value, 0)
        return told

    def _stored_others(self) -> dict[str, dict[str, int]]:
        """What is left when a filter is taken away is everything, or everything of a kind: then its counts are stored."""
        filters = self.search.filters
        if self.search.text or self.free is not None or self.search.order == "price":
            return {}
        told = {}
        for name in filters:
            rest = _without(filters, name)
            stored = self._stored_counts(rest.get("kind", "")) if set(rest) <= {"kind"} else {}
            if stored.get(_ALL, 0) > BOUND:
                chosen = f"{LETTERS[name]}:"
                told[name] = {value: number for value, number in stored.items() if value.startswith(chosen) or value == _ALL}
        return told

    def _facets(
        self, counts: Mapping[str, int], others: Mapping[str, Mapping[str, int]], total: int
    ) -> dict[str, list[FacetValue]]:
        """The values of each facet with the counts that choosing each (instead of the one chosen now) would give, most first."""
        by_name: dict[str, dict[str, int]] = {name: {} for name in LETTERS}
        for value, number in counts.items():
            by_name[NAMES[value[0]]][value[2:]] = number
        for name, values in others.items():
            by_name[name] |= {value[2:]: number for value, number in values.items() if value != _ALL}
        for name, chosen in self.search.filters.items():
            by_name[name][chosen] = counts.get(f"{LETTERS[name]}:{chosen}", 0)
        by_name["region_code"] = _shown_regions(by_name["region_code"], self.search.region_code)
        by_name["class_code"] = _shown_classes(by_name["class_code"], self.search.class_code, self.today)
        facets = labelled(
            {
                name: [FacetValue(value, number) for value, number in _most(values, self.search.filters.get(name))]
                for name, values in by_name.items()
            },
            self.today,
        )
        if ports.next_free() is not None:
            facets["next_free"] = self._next_free(total)
        return facets

    def _next_free(self, total: int) -> list[FacetValue]:
        """Within how many days something is free; counted where that is cheap."""
        builder = ports.next_free()
        if builder is None or total > COUNTS_NEXT_FREE_UP_TO:
            return [FacetValue(str(days), None) for days in NEXT_FREE_DAYS]
        rows = _Search(self.actor, replace(self.search, next_free=""), self.now, 1).rows(self.search.filters)
        counted = rows.aggregate(**{f"within_{days}": Count("pk", filter=builder(days, self.now)) for days in NEXT_FREE_DAYS})
        return [FacetValue(str(days), counted[f"within_{days}"]) for days in NEXT_FREE_DAYS]

    def _relaxations(self, others: Mapping[str, Mapping[str, int]]) -> list[Relaxation]:
        found = []
        if self.search.text and self.search.filters:
            count = self.rows(self.search.filters, text="")[:BOUND].count()
            found += [Relaxation("text", count)] if count else []
        found += [Relaxation(name, values[_ALL]) for name, values in others.items()]
        if self.free is not None:
            count = _Search(self.actor, self.search.without("next_free"), self.now, 1).rows(self.search.filters)[:BOUND].count()
            found += [Relaxation("next_free", count)] if count else []
        if not found and self.search.text and len(self.search.active) > 2:
            count = self.rows({})[:BOUND].count()
            found = [Relaxation("filters", count)] if count else []
        return sorted(found, key=lambda one: (one.without == "text", -one.count))  # the words are what is really sought

    # --- Everything -------------------------------------------------------------------------------------------------------
    def _stored(self) -> dict[str, int] | None:
        """Counts of the last minutes, when nothing narrows but a kind and there is too much to count while somebody waits."""
        if set(self.search.active) - {"kind"} or self.free is not None or self.search.order == "price":
            return None
        counts = self._stored_counts(self.search.kind)
        return counts if counts.get(_ALL, 0) > BOUND else None

    def _stored_counts(self, kind: str) -> dict[str, int]:
        """Counts of all that is public, or of a kind of it, by facet value. All, and the kind that is asked for, are read at once."""
        if self._counted is None:
            self._counted = {name: {} for name in ("", self.search.kind)}
            wanted = [Q(value__startswith=f"{name}|") for name in self._counted]
            rows = CatalogueCount.objects.filter(reduce(or_, wanted)).values_list("value", "count")
            for told, number in rows:
                name, _bar, value = told.partition("|")
                self._counted[name][value] = number
        return dict(self._counted[kind])

    def _browse(self, asked: Asking, page: int, stored: dict[str, int]) -> SearchResult:
        total = stored.pop(_ALL)
        page = min(page, -(-BOUND // self.page_size))
        return SearchResult(
            search=self.search,
            asked=asked,
            items=entries_for(self.actor, self._by_index(page)),
            total=total,
            page=page,
            page_size=self.page_size,
            facets=self._facets(stored, {}, total),
            more=True,
        )


def facet_values_of(filters: Mapping[str, str]) -> list[str]:
    """The facet values that all must be there."""
    return [f"{LETTERS[name]}:{value}" for name, value in filters.items()]


def _without(filters: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in filters.items() if key != name}


def _compiled(rows: Any) -> tuple[str, tuple[Any, ...]] | None:
    """The SQL of a queryset with its parameters; None when it can find nothing."""
    try:
        return rows.query.sql_with_params()
    except EmptyResultSet:
        return None


def _one_of(sets: Sequence[list[str]]) -> Q:
    found = Q()
    for values in sets:
        found |= Q(facets__contains=values)
    return found


def _most(values: Mapping[str, int], chosen: str | None) -> list[tuple[str, int]]:
    """The most frequent values, and the chosen one in any case."""
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    return ordered[:VALUES_SHOWN] + [item for item in ordered[VALUES_SHOWN:] if item[0] == chosen]


def _shown_regions(values: Mapping[str, int], chosen: str) -> dict[str, int]:
    """One level of divisions: what lies in the chosen one (and itself), else provinces, or prefectures where there is one province."""
    if chosen:
        head = division_prefix(chosen)
        inside = {
            code: count for code, count in values.items() if code.startswith(head) and len(division_prefix(code)) == len(head) + 2
        }
        return {chosen: values.get(chosen, 0)} | inside
    provinces = {code: count for code, count in values.items() if code.endswith("0000")}
    if len(provinces) > 1:
        return provinces
    return {code: count for code, count in values.items() if len(division_prefix(code)) == 4}


def _shown_classes(values: Mapping[str, int], chosen: str, on: date) -> dict[str, int]:
    """One level of classes: the chosen one with those around it and, of those directly in it, the ones that a list has; where there are
    none, or none is chosen, the ones beside it."""
    around = class_path(chosen)

    def below(code: str) -> dict[str, int]:
        finer = {value: count for value, count in values.items() if len(value) == len(code) + 2 and value.startswith(code)}
        return {value: count for value, count in finer.items() if codes.entry_of(CodeScheme.INSTRUMENT_CLASS, value, on)}

    shown = below(chosen) or below(chosen[:-2])
    return {code: values.get(code, 0) for code in around} | shown
