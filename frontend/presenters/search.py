"""The results of a search in the reader's language: what was understood, facets as links, cards, what to do when nothing is found."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.messages import duration_words, reason_sentence
from frontend import display
from frontend.presenters import instruments as naming
from frontend.presenters.offers import NO_OFFER, OfferLines
from frontend.states import look_of
from instruments.models import CatalogueEntry
from instruments.queries import FacetValue, Relaxation, SearchResult
from instruments.queries.divisions import ended_reason, is_division
from instruments.registry_wording import SERVICE_MODE_NAMES
from instruments.rules.asking import Asking, Hint
from instruments.rules.facets import class_path
from instruments.rules.search_state import MAX_TEXT, PARAMETERS, CatalogueSearch, canonical_query, read_search
from instruments.search_wording import FILTER_NAMES, KIND_NAMES, SORT_NAMES, UNIT_NAMES, VALUE_NAMES, WHEN_NAMES

MOST_COMPARED = 4
PICKED = "pick"
FIXED = {"instrument_list": {"kind": "instrument"}, "search": {}}
"""Filters that an address has by itself: by the name of its page."""
_FACET_SHOWN = 6
_FACETS_OPEN = ("kind", "technique", "class_code", "region_code", "service_mode", "price")
_SPOKEN = frozenset(VALUE_NAMES) | {"class_code", "status", "service_mode"}
_UNSPOKEN = frozenset({"owner", "technique", "zone"})
_SHORT = ("subsidy", "bookable", "training", "next_free")
_KIND_ICONS = {
    "facility": "building",
    "test_item": "flask",
    "dataset": "file-spreadsheet",
    "literature": "book",
    "germplasm": "heart-handshake",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A link with a word and, where it helps, a number. ``values``: what it changes of the search form, as JSON, so that words which are
    being typed count with it; empty where the link says the words itself. ``up``: it leads to what lies around the chosen value."""

    label: str
    href: str
    current: bool = False
    count: int | None = None
    values: str = ""
    up: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """``more`` are the values beyond the first few, shown on request; a facet that is not ``open`` begins closed."""

    name: str
    title: Promise | str
    links: list[Step]
    more: list[Step]
    open: bool


@dataclass(frozen=True, slots=True)
class Card:
    """An entry as the list shows it. ``pick`` adds it to what is compared, or takes it away; None when there is no room. ``calculating``:
    its free times are not up to date."""

    entry: CatalogueEntry
    address: str
    kind: str
    place: str
    class_name: str
    modes: list[Promise | str]
    icon: str
    price: str
    offer: OfferLines
    pick: Step | None
    calculating: bool


@dataclass(frozen=True, slots=True)
class ResultsView:
    """What the results page shows. ``kept`` are parameters for the search form; ``picked`` the ids chosen to compare."""

    cards: list[Card]
    facets: list[Facet]
    chosen: list[Step]
    understood: list[Step]
    sorts: list[Step]
    relaxations: list[Step]
    kept: list[tuple[str, str]]
    summary: str
    blocking: str
    note: str
    unknown_place: str
    unknown_code: str
    picked: list[int]
    compare: str
    unpick: Step
    all_of_it: str
    clear_filters: str


def _note(result: SearchResult) -> str:
    """What is shown instead of what was asked for, and what became of the place that was chosen, in sentences."""
    told = []
    if (ended := ended_reason(result.search.region_code)) is not None:
        told.append(reason_sentence(ended))
    if result.any_word:
        told.append(_("Nothing has all of these words. Shown is what has some of them, the best match first."))
    if result.elsewhere:
        place = naming.place_name(result.asked.region_code)
        told.append(_("Nothing that fits is near %(place)s. Shown is what is farther away.") % {"place": place})
    return " ".join(told)


class _Address:
    """Links of one results page: its query with changes, from the first page on."""

    def __init__(self, query: QueryDict, page_name: str) -> None:
        self.query, self.fixed = query, FIXED[page_name]
        self.known = QueryDict(mutable=True)  # what means something here, each once: a long address makes no long page
        for name in (*PARAMETERS.values(), PICKED, "lang"):
            if value := query.get(name):
                self.known[name] = value[:MAX_TEXT]

    def href(self, **changes: str) -> str:
        """An empty value takes a parameter away; what the address has by itself is not written."""
        params = self.known.copy()
        for name in changes:
            params.pop(name, None)
        for name, value in changes.items():
            if value and self.fixed.get(name) != value:
                params[name] = value
        return f"?{params.urlencode()}"

    def step(
        self, label: str, changes: Mapping[str, str], *, current: bool = False, count: int | None = None, up: bool = False
    ) -> Step:
        """A link that changes these parameters and no words."""
        return Step(label, self.href(**changes), current, count, json.dumps(dict(changes)), up)


