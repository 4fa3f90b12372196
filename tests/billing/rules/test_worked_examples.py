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
WITH_SHARED_EXAMPLES = ["DEMO-QH-A", "HE-LF", "SH-VOUCHER"]


def fen(amount: float) -> int:
    """An amount of the shared file, whose JSON numbers are read as floats by others than us."""
    return parse_yuan(str(Decimal(str(amount)).quantize(Decimal("0.01"))))


@pytest.mark.parametrize("code", CODES)
def test_every_worked_example_of_every_programme_comes_out(code: str) -> None:
    results = check_examples(load(code))
    assert results
    wrong = [(each.title, each.expected, each.actual) for each in results if not each.passed]
    assert not wrong


@pytest.mark.parametrize("code", WITH_SHARED_EXAMPLES)
def test_every_example_of_the_shared_data_is_in_the_document_and_comes_out(
    code: str, shared_programmes: dict[str, dict[str, Any]]
) -> None:
    results = {each.title: each for each in check_examples(load(code))}
    for theirs in shared_programmes[code]["worked_examples"]:
        ours = results[theirs["title"]]
        expected = theirs["expected_subsidy"]
        if isinstance(expected, dict):
            assert ours.expected["payers_fen"] == {payer: fen(amount) for payer, amount in expected.items()}
            assert ours.actual["payers_fen"] == ours.expected["payers_fen"]
        else:
            assert ours.expected["total_fen"] == ours.actual["total_fen"] == fen(expected)
        assert ours.passed


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
