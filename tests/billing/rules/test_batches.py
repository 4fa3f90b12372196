"""Batches: pools in proportion, first come, a rate fixed afterwards, caps that claims share."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.ledger.rules.money import plain_yuan
from billing.sandbox.rules.batches import NamedClaim, Remembering
from billing.subsidy.rules import Award, Balance, Refused, parse_facts, parse_programme
from billing.subsidy.rules.batch import BatchOutcome, Claim, Opening, evaluate_batch, has_batch_rules, over_batch
from billing.subsidy.rules.outcome import Home, paid_by_homes
from billing.subsidy.rules.remembered import Named, Request
from tests.billing.rules.builders import cap, facts_of, load, programme_document
from tests.billing.rules.second_engine import batch_of_contracts, shared

WHOLE = {"type": "flat", "clause": "1", "rate": "1"}
POOL = {"configured": True, "default": 10_000}
NOTHING_USED = Opening({}, {})


def claim(name: str, fee_fen: int, **groups: Any) -> Claim:
    return Claim(name, parse_facts(facts_of(plain_yuan(fee_fen), applicant={"id": name}, **groups)))


def decide(document: dict[str, Any], claims: list[Claim], opening: Opening = NOTHING_USED) -> BatchOutcome:
    return evaluate_batch(parse_programme(document), claims, opening)


def amounts(batch: BatchOutcome) -> dict[str, int]:
    return {name: outcome.total_fen for name, outcome in batch.outcomes.items() if isinstance(outcome, Award)}


def pool(divided: str, **more: Any) -> dict[str, Any]:
    return programme_document(rate=WHOLE, caps=[cap("fund", "pool", POOL, divided=divided)], **more)


FEES = st.lists(st.integers(0, 2_000_000), min_size=1, max_size=8)


@given(FEES, st.integers(0, 1_200_000), st.sampled_from(["fen", "yuan"]))
@settings(deadline=None, max_examples=150)
def test_a_pool_in_proportion_is_given_away_whole_and_nobody_gets_more_than_without_it(
    fees: list[int], used: int, step: str
) -> None:
    document = pool("pro_rata", rounding={"step": step, "mode": "down", "clause": "1"})
    size = 100 if step == "yuan" else 1
    room = max(0, 1_000_000 - used)
    wanted = [fee - fee % size for fee in fees]
    batch = decide(document, [claim(str(n), fee) for n, fee in enumerate(fees)], Opening({"fund": Balance(None, used)}, {}))
    got = list(amounts(batch).values())
    if sum(wanted) <= room:
        assert got == wanted
    else:
        assert sum(got) == room - room % size
        assert got == [part * size for part in shared(room // size, [Fraction(each) for each in wanted])]
    assert all(part <= most for part, most in zip(got, wanted, strict=True))


@given(st.permutations([("a", 600_000), ("b", 300_000), ("c", 250_000), ("d", 170_001)]))
@settings(deadline=None)
def test_the_order_of_claims_is_irrelevant_where_the_pool_is_divided_in_proportion(order: list[tuple[str, int]]) -> None:
    batch = decide(pool("pro_rata"), [claim(name, fee) for name, fee in order])
    assert amounts(batch) == {"a": 454545, "b": 227273, "c": 189394, "d": 128788}


@given(FEES)
@settings(deadline=None)
def test_first_come_first_served_gives_in_order_until_nothing_is_left(fees: list[int]) -> None:
    got = list(amounts(decide(pool("first_come"), [claim(str(n), fee) for n, fee in enumerate(fees)])).values())
    left = 1_000_000
    for fee, part in zip(fees, got, strict=True):
        assert part == min(fee, left)
        left -= part


def test_a_refused_claim_takes_no_part_of_the_pool() -> None:
    document = pool("pro_rata", gates=[{"type": "applicant_kind", "any_of": ["firm"], "clause": "1"}])
    team = Claim("team", parse_facts(facts_of(9000, kind="team", applicant={"id": "team"})))
    batch = decide(document, [claim("a", 900_000), team, claim("b", 300_000)])
    assert amounts(batch) == {"a": 750_000, "b": 250_000}
    assert isinstance(batch.outcomes["team"], Refused)


def test_the_division_is_told_once_for_the_batch_and_in_each_claim_that_it_cut() -> None:
    batch = decide(pool("pro_rata"), [claim("a", 900_000), claim("b", 600_000)])
    [step] = batch.steps
    assert step.key == "subsidy.step.divided"
    assert (step.params["left_fen"], step.params["claims_fen"], step.params["count"]) == (1_000_000, 1_500_000, 2)
    assert [outcome.binding_caps for outcome in batch.outcomes.values() if isinstance(outcome, Award)] == [("fund",), ("fund",)]
    assert batch.total_fen == 1_000_000


@pytest.mark.parametrize(("fund", "city"), [(1000, [75_000, 25_000]), (1600, [120_000, 40_000])])
def test_the_money_of_one_payer_can_be_divided_alone_and_only_that_is_asked_of_it(fund: int, city: list[int]) -> None:
    shares = [{"payer": "province", "share": "0.6"}, {"payer": "city", "share": "0.4"}]
    document = programme_document(
        rate=WHOLE,
        caps=[cap("city-fund", "pool", {"configured": True, "default": fund}, payer="city", divided="pro_rata")],
        payers={"rule": "largest_remainder", "shares": shares, "clause": "1"},
    )
    batch = decide(document, [claim("a", 300_000), claim("b", 100_000)])
    awards = [outcome for outcome in batch.outcomes.values() if isinstance(outcome, Award)]
    assert [[line.amount_fen for line in award.lines] for award in awards] == [[180_000, city[0]], [60_000, city[1]]]
    assert len(batch.steps) == (1 if fund == 1000 else 0)


def test_a_class_has_its_share_of_the_pool_also_in_proportion() -> None:
    outside = {"not": {"fact": "applicant.region_code", "starts_with": ["63"]}}
    caps = [
        cap("fund", "pool", POOL, divided="pro_rata"),
        cap("class", "pool", {"share": "0.2", "of": "fund"}, when=outside, divided="pro_rata"),
    ]
    far, near = {"region_code": "310104"}, {"region_code": "630102"}
    claims = [
        Claim(name, parse_facts(facts_of(fee, applicant={"id": name, **place})))
        for name, fee, place in (("x", 3000, far), ("y", 1000, far), ("z", 2000, near))
    ]
    assert amounts(decide(programme_document(rate=WHOLE, caps=caps), claims)) == {"x": 150_000, "y": 50_000, "z": 200_000}


def test_a_first_come_share_of_a_divided_pool_is_a_share_of_the_whole_pool() -> None:
    """Outside the province 8,000.00 of the 10,000.00: 8,000.00 and 6,000.00 are asked for, 5,714.29 and 4,285.71 given."""
    outside = {"not": {"fact": "applicant.region_code", "starts_with": ["63"]}}
    caps = [
        cap("fund", "pool", POOL, divided="pro_rata"),
        cap("class", "pool", {"share": "0.8", "of": "fund"}, when=outside),
    ]
    claims = [
        Claim(name, parse_facts(facts_of(fee, applicant={"id": name, "region_code": region})))
        for name, fee, region in (("x", 9000, "310104"), ("z", 6000, "630102"))
    ]
    assert amounts(decide(programme_document(rate=WHOLE, caps=caps), claims)) == {"x": 571_429, "z": 428_571}


def test_what_another_region_pays_of_a_claim_is_not_asked_of_a_divided_pool() -> None:
    """Of a 6,000.00 another region pays 2,000.00: 4,000.00 and b's 8,000.00 share 10,000.00, 3,333.33 and 6,666.67."""
    voucher = cap("voucher", "voucher", {"configured": True, "when_unset": "no_limit"})
    document = programme_document(rate=WHOLE, caps=[cap("fund", "pool", POOL, divided="pro_rata"), voucher])
    backed = replace(claim("a", 600_000), homes={"voucher": (Home("partner:CN-310000", 200_000),)})
    batch = decide(document, [backed, claim("b", 800_000)])
    assert amounts(batch) == {"a": 200_000 + 333_333, "b": 666_667}
    first = batch.outcomes["a"]
    assert isinstance(first, Award) and paid_by_homes(first) == {"partner:CN-310000": 200_000}
    assert batch.steps[0].params["claims_fen"] == 1_200_000
    assert amounts(decide(document, [claim("a", 600_000), claim("b", 800_000)])) == {"a": 428_571, "b": 571_429}, "the control"


