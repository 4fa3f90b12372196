"""By what a catalogue entry is filtered and counted: each value as one short text, ``<letter>:<value>``.

All values of an entry stand in one array, so that any combination of filters is one containment and all counts are one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: The parameter of each facet and the letter of its values, in the order in which they are shown.
LETTERS: Mapping[str, str] = {
    "kind": "k",
    "technique": "t",
    "class_code": "c",
    "region_code": "r",
    "zone": "z",
    "service_mode": "m",
    "price": "p",
    "subsidy": "s",
    "training": "n",
    "bookable": "b",
    "owner": "o",
    "status": "x",
}
BOOKED_KINDS = ("instrument", "facility")
"""A large facility is found among the instruments too: it is booked as they are."""
NAMES: Mapping[str, str] = {letter: name for name, letter in LETTERS.items()}
YES, NO = "yes", "no"
PRICE_BANDS: Mapping[str, tuple[int, int | None]] = {
    "to100": (0, 100_00),
    "to300": (100_00, 300_00),
    "to1000": (300_00, 1000_00),
    "over1000": (1000_00, None),
}
"""Bands of the lowest public price in fen, ``[from, to)``; what has no price is in none."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What an entry's facets follow from; codes and amounts as in ``CatalogueEntry``. ``technique_codes`` with the wider ones."""

    kind: str
    owner: int
    class_code: str = ""
    region_code: str = ""
    zones: tuple[str, ...] = ()
    technique_codes: tuple[str, ...] = ()
    service_modes: tuple[str, ...] = ()
    status: str = ""
    bookable: bool = False
    training_needed: bool = False
    price_from_fen: int | None = None
    subsidy_eligible: bool = False


def facet_values(traits: Traits) -> list[str]:
    """All facet values of an entry, sorted, each once."""
    return sorted({f"{LETTERS[name]}:{value}" for name, value in _values(traits)})


def price_band(price_fen: int | None) -> str:
    """The band of a price; empty without one."""
    if price_fen is None:
        return ""
    return next(name for name, (low, high) in PRICE_BANDS.items() if low <= price_fen and (high is None or price_fen < high))


def region_path(code: str) -> list[str]:
    """A division's code and those of the divisions around it, widest first: 630000, 630100, 630104. Empty for no code."""
    if len(code) != 6:
        return []
    return list(dict.fromkeys([f"{code[:2]}0000", f"{code[:4]}00", code]))


def class_path(code: str) -> list[str]:
    """A class's code and those of the classes around it, widest first, each without the noughts that fill it up: 01, 0103, 010304."""
    finer = [code[:length] for length in (4, 6) if code[length - 2 : length].strip("0")]
    return [code[:2], *dict.fromkeys(finer)] if code else []


def plain_class(code: str) -> str:
    """A class's code without the noughts that fill it up."""
    return next(reversed(class_path(code)), "")


def _values(traits: Traits) -> Iterable[tuple[str, str]]:
    yield "kind", traits.kind
    if traits.kind in BOOKED_KINDS:
        yield "kind", BOOKED_KINDS[0]
    yield "owner", str(traits.owner)
    if traits.class_code:
        yield from (("class_code", code) for code in class_path(traits.class_code))
    yield from (("region_code", code) for code in region_path(traits.region_code))
    yield from (("zone", zone) for zone in traits.zones)
    yield from (("technique", code) for code in traits.technique_codes)
    yield from (("service_mode", mode) for mode in traits.service_modes)
    if traits.status:
        yield "status", traits.status
    if traits.bookable:
        yield "bookable", YES
    if traits.kind in BOOKED_KINDS:
        yield "training", YES if traits.training_needed else NO
    if (band := price_band(traits.price_from_fen)) != "":
        yield "price", band
    if traits.subsidy_eligible:
        yield "subsidy", YES
