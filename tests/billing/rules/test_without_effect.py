"""What comes to nothing, or to a refusal, for every booking is said to whoever writes the document, wherever it stands; nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from billing.firms.rules.declarations import LABELS
from billing.subsidy.rules import labels
from billing.subsidy.rules.checking import check
from billing.subsidy.rules.facts import allowed_values, parse_facts
from billing.subsidy.rules.parts.conditions import parse_condition
from billing.subsidy.rules.possible import answers
from billing.subsidy.rules.without_effect import CODE, warnings_of
from config.kernel.messages import sentence
from frontend.presenters.programme_form import flaw_words
from tests.billing.rules.builders import facts_of, load, programme_document

SAYS = {"zh": "条件", "en": "Condition"}
NEVER = {"fact": "other.petaflops", "at_least": 3}
NEVER_NO = NEVER | {"if_unknown": "no"}
KNOWN = {"fact": "applicant.staff", "at_most": 50}
CAP = {"id": "year", "per": "firm_year", "limit": "100", "when_short": "partial", "clause": "1"}
FLAT = {"type": "flat", "rate": "0.4", "clause": "1"}


def on(when: dict[str, Any]) -> dict[str, Any]:
    return {"when": when, "says": SAYS}


def adjusted(**each: Any) -> dict[str, Any]:
    return {"adjustments": [{"clause": "1", **each}]}


def cased(kind: str, when: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"rate": {"type": kind, "clause": "1", "cases": [on(when) | {"rate": "0.2"}], **more}}


def paid(**payers: Any) -> dict[str, Any]:
    return {"payers": {"clause": "1", **payers}}


def told(**changes: Any) -> list[tuple[str, str]]:
    document = programme_document(**changes)
    checked = check(document)
    assert checked.flaws == ()
    for each in checked.warnings:
        assert sentence(each.code, each.params) != each.code and "%(" not in flaw_words(each)
    return [(each.path, each.code.removeprefix(CODE)) for each in checked.warnings]


ONE = {"rule": "largest_remainder", "shares": [{"payer": "p", "share": "1"}]}
MATCH = {"rule": "match", "lead": "a", "rounding": "half_up", "gives_way": "last_first"}
IN_ORDER = {"rule": "in_order", "order": [{"payer": "lender", "up_to": "amounts.lender"}, {"payer": "province"}]}
TIERS = {"type": "tiers", "clause": "1", "continues": "before.fee", "tiers": [{"up_to": 10, "rate": "0.5"}, {"rate": "0.3"}]}
DAYS = {"first_day": "2025-01-01", "last_day": "2025-12-31", "clause": "1"}


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"base": {"amount": "lender", "clause": "1"}}, "$.base.amount", "refuses"),
        ({"base": {"amount": "prior_year_external_income", "clause": "1"}}, "$.base.amount", "each_booking_whole"),
        ({"base": {"amount": "other_amounts.deposit", "clause": "1"}}, "$.base.amount", "refuses"),
        (
            {"base": {"least_of": ["paid", "lender"], "clause": "1"}},
            "$.base.least_of[1]",
            "refuses",
        ),
        ({"base": {"amount": "paid", "less": ["excluded"], "clause": "1"}}, "$.base.less[0]", "counts_nil"),
        (
            {
                "base": {"quantity": "persons", "clause": "1"},
                "rate": {"type": "per_unit", "amount": "5", "part_units": "exact", "clause": "1"},
            },
            "$.base.quantity",
            "refuses",
        ),
        (cased("cases", NEVER, otherwise="0.1"), "$.rate.cases[0].when", "case_refuses"),
        (cased("cases", {"any": [NEVER, KNOWN]}, otherwise="0.1"), "$.rate.cases[0].when", "case_refuses"),
        (cased("cases", {"all": [NEVER, KNOWN]}, otherwise="0.1"), "$.rate.cases[0].when", "case_refuses"),
        (cased("cases", NEVER_NO, otherwise="0.1"), "$.rate.cases[0].when", "never_holds"),
        (cased("best_of", NEVER), "$.rate.cases[0].when", "never_holds"),
        ({"rate": {"type": "face_value", "own_share": "0", "clause": "1"}}, "$.rate", "refuses"),
        (
            {
                "rate": {
                    "type": "vouchers",
                    "face_value": 10,
                    "most": 3,
                    "co_funded_share": "0.5",
                    "own_money": 5,
                    "clause": "1",
                }
            },
            "$.rate",
            "refuses",
        ),
        (
            {
                "rate": {"type": "stacked", "clause": "1", "levels": [{"payer": "a", "rate": "0.1", **on(NEVER)}]},
                **paid(rule="by_level"),
            },
            "$.rate.levels[0].when",
            "never_holds",
        ),
        (cased("cases", KNOWN, otherwise={"type": "face_value", "own_share": "0"}), "$.rate.otherwise", "refuses"),
        (adjusted(type="uplift", points="0.1", **on(NEVER)), "$.adjustments[0].when", "never_holds"),
        (adjusted(type="rate_limit", rate="0.1", **on(NEVER)), "$.adjustments[0].when", "cap_concerns"),
        (adjusted(type="least_award", amount=5, **on(NEVER_NO)), "$.adjustments[0].when", "never_holds"),
        (
            adjusted(type="quality_factor", factors={"1": "1"}, assume="1", of="other.grade"),
            "$.adjustments[0].of",
            "grade_assumed",
        ),
        (adjusted(type="rate_limit", rate="0.5", of="amounts.lender"), "$.adjustments[0].of", "refuses"),
        (
            adjusted(type="rate_limit", rate="0.5", of="amounts.fee", counting=["amounts.lender"]),
            "$.adjustments[0].counting[0]",
            "counts_nil",
        ),
        (adjusted(type="asked_limit"), "$.adjustments[0]", "limits_nothing"),
        (adjusted(type="deduct", of="amounts.lender"), "$.adjustments[0].of", "counts_nil"),
        (adjusted(type="deduct", of="amounts.other_subsidies"), "$.settlement.mode", "only_here"),
        ({"rounding": {"step": "yuan", "mode": "down", "per": "line", "clause": "1"}}, "$.rounding.per", "no_lines"),
        ({"caps": [CAP | on(NEVER)]}, "$.caps[0].when", "cap_concerns"),
        ({"caps": [CAP | on({"all": [NEVER, KNOWN]})]}, "$.caps[0].when", "cap_concerns"),
        ({"caps": [CAP | on(NEVER_NO)]}, "$.caps[0].when", "never_holds"),
        (
            {"caps": [CAP | {"limit": {"cases": [on(NEVER) | {"limit": 5}], "otherwise": 3}}]},
            "$.caps[0].limit.cases[0].when",
            "never_holds",
        ),
        (
            paid(**MATCH, matches=[{"payer": "b", "ratio": "1", **on(NEVER)}]),
            "$.payers.matches[0].when",
            "never_holds",
        ),
        (paid(**IN_ORDER), "$.payers.order[0].up_to", "pays_nothing"),
        (
            paid(rule="cases", cases=[on(NEVER) | {"payers": ONE}], otherwise=ONE),
            "$.payers.cases[0].when",
            "never_holds",
        ),
        (
            paid(rule="cases", cases=[on(KNOWN) | {"payers": ONE}], otherwise=IN_ORDER),
            "$.payers.otherwise.order[0].up_to",
            "pays_nothing",
        ),
        (
            {"validity": DAYS | {"windows": [{"date": "service.payment_on", "any_of": [{"from": "03-01", "to": "03-31"}]}]}},
            "$.validity.windows[0].date",
            "refuses",
        ),
        (
            {
                "validity": DAYS
                | {
                    "windows": [
                        {
                            "date": "service.claim_on",
                            "within": {"after": "service.payment_on", "months": 1, "last_day": "included"},
                        }
                    ]
                }
            },
            "$.validity.windows[0].within.after",
            "refuses",
        ),
        ({"rate": TIERS, "caps": []}, "$.rate.continues", "begins_anew"),
        (
            adjusted(type="first_use_bonus", amount="100", only_with_subsidy=True) | {"caps": []},
            "$.adjustments[0]",
            "always_first",
        ),
        (
            cased("cases", {"fact": "applicant.first_use", "is": True}, otherwise="0.1") | {"caps": []},
            "$.rate.cases[0].when.fact",
            "always_first",
        ),
        (
            {"gates": [{"type": "service_kind", "clause": "1", "none_of": ["testing", "telecom_billing"]}]},
            "$.gates[0].none_of",
            "excludes_nothing",
        ),
        ({"sides": [{"id": "a", **on(NEVER)}, {"id": "b"}]}, "$.sides[0].when", "never_holds"),
        ({"sides": [{"id": "a", "base": {"amount": "lender", "clause": "1"}}, {"id": "b"}]}, "$.sides[0].base.amount", "refuses"),
    ],
)
def test_a_part_that_no_booking_can_feed_is_told_with_its_field_and_what_happens(
    changes: dict[str, Any], path: str, code: str
) -> None:
    assert told(**changes) == [(path, code)]


def test_a_programme_of_which_no_side_is_ever_for_anybody_is_told_as_a_whole() -> None:
    found = told(sides=[{"id": "a", **on(NEVER)}, {"id": "b", **on(NEVER_NO)}])
    assert found == [("$.sides[0].when", "never_holds"), ("$.sides[1].when", "never_holds"), ("$.sides", "no_side")]


@pytest.mark.parametrize(
    "changes",
    [
        {"base": {"least_of": ["fee", "paid"], "minimum_charge": "included", "clause": "1"}},
        cased("cases", KNOWN, otherwise="0.1"),
        cased("cases", {"all": [NEVER_NO, KNOWN]} | {}, otherwise="0.1") | {"rate": FLAT},
        cased("best_of", {"any": [NEVER, KNOWN]}),
        adjusted(type="uplift", points="0.1", **on({"any": [NEVER, KNOWN]})),
        adjusted(type="quality_factor", factors={"1": "1"}, assume="1"),
        adjusted(type="deduct", of="amounts.fee"),
        {"rounding": {"step": "yuan", "mode": "down", "per": "claim", "clause": "1"}},
        {"caps": [CAP | on(KNOWN)]},
        {"caps": [CAP | on({"any": [NEVER, KNOWN]})]},
        adjusted(type="uplift", points="0.1", **on({"fact": "provider.owner_class", "is": "university"})),
        adjusted(type="first_use_bonus", amount="100", only_with_subsidy=True)
        | {"caps": [CAP], "sides": [{"id": "a", **on(KNOWN)}, {"id": "b"}]},
        {"rate": TIERS, "caps": [CAP]},
        {"gates": [{"type": "service_kind", "clause": "1", "none_of": ["testing"]}]},
        {"validity": DAYS | {"windows": [{"date": "service.claim_on", "any_of": [{"from": "03-01", "to": "03-31"}]}]}},
        {"sides": [{"id": "a", **on(KNOWN)}, {"id": "b"}]},
    ],
)
def test_what_a_booking_can_feed_is_no_warning(changes: dict[str, Any]) -> None:
    assert told(**changes) == []


@pytest.mark.parametrize(
    "when",
    [
        NEVER,
        NEVER_NO,
        {"not": NEVER},
        {"all": [NEVER, NEVER_NO]},
        {"any": [NEVER, NEVER_NO]},
        {"not": {"all": [NEVER_NO, NEVER]}},
    ],
)
def test_what_is_possible_is_what_a_condition_says_of_a_booking(when: dict[str, Any]) -> None:
    said = parse_condition(when, "service.service_on").holds(parse_facts(facts_of()), [])
    assert answers(when, "service.service_on", lambda path: path.startswith("other.")) == {said}


def test_shipped_documents_say_what_waits() -> None:
    assert warnings_of(load("HE-LF")) == warnings_of(load("DEMO-QH-A")) == []  # the first asks with the claim what is asked for
    at_once = load("HE-LF")
    at_once["settlement"] |= {"mode": "deducted_now", "payee": "provider"}
    found = {(each.path, each.code.removeprefix(CODE)) for each in warnings_of(at_once)}
    assert found == {("$.adjustments[0]", "limits_nothing")}


REFUNDED = {"settlement": {"mode": "refunded_later", "form": "post_claim_refund", "payee": "firm", "clause": "1"}}
OTHERS, LOWER = "amounts.other_subsidies", "amounts.lower_level"


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        (adjusted(type="deduct", of=OTHERS), []),
        (adjusted(type="rate_limit", rate="0.5", of="amounts.fee", counting=[OTHERS]), []),
        (adjusted(type="asked_limit"), []),
        ({"base": {"amount": "fee", "minimum_charge": "included", "less": ["excluded"], "clause": "1"}}, []),
        ({"payers": IN_ORDER | {"clause": "1"}}, []),
        (adjusted(type="uplift", points="0.1", **on({"fact": LOWER, "above": 0})), []),
        (adjusted(type="uplift", points="0.1", **on({"fact": LOWER, "at_least": 10})), ["never_holds"]),
        (adjusted(type="uplift", points="0.1", **on({"fact": OTHERS, "above": 0})), []),
        (adjusted(type="uplift", points="0.1", **on({"fact": "amounts.asked", "above": 0})), ["never_holds"]),
        (adjusted(type="rate_limit", rate="0.5", of="amounts.lender"), ["refuses"]),
        ({"base": {"amount": "lower_level", "clause": "1"}}, ["refuses"]),
        ({"base": {"amount": "other_subsidies", "clause": "1"}}, ["only_here"]),
        ({"gates": [{"type": "condition", "clause": "1", **on({"fact": OTHERS, "at_most": 100})}]}, []),
        ({"gates": [{"type": "condition", "clause": "1", **on({"fact": OTHERS, "above": 100})}]}, []),
        (
            {
                "gates": [
                    {
                        "type": "condition",
                        "clause": "1",
                        **on({"fact": OTHERS, "at_most": {"fact": "amounts.fee", "times": "0.5"}}),
                    }
                ]
            },
            [],
        ),
    ],
)
def test_what_a_claim_tells_is_a_warning_only_where_no_promise_can_rest_on_it(changes: dict[str, Any], codes: list[str]) -> None:
    assert [code for _path, code in told(**REFUNDED, **changes)] == codes
    assert told(**changes) != []  # taken off the bill at once: nobody is asked


def test_of_a_condition_that_never_holds_before_the_claim_the_facts_are_named_that_the_claim_tells_and_no_others() -> None:
    waiting = {"all": [{"fact": LOWER, "at_least": 10}, {"fact": "other.petaflops", "at_least": 3, "if_unknown": "yes"}, KNOWN]}
    [found] = warnings_of(programme_document(**REFUNDED, **adjusted(type="uplift", points="0.1", **on(waiting))))
    assert (found.path, found.code, found.params["facts"]) == (
        "$.adjustments[0].when",
        f"{CODE}never_holds",
        [LOWER, "other.petaflops"],
    )


def test_of_a_label_that_nobody_can_have_the_nearest_is_meant() -> None:
    when = {"fact": "applicant.labels", "has_label": {"any_of": ["cnma"]}}
    [found] = warnings_of(programme_document(gates=[{"type": "condition", "clause": "1", "when": when, "says": SAYS}]))
    assert found.params["meant"] == ["cma"]


def test_an_amount_of_the_year_before_within_a_limit_of_the_year_is_no_warning() -> None:
    cap = CAP | {"per": "owner_year"}
    assert told(base={"amount": "prior_year_external_income", "clause": "1"}, caps=[cap]) == []


def test_a_label_that_nobody_can_have_is_told_with_the_one_that_is_meant_and_a_class_of_owners_that_is_not_here() -> None:
    label = {"fact": "applicant.labels", "has_label": {"any_of": ["hightech", "high_tech", "qianfan"]}}
    owner = {"fact": "provider.owner_class", "any_of": ["university", "central_soe"]}
    gate = {"type": "condition", "clause": "1", "says": SAYS}
    document = programme_document(gates=[gate | {"when": label}, gate | {"when": owner}])
    first, second = check(document).warnings
    assert (first.path, first.params["labels"], first.params["meant"]) == (
        "$.gates[0].when.has_label.any_of",
        ["hightech", "qianfan"],
        ["high_tech"],
    )
    assert (second.path, second.code) == ("$.gates[1].when", "programme.warning.no_such_owner")
    with override("en"):
        assert "Is high_tech meant?" in sentence(first.code, first.params)


@pytest.mark.parametrize(
    ("when", "guess"),
    [
        ({"fact": "service.way", "is": "self"}, "did you mean 'self_operated'?"),
        ({"fact": "provider.owner_class", "any_of": ["public_welfare_3"]}, "did you mean 'public_welfare_2'?"),
    ],
)
def test_a_word_that_a_closed_list_does_not_have_is_refused_with_a_guess(when: dict[str, Any], guess: str) -> None:
    gate = {"type": "condition", "clause": "1", "says": SAYS, "when": when}
    [flaw] = check(programme_document(gates=[gate])).flaws
    assert flaw.params["fault"].endswith(guess)


def test_the_closed_lists_are_those_of_the_platform() -> None:
    from instruments.models import OwnerClass, ServiceMode

    assert set(allowed_values("service.way")) == set(ServiceMode.values)
    assert set(LABELS) == set(labels.LABELS)
    assert set(allowed_values("provider.owner_class")) - {"central_soe"} == set(OwnerClass.values) - {""}
