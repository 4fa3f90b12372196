"""The instrument list and page in the reader's language: facets as links, cards, opening hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from frontend.states import look_of
from instruments.models import Instrument
from instruments.queries import FacetValue, InstrumentSearch, SearchResult
from instruments.registry_wording import FILTER_NAMES, SERVICE_MODE_NAMES, SORT_NAMES
from instruments.rules.classification import instrument_classes
from instruments.rules.regions import region_name, regions

PARAMETERS = {"text": "q"}
KEPT = ("class_code", "region_code", "status", "service_mode", "owner", "bookable", "sort")
_FACET_SHOWN = 8
_ICONS = {"01": "microscope", "09": "heart-handshake", "12": "building-factory-2", "13": "device-desktop"}


@dataclass(frozen=True, slots=True)
class FacetLink:
    """One value of a facet: the address that chooses it, or that takes it away when it is chosen."""

    label: str
    count: int
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """``more`` are the values beyond the first few, shown on request."""

    name: str
    title: Promise | str
    links: list[FacetLink]
    more: list[FacetLink]


@dataclass(frozen=True, slots=True)
class Step:
    """A link with a word and, where it helps, a number."""

    label: str
    href: str
    current: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class InstrumentCard:
    """An instrument as the list shows it."""

    instrument: Instrument
    class_name: str
    place: str
    modes: list[Promise | str]
    icon: str


@dataclass(frozen=True, slots=True)
class ListView:
    """``kept`` are the chosen filters as (parameter, value), for the search form."""

    cards: list[InstrumentCard]
    facets: list[Facet]
    chosen: list[Step]
    sorts: list[Step]
    relaxations: list[Step]
    kept: list[tuple[str, str]]
    summary: str
    bookable: Step
    blocking: str


def is_english() -> bool:
    return (get_language() or "").startswith("en")


def class_name(class_code: str) -> str:
    """The name of the class of a code, in the reader's language; empty when the code has none."""
    known = instrument_classes().get(class_code[:2])
    return "" if known is None else known.en if is_english() else known.zh


def place_name(region_code: str) -> str:
    """The name of a division that we know, else nothing."""
    return region_name(region_code, "en" if is_english() else "zh") if region_code in regions() else ""


def list_view(result: SearchResult, query: QueryDict) -> ListView:
    """The list of a search whose address carries ``query``."""
    search = result.search
    facets = [
        _facet(name, values, search, query) for name, values in result.facets.items() if len(values) > 1 or _has(search, name)
    ]
    bookable = Step(str(FILTER_NAMES["bookable"]), _href(query, bookable="" if search.bookable else "1"), search.bookable)
    relaxations = [
        Step(_without(result, one.without), _relaxed(query, one.without), count=one.count) for one in result.relaxations
    ]
    chosen = [Step(_value_name(result, name), _href(query, **{name: ""})) for name in search.active if name != "text"]
    return ListView(
        cards=[_card(instrument) for instrument in result.items],
        facets=facets,
        chosen=chosen,
        sorts=[
            Step(str(label), _href(query, sort=name), search.order == name)
            for name, label in SORT_NAMES.items()
            if name != "relevance" or search.text
        ],
        relaxations=relaxations,
        kept=[(name, str(query[name])) for name in KEPT if query.get(name)],
        summary=_summary(result),
        bookable=bookable,
        blocking=str(FILTER_NAMES.get(result.relaxations[0].without, "")) if result.relaxations else "",
    )


def _card(instrument: Instrument) -> InstrumentCard:
    return InstrumentCard(
        instrument=instrument,
        class_name=class_name(instrument.class_code),
        place=place_name(instrument.site.region_code) or instrument.site.address,
        modes=mode_names(instrument),
        icon=card_icon(instrument.class_code),
    )


def card_icon(class_code: str) -> str:
    """The icon that stands for a class where there is no photo."""
    return _ICONS.get(class_code[:2], "flask")


def _summary(result: SearchResult) -> str:
    params = {"count": f"{result.total:,}", "words": result.search.text}
    if result.search.text:
        return ngettext("%(count)s instrument for “%(words)s”", "%(count)s instruments for “%(words)s”", result.total) % params
    return ngettext("%(count)s instrument", "%(count)s instruments", result.total) % params


def _facet(name: str, values: Sequence[FacetValue], search: InstrumentSearch, query: QueryDict) -> Facet:
    chosen = str(getattr(search, name) or "")[: 2 if name == "class_code" else None]
    links = [
        FacetLink(
            label=_facet_label(name, value),
            count=value.count,
            href=_href(query, **{name: "" if value.value == chosen else value.value}),
            chosen=value.value == chosen,
        )
        for value in values
    ]
    links.sort(key=lambda link: not link.chosen)
    return Facet(name, FILTER_NAMES[name], links[:_FACET_SHOWN], links[_FACET_SHOWN:])


def _facet_label(name: str, value: FacetValue) -> str:
    if name == "class_code":
        return class_name(value.value) or value.value
    if name == "region_code":
        return place_name(value.value) or value.value
    if name == "status":
        return str(look_of("instrument", value.value).word)
    if name == "service_mode":
        return str(SERVICE_MODE_NAMES.get(value.value, value.value))
    return (value.label_en if is_english() and value.label_en else value.label) or value.value


def _value_name(result: SearchResult, name: str) -> str:
    """What a chosen filter is set to, in words."""
    if name == "bookable":
        return str(FILTER_NAMES[name])
    value = str(getattr(result.search, name))[: 2 if name == "class_code" else None]
    known = next((one for one in result.facets[name] if one.value == value), FacetValue(value, 0))
    if name == "owner" and not known.label:
        return str(FILTER_NAMES[name])
    return _facet_label(name, known)


def _without(result: SearchResult, name: str) -> str:
    if name == "filters":
        return _("Search without any filter")
    if name == "text":
        return _("Search without the words “%(words)s”") % {"words": result.search.text}
    return _("Search without “%(filter)s”") % {"filter": _value_name(result, name)}


def _relaxed(query: QueryDict, without: str) -> str:
    if without == "filters":
        return _href(query, **dict.fromkeys(KEPT, ""))
    return _href(query, **{PARAMETERS.get(without, without): ""})


def _has(search: InstrumentSearch, name: str) -> bool:
    return getattr(search, name) not in ("", None, False)


def _href(query: QueryDict, **changes: str) -> str:
    """The address's query with these changes, from the first page on; an empty value takes a parameter away."""
    params = query.copy()
    for name in ("page", *changes):
        params.pop(name, None)
    for name, value in changes.items():
        if value:
            params[name] = value
    return f"?{params.urlencode()}"


def zone(instrument: Instrument) -> ZoneInfo:
    """The time zone of the place where it stands."""
    return ZoneInfo(instrument.site.time_zone)


def mode_names(instrument: Instrument) -> list[Promise | str]:
    """Its ways of service in words."""
    return [SERVICE_MODE_NAMES[mode] for mode in instrument.service_modes if mode in SERVICE_MODE_NAMES]
