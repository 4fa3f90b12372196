"""A short list of common measuring techniques, with the names and abbreviations by which people ask for them.

Codes ``PaNET*`` are those of the PaNET ontology (scheme ``panet``), codes ``jishi:*`` stand for what it does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
