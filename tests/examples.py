"""How many examples a property is tried with. What its own settings say is for the long form; other runs take fewer of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import hypothesis
import pytest

SHARE = 3
"""``make test`` tries one of so many, ``make proof`` all, and others each time."""
FEWEST = 20
"""With fewer a property hardly says anything."""


def for_every_day(number: int) -> int:
    """How many of the examples that a property asks for ``make test`` tries."""
    return min(number, max(FEWEST, number // SHARE))


def limit(items: Sequence[pytest.Item], how_many: Callable[[int], int]) -> None:
    """Let each property among the tests try ``how_many(n)`` examples where its own settings say n; once, however many cases it has."""
    functions: dict[int, Any] = {}
    for item in items:
        test = getattr(item, "obj", None)
        function = getattr(test, "__func__", test)
        functions[id(function)] = function
    for function in functions.values():
        own = getattr(function, "_hypothesis_internal_use_settings", None)
        if own is not None:
            function._hypothesis_internal_use_settings = hypothesis.settings(own, max_examples=how_many(own.max_examples))
