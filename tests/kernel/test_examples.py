"""Properties try fewer examples in the run for every day, and others are left alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from tests import examples


def cases(number: int, of: int) -> list[Any]:
    """So many cases of one property that asks for ``of`` examples."""

    @hypothesis.settings(max_examples=of)
    @hypothesis.given(strategies.integers())
    def holds(value: int) -> None:
        pass

    return [SimpleNamespace(obj=holds) for _ in range(number)]


@pytest.mark.parametrize(("asked", "tried"), [(300, 100), (60, 20), (25, 20), (12, 12)])
def test_a_third_is_tried_and_twenty_at_least_where_so_many_are_asked_for(asked: int, tried: int) -> None:
    assert examples.for_every_day(asked) == tried


def test_a_property_with_several_cases_is_limited_once_and_other_tests_are_left_alone() -> None:
    several = cases(3, of=300)
    examples.limit([*several, SimpleNamespace(obj=print), SimpleNamespace()], examples.for_every_day)  # type: ignore[list-item]
    assert several[0].obj._hypothesis_internal_use_settings.max_examples == 100
