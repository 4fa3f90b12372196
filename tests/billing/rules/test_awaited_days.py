"""Windows of days that come after a service: told as a condition while they have not come, judged once they have."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from billing.claims.rules import real_days
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.examples import check_examples
from billing.subsidy.rules.facts import Facts, facts_document, parse_facts
from billing.subsidy.rules.outcome import Award, Refused, Unmet
from billing.subsidy.rules.parts.days import in_window, window_from
from billing.subsidy.rules.programme import Programme, parse_programme
from tests.conftest import programme_document

TWICE = [{"from": "03-01", "to": "03-31"}, {"from": "09-01", "to": "09-30"}]
IN_WINDOWS = {"date": "service.claim_on", "any_of": TWICE}
AFTER_INVOICE = {"date": "service.claim_on", "within": {"after": "service.invoice_on", "months": 6, "last_day": "included"}}
PAID_AFTER_CLAIM = {
    "date": "service.payment_on",
    "within": {"after": "service.claim_on", "months": 6, "last_day": "included"},
}
AFTER_SERVICE = {"date": "service.claim_on", "within": {"after": "service.service_on", "days": 30, "last_day": "included"}}


def programme(*windows: dict[str, Any]) -> Programme:
    document = programme_document("DEMO-QH-V") | {"examples": [], "gates": []}
    document["validity"] = document["validity"] | {"windows": list(windows)}
    return parse_programme(document)


def facts(on: str = "2026-12-08", **service: Any) -> Facts:
    days = dict.fromkeys(("service_on", "invoice_on", "claim_on", "approval_on"), on)
    return parse_facts({"service": days | service, "amounts": {"fee": 1000, "contract": 1000, "minimum_top_up": 0}})


def promised(rule: Programme, on: str = "2026-12-08") -> Facts:
    given = facts(on)
    return Facts(service=rule.awaiting(given.service), amounts=given.amounts)


def keys(outcome: Any) -> list[str]:
    return [step.key for step in outcome.steps]


def test_a_service_outside_the_windows_of_claims_is_promised_on_condition() -> None:
    rule = programme(IN_WINDOWS)
    outcome = evaluate(rule, promised(rule), {})
    assert isinstance(outcome, Award)
    assert outcome.estimate
    (step,) = [each for each in outcome.steps if each.key == "subsidy.step.window_open"]
    assert step.params["windows"] == ["03-01 – 03-31", "09-01 – 09-30"]
    assert (step.params["from_on"], step.params["until_on"]) == ("2027-03-01", "2027-03-31")


def test_facts_that_say_nothing_of_it_are_judged_as_before() -> None:
    outcome = evaluate(programme(IN_WINDOWS), facts(), {})
    assert isinstance(outcome, Refused)
    assert [each.code for each in outcome.reasons] == ["subsidy.unmet.window"]
    inside = evaluate(programme(IN_WINDOWS), facts(claim_on="2027-03-02"), {})
    assert isinstance(inside, Award)
    assert not inside.estimate


def test_a_window_that_never_comes_again_refuses_at_once() -> None:
    rule = programme({"date": "service.claim_on", "any_of": [{"from": "2026-03-01", "to": "2026-03-31"}]})
    assert isinstance(evaluate(rule, promised(rule), {}), Refused)


def test_a_deadline_after_the_service_names_its_last_day_and_after_the_invoice_how_long_it_is() -> None:
    rule = programme(AFTER_SERVICE, AFTER_INVOICE)
    outcome = evaluate(rule, promised(rule), {})
    steps = {each.key: each.params for each in outcome.steps}
    assert steps["subsidy.step.lifetime_open"]["last_day"] == "2027-01-07"
    assert steps["subsidy.step.lifetime_after"]["span"] == {"months": 6, "days": 0}
    assert rule.awaits == {"claim", "invoice"}


def test_a_programme_without_such_windows_is_told_nothing_new() -> None:
    rule = programme(
        {"date": "service.service_on", "within": {"after": "request.voucher_issued_on", "months": 12, "last_day": "included"}}
    )
    given = facts()
    assert rule.awaits == frozenset()
    assert rule.awaiting(given.service) is given.service
    assert "awaited" not in facts_document(given)["service"]


def test_what_is_awaited_survives_the_frozen_form() -> None:
    rule = programme(IN_WINDOWS)
    assert parse_facts(facts_document(promised(rule))) == promised(rule)


def test_worked_examples_may_say_what_is_awaited() -> None:
    document = programme_document("DEMO-QH-V") | {"gates": []}
    document["validity"] = document["validity"] | {"windows": [IN_WINDOWS]}
    service = {"service_on": "2026-12-08", "awaited": ["claim"]}
    document["examples"] = [
        {
            "title": "before the claim",
            "facts": {"service": service, "amounts": {"fee": 1000, "minimum_top_up": 0}},
            "expect": {"total": 400, "estimate": True},
        }
    ]
    (result,) = check_examples(document)
    assert result.passed, result


@pytest.mark.parametrize(
    ("on", "window", "expected"),
    [
        ("2026-12-08", ("03-01", "03-31"), ("2027-03-01", "2027-03-31")),
        ("2027-03-31", ("03-01", "03-31"), ("2027-03-01", "2027-03-31")),
        ("2027-04-01", ("03-01", "03-31"), ("2028-03-01", "2028-03-31")),
        ("2027-01-10", ("12-15", "01-20"), ("2026-12-15", "2027-01-20")),
        ("2027-01-21", ("12-15", "01-20"), ("2027-12-15", "2028-01-20")),
        ("2027-01-21", ("02-01", "02-29"), ("2027-02-01", "2027-02-28")),
        ("2028-01-21", ("02-29", "03-02"), ("2028-02-29", "2028-03-02")),
        ("2027-01-21", ("02-29", "03-02"), ("2027-03-01", "2027-03-02")),
        ("2026-08-02", ("08-02", "08-02"), ("2026-08-02", "2026-08-02")),
        ("2026-08-03", ("08-02", "08-02"), ("2027-08-02", "2027-08-02")),
        ("9999-03-01", ("02-01", "03-01"), ("9999-02-01", "9999-03-01")),
        ("9999-03-02", ("02-01", "03-01"), None),
        ("9999-01-20", ("12-15", "01-20"), ("9998-12-15", "9999-01-20")),
        ("9999-01-21", ("12-15", "01-20"), None),
        ("2026-12-08", ("2026-12-01", "2026-12-31"), ("2026-12-01", "2026-12-31")),
        ("2027-01-01", ("2026-12-01", "2026-12-31"), None),
    ],
)
def test_the_next_days_of_a_window(on: str, window: tuple[str, str], expected: tuple[str, str] | None) -> None:
    found = window_from(date.fromisoformat(on), *window)
    assert found == (expected and tuple(map(date.fromisoformat, expected)))
    if found is not None:
        assert in_window(found[0], *window)
        assert in_window(found[1], *window)


def test_the_real_days_are_judged_and_the_next_window_is_named() -> None:
    rule = programme(IN_WINDOWS, AFTER_INVOICE)
    claimed = frozenset({"claim", "invoice"})
    given = promised(rule)
    outside = real_days.as_of(given, {"claim": date(2027, 4, 1)})
    (missed,) = real_days.missed(rule, outside, claimed)
    assert missed.coming == (date(2027, 9, 1), date(2027, 9, 30))
    late = real_days.as_of(given, {"claim": date(2027, 9, 1), "invoice": date(2027, 2, 28)})
    (missed,) = real_days.missed(rule, late, claimed)
    assert (missed.last_on, missed.coming) == (date(2027, 8, 28), None)
    in_time = real_days.as_of(given, {"claim": date(2027, 9, 1), "invoice": date(2027, 3, 1)})
    assert not list(real_days.missed(rule, in_time, claimed))


def test_what_can_be_claimed_on_no_day_any_more_is_over() -> None:
    rule = programme(AFTER_SERVICE)
    given = real_days.as_of(promised(rule), {})
    assert not real_days.is_over(rule, given, date(2027, 1, 7))
    assert real_days.is_over(rule, given, date(2027, 1, 8))
    waits = programme(AFTER_INVOICE)
    assert not real_days.is_over(waits, real_days.as_of(promised(waits), {}), date(2030, 1, 1))


def test_what_has_a_window_that_comes_again_is_never_over_and_what_has_none_is() -> None:
    every_year = programme(IN_WINDOWS)
    assert not real_days.is_over(every_year, promised(every_year), date(2027, 10, 1))
    once = programme({"date": "service.claim_on", "any_of": [{"from": "2026-12-01", "to": "2027-03-31"}]})
    assert not real_days.is_over(once, promised(once), date(2027, 3, 31))
    assert real_days.is_over(once, promised(once), date(2027, 4, 1))


@pytest.mark.parametrize("window", [AFTER_SERVICE, PAID_AFTER_CLAIM])
def test_an_award_is_an_estimate_while_either_day_of_a_deadline_is_awaited(window: dict[str, Any]) -> None:
    rule = programme(window)
    given = facts(payment_on="2026-12-08")
    assert not rule.windows[0].estimates(given)
    known = replace(given.service, paper=replace(given.service.paper, awaited=frozenset({"claim"})))
    outcome = evaluate(rule, replace(given, service=known), {})
    assert isinstance(outcome, Award)
    assert outcome.estimate


def test_an_open_deadline_lasts_to_its_last_day_and_no_open_day_takes_anything_away() -> None:
    life = {"after": "service.approval_on", "days": 30, "last_day": "included"}
    deadline, window = programme({"date": "service.claim_on", "within": life}), programme(IN_WINDOWS)
    for rule, on in ((deadline, "2027-01-07"), (window, "2026-12-08")):
        given = promised(rule, on)
        found = rule.windows[0].check(replace(given, service=replace(given.service, approval_on=date(2026, 12, 8))))
        assert isinstance(found, Step)
        assert (found.key.rpartition(".")[2], found.amount_fen) in {("lifetime_open", 0), ("window_open", 0)}
    unbegun = programme(AFTER_INVOICE)
    begins = unbegun.windows[0].check(promised(unbegun))
    assert isinstance(begins, Step) and begins.amount_fen == 0
    late = promised(deadline, "2027-01-08")
    late = replace(late, service=replace(late.service, approval_on=date(2026, 12, 8)))
    assert isinstance(deadline.windows[0].check(late), Unmet)


def test_a_rule_beside_the_windows_that_names_a_later_day_judges_it() -> None:
    asked = {"fact": "applicant.credit_listings", "free_on": {"days": ["service.service_on", "service.payment_on"]}}
    gate = {"type": "condition", "when": asked, "says": {"zh": "条件", "en": "Condition"}}
    document = programme_document("DEMO-QH-V") | {"examples": [], "gates": []}
    document["validity"] = document["validity"] | {"windows": [IN_WINDOWS]}
    assert not parse_programme(document).judges_days
    document["gates"] = [gate | {"clause": document["rate"]["clause"]}]
    assert parse_programme(document).judges_days


def test_all_days_of_a_batch_have_to_lie_in_windows() -> None:
    rule = programme(IN_WINDOWS)
    assert real_days.takes_claims(rule, date(2027, 3, 1), date(2027, 3, 31)) is None
    assert real_days.takes_claims(rule, date(2027, 3, 1), date(2027, 4, 1)) is not None
    assert real_days.takes_claims(rule, date(2026, 12, 1), date(2026, 12, 7)) is not None
    next_to = programme(
        {"date": "service.claim_on", "any_of": [{"from": "03-01", "to": "03-31"}, {"from": "04-01", "to": "04-30"}]}
    )
    assert real_days.takes_claims(next_to, date(2027, 3, 1), date(2027, 4, 30)) is None


def test_the_shipped_programme_with_a_window_of_claims_is_promised() -> None:
    rule = parse_programme(programme_document("HN-2018"))
    assert rule.awaits == {"claim"}
    given = rule.awaiting(facts("2018-11-05").service)
    checked = rule.windows[0].check(Facts(service=given))
    assert (checked.params["from_on"], checked.params["until_on"]) == ("2019-08-01", "2019-09-15")
