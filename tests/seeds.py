"""The steps of the state machines of ``tests/scenarios``, again: with one seed they are the same, as long as the code is.

``make test`` is derandomised: it takes the same steps each time without any seed. The long runs of ``make proof`` take others each time, by
a seed that the end of the run names. ``JISHI_SEED=N`` in the environment is the seed of both.
"""

from __future__ import annotations

import os
import secrets

import hypothesis
import pytest
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

GIVEN = "JISHI_SEED"
OF_RUN = "JISHI_SEED_OF_RUN"
"""Chosen by the process that starts the others, which inherit it."""


def given() -> int | None:
    """The seed that was asked for. Raises UsageError for what is no whole number."""
    text = os.environ.get(GIVEN, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise pytest.UsageError(f"{GIVEN} is a whole number, as a run named it: not {text!r}")
    return int(text)


def choose() -> None:
    """Have a seed for the run. Raises UsageError as ``given``."""
    number = given()
    os.environ[OF_RUN] = os.environ.get(OF_RUN) or str(number if number is not None else secrets.randbits(32))


def words(settings: hypothesis.settings | None = None) -> str:
    """What a run with ``settings`` (None: all of them) goes by."""
    number = given()
    if number is not None:
        return f"steps by {GIVEN}={number}"
    again = f"steps by chance: {GIVEN}={os.environ[OF_RUN]} takes the same"
    same = f"derandomised, the same steps each time: {GIVEN}=N takes others"
    if settings is None:
        return f"State machines: short runs {same}; long runs {again}"
    return same if settings.derandomize else again


def run(machine: type[RuleBasedStateMachine], settings: hypothesis.settings) -> None:
    """Let a machine take its steps; what goes by is printed, and so shown with a failure."""
    choose()
    print(f"{machine.__name__}: {words(settings)}")
    number = given()
    if number is not None or not settings.derandomize:
        machine = hypothesis.seed(int(os.environ[OF_RUN]) if number is None else number)(machine)
        # Failures of before would come first.
        settings = hypothesis.settings(settings, derandomize=False, database=None)
    run_state_machine_as_test(machine, settings=settings)
