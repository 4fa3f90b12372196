"""Mistakes are made where they mean something, have names that last, and change the function that they are made in."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import FunctionType

import pytest

from tests.mutation.__main__ import EQUIVALENT, PACKAGES, ROOT, _report
from tests.mutation.sites import Site, sites_of
from tests.mutation.trial import FOUND, SURVIVED, UNTRIED, Trials, ending

SOURCE = '''
class Cap:
    """At most 3."""

    def cut(self, amount: int, most: int = 5) -> int:
        """Never above ``most``."""
        if amount < 0:
            raise ValueError(f"{amount - 1} is below 0")
        return min(amount, most) if amount and most else 7


def shares(parts: list[int]) -> list[tuple[int, int]]:
    return list(zip(parts, [part + part for part in parts], strict=True))
'''


@pytest.fixture
def sites(tmp_path: Path) -> dict[str, Site]:
    path = tmp_path / "rule.py"
    path.write_text(SOURCE, encoding="utf-8")
    return {site.name: site for site in sites_of(path, tmp_path)}


def test_only_what_a_function_does_is_mistaken(sites: dict[str, Site]) -> None:
    assert sorted(name.removeprefix("rule.py::") for name in sites) == [
        "Cap.cut::0 -> 1",
        "Cap.cut::7 -> 8",
        "Cap.cut::amount < 0 -> amount <= 0",
        "Cap.cut::amount < 0 -> amount >= 0",
        "Cap.cut::amount and most -> amount or most",
        "Cap.cut::min(amount, most) -> max(amount, most)",
        "Cap.cut::min(amount, most) if amount and most else 7 -> min(amount, most) if not (amount and most) else 7",
        "shares::part + part -> part - part",
    ]


def test_a_mistake_is_in_the_code_that_takes_the_place_of_the_function(sites: dict[str, Site], tmp_path: Path) -> None:
    def shares(parts: list[int]) -> list[tuple[int, int]]:
        raise AssertionError(parts)

    assert isinstance(shares, FunctionType)
    shares.__code__ = sites["rule.py::shares::part + part -> part - part"].code(tmp_path)
    assert shares([2, 3]) == [(2, 0), (3, 0)]


def test_every_excuse_is_of_a_mistake_that_can_be_made() -> None:
    excused: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    paths = {ROOT / name.split("::")[0] for name in excused}
    possible = {site.name for path in paths for site in sites_of(path, ROOT)}
    assert set(excused) - possible == set()
    assert all(name.startswith(PACKAGES) and reason for name, reason in excused.items())


def test_only_a_test_that_fails_or_never_ends_finds_a_mistake() -> None:
    assert [ending(code) for code in (FOUND, -signal.SIGXCPU, SURVIVED)] == [FOUND, FOUND, SURVIVED]
    faults = [1, 2, UNTRIED, -signal.SIGKILL, -signal.SIGSEGV, 120]
    assert {ending(code) for code in faults} == {UNTRIED}, "a fault of the tool is no verdict"


def test_what_could_not_be_tried_and_what_was_edited_away_stay_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (Site("billing/pricing/rules/tax.py", "f", 1, "a", "b", place, place) for place in (0, 1))
    trials = Trials(tmp_path, [], [first, second], print)
    trials.verdicts = {first: True, second: False}
    trials.untried = [second]
    last = {"found": 98, "tried": 102, "missed": [second.name, "billing/pricing/rules/tax.py::f::gone -> other"]}
    path = tmp_path / "mutation.json"
    assert _report(trials, 200, 1.0, path, last, last["missed"][1:]) == 1, "whatever the percentage"
    assert json.loads(path.read_text(encoding="utf-8"))["missed"] == last["missed"]
    assert "found 99, change nothing 0, missed 2: 98.0 %" in capsys.readouterr().out
    trials.untried = []
    assert _report(trials, 200, 1.0, path, last, last["missed"][1:]) == 0


def test_of_every_mistake_none_may_be_missed_without_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    excused = next(iter(json.loads(EQUIVALENT.read_text(encoding="utf-8"))))
    of, function, what = excused.split("::")
    before, after = what.split(" -> ")
    found, known = (Site("billing/pricing/rules/tax.py", "f", 1, "a", "b", 0, 0), Site(of, function, 1, before, after, 0, 0))
    missed = Site("billing/pricing/rules/tax.py", "f", 1, "a", "c", 0, 1)
    trials = Trials(tmp_path, [], [found, known], print)
    trials.verdicts = {found: True, known: False}
    path = tmp_path / "mutation.json"
    assert _report(trials, 2, 1.0, path, {}, every_one=True) == 0
    trials.verdicts = {found: True, known: False, missed: False}
    last = {"found": 98}
    assert _report(trials, 3, 1.0, path, last) == 0, "of a sample the goal is enough"
    assert _report(trials, 3, 1.0, path, last, every_one=True) == 1
    assert f"needs a test that finds it, or its reason in equivalent.json:\n  {missed.name}" in capsys.readouterr().out
