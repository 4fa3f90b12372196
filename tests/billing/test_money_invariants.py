"""Tests of money ask every invariant that there is of money."""

from __future__ import annotations

from config.kernel import invariants
from tests.billing.money_invariants import AT_THE_END, MONEY

OF_OTHERS = ("booking.", "kernel.", "registry.", "samples.")


def test_every_invariant_is_of_money_or_of_somebody_else() -> None:
    names = set(invariants.registered())
    assert {name for name in names if name.startswith(MONEY)} == {name for name in names if not name.startswith(OF_OTHERS)}
    assert {each for each in MONEY if any(name.startswith(each) for name in names)} == set(MONEY)


def test_what_waits_for_the_end_is_asked_there() -> None:
    assert set(AT_THE_END) <= {name for name in invariants.registered() if name.startswith(MONEY)}
