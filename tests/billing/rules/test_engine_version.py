"""Under one version of the engine the same inputs give the same result, to the last word of the working: what was frozen replays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing.subsidy.rules.parts.rate import FlatRate
from tests.billing.rules import engine_cases
from tests.billing.rules.engine_cases import FILE, answers, fingerprint

KEPT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
ANSWERS = dict(answers(KEPT["cases"]))
KINDS = sorted({name.split()[0] for name in ANSWERS})
PIECES = [(kind, part) for kind in KINDS for part in range(4)]


def differing(names: list[str]) -> list[str]:
    return [name for name in names if fingerprint(ANSWERS[name]()) != KEPT["fingerprints"][name]]


@pytest.mark.parametrize(("kind", "part"), PIECES)
def test_the_engine_answers_as_it_did(kind: str, part: int) -> None:
    """Where this fails on purpose, see ``engine_cases``: another answer to the same inputs is another ENGINE_VERSION."""
    names = [name for name in ANSWERS if name.split()[0] == kind]
    assert differing(names[part::4]) == []


def test_every_case_has_its_fingerprint() -> None:
    assert set(ANSWERS) == set(KEPT["fingerprints"])


def test_an_engine_that_tells_its_working_otherwise_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    telling = FlatRate.apply
    monkeypatch.setattr(FlatRate, "apply", lambda rate, base, facts, steps: telling(rate, base, facts, []))
    assert differing([name for name in ANSWERS if name.startswith("award")])


def test_answers_show_everything_and_say_it_in_one_order() -> None:
    assert engine_cases.plain({"b": (1, None), "a": frozenset({"y", "x"})}) == {"b": [1, None], "a": ["x", "y"]}
