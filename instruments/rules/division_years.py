"""The administrative divisions of the whole country (GB/T 2260) with the years in which they held, as python-stdnum lists them.

A year is all that the list says: a division holds from 1 January of its first year to 31 December of its last one, so in the year of
a change both the old and the new one do. Nothing is said of days, and of English names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Protocol, TypeVar

from stdnum import numdb

#: Several spans of years may stand behind one code: ``[-1984]A,[1985-]B``; without brackets a name holds always.
_SPAN = re.compile(r"(?:\[(?P<first>\d{4})?-(?P<last>\d{4})?\])?(?P<name>[^\[\],]+)")
#: What a list calls divisions that only gather others: no place that anybody would name.
_GATHERING = re.compile("市辖区|县|市区|林区|.*直辖(?:县级)?行政单位")
_ENDING = re.compile("(?:自治州|自治县|自治旗|地区|林区|特区|市|县|区|旗|盟|州)$")
_SHORTEST_STEM = 2


class Spanned(Protocol):
    """A division with the local days ``[valid_from, valid_to)`` on which it holds; None is open."""

    @property
    def code(self) -> str: ...
    @property
    def zh(self) -> str: ...
    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


Ended = TypeVar("Ended", bound=Spanned)


@dataclass(frozen=True, slots=True)
class ListedDivision:
    """A code under one name, with the days ``[valid_from, valid_to)`` on which it holds; None is open."""

    code: str
    zh: str
    valid_from: date | None = None
    valid_to: date | None = None


@cache
def listed_divisions() -> tuple[ListedDivision, ...]:
    """Every division of the package's list, by code, the spans of one code in their order."""
    lines = files("stdnum").joinpath("cn", "loc.dat").read_text(encoding="utf-8").splitlines()
    return tuple(read_divisions(lines))


def read_divisions(lines: Iterable[str]) -> Iterator[ListedDivision]:
    """What a list in the package's format says, in its order: two digits of a province, indented the four digits within it."""
    for _, province, _, _, within in numdb.read(lines).prefixes:
        for _, digits, _, said, _ in within:
            for span in _SPAN.finditer(said.get("county", "")):
                first, last = span["first"], span["last"]
                begins = date(int(first), 1, 1) if first else None
                ends = date(int(last) + 1, 1, 1) if last else None
                yield ListedDivision(province + digits, span["name"].strip(), begins, ends)


def division_level(code: str) -> int:
    """1 for a province, 2 for a prefecture, 3 for a county, by the noughts of its code."""
    return 1 if code.endswith("0000") else 2 if code.endswith("00") else 3


def is_gathering(name: str) -> bool:
    """Whether a division only gathers others in the lists, like the districts of a city: no place that anybody would name."""
    return _GATHERING.fullmatch(name) is not None


def is_like_a_word(name: str) -> bool:
    """Whether the full name of a division is an ordinary word as well, like the suburbs or the mine."""
    return len(name) <= _SHORTEST_STEM and name.endswith("区")


def ended_in(division: Spanned) -> int | None:
    """The year of the last day on which it held; None for one that has no end."""
    return None if division.valid_to is None else date.fromordinal(division.valid_to.toordinal() - 1).year


def successor(ended: Ended, others: Iterable[Ended]) -> Ended | None:
    """The one that took a division over and has no end itself: the only one of its level and name (with whatever ending) that began in
    the same province when the other one ended, and so on. None where it went into others, or two could be it."""
    province = [one for one in others if one.code[:2] == ended.code[:2]]
    seen = {ended.code}
    while ended.valid_to is not None:
        found = [one for one in province if one.code not in seen and _follows(one, ended)]
        if len({one.code for one in found}) != 1:
            return None
        ended = found[-1]
        seen.add(ended.code)
    return ended


def _follows(one: Spanned, ended: Spanned) -> bool:
    year = ended_in(ended)
    if one.valid_from is None or year is None or one.valid_from.year not in (year, year + 1):
        return False
    if division_level(one.code) != division_level(ended.code):
        return False
    return one.zh == ended.zh or _stems_match(one.zh, ended.zh)


def _stems_match(one: str, other: str) -> bool:
    shorter, longer = sorted((_ENDING.sub("", one), _ENDING.sub("", other)), key=len)
    return len(shorter) >= _SHORTEST_STEM and longer.startswith(shorter)
