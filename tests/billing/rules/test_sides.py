"""Programmes of several sides: who is meant, what they share, and the four numbers of a session under them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.ledger.rules.documents import DocumentError
from billing.subsidy.rules import (
    Award,
    Balance,
    Candidate,
    Inputs,
    Refused,
    SettlementMode,
    assessment_from_json,
    assessment_to_json,
    evaluate,
    inputs_to_json,
    parse_facts,
    parse_programme,
    replay,
    two_sided,
)
from billing.subsidy.rules.for_customers import for_customer
from billing.subsidy.rules.reach import reaches
from config.kernel.time_range import TimeRange
from tests.billing.rules.builders import REFUNDED, cap, facts_of, programme_document
from tests.billing.rules.test_assessment import SCHEDULE

USER = {"not": {"fact": "request.side", "is": "owner", "if_unknown": "no"}}
SAYS = {"zh": "条件", "en": "Condition"}
BESIDE = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": "1"}
OWN = ("settlement", "base", "rate", "adjustments", "rounding", "payers")


def sided(**changes: Any) -> dict[str, Any]:
    """A refund of half to the user, a tenth to the owner, one fund behind both."""
    document = programme_document(caps=[cap("fund", "pool", {"configured": True, "default": 1000})])
    user = {"id": "user", "when": USER, "says": SAYS, "settlement": REFUNDED}
    owner = {"id": "owner", "settlement": BESIDE, "rate": {"type": "flat", "rate": "0.1", "clause": "1"}}
    return document | {"sides": [user, owner]} | changes


def test_both_sides_stand_beside_each_other_and_share_the_fund() -> None:
    programme = parse_programme(sided())
    both = evaluate(programme, parse_facts(facts_of(1000)), {})
    assert isinstance(both, Award) and both.sides is not None
    assert [(side.side, side.mode, side.total_fen) for side in both.sides] == [
        ("user", SettlementMode.REFUNDED_LATER, 50_000),
        ("owner", SettlementMode.PAID_BESIDE, 10_000),
    ]
    assert (both.total_fen, both.off_cost_fen, both.draws, both.left_after) == (
        60_000,
        50_000,
        {"fund": 60_000},
        {"fund": 40_000},
    )
    short = evaluate(programme, parse_facts(facts_of(1000)), {"fund": Balance(None, 45_000)})
    assert isinstance(short, Award)
    assert [line.amount_fen for line in short.lines] == [50_000, 5_000]
    assert short.binding_caps == ("fund",)


def test_a_side_whose_condition_does_not_hold_or_cannot_be_told_gives_nothing() -> None:
    owner = evaluate(parse_programme(sided()), parse_facts(facts_of(1000, request={"side": "owner"})), {})
    assert isinstance(owner, Award)
    assert [line.payee for line in owner.lines] == ["provider"]
    document = sided()
    for side in document["sides"]:
        side["when"], side["says"] = {"fact": "request.settlement", "is": side["id"]}, SAYS
    nobody = evaluate(parse_programme(document), parse_facts(facts_of(1000)), {})
    assert isinstance(nobody, Refused)
    assert [reason.code for reason in nobody.reasons] == ["subsidy.unmet.no_side"]


def test_a_side_that_refuses_does_not_keep_the_other_from_giving() -> None:
    document = sided()
    document["sides"][0]["gates"] = [{"type": "applicant_kind", "any_of": ["team"], "clause": "1"}]
    found = evaluate(parse_programme(document), parse_facts(facts_of(1000)), {})
    assert isinstance(found, Award) and found.total_fen == 10_000
    document["gates"] = [{"type": "applicant_kind", "any_of": ["person"], "clause": "1"}]
    refused = evaluate(parse_programme(document), parse_facts(facts_of(1000)), {})
    assert isinstance(refused, Refused)
    assert [reason.code for reason in refused.reasons] == ["subsidy.unmet.applicant_kind"] * 2


def test_what_is_paid_beside_the_bill_changes_no_number_of_the_customer_and_survives_freezing() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    start = datetime(2025, 6, 10, 10, tzinfo=zone)
    facts = parse_facts({"applicant": {"kind": "firm"}})
    candidate = Candidate(parse_programme(sided()), facts, {"fund": Balance(10_000_000, 0)})
    inputs = Inputs(SCHEDULE, TimeRange(start, start + timedelta(hours=2)), zone, "firm_sme", (candidate,))
    found = inputs.assess()
    assert (found.gross_fen, found.deducted_fen, found.refunded_fen, found.final_cost_fen) == (100_000, 0, 50_000, 50_000)
    frozen = json.loads(json.dumps(assessment_to_json(found)))
    assert assessment_from_json(frozen) == found
    assert json.loads(json.dumps(replay(json.loads(json.dumps(inputs_to_json(inputs)))))) == frozen


def test_money_beside_the_bill_is_not_bound_by_what_the_service_cost() -> None:
    quantity = {"quantity": "machine_hours", "clause": "1"}
    rate = {"type": "per_unit", "amount": 120, "clause": "1"}
    document = programme_document(base=quantity, rate=rate, settlement=BESIDE)
    hours = facts_of(10, quantities={"minutes": 75})
    paid = evaluate(parse_programme(document), parse_facts(hours), {})
    assert isinstance(paid, Award) and paid.total_fen == 15_000
    refund = evaluate(parse_programme(document | {"settlement": REFUNDED}), parse_facts(hours), {})
    assert isinstance(refund, Award) and refund.total_fen == 1_000


def faults(document: dict[str, Any]) -> list[str]:
    with pytest.raises(DocumentError) as error:
        parse_programme(document)
    return [fault.path for fault in error.value.faults]


def test_faults_of_a_side_are_told_where_they_stand() -> None:
    document = sided()
    document["sides"][1] |= {
        "id": "user",
        "rate": {"type": "per_unit", "amount": 1, "clause": "1"},
        "caps": [cap("fund", "order", 1)],
    }
    document["sides"][1]["gates"] = [{"type": "condition", "when": {"fact": "x.y", "is": 1}, "says": SAYS, "clause": "1"}]
    assert faults(document) == [
        "$.sides[1].caps[0].id",
        "$.sides[1].gates[0].when.fact",
        "$.sides[1].id",
        "$.sides[1].rate.type",
    ]
    for name in OWN[1:]:
        del document[name]
    lacking = [path for path in faults(document) if path.startswith("$.sides[0].")]
    assert lacking == ["$.sides[0].base", "$.sides[0].payers", "$.sides[0].rate", "$.sides[0].rounding"]


def test_a_fault_of_what_all_sides_share_is_told_there_and_not_in_a_side() -> None:
    odd = {"type": "condition", "when": {"fact": "x.y", "is": 1}, "says": SAYS, "clause": "1"}
    assert set(faults(sided(gates=[odd]))) == {"$.gates[0].when.fact"}
    document = sided(gates=[odd])
    document["sides"][0]["gates"] = [odd]
    assert set(faults(document)) == {"$.gates[0].when.fact", "$.sides[0].gates[0].when.fact"}


def test_of_a_session_invoice_and_payment_are_expected_to_be_its_price() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    start = datetime(2025, 6, 10, 10, tzinfo=zone)
    document = programme_document(base={"least_of": ["paid", "invoice"], "clause": "1"})
    amounts = {}
    for name, known in (("unknown", {}), ("known", {"amounts": {"paid": 600}})):
        candidate = Candidate(parse_programme(document), parse_facts({"applicant": {"kind": "firm"}, **known}), {})
        inputs = Inputs(SCHEDULE, TimeRange(start, start + timedelta(hours=2)), zone, "firm_sme", (candidate,))
        amounts[name] = inputs.assess().deducted_fen
    assert amounts == {"unknown": 50_000, "known": 30_000}


def test_an_instrument_is_reached_where_one_side_is_open_to_it_whoever_asks() -> None:
    certified = {"type": "condition", "when": {"fact": "provider.certified", "is": True}, "says": SAYS, "clause": "1"}
    asker = {"type": "condition", "when": {"fact": "applicant.staff", "below": 9}, "says": SAYS, "clause": "1"}
    facts = {
        known: parse_facts({"provider": {"certified": known}, "service": {"service_on": "2025-06-10"}}) for known in (True, False)
    }
    one = parse_programme(programme_document(gates=[certified, asker]))
    assert reaches(one, facts[True]) and not reaches(one, facts[False])
    document = sided()
    document["sides"][0]["gates"] = [certified]
    assert reaches(parse_programme(document), facts[False])
    document["sides"][1]["gates"] = [certified]
    assert not reaches(parse_programme(document), facts[False])


OF_OWNER = {"fact": "request.side", "is": "owner"}


def asked_of_both(**changes: Any) -> dict[str, Any]:
    """As ``sided``, where each side says whose claim it is."""
    document = sided(**changes)
    document["sides"][1] |= {"when": OF_OWNER, "says": SAYS}
    return document


def both(document: dict[str, Any], **facts: Any) -> Any:
    return evaluate(parse_programme(document), parse_facts(facts_of(1000, request={"side": "both"}, **facts)), {})


def whose(steps: Any) -> list[tuple[str, str]]:
    return [(step.key.rpartition(".")[2], step.params["whose"]) for step in steps if "claim_" in step.key]


def test_where_both_claim_each_side_is_decided_as_its_own_claim_and_says_whose_it_is() -> None:
    found = both(asked_of_both())
    assert isinstance(found, Award) and found.sides is not None
    assert [(side.side, side.total_fen) for side in found.sides] == [("user", 50_000), ("owner", 10_000)]
    assert found.draws == {"fund": 60_000} and found.left_after == {"fund": 40_000}  # one account for all
    assert whose(found.steps) == [("claim_of", "user"), ("claim_of", "owner")]
    # What names one side, or none, means what it meant before.
    for side, total in (("user", 50_000), ("owner", 10_000), (None, 50_000)):
        request = {} if side is None else {"request": {"side": side}}
        alone = evaluate(parse_programme(asked_of_both()), parse_facts(facts_of(1000, **request)), {})
        assert isinstance(alone, Award) and alone.total_fen == total and whose(alone.steps) == []


def test_a_gate_and_a_limit_that_look_at_whose_claim_it_is_see_one_side_at_a_time() -> None:
    gate = {"type": "condition", "when": {"fact": "request.side", "is": "user"}, "says": SAYS, "clause": "1"}
    found = both(asked_of_both(gates=[gate]))
    assert isinstance(found, Award) and found.total_fen == 50_000
    assert whose(found.steps) == [("claim_of", "user"), ("claim_refused", "owner")]
    assert found.steps[-1].key == "subsidy.unmet.condition"
    begun = [step for step in found.steps if "claim_" in step.key]
    assert {(step.part, step.clause, step.amount_fen) for step in [*begun, found.steps[-1]]} == {("gate", "1", 0)}
    owners = cap("owners", "applicant_year", 30) | {"when": OF_OWNER, "says": SAYS}
    found = both(asked_of_both(caps=[owners]))
    assert isinstance(found, Award) and [line.amount_fen for line in found.lines] == [50_000, 3_000]
    assert found.binding_caps == ("owners",) and found.draws == {"owners": 3_000}


def test_where_both_are_refused_every_reason_is_told_and_whose_it_is() -> None:
    document = asked_of_both()
    document["sides"][0]["gates"] = [{"type": "applicant_kind", "any_of": ["team"], "clause": "1"}]
    document["sides"][1]["base"] = {"amount": "lender", "clause": "1"}
    found = both(document)
    assert isinstance(found, Refused)
    assert [reason.code for reason in found.reasons] == ["subsidy.unmet.applicant_kind", "subsidy.unmet.fact_missing"]
    seen = for_customer(found, parse_programme(document))
    assert isinstance(seen, Refused) and [reason.code for reason in seen.reasons] == ["subsidy.unmet.applicant_kind"]
    assert whose(seen.steps) == []


def test_a_side_that_does_not_say_whose_claim_it_is_goes_by_its_settlement_and_is_given_once() -> None:
    """The second side is for everybody: its money is paid beside the bill, so it is the owner's claim."""
    document = sided()
    found = both(document)
    assert isinstance(found, Award) and [line.amount_fen for line in found.lines] == [50_000, 10_000]
    assert whose(found.steps) == [("claim_of", "user"), ("claim_of", "owner")]
    redeem = {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "provider", "clause": "1"}
    document["sides"][1]["settlement"] = redeem
    assert whose(both(document).steps) == [("claim_of", "user"), ("claim_of", "user")]


