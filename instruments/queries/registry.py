"""Finding instruments, and what one of them looks like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.search import SearchQueryField
from django.db.models import BooleanField, Count, Exists, F, Func, OuterRef, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Left

from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.time_range import TimeRange, merge
from instruments.models import (
    BOOKABLE_STATUSES,
    CalendarEntry,
    CalendarEntryKind,
    Instrument,
    InstrumentStatus,
    Organisation,
    Site,
)
from instruments.rules.audience import audience_of
from instruments.rules.opening import CalendarRules, open_ranges
from instruments.services import schedule_store, search_tokens
from instruments.services.instrument_changes import manages
from instruments.services.opening_hours import KEPT_DAYS
from instruments.services.weekly_hours import WeeklyWindow, weekly_windows

SORTS = ("relevance", "name", "newest")
FACETS = ("class_code", "region_code", "status", "service_mode", "owner")
PAGE_SIZE = 24
MAX_PAGE_SIZE = 200
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class InstrumentSearch:
    """What somebody looks for; an empty value does not narrow anything.

    ``class_code`` is a class of two digits; ``region_code`` a division that contains the site (630000 is the whole
    province); ``owner`` an organisation's id. Without a status retired instruments are left out.
    """

    text: str = ""
    class_code: str = ""
    region_code: str = ""
    status: str = ""
    service_mode: str = ""
    owner: int | None = None
    bookable: bool = False
    sort: str = ""

    @property
    def active(self) -> tuple[str, ...]:
        """The names of the filters that narrow the result, the text first."""
        names = ("text", *FACETS, "bookable")
        return tuple(name for name in names if getattr(self, name) not in ("", None, False))

    @property
    def order(self) -> str:
        """How the result is sorted: as asked, else by relevance when words were typed, else by name."""
        if self.sort in SORTS and (self.sort != "relevance" or self.text):
            return self.sort
        return "relevance" if self.text else "name"


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a facet and how many would be found with it and the other filters; ``label`` where it has its own name."""

    value: str
    count: int
    label: str = ""
    label_en: str = ""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What would be found without one of the filters, or (``filters``) with the words alone."""

    without: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of instruments (with organisation, site and photo), how many there are, and the facets of all of them.

    ``relaxations`` is filled when nothing was found: the filters whose removal helps most first.
    """

    search: InstrumentSearch
    items: list[Instrument]
    total: int
    page: int
    page_size: int
    facets: dict[str, list[FacetValue]]
    relaxations: list[Relaxation] = field(default_factory=list)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.page_size))


@dataclass(frozen=True, slots=True)
class _Group:
    """Instruments that do not differ in any facet, and how many they are."""

    class_code: str
    region_code: str
    status: str
    service_modes: tuple[str, ...]
    owner: int
    owner_name: str
    owner_name_en: str
    is_open: bool
    count: int


