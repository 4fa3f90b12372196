"""Worked examples: those of the shared data stand in our documents and come out, and so do our own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.ledger.rules.documents import DocumentError
from billing.ledger.rules.money import parse_yuan
from billing.subsidy.rules import check_examples, parse_programme
from tests.billing.rules.builders import PROGRAMMES, facts_of, load, programme_document

CODES = sorted(path.stem for path in PROGRAMMES.glob("*.json"))
#: Names of figures in the shared file that are neither a payer nor a claim: what they are called here.
FIGURES = {
    "firm_cash_out": "payable_now",
    "firm_pays": "payable_now",
    "firm_cash": "payable_now",
    "own": "payable_now",
    "refund_to_firm": "refunded",
    "paid_to_provider_by_gov": "deducted",
    "provider_redeems": "deducted",
    "voucher": "deducted",
    "coupon": "deducted",
}


def fen(amount: float) -> int:
    """An amount of the shared file, whose JSON numbers are read as floats by others than us."""
    return parse_yuan(str(Decimal(str(amount)).quantize(Decimal("0.01"))))


@pytest.mark.parametrize("code", CODES)
def test_every_worked_example_of_every_programme_comes_out(code: str) -> None:
    results = check_examples(load(code))
    assert results
    wrong = [(each.title, each.expected, each.actual) for each in results if not each.passed]
    assert not wrong


def compared(theirs: Any, ours: dict[str, Any]) -> dict[str, tuple[int, int | None]]:
    """Each figure of the shared file with ours, by name: the total, a payer, a claim of a batch, or what the customer pays."""
    if not isinstance(theirs, dict):
        return {"total": (fen(theirs), ours.get("total_fen"))}
    named = {**ours.get("payers_fen", {}), **ours.get("claims_fen", {})}
    return {
        name: (fen(amount), named[name] if name in named else ours.get(f"{FIGURES.get(name, name)}_fen"))
        for name, amount in theirs.items()
    }


def test_every_example_of_the_shared_data_is_in_a_document_and_comes_out_with_the_same_figures(
    shared_programmes: dict[str, dict[str, Any]],
) -> None:
    counted = 0
    for code, shared in shared_programmes.items():
        results = {each.title: each for each in check_examples(load(code.upper()))}
        for theirs in shared["worked_examples"]:
            ours = results[theirs["title"]]
            assert ours.passed, (code, ours.title)
            for side in (ours.expected, ours.actual):
                for name, (wanted, found) in compared(theirs["expected_subsidy"], dict(side)).items():
                    assert found == wanted, (code, ours.title, name)
            counted += 1
    assert counted == 46


def test_every_programme_of_the_shared_data_is_a_document_with_its_grade(shared_programmes: dict[str, dict[str, Any]]) -> None:
    known = {code: shared["evidence_grade"] for code, shared in shared_programmes.items()}
    assert {code: load(code.upper())["evidence"]["grade"] for code in known} == known


def test_a_wrong_expectation_is_found() -> None:
    document = load("DEMO-QH-A")
    document["examples"][2]["expect"]["total"] = "15000.01"
    results = check_examples(document)
    assert [each.title for each in results if not each.passed] == ["first use, grade A"]
    assert (results[2].expected, results[2].actual) == ({"total_fen": 1500001}, {"total_fen": 1500000})


def test_faults_of_an_examples_facts_are_told_with_their_path() -> None:
    example = {"title": "x", "facts": facts_of(12.5, service={"claim_on": "2025-02-30"}), "expect": {"total": 1}}
    with pytest.raises(DocumentError) as error:
        check_examples(programme_document(examples=[example]))
    assert [fault.path for fault in error.value.faults] == ["$.examples[0].facts.amounts.fee"]
    example["facts"]["amounts"]["fee"] = 12
    with pytest.raises(DocumentError) as error:
        check_examples(programme_document(examples=[example]))
    assert [fault.path for fault in error.value.faults] == ["$.examples[0].facts.service.claim_on"]


@pytest.mark.parametrize("code", CODES)
def test_a_synthetic_programme_says_so_everywhere_and_a_template_names_its_assumptions(code: str) -> None:
    document = load(code)
    programme = parse_programme(document)
    assert document["code"] == code
    assert programme.synthetic == code.startswith("DEMO-")
    if programme.synthetic:
        assert "SYNTHETIC" in programme.name["en"]
        assert all(clause.en.startswith("(Synthetic)") for clause in programme.clauses.values())
    else:
        assert programme.template
        assert document["open_points"]
        assert all(bool(clause.source) != clause.assumed for clause in programme.clauses.values())


@pytest.mark.parametrize("code", CODES)
def test_every_clause_is_used_by_a_rule(code: str) -> None:
    document = load(code)
    used = str({name: value for name, value in document.items() if name not in ("clauses", "examples")})
    for clause in document["clauses"]:
        assert f"'clause': '{clause['id']}'" in used
