"""What codes are called: the operator's lists first, then what is shipped. Kept in memory per process for a minute."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, Q, QuerySet

from config.kernel.access import Actor, get_visible, visible_to
from instruments.models import Code, CodeLoad, CodeScheme, PolicyZone
from instruments.rules import subjects
from instruments.rules.classification import instrument_classes
from instruments.rules.nations import nation_by_name, nation_codes, nation_name
from instruments.rules.regions import PROVINCES, Language, regions
from instruments.rules.techniques import techniques

KEPT_SECONDS = 60.0
_TOP_DIGITS: Mapping[str, int] = {"nrii": 2, subjects.SCHEME: subjects.DIGITS}


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


@dataclass(frozen=True, slots=True)
class _Scheme:
    """One scheme as it was read: entries by code (newest last), codes by parent in order; ``loaded``: the operator has a list."""

    read_at: float
    loaded: bool
    entries: Mapping[str, Sequence[CodeEntry]]
    children: Mapping[str, Sequence[str]]


_kept: dict[str, _Scheme] = {}


def forget() -> None:
    """Read the lists anew when they are asked for next; called after a list was taken in (other processes: within a minute)."""
    _kept.clear()


def entry_of(scheme: str, code: str, on: date) -> CodeEntry | None:
    """The entry of a code as it holds on a local day, or as it held last (an old record keeps its name); None when unknown."""
    if scheme == "nrii":
        code = code.ljust(6, "0") if code else code
    found = _scheme(scheme).entries.get(code, ())
    valid = [entry for entry in found if entry.holds_on(on)]
    return (valid or found)[-1] if found else None


def name_of(scheme: str, code: str, on: date, lang: Language) -> str:
    """What a code is called on a local day; nothing when no list has it.

    A class or subject that is finer than what is listed is called as the top one above it.
    """
    found = entry_of(scheme, code, on)
    if found is None and scheme in _TOP_DIGITS:
        found = entry_of(scheme, code[: _TOP_DIGITS[scheme]], on)
    return found.name(lang) if found is not None else ""


def children_of(scheme: str, parent_code: str, on: date) -> list[CodeEntry]:
    """The entries that hold on a local day directly below a code (the top ones below nothing), by code."""
    known = _scheme(scheme)
    found = [entry_of(scheme, code, on) for code in known.children.get(parent_code, ())]
    return [entry for entry in found if entry is not None and entry.holds_on(on)]


def code_of(scheme: str, text: str, on: date) -> str | None:
    """The code that a code or one of its names stands for on a local day; None when nothing or more than one thing does.

    Digits are taken as a code where the operator has taken in no list that could have it.
    """
    if scheme == "iso3166":
        return nation_by_name(text)
    if scheme == "gbt2260":
        return _division_by_path([part.strip() for part in text.split("/") if part.strip()], on)
    if entry_of(scheme, text, on) is not None or _may_be_finer(scheme, text):
        return text
    wanted = text.casefold()
    found = {
        entry.code
        for entries in _scheme(scheme).entries.values()
        for entry in entries
        if entry.holds_on(on) and wanted in {name.casefold() for name in (entry.zh, entry.en, *entry.aliases)}
    }
    return found.pop() if len(found) == 1 else None


def _may_be_finer(scheme: str, text: str) -> bool:
    """Whether it can be a code below what is shipped, with no list of the operator's to look into."""
    known = _scheme(scheme)
    if known.loaded or not re.fullmatch("[0-9]{3,7}", text):
        return False
    return not known.entries or text[: _TOP_DIGITS.get(scheme, len(text))] in known.entries


def entries_on(scheme: str, on: date) -> list[CodeEntry]:
    """All entries that hold on a local day, by code."""
    known = _scheme(scheme)
    found = (entry_of(scheme, code, on) for code in sorted(known.entries))
    return [entry for entry in found if entry is not None and entry.holds_on(on)]


def last_entries(scheme: str) -> list[CodeEntry]:
    """The newest entry of every code, whether it holds or not."""
    return [entries[-1] for entries in _scheme(scheme).entries.values()]


def read_at(scheme: str) -> float:
    """When the scheme was read that answers now, by the process's own clock: what was made of it is good as long as this is the same."""
    return _scheme(scheme).read_at


def division_path(code: str, on: date, lang: Language = "zh") -> tuple[str, str, str]:
    """The names of province, prefecture and county that a division's code stands for; empty where the code says nothing."""
    codes = (code[:2] + "0000", code[:4] + "00" if code[2:4] != "00" else "", code if code[4:6] != "00" else "")
    names = [name_of("gbt2260", one, on, lang) if len(one) == 6 and len(code) == 6 else "" for one in codes]
    return names[0], names[1], names[2]


@dataclass(frozen=True, slots=True)
class ListState:
    """A list as it stands on a local day: how many of its codes hold, how many ended, since when the newest holds; ``taken_in``: the
    operator has one, otherwise what is shipped counts."""

    scheme: str
    taken_in: bool
    holding: int
    ended: int
    newest_on: date | None


