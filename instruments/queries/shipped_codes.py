"""What codes there are without any list of the operator's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from instruments.rules import subjects
from instruments.rules.classification import instrument_classes
from instruments.rules.division_years import ListedDivision, division_level, listed_divisions
from instruments.rules.nations import nation_codes, nation_name
from instruments.rules.regions import Language, provinces, regions
from instruments.rules.techniques import techniques


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """A code with its names and the local days ``[valid_from, valid_to)`` on which it holds; None is open."""

    code: str
    zh: str
    en: str = ""
    parent_code: str = ""
    level: int = 1
    aliases: tuple[str, ...] = ()
    more_parents: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)

    def name(self, lang: Language) -> str:
        """The name in the language, or in the other one when it has none."""
        return (self.zh or self.en) if lang == "zh" else (self.en or self.zh)


def shipped(scheme: str) -> Sequence[CodeEntry]:
    """What is there without any list: fifteen classes, the top subjects, all divisions and countries, common techniques."""
    if scheme == "nrii":
        return [CodeEntry(f"{one.code}0000", one.zh, one.en) for one in instrument_classes().values()]
    if scheme == subjects.SCHEME:
        return [CodeEntry(one.code, one.zh, one.en) for one in subjects.subjects().values()]
    if scheme == "gbt2260":
        return _shipped_divisions()
    if scheme == "iso3166":
        return [CodeEntry(code, nation_name(code, "zh"), nation_name(code, "en")) for code in nation_codes()]
    if scheme == "panet":
        return [CodeEntry(one.code, one.zh, one.en, next(iter(one.parents), ""), 1, one.aliases) for one in techniques().values()]
    return []


@cache
def _shipped_divisions() -> Sequence[CodeEntry]:
    """The package's list of the country, with our English names of Qinghai and of provinces, and what we count there beside it."""
    found = [_division(one.code, one.zh, _english(one), one.valid_from, one.valid_to) for one in listed_divisions()]
    listed = {one.code for one in found}
    found += [_division(one.code, one.zh, one.en) for one in regions().values() if one.code not in listed]
    return sorted(found, key=lambda one: one.code)


def _english(division: ListedDivision) -> str:
    """Our English name, where we have one and the division is called what we call it."""
    ours = regions().get(division.code) or provinces().get(division.code)
    return ours.en if ours is not None and ours.zh == division.zh else ""


def _division(code: str, zh: str, en: str, valid_from: date | None = None, valid_to: date | None = None) -> CodeEntry:
    return CodeEntry(code, zh, en, _wider(code), division_level(code), valid_from=valid_from, valid_to=valid_to)


def _wider(code: str) -> str:
    if code.endswith("0000"):
        return ""
    return f"{code[:2]}0000" if code.endswith("00") else f"{code[:4]}00"
