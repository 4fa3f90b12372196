"""What two documents say differently, field by field. The sentences of ``programme_text`` do not tell every field: not how the shares of
payers are rounded, nor what a condition tests behind its own words. Whoever approves has to see those as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from frontend.presenters.condition_words import value_words
from frontend.presenters.programme_form import place_words

#: Told by the heading of the draft and by its first sentence.
_TOLD = frozenset({"format", "code", "version"})
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field by its place in words, what it held before and holds now; empty where it is not there."""

    place: str
    before: str
    now: str


def field_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[FieldChange, ...]]:
    """Of each top-level part that is not the same: every field that differs, in the order of the document as it is now."""
    parts = [part for part in [*now, *(part for part in before if part not in now)] if part not in _TOLD]
    found = {part: tuple(_differing(before.get(part, _ABSENT), now.get(part, _ABSENT), f"$.{part}", part)) for part in parts}
    return {part: fields for part, fields in found.items() if fields}


def _differing(old: Any, new: Any, path: str, key: str) -> Iterator[FieldChange]:
    if old is new or (type(old) is type(new) and old == new and _text(old) == _text(new)):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*new, *(name for name in old if name not in new)]:
            yield from _differing(old.get(name, _ABSENT), new.get(name, _ABSENT), f"{path}.{name}", name)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(old, new, path, key)
    else:
        yield FieldChange(place_words(path), _shown(key, old), _shown(key, new))


def _of_lists(old: list[Any], new: list[Any], path: str, key: str) -> Iterator[FieldChange]:
    """Items that stay are found again wherever they stand; of the others one is held against the one in its place."""
    matched = SequenceMatcher(None, [_text(each) for each in old], [_text(each) for each in new], autojunk=False)
    for tag, first, last, begin, end in matched.get_opcodes():
        if tag == "equal":
            continue
        for place in range(max(last - first, end - begin)):
            gone = old[first + place] if first + place < last else _ABSENT
            come = new[begin + place] if begin + place < end else _ABSENT
            yield from _differing(gone, come, f"{path}[{(first if come is _ABSENT else begin) + place}]", key)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _shown(key: str, value: Any) -> str:
    if value is _ABSENT:
        return ""
    try:
        return value_words(key, value)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError):
        return _text(value)