@pytest.mark.parametrize(("side", "unsure"), [(0, True), (1, False)])
def test_the_final_cost_is_an_estimate_where_the_users_side_is(side: int, unsure: bool) -> None:
    document = asked_of_both()
    graded = {"type": "quality_factor", "factors": {"A": "1"}, "assume": "A", "clause": "1"}
    document["sides"][side]["adjustments"] = [graded]
    zone = ZoneInfo("Asia/Shanghai")
    start = datetime(2025, 6, 10, 10, tzinfo=zone)
    candidate = Candidate(parse_programme(document), parse_facts({"request": {"side": "both"}}), {})
    found = Inputs(SCHEDULE, TimeRange(start, start + timedelta(hours=2)), zone, "firm_sme", (candidate,)).assess()
    assert (found.awards[0].estimate, found.estimate) == (True, unsure)


def test_the_rate_that_whoever_books_chose_is_the_users() -> None:
    chosen = {"type": "chosen", "at_least": "0.1", "at_most": "0.5", "when_not_chosen": "lowest", "clause": "1"}
    document = asked_of_both(rate=chosen)
    del document["sides"][1]["rate"]
    facts = parse_facts(facts_of(1000, request={"side": "both", "rate": "0.4"}))
    found = evaluate(parse_programme(document), facts, {})
    assert isinstance(found, Award) and [line.amount_fen for line in found.lines] == [40_000, 10_000]


