"""What a document leaves to whoever books, read from its rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billing.subsidy.rules import Facts, parse_facts, parse_programme
from billing.subsidy.rules.choices import NO_CHOICES, choices_of, with_settlement, words_of
from tests.billing.rules.builders import REFUNDED, facts_of, load, programme_document


def chosen(least: str, most: str, when_not_chosen: str = "refuse") -> dict[str, Any]:
    return {"type": "chosen", "clause": "1", "at_least": least, "at_most": most, "when_not_chosen": when_not_chosen}


def test_the_range_of_rates_reaches_from_the_least_to_the_greatest_of_all() -> None:
    case = {"when": {"fact": "applicant.kind", "is": "firm"}, "rate": chosen("0.2", "0.3")}
    rates = {"type": "cases", "clause": "1", "cases": [case], "otherwise": chosen("0.1", "0.5", "zero")}
    found = choices_of(programme_document(rate=rates)).rate
    assert found is not None and (found.lowest, found.highest, found.needed) == (Decimal("0.1"), Decimal("0.5"), False)
    only = choices_of(programme_document(rate=chosen("0.1", "0.5"))).rate
    assert only is not None and only.needed
    assert choices_of(programme_document(examples=[{"facts": facts_of(), "rate": chosen("0.1", "0.5")}])) == NO_CHOICES


def test_a_way_of_settlement_is_as_if_chosen_and_an_empty_one_is_none() -> None:
    asked = with_settlement(Facts(), "refund")
    assert asked.more.request.settlement == "refund"
    assert with_settlement(asked, "").more.request.settlement is None


def test_a_way_has_the_words_of_the_sides_that_are_for_it_and_not_of_those_for_everybody() -> None:
    words = {name: {"zh": name, "en": name} for name in "abcd"}
    sides = [
        {"id": "a", "when": {"fact": "request.settlement", "is": "refund"}},
        {"id": "b", "when": {"fact": "request.settlement", "any_of": ["redeem", "refund"]}},
        {"id": "c", "when": {"fact": "applicant.kind", "is": "firm"}},
        {"id": "d"},
    ]
    document = programme_document(settlement=REFUNDED, sides=[{**each, "says": words[each["id"]]} for each in sides])
    programme, firm = parse_programme(document), parse_facts(facts_of(100))
    assert choices_of(document).settlements == programme.choices.settlements == ("refund", "redeem")
    assert words_of(programme, firm, "refund") == [words["a"], words["b"]]
    assert [words_of(programme, firm, way) for way in ("redeem", "")] == [[words["b"]], []]


def test_the_rate_of_the_owners_side_is_not_asked_of_whoever_books() -> None:
    assert parse_programme(load("SD-2019")).choices.rate is None
    of_user = parse_programme(load("HA-2018")).choices.rate
    assert of_user is not None and of_user.highest == Decimal("0.3")
    beside = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": "1"}
    is_user, says = {"fact": "request.side", "is": "user"}, {"zh": "甲", "en": "A"}
    user = {"id": "user", "when": is_user, "says": says, "settlement": REFUNDED, "rate": chosen("0.2", "0.3")}
    everybody = {"id": "owner", "settlement": beside, "rate": chosen("0.1", "0.9", "lowest")}
    document = programme_document(sides=[user, everybody])
    found = parse_programme(document).choices.rate
    assert found is not None and (found.lowest, found.highest, found.needed) == (Decimal("0.2"), Decimal("0.3"), True)
    # A claim of the user's that is paid beside the bill is still the user's.
    only_users = everybody | {"when": is_user, "says": says}
    widened = parse_programme(programme_document(sides=[user, only_users])).choices.rate
    assert widened is not None and (widened.lowest, widened.highest) == (Decimal("0.1"), Decimal("0.9"))
    # The owner's where the rate of all is chosen and the user has one of its own.
    user["rate"], all_rates = {"type": "flat", "clause": "1", "rate": "0.2"}, chosen("0.1", "0.9", "lowest")
    shared = programme_document(rate=all_rates, sides=[user, {"id": "owner", "settlement": beside}])
    assert parse_programme(shared).choices.rate is None
    # Of a document that does not look at whose claim it is all rates are asked, as before.
    user["when"] = {"fact": "applicant.kind", "is": "firm"}
    assert parse_programme(programme_document(sides=[user, everybody])).choices.rate is not None


def test_where_the_owner_claims_a_refund_too_its_rate_is_not_asked_of_whoever_books_and_that_for_everybody_is() -> None:
    says = {"zh": "甲", "en": "A"}
    user = {"id": "user", "when": {"fact": "request.side", "is": "user"}, "says": says}
    other = {"id": "other", "rate": chosen("0.1", "0.9")}
    owners = other | {"when": {"fact": "request.side", "is": "owner"}, "says": says}
    asked = [parse_programme(programme_document(settlement=REFUNDED, sides=[user, one])).choices.rate for one in (owners, other)]
    assert [each is not None for each in asked] == [False, True]


def test_a_rule_looks_at_the_kind_of_the_service_as_a_gate_or_in_a_condition_and_examples_do_not() -> None:
    gate = {"type": "service_kind", "any_of": ["testing"], "clause": "1"}
    when = {"fact": "service.kind", "is": "testing"}
    condition = {"type": "condition", "clause": "1", "when": when, "says": {"zh": "甲", "en": "A"}}
    documents = [{"gates": [gate]}, {"gates": [condition]}, {"gates": []}, {"examples": [gate]}]
    assert [choices_of(programme_document(**each)).looks_at_kind for each in documents] == [True, True, False, False]
