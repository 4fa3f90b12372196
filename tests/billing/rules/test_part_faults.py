"""What is wrong with a part that has the right shape: each fault with the field and what to write."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from billing.fault_words import fault_words
from billing.ledger.rules.documents import DocumentError
from billing.subsidy.rules import parse_programme
from tests.billing.rules.builders import cap, facts_of, programme_document

SAYS = {"zh": "条件", "en": "Condition"}
WRONG = {"fact": "applicant.wealth", "is": 1}
RIGHT = {"fact": "applicant.kind", "is": "firm"}
DOUBLE = {"fact": "applicant.verified", "is": {"fact": "provider.verified", "times": "2"}}
SETTLED = {"form": "deduct_and_redeem", "clause": "1"}
CASE = {"when": RIGHT, "says": SAYS, "rate": "0.5"}
QUANTITY = {"quantity": "machine_hours", "clause": "1"}
ONE = {"rule": "largest_remainder", "shares": [{"payer": "a", "share": "1"}]}
BY_LINE = {"rounding": {"step": "fen", "mode": "down", "per": "line", "clause": "1"}}
MATCH = {"rule": "match", "lead": "a", "rounding": "down", "gives_way": "last_first", "clause": "1"}


def rate(kind: str, **fields: Any) -> dict[str, Any]:
    return {"rate": {"type": kind, "clause": "1", **fields}}


def base(**fields: Any) -> dict[str, Any]:
    return {"base": {"clause": "1", **fields}}


def adjustment(kind: str, **fields: Any) -> dict[str, Any]:
    return {"adjustments": [{"type": kind, "clause": "1", **fields}]}


def window(**fields: Any) -> dict[str, Any]:
    days = {"first_day": "2025-01-01", "last_day": "2025-12-31", "clause": "1"}
    return {"validity": {**days, "windows": [{"date": "service.claim_on", **fields}]}}


def within(**fields: Any) -> dict[str, Any]:
    return window(within={"after": "service.invoice_on", "last_day": "included", **fields})


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        (base(), "$.base", "exactly one of"),
        (base(amount="fee", minimum_charge="included", quantity="samples"), "$.base", "exactly one of"),
        (base(amount="fees", minimum_charge="included"), "$.base.amount", "there is no fact 'amounts.fees'"),
        (base(amount="applicant.staff"), "$.base.amount", "not an amount of money"),
        (base(amount="machine_hours"), "$.base.amount", "write it as base.quantity"),
        (base(amount="fee"), "$.base.minimum_charge", "'included' or 'excluded'"),
        (base(least_of=["paid", "contract"]), "$.base.minimum_charge", "'included' or 'excluded'"),
        (base(least_of=["paid", "invoices"]), "$.base.least_of[1]", "there is no fact"),
        (base(amount="paid", less=["taxes"]), "$.base.less[0]", "there is no fact"),
        ({**base(quantity="hours"), **rate("fixed", amount=1)}, "$.base.quantity", "machine_hours"),
        ({**base(quantity="samples", at_most=3), **rate("fixed", amount=1)}, "$.base.at_most", "leave it out"),
        ({"base": QUANTITY}, "$.rate.type", "base that is an amount"),
        (rate("per_unit", amount=3), "$.rate.type", "base that is a quantity"),
        ({"base": QUANTITY, **rate("per_unit")}, "$.rate", "exactly one of 'amount' and 'tiers'"),
        (
            {"base": QUANTITY, **rate("per_unit", tiers=[{"up_to": 9, "amount": 1}, {"up_to": 9, "amount": 1}, {"amount": 1}])},
            "$.rate.tiers[1].up_to",
            "must rise",
        ),
        (
            {"base": QUANTITY, **rate("per_unit", amount=1, continues="before.fee")},
            "$.rate.continues",
            "not what the tiers count",
        ),
        (rate("tiers", tiers=[{"rate": "0.1"}], continues="before.fees"), "$.rate.continues", "there is no fact"),
        (
            rate("brackets", brackets=[{"up_to": 5, "rate": "0.1"}, {}]),
            "$.rate.brackets[1]",
            "exactly one of 'rate' and 'amount'",
        ),
        (rate("brackets", brackets=[{"up_to": 5, "rate": "0.1"}]), "$.rate.brackets[0]", "the last has none"),
        (rate("chosen", at_least="0.5", at_most="0.4", when_not_chosen="refuse"), "$.rate.at_least", "empty"),
        (rate("ex_post", at_least="0.1", at_most="0.4", assume="0.5"), "$.rate.assume", "outside the range"),
        (rate("cases", cases=[{**CASE, "when": WRONG}]), "$.rate.cases[0].when.fact", "there is no fact"),
        (rate("cases", cases=[{**CASE, "rate": "40 %"}]), "$.rate.cases[0].rate", "as text"),
        (rate("cases", cases=[{**CASE, "rate": {"type": "per_unit", "amount": 1}}]), "$.rate.cases[0].rate.type", "a quantity"),
        (rate("best_of", cases=[CASE, {**CASE, "when": WRONG}]), "$.rate.cases[1].when.fact", "there is no fact"),
        (
            rate("stacked", levels=[{"payer": "a", "rate": "0.6"}, {"payer": "b", "rate": "0.5"}])
            | {"payers": {"rule": "by_level", "clause": "1"}},
            "$.rate.levels",
            "above 1",
        ),
        (
            rate("stacked", levels=[{"payer": "a", "rate": "0.1", "when": RIGHT}])
            | {"payers": {"rule": "by_level", "clause": "1"}},
            "$.rate.levels[0].says",
            "needs its words",
        ),
        ({"payers": {"rule": "by_level", "clause": "1"}}, "$.payers.rule", "'stacked'"),
        (adjustment("uplift", points="0.1", when=WRONG, says=SAYS), "$.adjustments[0].when.fact", "there is no fact"),
        (adjustment("uplift", points="0.1", when=RIGHT), "$.adjustments[0].says", "needs its words"),
        (
            {"base": QUANTITY, **rate("fixed", amount=1), **adjustment("rate_limit", rate="0.5")},
            "$.adjustments[0].type",
            "'factor'",
        ),
        (
            {"base": QUANTITY, **rate("fixed", amount=1), **adjustment("uplift", points="0.5")},
            "$.adjustments[0].type",
            "'bonus'",
        ),
        (adjustment("rate_limit", rate="0.5", of="amounts.fees"), "$.adjustments[0].of", "there is no fact"),
        (adjustment("rate_limit", rate="0.5", counting=["applicant.staff"]), "$.adjustments[0].counting[0]", "not an amount"),
        (adjustment("rate_limit", rate="0.5", counting=[]), "$.adjustments[0].counting", "at least 1"),
        ({"base": QUANTITY, **rate("fixed", amount=1), **BY_LINE}, "$.rounding.per", "the base is a quantity"),
        ({**rate("face_value", amount=1, own_share="0"), **BY_LINE}, "$.rounding.per", "once for a claim"),
        (
            {**rate("best_of", cases=[CASE, {**CASE, "rate": {"type": "fixed", "amount": 1}}]), **BY_LINE},
            "$.rounding.per",
            "'fixed' is given once",
        ),
        (adjustment("deduct", of="amounts.others"), "$.adjustments[0].of", "there is no fact"),
        (adjustment("deduct", of="applicant.staff"), "$.adjustments[0].of", "not an amount"),
        (
            adjustment("quality_factor", factors={"A": "1"}, assume="A", of="applicant.labels"),
            "$.adjustments[0].of",
            "not a grade",
        ),
        ({"rounding": {"step": "0", "mode": "down", "clause": "1"}}, "$.rounding.step", "fen, yuan"),
        ({"caps": [cap("a", "pool", {"share": "0.1", "of": "b"}), cap("b", "pool", 1)]}, "$.caps[0].limit.of", "further up"),
        ({"caps": [cap("a", "order", 1, when=WRONG)]}, "$.caps[0].when.fact", "there is no fact"),
        ({"caps": [cap("a", "order", 1, divided="pro_rata")]}, "$.caps[0].divided", "only a pool"),
        ({"caps": [cap("a", "order", 1, pool_of="1")]}, "$.caps[0].pool_of", "only a pool"),
        ({"caps": [cap("a", "order", 1, new_money=True)]}, "$.caps[0].new_money", "only a pool"),
        ({"caps": [cap("a", "pool", 1, pool_of="1", new_money=True)]}, "$.caps[0].new_money", "another version or new money"),
        (
            {"caps": [cap("a", "order", {"cases": [{"when": WRONG, "limit": 1}]})]},
            "$.caps[0].limit.cases[0].when.fact",
            "there is no",
        ),
        ({"caps": [cap("a", "order", {"cases": []})]}, "$.caps[0].limit.cases", "at least 1"),
        ({"payers": {**MATCH, "matches": [{"payer": "a", "ratio": "1"}]}}, "$.payers.matches[0].payer", "named twice"),
        (
            {"payers": {**MATCH, "matches": [{"payer": "b", "ratio": "1", "when": WRONG}]}},
            "$.payers.matches[0].when.fact",
            "there is no",
        ),
        (
            {"payers": {"rule": "in_order", "order": [{"payer": "a", "up_to": "amounts.loan"}], "clause": "1"}},
            "$.payers.order[0].up_to",
            "there is no fact",
        ),
        (
            {"payers": {"rule": "in_order", "order": [{"payer": "a"}, {"payer": "a"}], "clause": "1"}},
            "$.payers.order",
            "named twice",
        ),
        (
            {
                "payers": {
                    "rule": "cases",
                    "cases": [{"when": WRONG, "says": SAYS, "payers": ONE}],
                    "otherwise": ONE,
                    "clause": "1",
                }
            },
            "$.payers.cases[0].when.fact",
            "there is no fact",
        ),
        (
            {
                "payers": {
                    "rule": "cases",
                    "cases": [{"when": RIGHT, "says": SAYS, "payers": {**MATCH, "matches": []}}],
                    "otherwise": ONE,
                    "clause": "1",
                }
            },
            "$.payers.cases[0].payers.matches",
            "at least 1",
        ),
        (window(), "$.validity.windows[0]", "exactly one of 'any_of'"),
        (window(any_of=[{"from": "13-01", "to": "12-31"}]), "$.validity.windows[0].any_of[0].from", "not a day"),
        (
            window(date="service.kind", any_of=[{"from": "01-01", "to": "12-31"}]),
            "$.validity.windows[0].date",
            "a fact that is a day",
        ),
        (within(), "$.validity.windows[0].within", "'months' and 'days'"),
        (within(after="amounts.fee", days=9), "$.validity.windows[0].within.after", "a fact that is a day"),
        ({"year_starts": "02-30"}, "$.year_starts", "not a day"),
        ({"exclusive": {"class": "a", "not_with": ["b", "a"], "clause": "1"}}, "$.exclusive.not_with[1]", "its own class"),
        (
            {"code": "X", "exclusive": {"class": "a", "not_with": ["X"], "clause": "1"}},
            "$.exclusive.not_with[0]",
            "its own class",
        ),
        ({"exclusive": {"class": "a", "not_with": [], "clause": "1"}}, "$.exclusive.not_with", ""),
        ({"settlement": {**SETTLED, "mode": "deducted_now", "payee": "firm"}}, "$.settlement.payee", "goes to the provider"),
        ({"settlement": {**SETTLED, "mode": "refunded_later", "payee": "provider"}}, "$.settlement.payee", "goes to the firm"),
        ({"settlement": {**SETTLED, "mode": "paid_beside", "payee": "firm"}}, "$.settlement.payee", "goes to the provider"),
        (
            {"gates": [{"type": "condition", "when": DOUBLE, "says": SAYS, "clause": "1"}]},
            "$.gates[0].when.is.times",
            "only amounts and numbers",
        ),
        (
            {"gates": [{"type": "minimum_spend", "of": "fees", "amount": 1, "clause": "1"}]},
            "$.gates[0].of",
            "there is no fact 'amounts.fees'",
        ),
        (
            {"gates": [{"type": "minimum_spend", "of": "fee", "amount": 1, "months": 3, "clause": "1"}]},
            "$.gates[0]",
            "'months' and 'with_this'",
        ),
        (
            {"gates": [{"type": "region", "subject": "applicant", "any_of": [{"code_prefix": "630100"}], "clause": "1"}]},
            "$.gates[0].any_of[0].code_prefix",
            "write '6301'",
        ),
        (
            {
                "gates": [
                    {
                        "type": "condition",
                        "when": {"fact": "applicant.region_code", "starts_with": ["6328", "630100"]},
                        "says": SAYS,
                        "clause": "1",
                    }
                ]
            },
            "$.gates[0].when.starts_with[1]",
            "write '6301'",
        ),
        ({"gates": [{"type": "condition", "when": RIGHT, "clause": "1"}]}, "$.gates[0].says", "it is missing"),
    ],
)
def test_a_part_that_makes_no_sense_is_told_with_its_field(changes: dict[str, Any], path: str, says: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse_programme(programme_document(**changes))
    found = {fault.path: fault.message for fault in error.value.faults}
    assert path in found, found
    assert says in found[path]
    assert [said for said in found.values() if fault_words(said) == said] == [], "the form has no words for it"


@pytest.mark.parametrize(
    ("said", "english", "chinese"),
    [
        (
            "write exactly one of 'all', 'any', 'not' or 'fact'",
            "Fill in exactly one of: all, any, not, fact.",
            "all、any、not、fact",
        ),
        ("write exactly one of 'rate' and 'amount'", "Fill in exactly one of: rate, amount.", "rate、amount"),
        (
            "write exactly one of 'any_of' (windows) and 'within' (a time after another date)",
            "Fill in exactly one of: any_of, within.",
            "any_of、within",
        ),
        (
            "there is no cap 'b' before this one; name one that stands further up",
            "There is no limit “b” further up. Name one that stands before this one, never itself.",
            "前面没有限额“b”",
        ),
        ("write at least 1 characters here", "There is too little here. At least 1 is needed.", "至少需要 1"),
    ],
)
def test_a_fault_is_told_without_a_word_of_the_other_language(said: str, english: str, chinese: str) -> None:
    with translation.override("en"):
        assert fault_words(said) == english
    with translation.override("zh-hans"):
        assert chinese in fault_words(said) and not {"or", "and"} & set(fault_words(said).split())


def example(**fields: Any) -> dict[str, Any]:
    return {"title": "x", "expect": {"total": 1}, **fields}


CLAIM = {"id": "a", "facts": facts_of(100)}


@pytest.mark.parametrize(
    ("examples", "path", "says"),
    [
        ([example()], "$.examples[0]", "write 'facts'"),
        ([example(facts={}, balances={"b": {}})], "$.examples[0].balances.b", "the caps are year"),
        ([example(facts={}, balances={"year": {"of": {"a": {"used": 1}}}})], "$.examples[0].balances", "several 'claims'"),
        ([example(facts={}, expect={"claims": {"a": 1}})], "$.examples[0].expect.claims", "several 'claims'"),
        ([example(claims=[CLAIM, CLAIM])], "$.examples[0].claims[1].id", "is taken"),
        ([example(claims=[CLAIM])], "$.examples[0].claims[0].facts", "give applicant.id"),
        (
            [example(claims=[{"id": "a", "facts": {"amounts": {"fee": "x"}}}])],
            "$.examples[0].claims[0].facts.amounts.fee",
            "Yuan",
        ),
        ([example(claims=[CLAIM], expect={"claims": {"b": 1}})], "$.examples[0].expect.claims.b", "the claims are a"),
        ([example(facts={}, expect={"left": {"yaer": 1}})], "$.examples[0].expect.left.yaer", "the caps are year"),
        ([example(facts={}, expect={"binding": ["yaer"]})], "$.examples[0].expect.binding[0]", "the caps are year"),
        (
            [example(facts={}, expect={"payers": {"provinz": 1}})],
            "$.examples[0].expect.payers.provinz",
            "the payers are province",
        ),
        (
            [example(claims=[{**CLAIM, "expect": {"binding": ["yaer"]}}])],
            "$.examples[0].claims[0].expect.binding[0]",
            "the caps are year",
        ),
    ],
)
def test_what_is_wrong_with_an_example_is_told_with_its_place(examples: list[dict[str, Any]], path: str, says: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse_programme(programme_document(caps=[cap("year", "firm_year", 100)], examples=examples))
    found = {fault.path: fault.message for fault in error.value.faults}
    assert path in found, found
    assert says in found[path]
    assert [said for said in found.values() if fault_words(said) == said] == [], "the form has no words for it"


def test_a_pool_may_go_on_or_be_new_money() -> None:
    assert parse_programme(programme_document(caps=[cap("a", "pool", 1, pool_of="1")])).caps[0].pool_of == "1"
    assert parse_programme(programme_document(caps=[cap("a", "pool", 1, new_money=True)])).caps[0].new_money
