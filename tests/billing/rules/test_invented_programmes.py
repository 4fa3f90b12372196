"""Programmes of shapes that no shipped one has, written with docs/programmes.md alone; what they expect was worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from billing.subsidy.rules.examples import check_examples

FILES = sorted(Path(__file__).with_name("invented").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_example_of_an_invented_programme_comes_out_as_worked_out_by_hand(path: Path) -> None:
    results = check_examples(json.loads(path.read_text(encoding="utf-8")))
    assert results and [(each.title, each.expected, each.actual) for each in results if not each.passed] == []


def test_who_gets_all_of_it_back_bears_nothing_in_the_end() -> None:
    document = json.loads((Path(__file__).with_name("invented") / "INV-TIERS.json").read_text(encoding="utf-8"))
    facts = {"applicant": {"kind": "firm"}, "service": {"service_on": "2025-06-10"}, "amounts": {"fee": 100}}
    document["rate"] = {"type": "flat", "rate": "1", "clause": "2"}
    document["examples"] = [
        {"title": "right", "facts": facts, "expect": {"payable_now": 100, "final_cost": 0}},
        {"title": "a fen", "facts": facts, "expect": {"payable_now": 100, "final_cost": "0.01"}},
    ]
    assert [each.passed for each in check_examples(document)] == [True, False]
