"""What somebody looks for, as it stands in the address: one canonical query for the same search."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import parse_qsl, urlencode

from instruments.rules.asking import parse_asking
from instruments.rules.facets import LETTERS, NO, PRICE_BANDS, YES, plain_class
from instruments.rules.registry_values import SERVICE_MODES, STATUSES

KINDS = ("instrument", "facility", "test_item", "dataset", "literature", "germplasm")
SORTS = ("relevance", "name", "newest", "price")
NEXT_FREE_DAYS = (1, 3, 7)
MAX_TEXT = 200
_CODE = re.compile(r"[A-Za-z0-9:._-]{1,100}")
_DIGITS = {"class_code": (2, 4, 6), "region_code": (6,)}


@dataclass(frozen=True, slots=True)
class CatalogueSearch:
    """What somebody looks for; an empty value does not narrow anything.

    ``class_code`` is a class of any level without the noughts that fill it up (01, 0103, 010304), ``region_code`` a division that
    contains the place (630000 is the whole province), ``zone`` a policy zone's slug, ``owner`` an
    organisation's id. ``next_free`` is a number of days as text (1 is
    today). Without a status retired instruments are left out.
    """

    text: str = ""
    kind: str = ""
    technique: str = ""
    class_code: str = ""
    region_code: str = ""
    zone: str = ""
    service_mode: str = ""
    price: str = ""
    subsidy: str = ""
    training: str = ""
    bookable: str = ""
    next_free: str = ""
    owner: str = ""
    status: str = ""
    sort: str = ""

    @property
    def active(self) -> tuple[str, ...]:
        """The names of what narrows the result, the text first."""
        return tuple(each.name for each in fields(self) if each.name != "sort" and getattr(self, each.name))

    @property
    def filters(self) -> dict[str, str]:
        """The facet filters that are set: name to value, in the order of ``facets.LETTERS``."""
        return {name: value for name in LETTERS if (value := getattr(self, name))}

    @property
    def order(self) -> str:
        """How the result is sorted: as asked, else by relevance when words were typed, else by name."""
        if self.sort in SORTS and (self.sort != "relevance" or self.text):
            return self.sort
        return "relevance" if self.text else "name"

    def without(self, *names: str) -> CatalogueSearch:
        """The same with these taken away."""
        return replace(self, **dict.fromkeys(names, ""))


PARAMETERS: Mapping[str, str] = {each.name: "q" if each.name == "text" else each.name for each in fields(CatalogueSearch)}


def read_search(query: Mapping[str, str]) -> CatalogueSearch:
    """What an address's query asks for; values that mean nothing are left out."""
    given = {name: str(query.get(parameter, "")) for name, parameter in PARAMETERS.items()}
    values = {name: value for name, value in given.items() if name == "text" or _means_something(name, value)}
    values["class_code"] = plain_class(values.get("class_code", ""))
    values["text"] = " ".join(values["text"].replace("\0", " ")[:MAX_TEXT].split())
    return CatalogueSearch(**values)


def search_of_query(query: str) -> CatalogueSearch:
    """``read_search`` of the query of an address as text."""
    return read_search(dict(parse_qsl(query)))


def asks_for_time(search: CatalogueSearch) -> bool:
    """Whether a filter or the words mean what is free in some days. What is new is told whether it is free or not."""
    return bool(search.next_free or parse_asking(search.text).when)


def canonical_query(search: CatalogueSearch) -> str:
    """The search as the query of an address: set values only, always in the same order."""
    return urlencode([(PARAMETERS[name], value) for name in PARAMETERS if (value := getattr(search, name))])


def _means_something(name: str, value: str) -> bool:
    known: Mapping[str, tuple[str, ...]] = {
        "kind": KINDS,
        "service_mode": SERVICE_MODES,
        "price": tuple(PRICE_BANDS),
        "subsidy": (YES,),
        "training": (YES, NO),
        "bookable": (YES,),
        "next_free": tuple(map(str, NEXT_FREE_DAYS)),
        "status": STATUSES,
        "sort": SORTS,
    }
    if name in known:
        return value in known[name]
    if name in _DIGITS:
        return len(value) in _DIGITS[name] and value.isascii() and value.isdigit()
    if name == "owner":
        return value.isascii() and value.isdigit() and len(value) < 19
    return bool(_CODE.fullmatch(value))
