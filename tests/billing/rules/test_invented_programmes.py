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