def results_view(
    result: SearchResult, query: QueryDict, page_name: str, offers: Mapping[int, OfferLines], calculating: Collection[int] = ()
) -> ResultsView:
    """The results of a search whose address carries ``query``; ``offers`` by the entries' ids; ``calculating``: the calendars that are not
    up to date."""
    address = _Address(query, page_name)
    picked = picked_ids(query)
    chosen = [
        address.step(_value_name(result, name), {name: ""})
        for name in result.search.active
        if name != "text" and name not in address.fixed and query.get(PARAMETERS[name])
    ]
    return ResultsView(
        cards=[_card(entry, picked, address, offers.get(entry.pk, NO_OFFER), calculating) for entry in result.items],
        facets=_facets(result, address),
        chosen=chosen,
        understood=[_hint(hint, result.asked, address) for hint in result.asked.hints if hint.name != "unknown_place"],
        sorts=_sorts(result, address),
        relaxations=[_relaxation(result, one, address) for one in result.relaxations],
        kept=[(name, str(query[name])) for name in (*PARAMETERS.values(), PICKED) if name != "q" and query.get(name)],
        summary=_summary(result, page_name),
        blocking=str(FILTER_NAMES.get(result.relaxations[0].without, "")) if result.relaxations else "",
        note=_note(result),
        unknown_place=result.asked.unknown_place,
        unknown_code="" if is_division(result.search.region_code) else result.search.region_code,
        picked=picked,
        compare=compare_address(picked, canonical_query(read_search(query))),
        unpick=address.step(_("Choose none"), {PICKED: ""}),
        all_of_it="?",
        clear_filters=address.href(**dict.fromkeys((one for one in PARAMETERS.values() if one != "q"), "")),
    )


def calculating_note(count: int) -> str:
    """That so many calendars of what fits are not up to date."""
    words = ngettext(
        "The calendar of %(count)s instrument is being calculated; “Next free” may not know it for some minutes.",
        "The calendars of %(count)s instruments are being calculated; “Next free” may not know them for some minutes.",
        count,
    )
    return words % {"count": count}


def picked_ids(query: QueryDict, name: str = PICKED) -> list[int]:
    """The entries that the address says are to be compared: at most four, each once."""
    found = [int(part) for part in query.get(name, "")[:200].split(",") if part.isascii() and part.isdigit() and len(part) < 19]
    return list(dict.fromkeys(found))[:MOST_COMPARED]


def compare_address(ids: Sequence[int], search: str = "") -> str:
    """The page that compares these; ``search`` is the query of the results to go back to."""
    return f"{reverse('compare')}?ids={','.join(map(str, ids))}{'&' if search else ''}{search}"


def entry_address(entry: CatalogueEntry) -> str:
    """The page of what an entry stands for."""
    if entry.instrument_id is not None:
        return reverse("instrument_detail", args=[entry.instrument_id])
    return reverse("resource_detail", args=[entry.resource_id])


def price_words(entry: CatalogueEntry) -> str:
    """The lowest public price with its unit; empty without one."""
    if entry.price_from_fen is None:
        return ""
    unit = UNIT_NAMES.get(entry.price_unit)
    amount = display.yuan(entry.price_from_fen)
    return (
        _("from %(amount)s for %(unit)s") % {"amount": amount, "unit": unit}
        if unit
        else _("from %(amount)s") % {"amount": amount}
    )


def kind_icon(entry: CatalogueEntry) -> str:
    return naming.card_icon(entry.class_code) if entry.kind == "instrument" else _KIND_ICONS[entry.kind]


def facet_label(name: str, value: FacetValue) -> str:
    """What a value of a facet is called."""
    if name in VALUE_NAMES:
        return str(VALUE_NAMES[name].get(value.value, value.value))
    if name == "class_code":
        return naming.class_label(value.value)
    if name == "status":
        return str(look_of("instrument", value.value).word)
    if name == "service_mode":
        return str(SERVICE_MODE_NAMES[value.value])
    return (value.label_en if naming.is_english() and value.label_en else value.label) or value.value


def place_of(entry: CatalogueEntry) -> str:
    """Where it stands: the division that we know, else the address of the place."""
    site = entry.instrument.site if entry.instrument is not None else None
    return naming.place_name(entry.region_code) or (site.address or site.name if site is not None else "")


def search_words(search: CatalogueSearch) -> str:
    """A search in words: what was typed and the values of its filters; never empty."""
    labels = [facet_label(name, FacetValue(value, None)) for name, value in search.filters.items() if name in _SPOKEN]
    place = naming.place_name(search.region_code) or search.region_code
    words = [search.text, *labels, place, *(str(FILTER_NAMES[name]) for name in search.active if name in _UNSPOKEN)]
    return " · ".join(filter(None, words)) or _("Everything")


def _card(entry: CatalogueEntry, picked: list[int], address: _Address, offer: OfferLines, calculating: Collection[int]) -> Card:
    return Card(
        entry=entry,
        address=entry_address(entry),
        kind=str(KIND_NAMES[entry.kind]) if entry.kind != "instrument" else "",
        place=place_of(entry),
        class_name=naming.class_name(entry.class_code),
        modes=naming.mode_names(entry),
        icon=kind_icon(entry),
        price=price_words(entry),
        offer=offer,
        pick=_pick(entry.pk, picked, address),
        calculating=entry.calendar_id in calculating,
    )


