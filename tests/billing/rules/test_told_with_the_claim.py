"""What a programme asks of who claims: awaited, and said as a step, while money is promised; judged by what was declared afterwards."""

from __future__ import annotations

from billing.subsidy.rules import with_claim
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import Facts, parse_facts
from billing.subsidy.rules.outcome import Award
from billing.subsidy.rules.programme import Programme, parse_programme
from tests.conftest import programme_document

OTHERS = "amounts.other_subsidies"
CLAIMED_IN_MARCH = {"date": "service.claim_on", "any_of": [{"from": "03-01", "to": "03-31"}]}


def programme(*windows: dict[str, object]) -> Programme:
    """DEMO-QH-V as a refund less what others gave."""
    document = programme_document("DEMO-QH-V") | {"examples": [], "gates": []}
    clause = document["clauses"][0]["id"]
    document["validity"] = document["validity"] | {"windows": list(windows)}
    document["settlement"] = document["settlement"] | {"mode": "refunded_later", "form": "post_claim_refund", "payee": "firm"}
    document["adjustments"] = [*document["adjustments"], {"type": "deduct", "of": OTHERS, "clause": clause}]
    return parse_programme(document)


def promised(rule: Programme) -> Facts:
    days = dict.fromkeys(("service_on", "invoice_on", "claim_on", "approval_on"), "2026-12-08")
    given = parse_facts({"service": days, "amounts": {"fee": 1000, "contract": 1000, "minimum_top_up": 0}})
    return with_claim.assumed(Facts(service=rule.awaiting(given.service), amounts=given.amounts), rule.expects)


def test_a_promise_says_that_the_declaration_is_awaited_and_is_an_estimate() -> None:
    rule = programme()
    outcome = evaluate(rule, promised(rule), {})
    assert isinstance(outcome, Award)
    assert outcome.estimate
    (said,) = [step for step in outcome.steps if step.key == "subsidy.step.declared_later"]
    assert said.params == {"declares": [OTHERS]} and said.amount_fen == 0


def test_the_lower_level_is_expected_to_have_given_something_unless_its_amount_counts() -> None:
    clause = {"clause": "1"}
    lower = {"fact": "amounts.lower_level", "above": 0}
    follows: dict[str, object] = {"rule": "match", "lead": "county", **clause}
    follows["matches"] = [{"payer": "province", "rate": "0.1", "when": lower, "says": {"zh": "x", "en": "x"}}]
    first: dict[str, object] = {"rule": "in_order", **clause}
    first["order"] = [{"payer": "county", "up_to": "amounts.lower_level"}, {"payer": "province"}]
    refund = {"mode": "refunded_later", "form": "post_claim_refund", "payee": "firm", **clause}
    found = [with_claim.expected({"settlement": refund, "payers": payers}) for payers in (follows, first)]
    assert found == [{"amounts.lower_level": 1}, {"amounts.lower_level": 0}]


def test_once_it_is_declared_nothing_is_awaited_and_what_others_gave_comes_off() -> None:
    rule = programme()
    before = evaluate(rule, promised(rule), {})
    after = evaluate(rule, with_claim.declared(promised(rule), {OTHERS: 1000}), {})
    assert isinstance(before, Award)
    assert isinstance(after, Award)
    assert not after.estimate
    assert before.total_fen - after.total_fen == 1000
    assert "subsidy.step.declared_later" not in [step.key for step in after.steps]


def test_a_programme_with_a_window_of_claims_awaits_the_day_and_the_declaration_both() -> None:
    rule = programme(CLAIMED_IN_MARCH)
    assert rule.awaiting(promised(rule).service).paper.awaited == {"claim", with_claim.DECLARATION}
