"""The language of conditions: every operator, what is not known, and what is wrong with a condition."""

from __future__ import annotations

from typing import Any

import pytest

from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.outcome import Award, Refused
from billing.subsidy.rules.parts.conditions import OPERATORS, condition_faults, parse_condition
from billing.subsidy.rules.programme import parse_programme
from tests.billing.rules.builders import facts_of, programme_document

BASIS = "service.service_on"
FACTS: dict[str, Any] = {
    "applicant": {
        "kind": "firm",
        "staff": 100,
        "annual_revenue": "10000000.00",
        "region_code": "630102",
        "founded_on": "2022-02-28",
        "policy_zones": ["high-tech", "park"],
        "related_to_provider": False,
        "labels": [
            {"label": "high_tech", "level": "national", "valid_from": "2024-01-01", "valid_to": "2025-06-10"},
            {"label": "tech_sme"},
        ],
        "credit_listings": [{"list": "late", "from": "2025-06-01", "to": "2025-06-09"}],
    },
    "provider": {"region_code": "630104"},
    "service": {"service_on": "2025-06-10", "claim_on": "2025-06-09", "contract_on": "2025-12-30"},
    "amounts": {"paid": "50.00", "contract": "100.00"},
    "request": {"rate": "0.30"},
    "other": {"petaflops": 300, "field": "ai", "listed": True},
    "other_amounts": {"deposit": "9.99"},
}
UNKNOWN_DAY = {"days": ["service.claim_on", "service.payment_on"]}
CASES: list[tuple[dict[str, Any], bool | None]] = [
    ({"fact": "applicant.kind", "is": "firm"}, True),
    ({"fact": "applicant.kind", "is_not": "firm"}, False),
    ({"fact": "applicant.kind", "any_of": ["team", "firm"]}, True),
    ({"fact": "applicant.kind", "none_of": ["team", "firm"]}, False),
    ({"fact": "applicant.staff", "at_least": 100, "at_most": 100}, True),
    ({"fact": "applicant.staff", "above": 99, "below": 100}, False),
    ({"fact": "applicant.annual_revenue", "at_most": 10000000}, True),
    ({"fact": "applicant.annual_revenue", "below": "10000000.00"}, False),
    ({"fact": "applicant.related_to_provider", "is": False}, True),
    ({"fact": "request.rate", "at_most": "0.3"}, True),
    ({"fact": "service.claim_on", "below": "2025-06-10"}, True),
    ({"fact": "service.claim_on", "at_least": {"fact": "service.service_on"}}, False),
    ({"fact": "amounts.paid", "at_least": {"fact": "amounts.contract", "times": "0.5"}}, True),
    ({"fact": "amounts.paid", "above": {"fact": "amounts.contract", "times": "0.5"}}, False),
    ({"fact": "amounts.paid", "at_least": {"fact": "amounts.invoice"}}, None),
    ({"fact": "applicant.region_code", "starts_with": ["64", "6301"]}, True),
    ({"fact": "applicant.region_code", "starts_with": ["01"]}, False),
    ({"fact": "applicant.region_code", "same_as": {"fact": "provider.region_code", "digits": 4}}, True),
    ({"fact": "applicant.region_code", "same_as": {"fact": "provider.region_code"}}, False),
    ({"fact": "applicant.region_code", "same_as": {"fact": "instrument.region_code"}}, None),
    ({"fact": "applicant.policy_zones", "has_any": ["park", "x"]}, True),
    ({"fact": "applicant.policy_zones", "has_all": ["park", "x"]}, False),
    ({"fact": "applicant.policy_zones", "has_none": ["x"]}, True),
    ({"fact": "provider.lists", "has_any": ["x"]}, False),
    ({"fact": "applicant.labels", "has_label": {"any_of": ["high_tech"]}}, True),
    ({"fact": "applicant.labels", "has_label": {"any_of": ["high_tech"], "levels": ["city"]}}, False),
    ({"fact": "applicant.labels", "has_label": {"any_of": ["high_tech"], "valid_on": ["service.contract_on"]}}, False),
    ({"fact": "applicant.labels", "has_label": {"any_of": ["tech_sme"], "valid_on": ["service.payment_on"]}}, None),
    ({"fact": "provider.labels", "has_label": {"any_of": ["tech_sme"]}}, False),
    ({"fact": "applicant.credit_listings", "free_on": {"days": ["service.service_on"]}}, True),
    ({"fact": "applicant.credit_listings", "free_on": UNKNOWN_DAY}, False),
    ({"fact": "applicant.credit_listings", "free_on": {**UNKNOWN_DAY, "lists": ["serious"]}}, True),
    ({"fact": "applicant.credit_listings", "free_on": {"days": ["service.payment_on"]}}, None),
    ({"fact": "service.contract_on", "within": [{"from": "12-15", "to": "01-15"}]}, True),
    ({"fact": "service.claim_on", "within": [{"from": "12-15", "to": "01-15"}]}, False),
    ({"fact": "service.claim_on", "within": [{"from": "2025-06-09", "to": "2025-06-09"}]}, True),
    ({"fact": "service.claim_on", "weekdays": [1]}, True),
    ({"fact": "service.claim_on", "weekdays": [6, 7]}, False),
    ({"fact": "service.contract_on", "weekdays": [2, 5]}, True),
    ({"fact": "service.payment_on", "weekdays": [6, 7]}, None),
    ({"fact": "applicant.founded_on", "months_before": {"fact": BASIS, "months": 40, "last_day": "included"}}, True),
    ({"fact": "applicant.founded_on", "months_before": {"fact": BASIS, "months": 39, "last_day": "included"}}, False),
    (
        {"fact": "applicant.founded_on", "months_before": {"fact": "service.payment_on", "months": 1, "last_day": "included"}},
        None,
    ),
    ({"fact": "other.petaflops", "at_least": 300}, True),
    ({"fact": "other.petaflops", "is": "300"}, False),
    ({"fact": "other.petaflops", "at_least": "many"}, False),
    ({"fact": "other.listed", "is": 1}, False),
    ({"fact": "other.field", "is_not": 3}, True),
    ({"fact": "other_amounts.deposit", "below": 10}, True),
    ({"fact": "other.colour", "is": "red"}, None),
    ({"fact": "other.colour", "is": "red", "if_unknown": "yes"}, True),
    ({"fact": "other.colour", "is": "red", "if_unknown": "no"}, False),
    ({"fact": "other.colour", "known": False}, True),
    ({"fact": "applicant.staff", "known": True}, True),
    ({"fact": "provider.labels", "known": True}, False),
    ({"all": [{"fact": "other.colour", "is": "red"}, {"fact": "applicant.kind", "is": "team"}]}, False),
    ({"all": [{"fact": "other.colour", "is": "red"}, {"fact": "applicant.kind", "is": "firm"}]}, None),
    ({"any": [{"fact": "other.colour", "is": "red"}, {"fact": "applicant.kind", "is": "firm"}]}, True),
    ({"any": [{"fact": "other.colour", "is": "red"}, {"fact": "applicant.kind", "is": "team"}]}, None),
    ({"not": {"fact": "applicant.kind", "is": "team"}}, True),
    ({"not": {"fact": "other.colour", "is": "red"}}, None),
]


