"""The code lists of an instrument's form as choices in the reader's language. What is not loaded is typed as a code."""

from __future__ import annotations

from functools import cache

from babel import Locale
from django.utils.translation import get_language
from pypinyin import lazy_pinyin

from frontend.presenters.instruments import class_name
from instruments.rules.classification import instrument_classes


def nation_choices() -> list[tuple[str, str]]:
    """Countries by their CLDR names, in the order in which people look for them."""
    return list(_nations("en" if (get_language() or "").startswith("en") else "zh_Hans"))


def nation_name(code: str) -> str:
    """A country's name; the code itself when there is none."""
    return dict(nation_choices()).get(code, code)


@cache
def _nations(locale: str) -> tuple[tuple[str, str], ...]:
    names = [
        (code, str(name))
        for code, name in Locale.parse(locale).territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    ]
    return tuple(sorted(names, key=lambda pair: ["".join(lazy_pinyin(pair[1])).casefold(), pair[0]]))


#: Codes of CLDR that are unions, unknown places or pseudo-regions.
_NOT_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "XK", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})


def class_choices(current: str) -> list[tuple[str, str]]:
    """The classes of the national list, and the finer code that the instrument has."""
    choices = [(code, class_name(code)) for code in instrument_classes()]
    if current and current not in instrument_classes():
        choices.append((current, f"{class_name(current)} ({current})"))
    return choices