def search_instruments(actor: Actor, search: InstrumentSearch, page: int = 1, page_size: int = PAGE_SIZE) -> SearchResult:
    """What the actor may see of what is asked for: two queries, three when nothing is found for the words."""
    search = replace(search, text=search.text.replace("\0", " ")[:_MAX_TEXT].strip())
    page_size = min(max(1, page_size), MAX_PAGE_SIZE)
    groups = _groups(_matching_text(visible_to(Instrument.objects.all(), actor), search.text))
    total = sum(group.count for group in groups if all(_passes(search, group).values()))
    facets = {name: _facet(name, search, groups) for name in FACETS}
    page = min(max(1, page), max(1, -(-total // page_size)))
    if total == 0:
        return SearchResult(search, [], 0, 1, page_size, facets, _relaxations(actor, search, groups))
    rows = _sorted(_filtered(visible_to(Instrument.objects.all(), actor), search), search)
    rows = rows.select_related("organisation", "site", "photo").defer("search", "description", "description_en")
    items = list(rows[(page - 1) * page_size : page * page_size])
    return SearchResult(search, items, total, page, page_size, facets)


def instrument_for(actor: Actor, instrument_id: int) -> Instrument:
    """The instrument with organisation, site and photo. Raises NotFound for a foreign one."""
    rows = Instrument.objects.select_related("organisation", "site", "photo").defer("search")
    return get_visible(rows, actor, pk=instrument_id)


def may_manage(actor: Actor, instrument: Instrument) -> bool:
    """Whether the actor may change it."""
    return manages(actor, instrument.organisation_id)


def sites_of(actor: Actor, organisation_id: int) -> QuerySet[Site]:
    """The owner's places that the actor may see, by name."""
    return visible_to(Site.objects.all(), actor).filter(organisation_id=organisation_id).order_by("name", "pk")


def calendar_of(instrument: Instrument) -> tuple[schedule_store.StoredEntry, ...]:
    """The openings and closures of an instrument that the actor was already given: one query."""
    return schedule_store.stored_entries_by_calendar([instrument.calendar_id])[instrument.calendar_id]


def stored_calendar(instrument: Instrument, now: datetime | None = None) -> schedule_store.StoredCalendar:
    """All that is stored of the calendar of an instrument that the actor was already given: one query.

    With ``now`` also what was removed lately and can be brought back.
    """
    since = now - timedelta(days=KEPT_DAYS) if now is not None else None
    return schedule_store.stored_calendars([instrument.calendar_id], removed_since=since)[instrument.calendar_id]


def rules_of(instrument: Instrument) -> CalendarRules:
    """All that decides when an instrument that the actor was already given is open: one query."""
    return schedule_store.rules_by_calendar([instrument.calendar_id])[instrument.calendar_id]


def audiences_for(actor: Actor, owner_id: int, customer_id: int | None = None) -> tuple[str, ...]:
    """To which audiences of an owner's instruments the customer, or without one each organisation of the actor, belongs."""
    customers = actor.organisations() if customer_id is None else frozenset({customer_id})
    kinds = Organisation.objects.filter(pk__in=customers).order_by("name_pinyin", "pk").values_list("pk", "kind")
    return tuple(dict.fromkeys(audience_of(kind, is_owner=pk == owner_id) for pk, kind in kinds))


def opening_for(actor: Actor, instrument_id: int, window: TimeRange) -> list[TimeRange]:
    """When it is open within ``window`` for one of the actor's organisations (for nobody's: when it is open to everybody).

    Bookings are not taken off. Raises NotFound.
    """
    instrument = instrument_for(actor, instrument_id)
    rules, zone = rules_of(instrument), ZoneInfo(instrument.site.time_zone)
    audiences = audiences_for(actor, instrument.organisation_id) if rules.depends_on_audience else ()
    return merge(one for audience in audiences or (None,) for one in open_ranges(rules, zone, window, audience))


def hours_on(stored: Sequence[schedule_store.StoredEntry], local_day: date) -> list[WeeklyWindow]:
    """The weekly windows that are valid on a local day, by weekday and hour."""
    return weekly_windows(stored, local_day)


def counts_by_class(actor: Actor) -> dict[str, int]:
    """How many instruments of each class (two digits) the actor may find, retired ones left out."""
    rows = visible_to(Instrument.objects.exclude(status=InstrumentStatus.RETIRED), actor).order_by()
    counted = rows.annotate(head=Left("class_code", 2)).values_list("head").annotate(found=Count("pk"))
    return dict(counted)


def _groups(rows: QuerySet[Instrument]) -> list[_Group]:
    opening = CalendarEntry.objects.filter(calendar_id=OuterRef("calendar_id"), kind=CalendarEntryKind.OPENING)
    columns = (
        "head",
        "site__region_code",
        "status",
        "service_modes",
        "organisation_id",
        "organisation__name",
        "organisation__name_en",
        "is_open",
    )
    grouped = rows.order_by().annotate(head=Left("class_code", 2), is_open=Exists(opening)).values_list(*columns)
    return [
        _Group(head, region, status, tuple(modes), owner, name, name_en, is_open, count)
        for head, region, status, modes, owner, name, name_en, is_open, count in grouped.annotate(found=Count("pk"))
    ]


def _passes(search: InstrumentSearch, group: _Group) -> dict[str, bool]:
    """Filter by filter, whether the group passes."""
    return {
        "class_code": group.class_code.startswith(search.class_code[:2]),
        "region_code": group.region_code.startswith(region_prefix(search.region_code)),
        "status": group.status == search.status if search.status else group.status != InstrumentStatus.RETIRED,
        "service_mode": not search.service_mode or search.service_mode in group.service_modes,
        "owner": search.owner is None or group.owner == search.owner,
        "bookable": not search.bookable or (group.is_open and group.status in BOOKABLE_STATUSES),
    }


def region_prefix(code: str) -> str:
    """The digits that all codes within a division begin with: 63 for 630000, 6301 for 630100."""
    return code[:4].removesuffix("00") if code.endswith("00") else code


def _values(name: str, group: _Group) -> tuple[str, ...]:
    """What a group counts for in a facet; regions are counted by prefecture."""
    found: Mapping[str, Callable[[], tuple[str, ...]]] = {
        "class_code": lambda: (group.class_code,),
        "region_code": lambda: (f"{group.region_code[:4]}00" if len(group.region_code) == 6 else "",),
        "status": lambda: (group.status,),
        "service_mode": lambda: group.service_modes,
        "owner": lambda: (str(group.owner),),
    }
    return found[name]()


def _facet(name: str, search: InstrumentSearch, groups: Sequence[_Group]) -> list[FacetValue]:
    """The values of a facet with the counts that choosing each (instead of the one chosen now) would give, most first."""
    counts: Counter[str] = Counter()
    labels: dict[str, tuple[str, str]] = {}
    for group in groups:
        passes = _passes(search, group)
        passes.pop(name)
        if all(passes.values()):
            for value in _values(name, group):
                counts[value] += group.count
            if name == "owner":
                labels[str(group.owner)] = (group.owner_name, group.owner_name_en)
    chosen = getattr(search, name)
    if chosen not in ("", None):
        counts.setdefault(str(chosen)[:2] if name == "class_code" else str(chosen), 0)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [FacetValue(value, count, *labels.get(value, ())) for value, count in ordered if value]


def _relaxations(actor: Actor, search: InstrumentSearch, groups: Sequence[_Group]) -> list[Relaxation]:
    found = []
    for name in search.active:
        if name == "text":
            relaxed, counted = replace(search, text=""), _groups(visible_to(Instrument.objects.all(), actor))
        else:
            relaxed, counted = replace(search, **{name: getattr(InstrumentSearch(), name)}), list(groups)
        count = sum(group.count for group in counted if all(_passes(relaxed, group).values()))
        if count:
            found.append(Relaxation(name, count))
    if not found and search.text and len(search.active) > 2:
        words_alone = InstrumentSearch(text=search.text)
        count = sum(group.count for group in groups if all(_passes(words_alone, group).values()))
        found = [Relaxation("filters", count)] if count else []
    return sorted(found, key=lambda one: -one.count)


def _filtered(rows: QuerySet[Instrument], search: InstrumentSearch) -> QuerySet[Instrument]:
    rows = _matching_text(rows, search.text)
    exact: dict[str, Any] = {}
    if search.class_code:
        exact["class_code__startswith"] = search.class_code[:2]
    if search.region_code:
        exact["site__region_code__startswith"] = region_prefix(search.region_code)
    if search.service_mode:
        exact["service_modes__contains"] = [search.service_mode]
    if search.owner is not None:
        exact["organisation_id"] = search.owner
    rows = rows.filter(**exact)
    rows = rows.filter(status=search.status) if search.status else rows.exclude(status=InstrumentStatus.RETIRED)
    if search.bookable:
        opening = CalendarEntry.objects.filter(calendar_id=OuterRef("calendar_id"), kind=CalendarEntryKind.OPENING)
        rows = rows.filter(Exists(opening), status__in=BOOKABLE_STATUSES)
    return rows


def _matching_text(rows: QuerySet[Instrument], text: str) -> QuerySet[Instrument]:
    """Instruments in whose words every word of ``text`` is found; text without any word finds nothing."""
    if not text:
        return rows
    asked = search_tokens.query(text)
    if not asked:
        return rows.none()
    return rows.filter(RawSQL("instruments_instrument.search @@ %s::tsquery", [asked], output_field=BooleanField()))


def _sorted(rows: QuerySet[Instrument], search: InstrumentSearch) -> QuerySet[Instrument]:
    if search.order == "relevance":
        asked = Cast(Value(search_tokens.query(search.text)), SearchQueryField())
        rank = Func(F("search"), asked, function="ts_rank")
        return rows.order_by(rank.desc(), "name_pinyin", "pk")
    if search.order == "newest":
        return rows.order_by(F("commissioned_on").desc(nulls_last=True), "name_pinyin", "pk")
    return rows.order_by("name_pinyin", "pk")
