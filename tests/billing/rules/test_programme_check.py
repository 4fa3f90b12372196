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
from django.db import ProgrammingError
from django.utils import translation

from tests.billing.rules.builders import PROGRAMMES, cap, load, programme_document

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


def test_a_gate_that_no_booking_can_meet_is_a_warning_and_no_fault(tmp_path: Path) -> None:
    document = load("JS-2020-USER")
    del document["asks"]
    written = tmp_path / "silent.json"
    written.write_text(json.dumps(document), encoding="utf-8")
    said, code = check(written)
    told = "No booking can meet this gate, because the platform does not know of any: service.project_evidence."
    assert code == 0 and f"  warning: $.gates[4]: {told}\n" in said
    assert "warning" not in check(PROGRAMMES / "DEMO-QH-A.json")[0]


def test_what_comes_to_nothing_for_every_booking_is_said_with_its_field_in_english() -> None:
    said, code = check(PROGRAMMES / "HN-2018.json")
    told = "Every booking is refused here, because the platform does not know of any: other_amounts.reward_before_cap."
    assert code == 0 and f"  warning: $.sides[1].base.amount: {told}\n" in said


def test_whose_claim_it_is_and_what_comes_from_outside_are_no_warnings_of_a_programme_of_several_sides() -> None:
    for code, warnings in (("SD-2019", 0), ("SD-QD-2014", 1), ("HN-2018", 1), ("HA-2018", 1)):
        said, _code = check(PROGRAMMES / f"{code}.json")
        assert said.count("warning: ") == warnings
        assert "request.side" not in said and "external_income" not in said


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


def test_an_example_that_gives_something_else_tells_its_working_in_english_with_the_clauses(write: Write) -> None:
    document = load("DEMO-QH-B")
    document["examples"][0]["expect"] = {"total": 1}
    with translation.override("zh-hans"):
        said, code = check(write("working.json", document))
    assert code == 1
    steps = [line.strip() for line in said.splitlines() if line.startswith("        clause ")]
    assert steps[0] == "clause 3: Eligible quantity: 450 machine hours → 0.00"
    assert any(step.startswith("clause 6: Subsidy: ¥") for step in steps) and "validity" not in said
    assert "Rounded to whole fen" in said


def test_a_batch_tells_the_claim_that_differs(write: Write) -> None:
    document = load("DEMO-QH-C")
    document["examples"][1]["expect"]["claims"]["b"] = "2608.69"
    said, code = check(write("batch.json", document))
    assert code == 1
    assert "claims b: expected 2,608.69, got 2,608.70" in said


def test_what_is_missing_or_of_another_kind_says_what_to_write(write: Write) -> None:
    document = copy.deepcopy(load("DEMO-QH-A"))
    del (
        document["rounding"]["mode"],
        document["payers"]["shares"][0]["share"],
        document["settlement"],
        document["caps"][0]["clause"],
    )
    document["name"], document["base"], document["clauses"] = 7, None, []
    said, _code = check(write("gaps.json", document))
    for words in (
        "$.rounding.mode: it is missing; add it, one of half_up, ",
        '$.payers.shares[0].share: it is missing; add it. A rate or share from 0 to 1, as text: "0.5" is 50 %',
        "$.settlement: it is missing; add it, an object with mode, form, payee, clause",
        "$.caps[0].clause: it is missing; add it. Id of a clause in 'clauses'",
        "$.name: 7 is not an object {…}. Its fields are zh, en",
        "$.clauses: write at least 1 entry here",
    ):
        assert words in said, words
    assert said.count("$.base: ") == 1


def test_a_huge_value_is_not_repeated_in_what_is_said_of_it(write: Write) -> None:
    document = copy.deepcopy(load("DEMO-QH-A"))
    document["gates"][0]["clause"] = "9" * 100_000
    document["x" * 100_000] = 1
    document["payers"]["shares"][0]["payer"] = "p" * 81
    document["exclusive"] = {"class": "c" * 41, "clause": "1"}
    said, code = check(write("huge.json", document))
    assert code == 2 and max(map(len, said.splitlines())) < 1500
    assert "write at most 80 characters here" in said and "$.exclusive.class: write at most 40 characters here" in said


@pytest.mark.parametrize("sign", ["\u202e", "\u200b", "\u0007", "\ufeff"])
def test_a_character_that_nobody_sees_is_told_with_its_place(write: Write, sign: str) -> None:
    document = copy.deepcopy(load("DEMO-QH-A"))
    document["payers"]["shares"][0]["payer"] += sign
    document["clauses"][0]["zh"] += "\n\t"
    said, code = check(write("unseen.json", document))
    assert code == 2 and f"$.payers.shares[0].payer: it holds a character that nobody sees (U+{ord(sign):04X})" in said
    assert "$.clauses[0].zh" not in said


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


