"""What the engine froze before programmes could hold every kind of part is computed again to the last step.

``frozen_by_engine_1.json`` was written by that engine: inputs and results of six sessions under four programmes.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from billing.subsidy.rules import assessment_from_json, assessment_to_json, differences, replay

FROZEN: dict[str, Any] = json.loads(Path(__file__).with_name("frozen_by_engine_1.json").read_text(encoding="utf-8"))
PLACES = range(len(FROZEN["assessments"]))


def frozen(place: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs with their documents, and the result."""
    one = copy.deepcopy(FROZEN["assessments"][place])
    for candidate in one["inputs"]["candidates"]:
        candidate["programme"] = FROZEN["programmes"][candidate["programme"]]
    return one["inputs"], one["result"]


@pytest.mark.parametrize("place", PLACES)
def test_an_award_frozen_before_is_computed_again_without_a_difference(place: int) -> None:
    inputs, result = frozen(place)
    assert list(differences(result, json.loads(json.dumps(replay(inputs))))) == []


@pytest.mark.parametrize("place", PLACES)
def test_a_result_frozen_before_can_be_read_and_written_back(place: int) -> None:
    result = frozen(place)[1]
    assert list(differences(result, json.loads(json.dumps(assessment_to_json(assessment_from_json(result)))))) == []


def test_the_frozen_sessions_hold_awards_and_refusals() -> None:
    outcomes = [each["outcome"] for place in PLACES for each in frozen(place)[1]["outcomes"]]
    assert {outcomes.count("award") > 2, outcomes.count("refused") > 2} == {True}


def test_an_altered_rule_would_be_seen() -> None:
    inputs, result = frozen(0)
    for candidate in inputs["candidates"]:
        candidate["programme"] = copy.deepcopy(candidate["programme"]) | {"rate": {"type": "flat", "clause": "5", "rate": "0.01"}}
    assert list(differences(result, json.loads(json.dumps(replay(inputs))))) != []