def test_only_a_programme_of_several_sides_that_looks_at_it_is_told_that_both_claim() -> None:
    gate = {"type": "condition", "when": OF_OWNER, "says": SAYS, "clause": "1"}
    assert parse_programme(asked_of_both()).of_both_sides
    assert parse_programme(sided(gates=[gate])).of_both_sides
    without = sided()
    without["sides"][0]["when"] = {"fact": "applicant.kind", "is": "firm"}
    without["examples"] = [{"title": "x", "facts": facts_of(1, request={"side": "owner"}), "expect": {"total": 0}}]
    assert not parse_programme(without).of_both_sides
    assert not parse_programme(programme_document(gates=[gate])).of_both_sides


def test_no_rule_can_ask_for_both_sides_at_once() -> None:
    document = asked_of_both()
    document["sides"][1]["when"] = {"fact": "request.side", "is": "both"}
    assert faults(document) == ["$.sides[1].when.is"]


def test_the_customer_sees_its_own_side_with_its_own_limits() -> None:
    document = asked_of_both()
    document["sides"][1] |= {
        "caps": [cap("owner-year", "owner_year", 20)],
        "rate": {"type": "flat", "rate": "0.3", "clause": "1"},
    }
    programme, whole = parse_programme(document), both(document)
    assert isinstance(whole, Award) and whole.total_fen == 52_000 and whole.binding_caps == ("owner-year",)
    seen = for_customer(whole, programme)
    assert isinstance(seen, Award)
    assert (seen.total_fen, seen.mode, seen.payee, seen.binding_caps) == (50_000, "refunded_later", "firm", ())
    assert [line.amount_fen for line in seen.lines] == [50_000] and set(seen.left_after) == {"fund"}
    assert whose(seen.steps) == [("claim_of", "user")] and (seen.base_fen, seen.computed_fen) == (100_000, 50_000)
    # Nothing of it changes what has one side, or no side beside the bill.
    for one in (programme_document(), programme_document(settlement=BESIDE)):
        alone = evaluate(parse_programme(one), parse_facts(facts_of(1000)), {})
        assert for_customer(alone, parse_programme(one)) is alone


