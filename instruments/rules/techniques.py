"""A short list of common measuring techniques, with the names and abbreviations by which people ask for them.

Codes ``PaNET*`` are those of the PaNET ontology (scheme ``panet``), codes ``jishi:*`` stand for what it does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

SCHEME = "panet"

_FILE = Path(__file__).with_name("data") / "techniques.json"


@dataclass(frozen=True, slots=True)
class Technique:
    """One technique: names, other names people use, and the codes of the wider techniques that it is one of."""

    code: str
    zh: str
    en: str
    aliases: tuple[str, ...]
    parents: tuple[str, ...]


@cache
def techniques() -> Mapping[str, Technique]:
    """All techniques of the short list by code, in the list's order; parents are of the list too."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))["techniques"]
    return MappingProxyType(
        {row["code"]: Technique(row["code"], row["zh"], row["en"], tuple(row["aliases"]), tuple(row["parents"])) for row in rows}
    )


def with_listed(listed: Iterable[Technique]) -> Mapping[str, Technique]:
    """The short list together with what another list says: a code of both has the names and the wider techniques of both, the
    short list's first."""
    found = dict(techniques())
    for one in listed:
        ours = found.get(one.code)
        if ours is None:
            found[one.code] = one
        else:
            aliases = [alias for alias in (one.en, *one.aliases) if alias not in ("", ours.en)]
            found[one.code] = Technique(
                ours.code,
                ours.zh,
                ours.en,
                tuple(dict.fromkeys([*ours.aliases, *aliases])),
                tuple(dict.fromkeys([*ours.parents, *one.parents])),
            )
    return MappingProxyType(found)


def with_wider(codes: Iterable[str], known: Mapping[str, Technique]) -> list[str]:
    """Technique codes with all the wider ones around them that ``known`` names, each once; unknown codes stay."""
    found: dict[str, None] = {}
    waiting = list(codes)
    while waiting:
        code = waiting.pop(0)
        if code not in found:
            found[code] = None
            waiting += known[code].parents if code in known else ()
    return list(found)