def list_states(actor: Actor, on: date) -> list[ListState]:
    """Every list, in the order of ``CodeScheme``: one query."""
    ended, begun = Q(valid_to__lte=on), Q(valid_from=None) | Q(valid_from__lte=on)
    rows = visible_to(Code.objects.all(), actor).order_by().values_list("scheme")
    counted = rows.annotate(
        holding=Count("pk", filter=begun & ~ended), over=Count("pk", filter=ended), newest_on=Max("valid_from")
    )
    found = {scheme: ListState(scheme, True, *figures) for scheme, *figures in counted}
    return [found.get(scheme) or ListState(scheme, False, len(_shipped(scheme)), 0, None) for scheme in CodeScheme.values]


def newest_loads(actor: Actor) -> dict[str, CodeLoad]:
    """By scheme the list that was taken in last and was not taken back: one query."""
    rows = visible_to(CodeLoad.objects.filter(taken_back_at=None), actor).select_related("loaded_by")
    return {load.scheme: load for load in rows.order_by("scheme", "-pk").distinct("scheme")}


def load_for(actor: Actor, load_id: int) -> CodeLoad:
    """One list that was taken in. Raises NotFound."""
    return get_visible(CodeLoad.objects.all(), actor, pk=load_id)


def shipped_codes(scheme: str) -> frozenset[str]:
    """The codes of a scheme that are there without any list."""
    return frozenset(entry.code for entry in _shipped(scheme))


def zones(actor: Actor) -> QuerySet[PolicyZone]:
    """All policy zones, also those that hold no more, by name."""
    return visible_to(PolicyZone.objects.all(), actor).order_by("name", "pk")


def zone_for(actor: Actor, zone_id: int) -> PolicyZone:
    """One policy zone. Raises NotFound."""
    return get_visible(PolicyZone.objects.all(), actor, pk=zone_id)


def zones_on(on: date) -> list[PolicyZone]:
    """The policy zones that hold on a local day, by name; they are public."""
    rows = PolicyZone.objects.order_by("name", "pk")
    return [zone for zone in rows if (zone.valid_from or on) <= on and (zone.valid_to is None or on < zone.valid_to)]


def _division_by_path(parts: Sequence[str], on: date) -> str | None:
    """The division whose own name is the last part and whose wider ones the parts before it; short names clash, so all count."""
    if not parts:
        return None
    if re.fullmatch("[0-9]{6}", parts[-1]):
        return parts[-1] if is_division(parts[-1], on) else None
    found = [
        entry.code
        for entries in _scheme("gbt2260").entries.values()
        for entry in entries
        if parts[-1] in (entry.zh, entry.en) and _lies_in(entry.code, parts[:-1], on)
    ]
    return found[0] if len(set(found)) == 1 else None


def is_division(code: str, on: date) -> bool:
    """Whether a code may be a division: known, or in a province of which no list says anything."""
    if entry_of("gbt2260", code, on) is not None:
        return True
    listed = {known[:2] for known in _scheme("gbt2260").entries if not known.endswith("0000")}
    return code[:2] in PROVINCES - listed


def _lies_in(code: str, wider: Sequence[str], on: date) -> bool:
    above = {name for lang in ("zh", "en") for name in division_path(code, on, lang)}
    return set(wider) <= above


def _scheme(scheme: str) -> _Scheme:
    kept = _kept.get(scheme)
    if kept is None or time.monotonic() - kept.read_at > KEPT_SECONDS:
        kept = _kept[scheme] = _read(scheme)
    return kept


def _read(scheme: str) -> _Scheme:
    shipped = {entry.code: entry for entry in _shipped(scheme)}
    entries: dict[str, list[CodeEntry]] = {}
    for row in Code.objects.filter(scheme=scheme).order_by("code", "valid_from", "pk"):
        english = row.name_en or (shipped[row.code].en if row.code in shipped else "")
        names = (tuple(row.aliases), tuple(row.more_parents))
        entry = CodeEntry(row.code, row.name, english, row.parent_code, row.level, *names, row.valid_from, row.valid_to)
        entries.setdefault(row.code, []).append(entry)
    loaded = bool(entries)
    entries = {code: [entry] for code, entry in shipped.items()} | entries
    children: dict[str, list[str]] = {}
    for code_text in sorted(entries):
        children.setdefault(entries[code_text][-1].parent_code, []).append(code_text)
    return _Scheme(time.monotonic(), loaded, entries, children)


def _shipped(scheme: str) -> list[CodeEntry]:
    """What is there without any list: fifteen classes, the top subjects, the divisions of Qinghai, all countries, common techniques."""
    if scheme == "nrii":
        return [CodeEntry(f"{one.code}0000", one.zh, one.en) for one in instrument_classes().values()]
    if scheme == subjects.SCHEME:
        return [CodeEntry(one.code, one.zh, one.en) for one in subjects.subjects().values()]
    if scheme == "gbt2260":
        levels = {"province": 1, "prefecture": 2, "county": 3, "statistical": 3}
        return [CodeEntry(one.code, one.zh, one.en, _wider(one.code), levels[one.level]) for one in regions().values()]
    if scheme == "iso3166":
        return [CodeEntry(code, nation_name(code, "zh"), nation_name(code, "en")) for code in nation_codes()]
    if scheme == "panet":
        return [CodeEntry(one.code, one.zh, one.en, next(iter(one.parents), ""), 1, one.aliases) for one in techniques().values()]
    return []


def _wider(code: str) -> str:
    if code.endswith("0000"):
        return ""
    return f"{code[:2]}0000" if code.endswith("00") else f"{code[:4]}00"
