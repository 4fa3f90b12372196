"""What no document may hold, whatever its schema says: what the database cannot keep, and what lies deeper than anybody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from billing.ledger.rules.documents import Fault

MAX_DEPTH = 40
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


def _unkept_here(path: str, value: object) -> Iterator[Fault]:
    texts = [value] if isinstance(value, str) else [str(name) for name in value] if isinstance(value, Mapping) else []
    if any(_UNKEPT.search(text) for text in texts):
        yield Fault(path, "it holds a character that cannot be kept (U+0000 or half of one); write it without")


def _inside(path: str, value: object) -> Iterator[tuple[str, Any]]:
    """What lies one level below. A name that cannot be kept is no part of a place that can be printed: it is told where it stands."""
    if isinstance(value, Mapping):
        yield from ((f"{path}.{name}", each) for name, each in value.items() if not _UNKEPT.search(str(name)))
    elif isinstance(value, list):
        yield from ((f"{path}[{place}]", each) for place, each in enumerate(value))