def test_a_customer_that_gets_nothing_is_refused_with_its_own_reasons_though_the_owner_gets_something() -> None:
    document = asked_of_both()
    document["sides"][0]["gates"] = [{"type": "applicant_kind", "any_of": ["team"], "clause": "1"}]
    programme, whole = parse_programme(document), both(document)
    assert isinstance(whole, Award) and whole.total_fen == 10_000
    seen = for_customer(whole, programme)
    assert isinstance(seen, Refused) and [reason.code for reason in seen.reasons] == ["subsidy.unmet.applicant_kind"]
    document["sides"][0] |= {"when": {"all": [USER, {"fact": "applicant.kind", "is": "team"}]}, "gates": []}
    nobodys = for_customer(both(document), parse_programme(document))
    assert isinstance(nobodys, Refused) and [reason.code for reason in nobodys.reasons] == ["subsidy.unmet.no_side"]


@pytest.mark.parametrize(
    ("first_use", "user_had", "side"),
    [
        (False, False, "both_first"),  # only the owner had something
        (False, True, "both"),
        (True, False, "both"),
        (None, False, "both"),
    ],
)
def test_a_first_use_of_the_users_claim_alone_is_told_where_only_the_owner_had_something(
    first_use: bool | None, user_had: bool, side: str
) -> None:
    known = parse_facts({"applicant": {"kind": "firm"} | ({} if first_use is None else {"first_use": first_use})})
    assert two_sided.claimed_by_both(known, user_had=user_had).more.request.side == side


@pytest.mark.parametrize(("mode", "gets"), [("paid_beside", False), ("refunded_later", True)])
def test_the_user_gets_what_is_not_paid_beside_the_bill(mode: str, gets: bool) -> None:
    form, payee = {"paid_beside": ("yearly_reward", "provider"), "refunded_later": ("post_claim_refund", "firm")}[mode]
    settlement = {"mode": mode, "form": form, "payee": payee, "clause": "1"}
    award = evaluate(parse_programme(programme_document(settlement=settlement)), parse_facts(facts_of(100)), {})
    assert isinstance(award, Award) and award.total_fen == 50_00 and two_sided.user_gets(award) is gets