def test_what_no_database_keeps_and_what_lies_too_deep_is_told_with_its_place(write: Write) -> None:
    document = load("DEMO-QH-V")
    document["title"] = "Voucher\x00"
    document["gates"][0]["note\ud800"] = "x\x00"
    said, code = check(write("unkept.json", json.dumps(document)))
    assert code == 2
    assert "  $.title: it holds a character that cannot be kept (U+0000 or half of one); write it without\n" in said
    assert "  $.gates[0]: it holds a character" in said
    said.encode()  # a place with half a character in it could not be printed
    condition: dict[str, Any] = {"fact": "firm.staff_count", "at_least": 1}
    for _level in range(60):
        condition = {"not": condition}
    document = load("DEMO-QH-V")
    document["gates"].append({"id": "deep", "type": "condition", "when": condition, "clause": document["gates"][0]["clause"]})
    said, code = check(write("deep.json", document))
    assert code == 2
    assert "it lies deeper than 40 levels; write it with fewer parts in each other" in said


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


def example(expect: dict[str, Any], **facts: Any) -> dict[str, Any]:
    plain = {"service": {"service_on": "2025-06-10"}, "amounts": {"fee": 1000}}
    return {"title": "x", "facts": {**plain, **facts}, "expect": expect}


def test_what_is_left_is_compared_under_the_caps_that_are_named(write: Write) -> None:
    caps = [cap("order", "order", 900), cap("year", "applicant_year", 800), cap("fund", "pool", 5000)]
    good, wrong = example({"left": {"year": 300}}), example({"left": {"year": 301}})
    said, code = check(write("left.json", programme_document(caps=caps, examples=[good, wrong])))
    assert code == 1 and "2 examples: 1 passed, 1 failed." in said
    assert "left year: expected 301.00, got 300.00" in said and "left fund" not in said


def test_what_is_left_of_an_order_is_known_and_what_limits_nothing_has_no_figure(write: Write) -> None:
    caps = [
        cap("order", "order", 600),
        cap("contract", "contract", 700),
        cap("own", "payment", 450, payer="province"),
        cap("team", "team_year", 800),
        cap("open", "pool", {"configured": True, "when_unset": "no_limit"}),
    ]
    whole = {"order": 150, "contract": 250, "own": 0}
    examples = [
        example({"left": whole}),
        example({"left": {"order": 0, "contract": 0}}),
        example({"left": {"team": 0, "open": 0}}),
        example({"refused": ["subsidy.unmet.validity"], "left": {"order": 600}}, service={"service_on": "2031-01-01"}),
        {
            "title": "one contract twice",
            "facts": {"applicant": {"id": "a"}, "service": {"service_on": "2025-06-10", "contract_number": "K1"}},
            "claims": [{"id": str(number), "facts": {"amounts": {"fee": 1000}}} for number in (1, 2)],
            "expect": {"left": {"contract": 0}},
        },
    ]
    said, code = check(write("left.json", programme_document(caps=caps, examples=examples)))
    assert code == 1 and "5 examples: 3 passed, 2 failed." in said
    assert "left order: expected 0.00, got 150.00" in said and "left contract: expected 0.00, got 250.00" in said
    assert "left team: expected 0.00, got no figure: it limits nothing here" in said
    assert "left open: expected 0.00, got no figure" in said


def test_the_size_of_a_firm_follows_from_its_figures_where_an_example_does_not_say_it(write: Write) -> None:
    gates = [{"type": "firm_size", "any_of": ["small"], "clause": "1"}]
    figures = {"kind": "firm", "staff": 20, "annual_revenue": 3_000_000}
    examples = [
        example({"total": 500}, applicant=figures),
        example({"refused": ["subsidy.unmet.firm_size"]}, applicant={**figures, "staff": 19}),
        example({"refused": ["subsidy.unmet.firm_size"]}, applicant={**figures, "size": "micro"}),
        example({"refused": ["subsidy.unmet.fact_missing"]}, applicant={"kind": "firm", "staff": 20}),
        example({"refused": ["subsidy.unmet.fact_missing"]}, applicant={**figures, "kind": "team"}),
    ]
    said, code = check(write("sizes.json", programme_document(gates=gates, examples=examples)))
    assert code == 0, said


def test_an_amount_by_the_sample_needs_no_fee_and_with_one_stays_within_it(write: Write) -> None:
    rules = {
        "base": {"quantity": "samples", "clause": "1"},
        "rate": {"type": "per_unit", "amount": 80, "part_units": "exact", "clause": "1"},
    }
    examples = [
        example({"total": 560, "payable_now": 0}, amounts={}, quantities={"samples": 7}),
        example({"total": 350, "payable_now": 0}, amounts={"fee": 350}, quantities={"samples": 7}),
        example({"total": 0}, amounts={"fee": 0}, quantities={"samples": 7}),
    ]
    said, code = check(write("samples.json", programme_document(**rules, examples=examples)))
    assert code == 0, said


def test_a_refusal_for_a_place_is_told_by_its_code_where_no_database_was_made(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_table(*_args: Any) -> str:
        raise ProgrammingError("there is no such table")

    monkeypatch.setattr("billing.wording.division_name", no_table)
    gates = [{"type": "region", "subject": "applicant", "any_of": [{"code_prefix": "63"}], "clause": "1"}]
    examples = [example({"total": 500}, applicant={"region_code": "310104"})]
    said, code = check(write("place.json", programme_document(gates=gates, examples=examples)))
    assert code == 1 and "subsidy.unmet.region" in said and "310104" in said