@pytest.mark.parametrize(("condition", "answer"), CASES, ids=[str(case[0]) for case in CASES])
def test_a_condition_answers_yes_no_or_that_it_cannot_be_told(condition: dict[str, Any], answer: bool | None) -> None:
    unknown: list[str] = []
    assert condition_faults(condition, "$") == []
    assert parse_condition(condition, BASIS).holds(parse_facts(FACTS), unknown) is answer
    assert bool(unknown) or answer is not None


@pytest.mark.parametrize("value", ["", "zzz"])
def test_nothing_is_guessed_where_nothing_is_near(value: str) -> None:
    [fault] = condition_faults({"fact": "applicant.kind", "is": value}, "$")
    assert "is one of firm, team" in fault.message and "did you mean" not in fault.message


def test_every_operator_is_tried_here() -> None:
    tried = {name for condition, _ in CASES for name in condition}
    assert set(OPERATORS) <= tried


def test_what_is_missing_is_named_also_where_it_is_the_other_fact() -> None:
    unknown: list[str] = []
    condition = parse_condition({"fact": "amounts.paid", "at_least": {"fact": "amounts.invoice"}}, BASIS)
    assert condition.holds(parse_facts(FACTS), unknown) is None and unknown == ["amounts.invoice"]


@pytest.mark.parametrize(
    ("condition", "path", "says"),
    [
        ({}, "$", "exactly one of"),
        ({"all": [{"fact": "applicant.kind", "is": "firm"}], "fact": "applicant.kind"}, "$", "exactly one of"),
        ({"fact": "applicant.wealth", "is": 1}, "$.fact", "there is no fact"),
        ({"fact": "applicant.credit_listing", "is": 1}, "$.fact", "did you mean 'applicant.credit_listings'? docs/programmes.md"),
        ({"fact": "firm.founded_on", "is": 1}, "$.fact", "did you mean 'applicant.founded_on'?"),
        ({"fact": "who.kind", "is": 1}, "$.fact", "did you mean 'service.kind'?"),
        ({"fact": "applicant.staff"}, "$", "say what applicant.staff must be"),
        ({"fact": "applicant.staff", "is": "100"}, "$.is", "whole number"),
        ({"fact": "applicant.staff", "weekdays": [6]}, "$.weekdays", "'weekdays' cannot test"),
        ({"fact": "applicant.region_code", "starts_with": ["63", "６３"]}, "$.starts_with[1]", "up to six digits, such as '63'"),
        ({"fact": "applicant.region_code", "starts_with": ["2025-01-01"]}, "$.starts_with[0]", "up to six digits"),
        ({"fact": "applicant.staff", "is": True}, "$.is", "whole number"),
        ({"fact": "applicant.staff", "starts_with": ["1"]}, "$.starts_with", "'starts_with' cannot test"),
        ({"fact": "applicant.kind", "is": "frim"}, "$.is", "one of firm, team, person, institution"),
        ({"fact": "applicant.kind", "is": "f"}, "$.is", "did you mean 'firm'?"),
        ({"fact": "applicant.kind", "any_of": ["firm", "gost"]}, "$.any_of[1]", "never found there"),
        ({"fact": "applicant.annual_revenue", "at_most": "1.005"}, "$.at_most", "amount of yuan"),
        ({"fact": "service.claim_on", "below": "2025-02-30"}, "$.below", "YYYY-MM-DD"),
        ({"fact": "applicant.related_to_provider", "is": "no"}, "$.is", "true or false"),
        ({"fact": "request.rate", "at_most": "1.5"}, "$.at_most", "0 to 1"),
        ({"fact": "amounts.paid", "at_least": {"fact": "applicant.staff"}}, "$.at_least.fact", "is a whole number"),
        ({"fact": "amounts.paid", "at_least": {"fact": "amounts.pid"}}, "$.at_least.fact", "there is no fact"),
        (
            {"fact": "applicant.labels", "has_label": {"any_of": ["x"], "valid_on": ["service.kind"]}},
            "$.has_label.valid_on[0]",
            "a day",
        ),
        ({"fact": "service.claim_on", "within": [{"from": "02-30", "to": "03-01"}]}, "$.within[0].from", "not a day"),
        ({"fact": "service.claim_on", "within": [{"from": "02-01", "to": "2025-03-01"}]}, "$.within[0]", "both"),
        (
            {"fact": "service.claim_on", "within": [{"from": "2025-03-02", "to": "2025-03-01"}]},
            "$.within[0].to",
            "before it begins",
        ),
        ({"not": {"fact": "nothing.here", "is": 1}}, "$.not.fact", "'nothing.here'; docs/programmes.md"),
        ({"any": [{"fact": "applicant.kind", "is": "firm"}, {"fact": "x.y", "is": 1}]}, "$.any[1].fact", "there is no fact"),
    ],
)
def test_what_is_wrong_with_a_condition_is_told_with_its_place_and_what_to_write(
    condition: dict[str, Any], path: str, says: str
) -> None:
    [fault] = condition_faults(condition, "$")
    assert fault.path == path
    assert says in fault.message


def test_a_case_that_does_not_hold_anyway_asks_for_nothing_that_it_did_not_know() -> None:
    """Not listed, so that the age does not matter: the second case counts, and nobody is asked for an age."""
    young = {"all": [{"fact": "applicant.lists", "has_any": ["listed"]}, {"fact": "other.age", "below": 4}]}
    says = {"zh": "条件", "en": "Condition"}
    rate = {"type": "cases", "clause": "1", "cases": [{"when": young, "says": says, "rate": "0.9"}], "otherwise": "0.1"}
    programme = parse_programme(programme_document(rate=rate))
    known = parse_facts(facts_of("100"))
    outcome = evaluate(programme, known, {})
    assert isinstance(outcome, Award) and outcome.total_fen == 10_00
    listed = parse_facts(facts_of("100", applicant={"lists": ["listed"]}))
    refused = evaluate(programme, listed, {})
    assert isinstance(refused, Refused) and refused.reasons[0].params == {"fact": "other.age"}
