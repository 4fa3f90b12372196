"""One of so many cases is for every run, and none is lost."""

from __future__ import annotations

import pytest

from tests.turns import in_turns


@pytest.mark.parametrize(("number", "of", "always"), [(7, 3, [0, 3, 6]), (3, 1, [0, 1, 2]), (2, 5, [0]), (0, 3, [])])
def test_the_first_of_so_many_is_for_every_run_and_the_others_are_for_proof(number: int, of: int, always: list[int]) -> None:
    cases = in_turns(range(number), of)
    later = [case.values[0] for case in cases if not isinstance(case, int)]
    assert [case for case in cases if isinstance(case, int)] == always
    assert sorted([*always, *later]) == list(range(number))
    assert all([mark.name for mark in case.marks] == ["proof"] for case in cases if not isinstance(case, int))
