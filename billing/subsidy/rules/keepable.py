"""What no document may hold, whatever its schema says: what the database cannot keep, what lies deeper than anybody reads, and
characters that nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from billing.ledger.rules.documents import Fault

MAX_DEPTH = 40
_UNSEEN = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
"""Control characters but for a new line and a tab, and those that are not seen or turn the order of what stands beside them around: two
ids, payers or clauses that look the same would not be, or would read otherwise than they are."""
_UNKEPT = re.compile("[\x00\ud800-\udfff]")
"""U+0000 and half characters (lone surrogates): PostgreSQL keeps neither in JSON."""


def unkeepable(document: object) -> Iterator[Fault]:
    """Each text that cannot be kept, and the first place beyond ``MAX_DEPTH``. Level by level with a list, because the document may be
    deeper than Python calls itself."""
    level: list[tuple[str, Any]] = [("$", document)]
    for _depth in range(MAX_DEPTH):
        for path, value in level:
            yield from _unkept_here(path, value)
        level = [each for path, value in level for each in _inside(path, value)]
    if level:
        yield Fault(level[0][0], f"it lies deeper than {MAX_DEPTH} levels; write it with fewer parts in each other")


def unseen(document: object) -> Iterator[Fault]:
    """Each text with a character that nobody sees, of a document that can be kept."""
    waiting: list[tuple[str, Any]] = [("$", document)]
    for path, value in waiting:  # it grows while it is gone through
        found = next(filter(None, map(_UNSEEN.search, _texts(value))), None)
        if found:
            named = f"U+{ord(found[0]):04X}"
            yield Fault(
                path,
                f"it holds a character that nobody sees ({named}); type it anew, it was perhaps pasted with the text",
            )
        waiting += _inside(path, value)


def _texts(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(name) for name in value] if isinstance(value, Mapping) else []


def _unkept_here(path: str, value: object) -> Iterator[Fault]:
    if any(_UNKEPT.search(text) for text in _texts(value)):
        yield Fault(path, "it holds a character that cannot be kept (U+0000 or half of one); write it without")


def _inside(path: str, value: object) -> Iterator[tuple[str, Any]]:
    """What lies one level below. A name that cannot be kept is no part of a place that can be printed: it is told where it stands."""
    if isinstance(value, Mapping):
        yield from ((f"{path}.{name}", each) for name, each in value.items() if not _UNKEPT.search(str(name)))
    elif isinstance(value, list):
        yield from ((f"{path}[{place}]", each) for place, each in enumerate(value))
