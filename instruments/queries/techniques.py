"""The techniques that are known here: the short list that is shipped, and what the operator's list adds to it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from instruments.queries import codes
from instruments.rules.regions import Language
from instruments.rules.techniques import SCHEME, Technique, techniques, with_listed

_kept: dict[float, Mapping[str, Technique]] = {}


def known_techniques() -> Mapping[str, Technique]:
    """Every technique by code, the shipped ones first; one that ended keeps its name. As fresh as the code lists themselves."""
    made_at = codes.made_at(SCHEME)
    if made_at not in _kept:
        _kept.clear()
        _kept[made_at] = with_listed(_technique(one) for one in codes.last_entries(SCHEME))
    return _kept[made_at]


def technique_name(code: str, lang: Language) -> str:
    """What a technique is called; the code itself where nobody knows it."""
    known = known_techniques().get(code)
    if known is None:
        return code
    return (known.zh or known.en) if lang == "zh" else (known.en or known.zh)


def offered_techniques() -> tuple[list[str], list[str]]:
    """The codes to choose among: the common ones of the short list, and the others that the operator's list holds today."""
    held = [one.code for one in codes.entries_on(SCHEME, timezone.localdate())]
    return list(techniques()), [code for code in held if code not in techniques()]


def _technique(entry: codes.CodeEntry) -> Technique:
    wider = tuple(code for code in (entry.parent_code, *entry.more_parents) if code)
    return Technique(entry.code, entry.zh, entry.en, entry.aliases, wider)