@pytest.mark.parametrize(
    ("per", "groups", "other"),
    [
        ("firm_year", {"applicant": {"id": "one"}}, {"applicant": {"id": "two"}}),
        ("applicant_year", {"applicant": {"id": "one"}}, {"applicant": {"id": "two"}}),
        ("controller_year", {"applicant": {"controller": "one"}}, {"applicant": {"controller": "two"}}),
        ("instrument_year", {"instrument": {"id": "one"}}, {"instrument": {"id": "two"}}),
        ("owner_year", {"provider": {"id": "one"}}, {"provider": {"id": "two"}}),
        ("person_year", {"service": {"person": "one"}}, {"service": {"person": "two"}}),
        ("contract", {"service": {"contract_number": "one"}}, {"service": {"contract_number": "two"}}),
        ("voucher", {"request": {"voucher": "one"}}, {"request": {"voucher": "two"}}),
        ("unit_total", {"applicant": {"id": "one"}}, {"applicant": {"id": "two"}}),
    ],
)
def test_claims_of_the_same_subject_share_its_cap_and_others_do_not(
    per: str, groups: dict[str, Any], other: dict[str, Any]
) -> None:
    document = programme_document(rate=WHOLE, caps=[cap("shared", per, 1000)])
    claims = [Claim(name, parse_facts(facts_of(700, **who))) for name, who in (("1", groups), ("2", groups), ("3", other))]
    assert amounts(decide(document, claims)) == {"1": 70_000, "2": 30_000, "3": 70_000}
    opening = Opening({}, {("shared", "one"): Balance(None, 40_000)})
    assert amounts(decide(document, claims, opening)) == {"1": 60_000, "2": 0, "3": 70_000}


