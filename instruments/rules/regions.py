"""Administrative divisions by their six-digit code (GB/T 2260), and the names of those in Qinghai and of the other provinces.

The names are restated facts in ``data/regions.json``. Short names clash across provinces (Hainan, Henan), so divisions
are only ever matched by code.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]

#: The first two digits of every province's code.
PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
    for code in range(first, last + 1)
)
_CODE = re.compile(r"[1-9][0-9]{5}")
_FILE = Path(__file__).with_name("data") / "regions.json"


@dataclass(frozen=True, slots=True)
class Region:
    """One division. ``level`` is province, prefecture or county, or statistical for a unit counted as if a county."""

    code: str
    level: str
    zh: str
    en: str


@cache
def regions() -> dict[str, Region]:
    """Qinghai, its prefectures and counties by code, in order of codes."""
    return {row["code"]: Region(**row) for row in json.loads(_FILE.read_text(encoding="utf-8"))["regions"]}


@cache
def provinces() -> dict[str, Region]:
    """The provinces beside Qinghai by code, with their English names."""
    return {row["code"]: Region(**row) for row in json.loads(_FILE.read_text(encoding="utf-8"))["other_provinces"]}


def region_contains(ancestor_code: str, code: str) -> bool:
    """Whether a division lies in another or is it: 630102 in 630100 in 630000. Asks codes only, of any province.

    Raises ValueError for a code without six digits.
    """
    if not (_CODE.fullmatch(ancestor_code) and _CODE.fullmatch(code)):
        raise ValueError("a division has a six-digit code")
    return code.startswith(division_prefix(ancestor_code))


def division_prefix(code: str) -> str:
    """The digits that the codes of all divisions within one begin with: 63 for 630000, 6301 for 630100, 630104 for itself."""
    return re.sub(r"(00){1,2}\Z", "", code)


def region_name(code: str, lang: Language) -> str:
    """The division's own name. Raises LookupError for a code that the data does not hold."""
    region = regions()[code]
    return region.zh if lang == "zh" else region.en
