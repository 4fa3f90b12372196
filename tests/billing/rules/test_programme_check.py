"""``manage.py programme_check``: what it says of documents that are right, that give something else, and that cannot be used."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation

from tests.billing.rules.builders import PROGRAMMES, load

Write = Callable[[str, Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
        return path

    return put


def check(*paths: Path) -> tuple[str, int]:
    """What is said, and the exit code."""
    out = StringIO()
    with translation.override("en"):
        try:
            call_command("programme_check", *(str(path) for path in paths), stdout=out)
        except SystemExit as end:
            return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def test_every_shipped_document_is_valid_and_all_its_examples_come_out() -> None:
    said, code = check(*sorted(PROGRAMMES.glob("*.json")))
    assert code == 0
    assert "FAIL" not in said
    assert "19 documents: 19 valid, 0 with faults" in said and "0 failed." in said


def test_a_wrong_example_fails_with_a_difference_by_payer(write: Write) -> None:
    document = load("SD-QD-2014")
    document["examples"][0]["expect"] = {
        "total": "160000.01",
        "payers": {"district": "80000", "city": "80000.01"},
        "payable_now": 1,
    }
    said, code = check(write("wrong.json", document))
    assert code == 1
    assert "  FAIL  high-tech firm\n" in said and "  pass  owner\n" in said
    assert "        total: expected 160,000.01, got 160,000.00\n" in said
    assert "        payers city: expected 80,000.01, got 80,000.00\n" in said
    assert "payers district" not in said
    assert "        payable now: expected 1.00, got 400,000.00\n" in said
    assert "1 document: 1 valid, 0 with faults; 5 examples: 4 passed, 1 failed." in said


def test_a_refusal_that_was_not_expected_says_why(write: Write) -> None:
    document = load("HE-LF")
    document["examples"][0]["facts"]["service"]["kind"] = "instrument_repair"
    said, code = check(write("refused.json", document))
    assert code == 1
    assert "total: expected 16,666.00, got 0.00" in said
    assert "refused under clause 4: subsidy.unmet.service_kind – Kind of service: instrument_repair." in said


def test_a_batch_tells_the_claim_that_differs(write: Write) -> None:
    document = load("DEMO-QH-C")
    document["examples"][1]["expect"]["claims"]["b"] = "2608.69"
    said, code = check(write("batch.json", document))
    assert code == 1
    assert "claims b: expected 2,608.69, got 2,608.70" in said


def test_all_faults_are_told_at_once_with_the_field_and_what_to_write(write: Write) -> None:
    document = copy.deepcopy(load("DEMO-QH-A"))
    document["rate"]["tiers"] = [{"up_to": n + 1, "rate": "0.1"} for n in range(10_000)] + [{"rate": "0.1"}]
    document["gates"][0]["clause"] = "99"
    document["caps"][0]["limit"] = 0.5
    document["adjustments"][1]["amount"] = -1
    document["adjustments"][0]["factors"]["A"] = "1.5.2"
    document["payers"]["shares"][0]["share"] = "1.7"
    document["kind"] = "user_subsidi"
    document["validty"] = document.pop("validity")
    document["examples"][0]["facts"]["amounts"]["fee"] = 499.99
    document["examples"][1]["expect"] = {"refused": ["subsidy.unmet.minimum_spent"]}
    said, code = check(write("bad.json", document))
    assert code == 2
    for words in (
        "$.rate.tiers: 10001 entries are too many; write at most 100",
        "$.gates[0].clause: there is no clause '99'; name one of 1, 2, 3,",
        "$.caps[0].limit: 0.5 is not text in quotes or a whole number without quotes. Yuan, as text",
        "$.adjustments[1].amount: -1 is out of range; write at least 0",
        "$.payers.shares[0].share: '1.7' cannot be used here. A rate or share from 0 to 1, as text",
        "$.kind: 'user_subsidi' is not one of",
        "did you mean 'user_subsidy'?",
        "$.validity: it is missing; add it",
        "$.validty: there is no such field; did you mean 'validity'?",
        "$.examples[0].facts.amounts.fee: 499.99 is not text in quotes",
        "$.examples[1].expect.refused[0]: there is no code 'subsidy.unmet.minimum_spent'; did you mean 'subsidy.unmet.minimum_spend'?",
    ):
        assert words in said, words
    assert "1 document: 0 valid, 1 with faults; 0 examples: 0 passed, 0 failed." in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "line 1, column 2"),
        ("[]", "holds no JSON object"),
        ('{"code": "A", "code": "B"}', "'code' stands twice"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_document_is_told_with_the_place(content: str, words: str, write: Write, tmp_path: Path) -> None:
    said, code = check(write("odd.json", content))
    assert code == 2 and words in said


def test_a_file_that_is_not_there_does_not_keep_the_others_from_being_checked(write: Write, tmp_path: Path) -> None:
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00")
    said, code = check(tmp_path / "none.json", binary, write("good.json", load("HE-LF")))
    assert code == 2
    assert "cannot be opened: No such file" in said and "not UTF-8" in said and "HE-LF 2018.template-1" in said
    assert "3 documents: 1 valid, 2 with faults; 5 examples: 5 passed, 0 failed." in said


def test_a_document_without_examples_is_told_that_nothing_is_shown(write: Write) -> None:
    said, code = check(write("bare.json", load("HE-LF") | {"examples": []}))
    assert code == 0 and "There is no worked example" in said
