"""Disciplines of science by their three-digit code: the first level of GB/T 13745-2009. Finer codes begin with these."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

SCHEME = "gbt13745"
DIGITS = 3

_FILE = Path(__file__).with_name("data") / "subjects.json"


@dataclass(frozen=True, slots=True)
class Subject:
    """One discipline: its code and names."""

    code: str
    zh: str
    en: str


@cache
def subjects() -> Mapping[str, Subject]:
    """All disciplines of the first level by code, in the order of the standard."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))["subjects"]
    return MappingProxyType({row["code"]: Subject(**row) for row in rows})
