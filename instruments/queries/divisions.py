"""Administrative divisions by name: the operator's list where there is one, else what is shipped. Everything that shows, offers or
understands a place asks here."""

from __future__ import annotations

from django.utils import timezone

from instruments.queries import codes
from instruments.queries.codes import CodeEntry
from instruments.rules import asking
from instruments.rules.asking import Lexicon
from instruments.rules.regions import Language, regions

SCHEME = "gbt2260"
_PROVINCE, _PREFECTURE = 1, 2
_kept_lexicon: dict[float, Lexicon] = {}


def division_name(code: str, lang: Language) -> str:
    """The name of a division of six digits; nothing for one that no list has."""
    found = codes.entry_of(SCHEME, code, timezone.localdate())
    return found.name(lang) if found is not None else ""


def is_division(code: str) -> bool:
    """Whether a code is a division: one of a list, or one of a province of which no list says anything."""
    return len(code) == 6 and code.isascii() and code.isdigit() and codes.is_division(code, timezone.localdate())


def selectable() -> list[CodeEntry]:
    """What a form offers, by code: all shipped divisions, and the provinces and prefectures of the operator's list. A county elsewhere is
    too many to choose among; its code can be typed where a form says so."""
    shipped = regions()
    found = codes.entries_on(SCHEME, timezone.localdate())
    offered = [each for each in found if each.code in shipped or each.level in (_PROVINCE, _PREFECTURE)]
    home = next(iter(shipped))[:2]
    return sorted(offered, key=lambda each: (each.code[:2] != home, each.code))


def choices(lang: Language, chosen: str = "") -> list[tuple[str, str]]:
    """``selectable`` as codes with names; one that was chosen and is not offered stands first, by its name or else its code."""
    offered = [(each.code, each.name(lang)) for each in selectable()]
    if not chosen or any(chosen == code for code, _ in offered):
        return offered
    return [(chosen, division_name(chosen, lang) or chosen), *offered]


def known_places() -> Lexicon:
    """The names by which places are understood in what somebody types."""
    read_at = codes.read_at(SCHEME)
    if read_at not in _kept_lexicon:
        _kept_lexicon.clear()
        found = codes.entries_on(SCHEME, timezone.localdate())
        _kept_lexicon[read_at] = asking.lexicon_of((each.level, each.code, (each.zh, each.en, *each.aliases)) for each in found)
    return _kept_lexicon[read_at]
