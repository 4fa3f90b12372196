"""Documents of programmes: every fault is told, with the path of the field."""

from __future__ import annotations

from typing import Any

import pytest

from billing.ledger.rules.documents import DocumentError
from billing.subsidy.rules import MESSAGES, parse_programme
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.examples import check_examples
from billing.subsidy.rules.facts import facts_document, parse_facts
from tests.billing.rules.builders import PROGRAMMES, cap, facts_of, load, programme_document

TIERS = {"type": "tiers", "clause": "1"}
QUALITY = {"type": "quality_factor", "clause": "1", "factors": {"A": "1"}, "assume": "A"}
REST = {"rule": "named_rest", "rest": "a", "rounding": "half_up", "clause": "1"}


def faults(document: dict[str, Any]) -> list[str]:
    with pytest.raises(DocumentError) as error:
        parse_programme(document)
    assert all(fault.message for fault in error.value.faults)
    return [fault.path for fault in error.value.faults]


def test_the_plain_document_of_these_tests_is_valid() -> None:
    assert parse_programme(programme_document()).code == "TEST-1"


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"rate": {"type": "flat", "clause": "1", "rate": 0.5}}, ["$.rate.rate"]),
        ({"rate": {"type": "flat", "clause": "1", "rate": "1.5"}}, ["$.rate.rate"]),
        ({"rate": {"type": "wish", "clause": "1"}}, ["$.rate.type"]),
        ({"rate": {**TIERS, "tiers": [{"rate": "0.5"}, {"rate": "0.4"}]}}, ["$.rate.tiers[0]"]),
        ({"rate": {**TIERS, "tiers": [{"up_to": 1, "rate": "0.5"}]}}, ["$.rate.tiers[0]"]),
        (
            {"rate": {**TIERS, "tiers": [{"up_to": 2, "rate": "0"}, {"up_to": 2, "rate": "0"}, {"rate": "0"}]}},
            ["$.rate.tiers[1].up_to"],
        ),
        ({"gates": [{"type": "applicant_kind", "clause": "1", "any_of": ["ghost"]}]}, ["$.gates[0].any_of[0]"]),
        ({"gates": [{"type": "applicant_kind", "clause": "9", "any_of": ["firm"]}]}, ["$.gates[0].clause"]),
        ({"gates": [{"type": "region", "clause": "1", "subject": "applicant"}]}, ["$.gates[0]"]),
        ({"adjustments": [{**QUALITY, "assume": "B"}]}, ["$.adjustments[0].assume"]),
        ({"adjustments": [{**QUALITY, "factors": {"A": 1.0}}]}, ["$.adjustments[0].factors.A"]),
        ({"caps": [cap("a", "order", "1.005")]}, ["$.caps[0].limit"]),
        ({"caps": [cap("a", "order", 1), cap("a", "pool", 1)]}, ["$.caps[1].id"]),
        ({"caps": [cap("a", "pool", 1, payer="nobody")]}, ["$.caps[0].payer"]),
        ({"caps": [cap("a", "pool", {"configured": True})]}, ["$.caps[0].limit"]),
        ({"payers": {**REST, "shares": [{"payer": "b", "share": "0.9"}]}}, ["$.payers.rest", "$.payers.shares"]),
        (
            {"payers": {**REST, "shares": [{"payer": "a", "share": "0.5"}, {"payer": "a", "share": "0.5"}]}},
            ["$.payers.shares"],
        ),
        (
            {"payers": {"rule": "named_rest", "clause": "1", "shares": []}},
            ["$.payers.rest", "$.payers.rounding", "$.payers.shares"],
        ),
        ({"validity": {"first_day": "2025-02-30", "last_day": "2025-12-31", "clause": "1"}}, ["$.validity.first_day"]),
        ({"validity": {"first_day": "2025-03-01", "last_day": "2025-02-01", "clause": "1"}}, ["$.validity.last_day"]),
        (
            {"settlement": {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "firm", "clause": "1"}},
            ["$.settlement.payee"],
        ),
        ({"synthetic": False}, ["$.synthetic"]),
        ({"open_points": [{"field": "$.caps[0].limit", "zh": "x", "en": "x"}]}, ["$.open_points[0].field"]),
        ({"clauses": [{"id": "1", "zh": "x", "en": "x"}] * 2}, ["$.clauses[1].id"]),
        ({"surprise": 1, "kind": "gift"}, ["$.kind", "$.surprise"]),
    ],
)
def test_every_fault_of_a_programme_is_told_with_its_path(changes: dict[str, Any], paths: list[str]) -> None:
    assert faults(programme_document(**changes)) == paths


