"""The code lists of an instrument's form as choices in the reader's language. What is not loaded is typed as a code."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from babel import Locale
from django.utils import timezone
from django.utils.translation import get_language

from frontend.presenters.instruments import class_name
from instruments.queries import codes
from instruments.rules.classification import instrument_classes
from instruments.rules.regions import Language
from instruments.services.pinyin import pinyin

#: Fields of an instrument that hold codes, and of which scheme.
SCHEMES = {"class_code": "nrii", "subject_codes": "gbt13745", "technique_codes": "panet"}


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
    return tuple(sorted(names, key=lambda pair: [pinyin(pair[1]).casefold(), pair[0]]))


#: Codes of CLDR that are unions, unknown places or pseudo-regions.
_NOT_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "XK", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})


def class_choices(current: str) -> list[tuple[str, str | list[tuple[str, str]]]]:
    """The classes of the national list: the fifteen, below each what the operator has loaded, and the code that is there now."""
    choices: list[tuple[str, str | list[tuple[str, str]]]] = []
    known = set(instrument_classes())
    for code in instrument_classes():
        finer = list(_finer_classes(f"{code}0000"))
        known |= {one for one, _ in finer}
        choices.append((class_name(code), [(code, class_name(code)), *finer]) if finer else (code, class_name(code)))
    if current and current not in known:
        choices.append((current, code_words("class_code", current)))
    return choices


def _finer_classes(parent: str) -> Iterator[tuple[str, str]]:
    today = timezone.localdate()
    for entry in codes.children_of(SCHEMES["class_code"], parent, today):
        yield entry.code, f"{entry.code} {entry.name(_language())}"
        yield from _finer_classes(entry.code)


def code_words(field: str, code: str) -> str:
    """A code of a field with its name in the reader's language, as far as a list has it: ``Chemistry (150)``."""
    name = codes.name_of(SCHEMES[field], code, timezone.localdate(), _language())
    return f"{name} ({code})" if name else code


def code_line(field: str, code: str) -> str:
    """A code as it stands in a form, with its own name behind it: ``150 Chemistry``."""
    entry = codes.entry_of(SCHEMES[field], code, timezone.localdate())
    return code if entry is None else f"{code} {entry.name(_language())}"


def code_typed(field: str, line: str) -> str:
    """The code that a line of a form means: a code, a name, or a code with its name; what nobody knows stays as it was typed."""
    text, scheme, today = " ".join(line.split()), SCHEMES[field], timezone.localdate()
    head = text.split(" ")[0]
    return codes.code_of(scheme, text, today) or (head if codes.entry_of(scheme, head, today) else text)


def _language() -> Language:
    return "en" if (get_language() or "").startswith("en") else "zh"