@pytest.mark.parametrize("per", ["order", "session", "contract", "payment"])
def test_a_cap_of_a_single_piece_is_every_claims_own(per: str) -> None:
    document = programme_document(rate=WHOLE, caps=[cap("own", per, 1000)])
    assert amounts(decide(document, [claim("a", 150_000), claim("b", 150_000)])) == {"a": 100_000, "b": 100_000}


@given(st.lists(st.tuples(st.integers(0, 200_000), st.sampled_from([None, "HT-1", "HT-2"])), min_size=1, max_size=8))
@settings(deadline=None)
def test_a_contract_is_its_number_and_a_second_engine_agrees(parts: list[tuple[int, str | None]]) -> None:
    document = programme_document(rate=WHOLE, caps=[cap("contract", "contract", 1000)])
    given_facts = [
        facts_of(plain_yuan(fee), service={"service_on": "2025-06-10"} | ({"contract_number": number} if number else {}))
        for fee, number in parts
    ]
    claims = [Claim(str(place), parse_facts(each)) for place, each in enumerate(given_facts)]
    assert list(amounts(decide(document, claims)).values()) == batch_of_contracts(document, given_facts, "contract")


def test_a_yearly_cap_begins_anew_on_the_day_that_the_document_names() -> None:
    document = programme_document(rate=WHOLE, caps=[cap("year", "firm_year", 1000)], year_starts="04-01")
    days = ("2025-01-15", "2025-03-31", "2025-04-01")
    claims = [Claim(day, parse_facts(facts_of(800, applicant={"id": "a"}, service={"service_on": day}))) for day in days]
    assert amounts(decide(document, claims)) == {"2025-01-15": 80_000, "2025-03-31": 20_000, "2025-04-01": 80_000}
    assert parse_programme(document).cap_year(claims[1].facts.service.service_on or pytest.fail()) == 2024


@given(FEES.filter(any), st.integers(1, 3_000_000), st.sampled_from([None, 4]))
@settings(deadline=None)
def test_a_rate_fixed_afterwards_is_the_pool_by_the_claims_within_its_range(
    fees: list[int], fund: int, decimals: int | None
) -> None:
    rate: dict[str, Any] = {"type": "ex_post", "at_least": "0.05", "at_most": "0.6", "assume": "0.3", "clause": "1"}
    if decimals is not None:
        rate |= {"decimals": decimals, "rounding": "down"}
    document = programme_document(rate=rate, caps=[cap("fund", "pool", POOL)])
    opening = Opening({"fund": Balance(fund, 0)}, {})
    batch = decide(document, [claim(str(n), fee) for n, fee in enumerate(fees)], opening)
    exact = min(Fraction(3, 5), max(Fraction(1, 20), Fraction(fund, sum(fees))))
    if decimals is not None:
        exact = Fraction(int(exact * 10**decimals), 10**decimals)
    computed = [outcome.computed_fen for outcome in batch.outcomes.values() if isinstance(outcome, Award)]
    assert computed == [int(fee * exact + Fraction(1, 2)) for fee in fees]
    assert batch.total_fen <= fund
    assert not any(outcome.estimate for outcome in batch.outcomes.values() if isinstance(outcome, Award))


