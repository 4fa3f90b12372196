"""A run of a state machine is taken again by its seed."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests import seeds

BY_CHANCE = settings(max_examples=5, stateful_step_count=10, deadline=None, phases=(Phase.generate,), derandomize=False)
SAME = settings(BY_CHANCE, derandomize=True, database=None)


def steps_of(how: settings) -> list[int]:
    """What the machine did in all its examples."""
    done: list[int] = []

    class Steps(RuleBasedStateMachine):
        @rule(number=st.integers())
        def step(self, number: int) -> None:
            done.append(number)

        @rule(numbers=st.lists(st.integers()))
        def another(self, numbers: list[int]) -> None:
            done.extend(numbers)

    seeds.run(Steps, how)
    assert done
    return done


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nobody gave a seed, and the run has chosen none."""
    monkeypatch.delenv(seeds.GIVEN, raising=False)
    monkeypatch.delenv(seeds.OF_RUN, raising=False)


@pytest.mark.parametrize("how", [BY_CHANCE, SAME])
def test_the_same_seed_takes_the_same_steps_and_another_one_others(monkeypatch, capsys, how):
    monkeypatch.setenv(seeds.GIVEN, "7")
    first, again = steps_of(how), steps_of(how)
    monkeypatch.setenv(seeds.GIVEN, "8")
    assert first == again != steps_of(how)
    assert "steps by JISHI_SEED=7" in capsys.readouterr().out


def test_seed_0_is_a_seed(monkeypatch):
    monkeypatch.setenv(seeds.OF_RUN, "5")
    other = steps_of(BY_CHANCE)
    monkeypatch.setenv(seeds.GIVEN, "0")
    assert steps_of(BY_CHANCE) == steps_of(BY_CHANCE) != other


def test_a_run_by_chance_names_a_seed_that_takes_its_steps_again(monkeypatch, capsys):
    first = steps_of(BY_CHANCE)
    said = capsys.readouterr().out
    number = said.partition("JISHI_SEED=")[2].split()[0]
    monkeypatch.delenv(seeds.OF_RUN)
    assert steps_of(BY_CHANCE) != first, "without it other steps are taken"
    monkeypatch.setenv(seeds.GIVEN, number)
    assert steps_of(BY_CHANCE) == first


def test_a_derandomised_run_takes_the_same_steps_without_a_seed_and_says_so(capsys):
    assert steps_of(SAME) == steps_of(SAME)
    assert "derandomised, the same steps each time" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "²"])
def test_what_is_no_seed_is_refused_and_says_what_is_one(monkeypatch, text):
    monkeypatch.setenv(seeds.GIVEN, text)
    with pytest.raises(pytest.UsageError, match="whole number"):
        seeds.choose()
