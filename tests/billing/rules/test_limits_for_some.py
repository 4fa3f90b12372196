"""A highest rate, a deduction and a least award for some only: whom they concern, where it cannot be told, and what the working says."""

from __future__ import annotations

from typing import Any

import pytest

from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.outcome import Award, Refused
from billing.subsidy.rules.parts.adjustments import OncePerClaim, parse_adjustment
from billing.subsidy.rules.programme import parse_programme
from tests.billing.rules.builders import facts_of, programme_document

SAYS = {"zh": "关联方", "en": "Affiliated"}
RELATED = {"fact": "applicant.related_to_provider", "is": True}


def outcome(adjustment: dict[str, Any], related: bool | None, **amounts: Any) -> Award | Refused:
    document = programme_document(
        gates=[], caps=[], rate={"type": "flat", "rate": "0.5", "clause": "1"}, adjustments=[{"clause": "1", **adjustment}]
    )
    applicant = {} if related is None else {"related_to_provider": related}
    return evaluate(parse_programme(document), parse_facts(facts_of(applicant=applicant, amounts={"fee": 100, **amounts})), {})


def fen(adjustment: dict[str, Any], related: bool | None, **amounts: Any) -> int:
    found = outcome(adjustment, related, **amounts)
    assert isinstance(found, Award)
    return found.total_fen


@pytest.mark.parametrize(
    ("adjustment", "fen_where_it_concerns"),
    [
        ({"type": "rate_limit", "rate": "0.3"}, 3000),
        ({"type": "rate_limit", "rate": "0.3", "counting": ["amounts.other_subsidies"]}, 2500),
        ({"type": "deduct", "of": "amounts.other_subsidies"}, 4500),
        ({"type": "least_award", "amount": 60}, 0),
    ],
    ids=["rate limit", "rate limit with others", "deduct", "least award"],
)
def test_it_lowers_what_it_concerns_and_what_cannot_be_told_and_nothing_else(
    adjustment: dict[str, Any], fen_where_it_concerns: int
) -> None:
    some = adjustment | {"when": RELATED, "says": SAYS}
    assert fen(some, True, other_subsidies=5) == fen(adjustment, False, other_subsidies=5) == fen_where_it_concerns
    assert fen(some, False, other_subsidies=5) == 5000
    assert fen(some, None, other_subsidies=5) == fen_where_it_concerns
    settled = some | {"when": RELATED | {"if_unknown": "no"}}
    assert fen(settled, None, other_subsidies=5) == 5000


def test_the_working_names_the_condition_before_the_limit_and_only_where_it_lowers() -> None:
    some = {"type": "rate_limit", "rate": "0.3", "when": RELATED, "says": SAYS}
    keys = [step.key for step in outcome(some, True).steps]
    place = keys.index("subsidy.step.where")
    assert keys[place + 1] == "subsidy.step.rate_limit"
    assert outcome(some, True).steps[place].params == {"says": SAYS}
    for adjustment, related in ((some, False), (some | {"rate": "0.6"}, True)):
        assert "subsidy.step.where" not in [step.key for step in outcome(adjustment, related).steps]


def test_an_amount_that_is_needed_is_needed_only_of_whom_it_concerns() -> None:
    some = {"type": "rate_limit", "rate": "1", "of": "other_amounts.left", "when": RELATED, "says": SAYS}
    assert isinstance(outcome(some, True), Refused)
    assert fen(some, False) == 5000


def test_a_limit_for_some_makes_no_amount_an_estimate() -> None:
    found = [outcome({"type": "rate_limit", "rate": "0.3", "when": RELATED, "says": SAYS}, related) for related in (True, False)]
    assert [each.estimate for each in found if isinstance(each, Award)] == [False, False]


@pytest.mark.parametrize(
    ("adjustment", "once"),
    [
        ({"type": "rate_limit", "rate": "0.3"}, False),
        ({"type": "rate_limit", "rate": "0.3", "of": "amounts.fee"}, True),
        ({"type": "least_award", "amount": 60}, True),
    ],
)
def test_what_counts_once_for_a_claim_does_so_for_some_too(adjustment: dict[str, Any], once: bool) -> None:
    for more in ({}, {"when": RELATED, "says": SAYS}):
        parsed = parse_adjustment({"clause": "1", **adjustment, **more}, "service.service_on")
        assert isinstance(parsed, OncePerClaim) is once
