"""The national classification of instruments: its fifteen classes, by code.

Codes are those of the national network's list; other lists number the same classes otherwise, so a code is only ever
kept together with ``SCHEME``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SCHEME = "nrii"

_FILE = Path(__file__).with_name("data") / "classes.json"


@dataclass(frozen=True, slots=True)
class InstrumentClass:
    """One class: a two-digit code of ``SCHEME`` and its names."""

    code: str
    zh: str
    en: str


@cache
def instrument_classes() -> dict[str, InstrumentClass]:
    """All classes by code, in the list's order."""
    return {row["code"]: InstrumentClass(**row) for row in json.loads(_FILE.read_text(encoding="utf-8"))["classes"]}