def _pick(entry_id: int, picked: list[int], address: _Address) -> Step | None:
    if entry_id in picked:
        rest = [one for one in picked if one != entry_id]
        return _staying(address, _("Do not compare"), rest, current=True)
    if len(picked) >= MOST_COMPARED:
        return None
    return _staying(address, _("Compare"), [*picked, entry_id])


def _staying(address: _Address, label: str, ids: list[int], *, current: bool = False) -> Step:
    """The same page of results with other picks."""
    on = {"page": page} if (page := address.query.get("page")) else {}
    return address.step(label, {PICKED: ",".join(map(str, ids)), **on}, current=current)


def _facets(result: SearchResult, address: _Address) -> list[Facet]:
    found = []
    for name, values in result.facets.items():
        chosen = getattr(result.search, name)
        shown = [one for one in values if one.count or one.count is None or one.value == chosen]
        if name in address.fixed or not shown or (len(shown) < 2 and not chosen and name not in _SHORT):
            continue
        around = class_path(chosen)[:-1] if name == "class_code" else []
        links = [
            address.step(
                facet_label(name, one),
                {name: "" if one.value == chosen else one.value},
                current=one.value == chosen,
                count=one.count,
                up=one.value in around,
            )
            for one in shown
        ]
        if name not in _SHORT:
            links.sort(key=lambda link: (not link.up, not link.current))
        if name == "class_code" and chosen:
            links.insert(0, address.step(_("All classes"), {name: ""}, up=True))
        first = _FACET_SHOWN + sum(link.up for link in links)
        found.append(Facet(name, FILTER_NAMES[name], links[:first], links[first:], bool(chosen) or name in _FACETS_OPEN))
    return found


def _sorts(result: SearchResult, address: _Address) -> list[Step]:
    return [
        address.step(str(label), {"sort": name}, current=result.search.order == name)
        for name, label in SORT_NAMES.items()
        if name != "relevance" or result.search.text
    ]


def _summary(result: SearchResult, page_name: str) -> str:
    words = result.search.text
    params = {"count": f"{result.total:,}", "words": words}
    if result.more:
        return (_("More than %(count)s results for “%(words)s”") if words else _("About %(count)s results")) % params
    if page_name == "instrument_list":
        if words:
            return (
                ngettext("%(count)s instrument for “%(words)s”", "%(count)s instruments for “%(words)s”", result.total) % params
            )
        return ngettext("%(count)s instrument", "%(count)s instruments", result.total) % params
    if words:
        return ngettext("%(count)s result for “%(words)s”", "%(count)s results for “%(words)s”", result.total) % params
    return ngettext("%(count)s result", "%(count)s results", result.total) % params


def _value_name(result: SearchResult, name: str) -> str:
    """What a chosen filter is set to, in words."""
    value = getattr(result.search, name)
    if name == "next_free" and not value:
        return str(WHEN_NAMES[result.asked.when])
    known = next((one for one in result.facets.get(name, []) if one.value == value), FacetValue(value, 0))
    if name == "owner" and not known.label:
        return str(FILTER_NAMES[name])
    return facet_label(name, known)


def _hint(hint: Hint, asked: Asking, address: _Address) -> Step:
    """What was understood, as a link that takes it away."""
    place = naming.place_name(asked.region_code) or asked.region_code
    words = {
        "samples": lambda: ngettext("%(count)s sample", "%(count)s samples", asked.samples or 0) % {"count": asked.samples},
        "duration": lambda: duration_words(asked.duration_minutes or 0),
        "when": lambda: str(WHEN_NAMES[asked.when]),
        "region": lambda: (_("near %(place)s") if asked.near else _("in %(place)s")) % {"place": place},
    }
    return Step(words[hint.name](), address.href(q=hint.rest))


def _relaxation(result: SearchResult, one: Relaxation, address: _Address) -> Step:
    href = _relaxed(result, one.without, address)
    if one.without in address.fixed:
        href = reverse("search") + href
    return Step(_without(result, one.without), href, count=one.count)


def _without(result: SearchResult, name: str) -> str:
    if name == "filters":
        return _("Search without any filter")
    if name == "text":
        return _("Search without the words “%(words)s”") % {"words": result.search.text}
    return _("Search without “%(filter)s”") % {"filter": _value_name(result, name)}


def _relaxed(result: SearchResult, without: str, address: _Address) -> str:
    """Without a filter: its parameter, and the part of the text that meant it."""
    names = [name for name in PARAMETERS if name != "text"] if without == "filters" else [without]
    changes = {PARAMETERS[name]: "" for name in names}
    meant = {"region_code": "region", "next_free": "when"}
    hint = next((one for one in result.asked.hints if one.name == meant.get(without)), None)
    if hint is not None and not address.query.get(without):
        changes["q"] = hint.rest
    elif without == "filters":
        changes["q"] = result.search.text
    return address.href(**changes)