def test_every_claim_has_an_id_of_its_own() -> None:
    with pytest.raises(ValueError, match="id of its own"):
        decide(programme_document(), [claim("a", 1), claim("a", 2)])
    assert decide(programme_document(), []).outcomes == {}


AFTERWARDS = {"type": "ex_post", "at_least": "0", "at_most": "0.5", "assume": "0.3", "clause": "1"}
LATER = {"mode": "refunded_later", "form": "post_claim_refund", "payee": "firm", "clause": "1"}
BESIDE = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": "1"}
FLAT = {"type": "flat", "rate": "0.1", "clause": "1"}
WORDS = {"zh": "一方", "en": "One side"}


def fact(path: str, value: str) -> dict[str, Any]:
    return {"fact": path, "is": value}


def of_sides(*sides: dict[str, Any]) -> dict[str, Any]:
    """A pool of 400 yuan for whatever has no pool of its own."""
    fund = cap("fund", "pool", {"configured": True, "default": 400})
    return programme_document(sides=[{"says": WORDS, **side} for side in sides], caps=[fund])


def test_of_two_ways_of_settlement_only_the_claims_of_its_own_count_for_a_rate_fixed_afterwards() -> None:
    document = of_sides(
        {"id": "later", "when": fact("request.settlement", "refund"), "rate": AFTERWARDS, "settlement": LATER},
        {"id": "beside", "when": fact("request.settlement", "redeem"), "rate": FLAT, "settlement": BESIDE},
    )
    claims = [claim(way, 1000_00, request={"settlement": way}) for way in ("refund", "redeem")]
    batch = decide(document, claims)
    # 400.00 by the 1,000.00 of the one claim that asks for it.
    assert batch.steps[0].params["count"] == 1 and batch.steps[0].params["claims_fen"] == 1000_00
    assert amounts(batch)["refund"] == 400_00


@pytest.mark.parametrize("place", [0, 1], ids=["of the user", "of the owner"])
def test_where_both_sides_claim_a_rate_fixed_afterwards_counts_each_as_the_claim_that_it_is(place: int) -> None:
    whose = ("user", "owner")
    gate = {"type": "condition", "clause": "1", "when": fact("request.side", whose[place]), "says": WORDS}
    sides = [
        {"id": "user", "when": fact("request.side", "user"), "rate": FLAT, "settlement": LATER},
        {"id": "owner", "when": fact("request.side", "owner"), "rate": FLAT, "settlement": BESIDE},
    ]
    sides[place] |= {"rate": AFTERWARDS, "gates": [gate]}
    sides[1 - place]["when"] = {"all": [sides[1 - place]["when"], fact("applicant.id", "a")]}
    claims = [claim(name, 1000_00, request={"side": "both"}) for name in ("a", "b")]
    batch = decide(of_sides(*sides), claims)
    assert (batch.steps[0].params["count"], batch.steps[0].params["claims_fen"]) == (2, 2000_00)
    awards = [outcome for outcome in batch.outcomes.values() if isinstance(outcome, Award) and outcome.sides]
    own = [side.total_fen for award in awards for side in award.sides or () if side.side == whose[place]]
    assert own[0] == 200_00  # a fifth of 1,000.00
    programme = parse_programme(of_sides(*sides))
    decided = over_batch(programme, [remembered(each) for each in claims], NOTHING_USED, Remembering())
    assert [each.total_fen for each in decided.outcomes if isinstance(each, Award)] == list(amounts(batch).values())


def remembered(one: Claim) -> NamedClaim:
    """As a trial has it."""
    facts = one.facts
    request = Request.of(facts, facts.service, facts.amounts, facts.quantities)
    return NamedClaim(one.id, request.facts, {}, Named(one.id, "service", "money"), request)


def test_a_rate_fixed_afterwards_on_one_side_is_decided_for_the_whole_batch() -> None:
    afterwards = {"type": "ex_post", "at_least": "0.05", "at_most": "0.6", "assume": "0.3", "clause": "1"}
    document = load("SD-2019")
    assert not has_batch_rules(parse_programme(document))
    document["sides"][1]["rate"] = afterwards
    assert has_batch_rules(parse_programme(document))
