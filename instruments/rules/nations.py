"""Countries by their two letters (ISO 3166-1): names from Unicode CLDR, and the code that a name stands for.

Nothing needs to be loaded. ``data/nations.json`` holds what the national network's list writes otherwise.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale

from instruments.rules.regions import Language

_FILE = Path(__file__).with_name("data") / "nations.json"
#: Two letters that CLDR names and ISO 3166-1 does not: groups of countries, private use, parts of others.
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})


@cache
def nation_codes() -> tuple[str, ...]:
    """Every code, in order."""
    return tuple(sorted(code for code in _names("en") if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES))


def nation_name(code: str, lang: Language) -> str:
    """The country's name, or nothing for a code that is none."""
    return _names(lang).get(code, "") if code in nation_codes() else ""


def nation_by_name(text: str) -> str | None:
    """The code that a code or a name (Chinese, English, or the national list's) stands for; None when nobody knows it."""
    return _by_name().get(_folded(text))


@cache
def _names(lang: Language) -> Mapping[str, str]:
    ours = {code: names[lang] for code, names in _data()["names"].items()}
    return {str(code): str(name) for code, name in Locale(lang).territories.items()} | ours


@cache
def _by_name() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for code in nation_codes():
        for name in (code, _names("zh")[code], _names("en")[code], Locale("zh").territories.get(code, "")):
            found.setdefault(_folded(name), code)
    return found | {_folded(name): code for name, code in _data()["also"].items()}


@cache
def _data() -> dict[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