def test_an_empty_document_names_everything_that_is_missing() -> None:
    with pytest.raises(DocumentError) as error:
        parse_programme({})
    told = [fault.path for fault in error.value.faults]
    assert {"$.gates", "$.payers", "$.validity", "$.date_basis", "$.rate"} <= set(told)
    assert all(fault.message.startswith("it is missing; add it") for fault in error.value.faults)


def test_facts_can_be_written_and_read_back() -> None:
    document = facts_of(
        "1234.50",
        applicant={"size": "small", "region_code": "630102", "policy_zones": ["b", "a"], "first_use": True},
        provider={"verified": False},
        service={"kind": "testing", "invoice_on": "2024-02-29"},
        amounts={"asked": 7},
        quantities={"minutes": 90},
        quality={"grade": "A"},
    )
    facts = parse_facts(document)
    assert parse_facts(facts_document(facts)) == facts
    assert facts_document(parse_facts({})) == {}


def _messages(outcome: Any) -> list[tuple[str, dict[str, Any]]]:
    found = [(step.key, step.params) for step in outcome.steps]
    return found + [(reason.code, reason.params) for reason in getattr(outcome, "reasons", ())]


def test_every_step_and_refusal_of_the_examples_has_a_sentence_that_its_parameters_fill() -> None:
    seen = set()
    for path in PROGRAMMES.glob("*.json"):
        for result in check_examples(load(path.stem)):
            for key, params in _messages(result.outcome):
                seen.add(key)
                assert set(MESSAGES[key].params) == set(params) - {"exact_fen", "asks"}
                assert MESSAGES[key].sentence % params
    assert len(seen) > 25


@pytest.mark.parametrize("key", MESSAGES)
def test_a_sentence_uses_only_the_parameters_of_its_key(key: str) -> None:
    assert MESSAGES[key].sentence % dict.fromkeys(MESSAGES[key].params, "x")


def test_no_programme_is_named_in_the_code() -> None:
    codes = [path.stem for path in PROGRAMMES.glob("*.json")]
    sources = (PROGRAMMES.parents[1]).rglob("rules/**/*.py")
    named = [(source.name, code) for source in sources for code in codes if code in source.read_text(encoding="utf-8")]
    assert named == []


@pytest.mark.parametrize(
    ("gate", "fact"),
    [
        ({"type": "applicant_kind", "any_of": ["firm"]}, "applicant.kind"),
        ({"type": "firm_size", "any_of": ["micro"]}, "applicant.size"),
        ({"type": "region", "subject": "instrument", "any_of": [{"code_prefix": "63"}]}, "instrument.region_code"),
        ({"type": "service_kind", "none_of": ["medical"]}, "service.kind"),
        ({"type": "minimum_spend", "of": "contract", "amount": 1}, "amounts.contract"),
    ],
)
def test_a_rule_that_needs_an_absent_fact_refuses_and_names_it(gate: dict[str, Any], fact: str) -> None:
    programme = parse_programme(programme_document(gates=[{**gate, "clause": "1"}]))
    facts = parse_facts({"service": {"service_on": "2025-06-10"}, "amounts": {"fee": 1}})
    outcome = evaluate(programme, facts, {})
    assert [(reason.code, reason.params) for reason in outcome.reasons] == [("subsidy.unmet.fact_missing", {"fact": fact})]


@pytest.mark.parametrize("basis", ["service", "invoice", "claim", "approval"])
def test_the_date_that_the_document_names_decides_whether_it_is_in_force(basis: str) -> None:
    programme = parse_programme(programme_document(date_basis=basis))
    for day, awarded in (("2024-12-31", False), ("2025-01-01", True), ("2025-12-31", True), ("2026-01-01", False)):
        service = {"service_on": "2030-01-01", f"{basis}_on": day}
        outcome = evaluate(programme, parse_facts({"amounts": {"fee": 1}, "service": service}), {})
        assert hasattr(outcome, "total_fen") is awarded
    without = evaluate(programme, parse_facts({"amounts": {"fee": 1}}), {})
    assert without.reasons[0].params == {"fact": f"service.{basis}_on"}
