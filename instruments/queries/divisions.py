"""Administrative divisions by name: the operator's list where there is one, else what is shipped. Everything that shows, offers or
understands a place asks here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from django.utils import timezone

from config.kernel.errors import Reason
from instruments.queries import codes
from instruments.queries.codes import CodeEntry
from instruments.rules import asking
from instruments.rules.asking import Lexicon, Place
from instruments.rules.division_years import ended_in, is_gathering, is_like_a_word, successor
from instruments.rules.regions import Language, regions

SCHEME = "gbt2260"
_PROVINCE, _PREFECTURE, _COUNTY = 1, 2, 3
T = TypeVar("T")
_Kept = dict[tuple[float, date], T]
_kept_lexicon: _Kept[Lexicon] = {}
_kept_offers: _Kept[list[CodeEntry]] = {}


def division_name(code: str, lang: Language) -> str:
    """The name of a division of six digits; nothing for one that no list has."""
    found = codes.entry_of(SCHEME, code, timezone.localdate())
    return found.name(lang) if found is not None else ""


def is_division(code: str) -> bool:
    """Whether a code is a division, or was one: one of a list, or one of a province of which no list says anything."""
    return len(code) == 6 and code.isascii() and code.isdigit() and codes.is_division(code, timezone.localdate())


def ended_reason(code: str, field: str = "region_code") -> Reason | None:
    """Why a division cannot be named where one is meant that holds today: it ended, and which took its place where one did. None for one
    that holds or that no list has."""
    on = timezone.localdate()
    entry = codes.entry_of(SCHEME, code, on)
    if entry is None or entry.holds_on(on) or (year := ended_in(entry)) is None:
        return None
    params = {"code": code, "name": entry.zh, "year": str(year)}
    new = successor(entry, codes.entries_in(SCHEME, code[:2]))
    if new is None:
        return Reason("codes.division_ended", params, field)
    return Reason("codes.division_replaced", {**params, "new_code": new.code, "new_name": new.zh}, field)


def selectable() -> list[CodeEntry]:
    """What a form offers, by code: all divisions that we name ourselves, and all other provinces and prefectures. A county elsewhere is too
    many to choose among; its code can be typed where a form says so."""
    return _kept_for_today(_kept_offers, _offered)


def choices(lang: Language, chosen: str = "") -> list[tuple[str, str]]:
    """``selectable`` as codes with names; one that was chosen and is not offered stands first, by its name or else its code."""
    offered = [(each.code, each.name(lang)) for each in selectable()]
    if not chosen or any(chosen == code for code, _ in offered):
        return offered
    return [(chosen, division_name(chosen, lang) or chosen), *offered]


def known_places() -> Lexicon:
    """The names by which places are understood in what somebody types."""
    return _kept_for_today(_kept_lexicon, _places)


def _kept_for_today(kept: _Kept[T], make: Callable[[date], T]) -> T:
    """What was made of the divisions that hold today, made anew only when the list or the day is another one."""
    key = (codes.made_at(SCHEME), timezone.localdate())
    if key not in kept:
        kept.clear()
        kept[key] = make(key[1])
    return kept[key]


def _offered(on: date) -> list[CodeEntry]:
    found = [each for each in codes.entries_on(SCHEME, on) if each.level != _COUNTY or _is_home(each)]
    return sorted((each for each in found if not is_gathering(each.zh)), key=lambda each: (not _is_home(each), each.code))


def _places(on: date) -> Lexicon:
    """Our own divisions first, by their short names too, then the others from the widest on: those of provinces and prefectures short too,
    those of counties in full. What several counties are called, or is an ordinary word as well, is no place."""
    found = [each for each in codes.entries_on(SCHEME, on) if not is_gathering(each.zh)]
    home = [Place(each.code, _all_names(each)) for each in _by_width(found) if _is_home(each)]
    wide = [Place(each.code, _all_names(each)) for each in _by_width(found) if not _is_home(each) and each.level != _COUNTY]
    counties = [each for each in found if not _is_home(each) and each.level == _COUNTY]
    times = Counter(each.zh for each in counties)
    narrow = [
        Place("" if times[each.zh] > 1 or is_like_a_word(each.zh) else each.code, _all_names(each), in_full=True)
        for each in counties
    ]
    return asking.lexicon_of([*home, *wide, *narrow])


def _by_width(entries: list[CodeEntry]) -> list[CodeEntry]:
    return sorted(entries, key=lambda each: (each.level, each.code))


def _all_names(entry: CodeEntry) -> tuple[str, ...]:
    return (entry.zh, entry.en, *entry.aliases)


def _is_home(entry: CodeEntry) -> bool:
    return entry.code in regions()
