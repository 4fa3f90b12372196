"""What codes are called: the operator's lists first, then what is shipped. Kept in memory per process for a minute."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from config.kernel.access import Actor, get_visible, visible_to
from instruments.models import Code, CodeLoad, CodeScheme, PolicyZone
from instruments.queries.shipped_codes import CodeEntry, shipped
from instruments.rules import subjects
from instruments.rules.division_years import division_level
from instruments.rules.nations import nation_by_name
from instruments.rules.regions import PROVINCES, Language, regions

KEPT_SECONDS = 60.0
_KEPT = ("code", "name", "name_en", "parent_code", "level", "aliases", "more_parents", "valid_from", "valid_to")
_TOP_DIGITS: Mapping[str, int] = {"nrii": 2, subjects.SCHEME: subjects.DIGITS}


@dataclass(frozen=True, slots=True)
class _Scheme:
    """One scheme as it was read: entries by code (newest last), codes by parent in order and by folded name; ``rows`` are those of the
    operator's list, of which it was made at ``made_at``."""

    read_at: float
    made_at: float
    rows: Sequence[tuple[Any, ...]]
    entries: Mapping[str, Sequence[CodeEntry]]
    children: Mapping[str, Sequence[str]]
    named: Mapping[str, Sequence[str]]

    @property
    def loaded(self) -> bool:
        """Whether the operator has a list."""
        return bool(self.rows)


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
    found = {entry.code for entry in _called(scheme, text) if entry.holds_on(on)}
    return found.pop() if len(found) == 1 else None


def _called(scheme: str, name: str) -> list[CodeEntry]:
    """The entries of a name, however its letters are written, whether they hold or not."""
    known, wanted = _scheme(scheme), name.casefold()
    return [entry for code in known.named.get(wanted, ()) for entry in known.entries[code] if wanted in _names(entry)]


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


def made_at(scheme: str) -> float:
    """Since when the scheme that answers now is as it is, by the process's own clock: what was made of it for a day is good as long as
    this is the same."""
    return _scheme(scheme).made_at


def entries_in(scheme: str, head: str) -> list[CodeEntry]:
    """All entries of the codes that begin so, whether they hold or not, by code."""
    known = _scheme(scheme)
    return [entry for code in sorted(known.entries) if code.startswith(head) for entry in known.entries[code]]


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
    return [found.get(scheme) or _shipped_state(scheme, on) for scheme in CodeScheme.values]


def _shipped_state(scheme: str, on: date) -> ListState:
    entries = shipped(scheme)
    holding = sum(entry.holds_on(on) for entry in entries)
    ended = sum(entry.valid_to is not None and entry.valid_to <= on for entry in entries)
    return ListState(
        scheme, False, holding, ended, max((entry.valid_from for entry in entries if entry.valid_from), default=None)
    )


def newest_loads(actor: Actor) -> dict[str, CodeLoad]:
    """By scheme the list that was taken in last and was not taken back: one query."""
    rows = visible_to(CodeLoad.objects.filter(taken_back_at=None), actor).select_related("loaded_by")
    return {load.scheme: load for load in rows.order_by("scheme", "-pk").distinct("scheme")}


def load_for(actor: Actor, load_id: int) -> CodeLoad:
    """One list that was taken in. Raises NotFound."""
    return get_visible(CodeLoad.objects.all(), actor, pk=load_id)


def shipped_codes(scheme: str) -> frozenset[str]:
    """The codes of a scheme that are there without any list."""
    return frozenset(entry.code for entry in shipped(scheme))


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
    """The division whose own name is the last part and whose wider ones the parts before it; short names clash, so all count. One that
    holds goes before those that ended, and the widest before what lies in it."""
    if not parts:
        return None
    if re.fullmatch("[0-9]{6}", parts[-1]):
        return parts[-1] if is_division(parts[-1], on) else None
    named = [entry for entry in _called("gbt2260", parts[-1]) if _lies_in(entry.code, parts[:-1])]
    counted = [entry for entry in named if entry.holds_on(on)] or named
    widest = min((entry.level for entry in counted), default=0)
    found = {entry.code for entry in counted if entry.level == widest}
    return found.pop() if len(found) == 1 else None


def is_division(code: str, on: date) -> bool:
    """Whether a code may be a division: known, or in a province of which no list says anything."""
    if entry_of("gbt2260", code, on) is not None:
        return True
    listed = {known[:2] for known in _scheme("gbt2260").entries if not known.endswith("0000")}
    return code[:2] in PROVINCES - listed


def _lies_in(code: str, wider: Sequence[str]) -> bool:
    """Whether each of these names is or was one of the division or of those around it."""
    known = _scheme("gbt2260").entries
    around = (entry for each in {f"{code[:2]}0000", f"{code[:4]}00", code} for entry in known.get(each, ()))
    return {name.casefold() for name in wider} <= {name for entry in around for name in _names(entry)}


def _scheme(scheme: str) -> _Scheme:
    kept = _kept.get(scheme)
    if kept is None or time.monotonic() - kept.read_at > KEPT_SECONDS:
        kept = _kept[scheme] = _read(scheme, kept)
    return kept


def _read(scheme: str, before: _Scheme | None) -> _Scheme:
    """The scheme as it is now; the one before where the operator's list has not changed."""
    read_at = time.monotonic()
    rows = list(Code.objects.filter(scheme=scheme).order_by("code", "valid_from", "pk").values_list(*_KEPT))
    if before is not None and before.rows == rows:
        return replace(before, read_at=read_at)
    there = _by_code(shipped(scheme))
    loaded = _by_code(_loaded(row, there) for row in rows)
    if scheme == "gbt2260":
        there = _beside(there, loaded)
    entries = there | loaded
    children: dict[str, list[str]] = {}
    named: dict[str, list[str]] = {}
    for code in sorted(entries):
        children.setdefault(entries[code][-1].parent_code, []).append(code)
        for name in {name for entry in entries[code] for name in _names(entry)}:
            named.setdefault(name, []).append(code)
    return _Scheme(read_at, read_at, rows, entries, children, named)


def _loaded(row: tuple[Any, ...], there: Mapping[str, Sequence[CodeEntry]]) -> CodeEntry:
    code, zh, english, parent_code, level, aliases, more_parents, *days = row
    english = english or next((entry.en for entry in reversed(there.get(code, ()))), "")
    return CodeEntry(code, zh, english, parent_code, level, tuple(aliases), tuple(more_parents), *days)


def _by_code(entries: Iterable[CodeEntry]) -> dict[str, list[CodeEntry]]:
    found: dict[str, list[CodeEntry]] = {}
    for entry in entries:
        found.setdefault(entry.code, []).append(entry)
    return found


def _names(entry: CodeEntry) -> set[str]:
    """What an entry is called, folded."""
    return {name.casefold() for name in (entry.zh, entry.en, *entry.aliases) if name}


def _beside(there: Mapping[str, list[CodeEntry]], loaded: Mapping[str, list[CodeEntry]]) -> dict[str, list[CodeEntry]]:
    """The shipped divisions beside the operator's: one that a list of its level and province leaves out holds no more, unless we name it
    ourselves; what had ended anyway keeps its name."""
    spoken_of = {_part(code) for code in loaded}
    return {
        code: entries
        for code, entries in there.items()
        if code in regions() or _part(code) not in spoken_of or entries[-1].valid_to is not None
    }


def _part(code: str) -> tuple[int, str]:
    level = division_level(code)
    return level, code[:2] if level > 1 else ""
