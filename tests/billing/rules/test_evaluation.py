"""Evaluating one programme: amounts, caps, payers and refusals, over many documents."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.ledger.rules.documents import DocumentError
from billing.ledger.rules.money import plain_yuan
from billing.subsidy.rules import Award, Balance, Refused, evaluate, parse_facts, parse_programme
from billing.subsidy.rules.facts import facts_document
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.rules.programme_faults import _brief
from tests.billing.rules.builders import REFUNDED, cap, facts_of, load, programme_document

FEES = st.integers(min_value=0, max_value=10**9)
TWO_PAYERS = [{"payer": "province", "share": "0.7"}, {"payer": "prefecture", "share": "0.3"}]


def award(document: dict[str, Any], facts: dict[str, Any], **balances: Balance) -> Award:
    named = {name.replace("_", "-"): balance for name, balance in balances.items()}
    outcome = evaluate(parse_programme(document), parse_facts(facts), named)
    assert isinstance(outcome, Award), outcome
    return outcome


def refused(document: dict[str, Any], facts: dict[str, Any], **balances: Balance) -> list[str]:
    named = {name.replace("_", "-"): balance for name, balance in balances.items()}
    outcome = evaluate(parse_programme(document), parse_facts(facts), named)
    assert isinstance(outcome, Refused), outcome
    return [reason.code for reason in outcome.reasons]


# Amounts -------------------------------------------------------------------------------------------------------------


@given(FEES, FEES)
@settings(deadline=None)
def test_who_spends_more_never_gets_less_under_marginal_tiers(one: int, other: int) -> None:
    programme = parse_programme(load("DEMO-QH-A") | {"caps": [], "gates": [], "adjustments": [], "examples": []})
    low, high = sorted((one, other))
    amounts = [
        evaluate(programme, parse_facts(facts_of(plain_yuan(fee))), {}).total_fen  # type: ignore[union-attr]
        for fee in (low, high)
    ]
    assert amounts[0] <= amounts[1] <= high


@given(FEES)
@settings(deadline=None)
def test_tiers_agree_with_an_implementation_in_fractions(fee: int) -> None:
    document = load("DEMO-QH-A") | {"caps": [], "gates": [], "adjustments": [], "examples": []}
    tiers = [(2_000_000, Fraction(1, 2)), (10_000_000, Fraction(2, 5)), (10**15, Fraction(3, 10))]
    exact, start = Fraction(0), 0
    for end, rate in tiers:
        exact += max(0, min(fee, end) - start) * rate
        start = end
    assert award(document, facts_of(plain_yuan(fee))).total_fen == int(exact + Fraction(1, 2))


def test_a_fraction_of_a_fen_is_kept_until_the_one_rounding() -> None:
    found = award(load("DEMO-QH-A"), load("DEMO-QH-A")["examples"][6]["facts"])
    fractions = [(step.key, step.amount_fen, step.params["exact_fen"]) for step in found.steps if "exact_fen" in step.params]
    assert fractions[0] == ("subsidy.step.tier", 1260001, "1260001.2")
    assert found.total_fen == found.computed_fen == 1260001


def test_a_tier_that_is_not_reached_is_not_part_of_the_working() -> None:
    tiers = {"type": "tiers", "clause": "1", "tiers": [{"up_to": 100, "rate": "0.5"}, {"rate": "0.1"}]}
    reached = [
        [step.params["slice_fen"] for step in award(programme_document(rate=tiers), facts_of(fee)).steps if step.part == "rate"]
        for fee in ("100", "100.01")
    ]
    assert reached == [[10_000], [10_000, 1]]


def test_an_unknown_grade_makes_an_estimate_with_the_grade_the_document_assumes() -> None:
    quality = {"type": "quality_factor", "clause": "1", "factors": {"A": "1.0", "B": "0.9"}, "assume": "B"}
    document = programme_document(adjustments=[quality])
    guessed = award(document, facts_of(100))
    known = award(document, facts_of(100, quality={"grade": "B"}))
    assert (guessed.total_fen, guessed.estimate) == (4500, True)
    assert (known.total_fen, known.estimate) == (4500, False)
    assert refused(document, facts_of(100, quality={"grade": "Z"})) == ["subsidy.unmet.grade_unknown"]


def test_adjustments_apply_in_the_order_of_the_document() -> None:
    quality = {"type": "quality_factor", "clause": "1", "factors": {"B": "0.9"}, "assume": "B"}
    bonus = {"type": "first_use_bonus", "clause": "1", "amount": 10, "only_with_subsidy": True}
    facts = facts_of(100, applicant={"first_use": True}, quality={"grade": "B"})
    assert award(programme_document(adjustments=[quality, bonus]), facts).total_fen == 5500
    assert award(programme_document(adjustments=[bonus, quality]), facts).total_fen == 5400


def test_a_bonus_can_be_given_even_on_nothing() -> None:
    bonus = {"type": "first_use_bonus", "clause": "1", "amount": 10, "only_with_subsidy": False}
    nothing = {"type": "flat", "clause": "1", "rate": "0"}
    facts = facts_of(100, applicant={"first_use": True})
    assert award(programme_document(adjustments=[bonus], rate=nothing), facts).total_fen == 1000
    bonus["only_with_subsidy"] = True
    assert award(programme_document(adjustments=[bonus], rate=nothing), facts).total_fen == 0


def test_a_subsidy_never_exceeds_its_base_even_with_a_bonus() -> None:
    bonus = {"type": "first_use_bonus", "clause": "1", "amount": 1000, "only_with_subsidy": True}
    found = award(programme_document(adjustments=[bonus]), facts_of("600.00", applicant={"first_use": True}))
    assert (found.computed_fen, found.total_fen) == (130000, 60000)
    assert found.steps[-3].key == "subsidy.step.within_cost"
    whole = {"step": "yuan", "mode": "half_up", "clause": "1"}
    document = programme_document(adjustments=[bonus], rounding=whole)
    assert award(document, facts_of("600.99", applicant={"first_use": True})).total_fen == 60000


def test_a_minimum_charge_carries_no_subsidy_unless_the_document_says_so() -> None:
    facts = facts_of(300, amounts={"minimum_top_up": 100})
    excluded = {"amount": "fee", "minimum_charge": "excluded", "clause": "1"}
    assert award(programme_document(base=excluded), facts).total_fen == 10000
    assert award(programme_document(), facts).total_fen == 15000


@given(FEES, st.sampled_from(["fen", "yuan"]), st.sampled_from(["half_up", "down"]))
@settings(deadline=None)
def test_claims_are_rounded_as_an_implementation_in_fractions_says(fee: int, step: str, mode: str) -> None:
    document = programme_document(
        rounding={"step": step, "mode": mode, "clause": "1"}, rate={"type": "flat", "clause": "1", "rate": "0.333333"}
    )
    unit = 100 if step == "yuan" else 1
    exact = fee * Fraction(333333, 1_000_000) / unit
    expected = int(exact + (Fraction(1, 2) if mode == "half_up" else 0)) * unit
    found = award(document, facts_of(plain_yuan(fee)))
    assert found.computed_fen == expected
    assert found.total_fen == min(expected, fee - fee % unit)


# Caps ----------------------------------------------------------------------------------------------------------------

CAPS = [
    cap("order", "order", 50_000),
    cap("firm-year", "firm_year", 150_000),
    cap("team-year", "team_year", 20_000),
    cap("pool", "pool", {"configured": True, "default": 500_000}),
    cap("prefecture", "pool", 9_000, payer="prefecture"),
]
ACCOUNTS = st.fixed_dictionaries(
    {},
    optional={
        name: st.builds(Balance, st.none() | st.integers(0, 10**8), st.integers(0, 10**8))
        for name in ("firm-year", "team-year", "pool", "prefecture")
    },
)


def capped(rule: str = "named_rest", step: str = "fen") -> dict[str, Any]:
    payers = {"rule": rule, "shares": TWO_PAYERS, "clause": "1"}
    if rule == "named_rest":
        payers |= {"rest": "province", "rounding": "half_up"}
    return programme_document(caps=CAPS, payers=payers, rounding={"step": step, "mode": "half_up", "clause": "1"})


LIMITS = {"firm-year": 15_000_000, "team-year": 2_000_000, "pool": 50_000_000, "prefecture": 900_000}


@given(
    FEES,
    st.sampled_from(["firm", "team"]),
    ACCOUNTS,
    st.sampled_from(["named_rest", "largest_remainder"]),
    st.sampled_from(["fen", "yuan"]),
)
@settings(max_examples=200, deadline=None)
def test_no_award_exceeds_a_cap_or_its_base_and_its_lines_sum(
    fee: int, kind: str, balances: dict[str, Balance], rule: str, step: str
) -> None:
    outcome = evaluate(parse_programme(capped(rule, step)), parse_facts(facts_of(plain_yuan(fee), kind)), balances)
    assert isinstance(outcome, Award)
    assert 0 <= outcome.total_fen <= min(fee, 5_000_000)
    assert outcome.total_fen == sum(line.amount_fen for line in outcome.lines)
    assert all(line.amount_fen >= 0 for line in outcome.lines)
    other = "team-year" if kind == "firm" else "firm-year"
    assert set(outcome.draws) == set(LIMITS) - {other}
    for name, draw in outcome.draws.items():
        balance = balances.get(name, Balance())
        limit = LIMITS[name]
        if balance.limit_fen is not None:
            limit = balance.limit_fen if name == "pool" else min(limit, balance.limit_fen)
        assert draw <= max(0, limit - balance.used_fen)
        assert outcome.left_after[name] == max(0, limit - balance.used_fen) - draw
    assert outcome.draws["prefecture"] == outcome.lines[1].amount_fen
    assert outcome.draws["pool"] == outcome.total_fen
    if not outcome.binding_caps:
        assert outcome.total_fen == min(outcome.computed_fen, fee - fee % (100 if step == "yuan" else 1))


def test_without_the_guard_the_caps_would_be_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    facts, used = facts_of(200_000), {"firm-year": Balance(None, 14_000_000)}
    programme = parse_programme(capped())
    guarded = evaluate(programme, parse_facts(facts), used)
    monkeypatch.setattr(Cap, "room", lambda _cap, _balance, _facts=None, _balances=None: 10**12)
    unguarded = evaluate(programme, parse_facts(facts), used)
    assert isinstance(guarded, Award)
    assert isinstance(unguarded, Award)
    assert guarded.draws["firm-year"] <= 15_000_000 - 14_000_000 < unguarded.draws["firm-year"]


def test_a_yearly_cap_of_firms_is_not_one_of_teams() -> None:
    team = award(capped(), facts_of(100_000, "team"))
    assert team.binding_caps == ("team-year", "prefecture") or team.binding_caps == ("team-year",)
    assert [each.id for each in parse_programme(capped()).accounts_for("team")] == ["team-year", "pool", "prefecture"]
    assert [each.id for each in parse_programme(capped()).accounts_for("firm")] == ["firm-year", "pool", "prefecture"]


def test_a_payer_without_money_shortens_only_its_own_line() -> None:
    found = award(capped(), facts_of(80_000), prefecture=Balance(None, 899_900))
    assert [(line.payer, line.amount_fen) for line in found.lines] == [("province", 2_800_000), ("prefecture", 100)]
    assert (found.total_fen, found.draws["pool"], found.binding_caps) == (2_800_100, 2_800_100, ("prefecture",))


def test_what_a_cap_leaves_is_cut_down_to_whole_yuan_where_only_whole_yuan_are_paid() -> None:
    found = award(capped(step="yuan"), facts_of(1000), firm_year=Balance(None, 15_000_000 - 9_999))
    assert found.total_fen == 9_900
    assert found.left_after["firm-year"] == 99


def test_an_issued_quota_lowers_a_fixed_cap_and_never_raises_it() -> None:
    assert award(capped(), facts_of(50_000), firm_year=Balance(1_000_000, 0)).total_fen == 1_000_000
    assert award(capped(), facts_of(80_000), firm_year=Balance(99_000_000, 14_999_999)).total_fen == 1


def test_a_configured_limit_replaces_the_default_both_ways() -> None:
    used = 50_000_000
    assert award(capped(), facts_of(100), pool=Balance(None, used)).total_fen == 0
    assert award(capped(), facts_of(100), pool=Balance(60_000_000, used)).total_fen == 5_000


def test_an_all_or_nothing_cap_refuses_instead_of_granting_a_part() -> None:
    document = programme_document(caps=[cap("pool", "pool", 100, when_short="refuse")])
    assert award(document, facts_of(200)).total_fen == 10_000
    assert refused(document, facts_of("200.02")) == ["subsidy.unmet.cap_short"]
    own = programme_document(caps=[cap("pool", "pool", 100, when_short="refuse", payer="province")])
    assert refused(own, facts_of("200.02")) == ["subsidy.unmet.cap_short"]


def test_a_limit_that_nobody_set_refuses_or_does_not_limit_as_the_document_says() -> None:
    unset = {"configured": True, "when_unset": "refuse"}
    assert refused(programme_document(caps=[cap("unit", "unit_total", unset)]), facts_of(100)) == ["subsidy.unmet.limit_not_set"]
    unset["when_unset"] = "no_limit"
    free = award(programme_document(caps=[cap("unit", "unit_total", unset)]), facts_of(100))
    assert (free.total_fen, free.draws) == (5_000, {})


# Payers --------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**9), st.integers(0, 10), st.integers(0, 10), st.sampled_from(["half_up", "down"]))
@settings(deadline=None)
def test_the_named_payer_takes_exactly_what_rounding_leaves(total: int, first: int, second: int, mode: str) -> None:
    if first + second > 10:
        first, second = 10 - first, 10 - second
    shares = [Decimal(part) / 10 for part in (first, second, 10 - first - second)]
    named = [{"payer": name, "share": str(share)} for name, share in zip("abc", shares, strict=True)]
    payers = {"rule": "named_rest", "shares": named, "rest": "c", "rounding": mode, "clause": "1"}
    document = programme_document(payers=payers, rate={"type": "flat", "clause": "1", "rate": "1"})
    found = award(document, facts_of(plain_yuan(total)))
    amounts = [line.amount_fen for line in found.lines]
    assert sum(amounts) == total
    assert min(amounts) >= 0
    half = Fraction(1, 2) if mode == "half_up" else 0
    assert amounts[0] == int(total * Fraction(shares[0]) + half)


THIRDS = [{"payer": name, "share": "1/3"} for name in ("province", "city", "county")]


@pytest.mark.parametrize(
    ("payers", "parts"),
    [
        ({"rule": "largest_remainder", "shares": THIRDS}, [33_34, 33_33, 33_33]),
        ({"rule": "named_rest", "shares": THIRDS, "rest": "county", "rounding": "down"}, [33_33, 33_33, 33_34]),
        ({"rule": "named_rest", "shares": THIRDS, "rest": "county", "rounding": "down", "step": "yuan"}, [33_00, 33_00, 34_00]),
        ({"rule": "named_rest", "shares": THIRDS, "rest": "county", "rounding": "up", "step": "10"}, [40_00, 40_00, 20_00]),
        ({"rule": "named_rest", "shares": THIRDS, "rest": "county", "rounding": "up", "step": "100"}, [100_00, 0, 0]),
    ],
)
def test_three_levels_pay_a_third_each_exactly_and_in_whole_steps_where_it_says_so(
    payers: dict[str, Any], parts: list[int]
) -> None:
    document = programme_document(payers={**payers, "clause": "1"}, rate={"type": "flat", "clause": "1", "rate": "1"})
    assert [line.amount_fen for line in award(document, facts_of(100)).lines] == parts


THIRD = {"type": "flat", "clause": "1", "rate": "1/3"}
FIRM = {"fact": "applicant.kind", "is": "firm"}
SAYS = {"zh": "条件", "en": "Condition"}


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({"rate": THIRD}, 1_000_00),
        ({"rate": THIRD, "rounding": {"step": "yuan", "mode": "down", "clause": "1"}}, 1_000_00),
        ({"rate": THIRD, "adjustments": [{"type": "factor", "factor": "1.5", "clause": "1"}]}, 1_500_00),
        ({"rate": THIRD, "adjustments": [{"type": "uplift", "points": "0.1", "clause": "1"}]}, 1_300_00),
        ({"rate": THIRD | {"rate": "1"}, "adjustments": [{"type": "rate_limit", "rate": "2/3", "clause": "1"}]}, 2_000_00),
        ({"rate": THIRD, "adjustments": [{"type": "rate_limit", "rate": "0.3", "clause": "1"}]}, 900_00),
        (
            {
                "rate": THIRD | {"rate": "1"},
                "adjustments": [
                    {
                        "type": "rate_limit",
                        "rate": "2/3",
                        "of": "amounts.fee",
                        "counting": ["amounts.other_subsidies"],
                        "clause": "1",
                    }
                ],
            },
            1_500_00,
        ),
        ({"rate": {"type": "tiers", "clause": "1", "tiers": [{"up_to": 1000, "rate": "1/3"}, {"rate": "1/6"}]}}, 666_67),
        ({"rate": {"type": "brackets", "clause": "1", "brackets": [{"up_to": 9000, "rate": "1/3"}, {"rate": "0.1"}]}}, 1_000_00),
        (
            {
                "rate": {
                    "type": "cases",
                    "clause": "1",
                    "otherwise": "1/3",
                    "cases": [{"when": {"not": FIRM}, "says": SAYS, "rate": "1"}],
                }
            },
            1_000_00,
        ),
        (
            {
                "rate": {
                    "type": "best_of",
                    "clause": "1",
                    "cases": [{"when": FIRM, "says": SAYS, "rate": rate} for rate in ("0.3333", "1/3")],
                }
            },
            1_000_00,
        ),
    ],
)
def test_a_third_is_a_third_to_the_fen(changes: dict[str, Any], total: int) -> None:
    document = programme_document(**changes)
    assert award(document, facts_of(3000, amounts={"other_subsidies": 500})).total_fen == total


def test_a_third_is_told_as_it_is_written_and_a_step_keeps_what_is_no_fen() -> None:
    (step,) = [each for each in award(programme_document(rate=THIRD), facts_of(100)).steps if each.part == "rate"]
    assert step.params == {"base_fen": 100_00, "rate": "1/3", "exact_fen": "10000/3"} and step.amount_fen == 33_33


def test_a_fraction_that_is_the_whole_is_the_whole() -> None:
    assert award(programme_document(rate=THIRD | {"rate": "3/3"}), facts_of(100)).total_fen == 100_00


def test_of_a_text_that_is_too_long_the_beginning_and_the_end_stand() -> None:
    assert [_brief(text, 12) for text in ("abcdefghijkl", "abcdefghijklmno")] == ["abcdefghijkl", "abcdefgh … lmno"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"rate": THIRD | {"rate": "4/3"}}, "$.rate.rate"),
        (
            {"rate": {"type": "cases", "clause": "1", "otherwise": "4/3", "cases": [{"when": FIRM, "says": SAYS, "rate": "1"}]}},
            "$.rate.otherwise",
        ),
        ({"adjustments": [{"type": "rate_limit", "rate": "4/3", "clause": "1"}]}, "$.adjustments[0].rate"),
        ({"sides": [{"id": "a", "rate": THIRD | {"rate": "4/3"}}, {"id": "b"}]}, "$.sides[0].rate.rate"),
    ],
)
def test_a_rate_above_one_is_named_however_it_is_written(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(DocumentError) as wrong:
        parse_programme(programme_document(**changes))
    assert [(fault.path, "'4/3' is above 1" in fault.message) for fault in wrong.value.faults] == [(path, True)]


@pytest.mark.parametrize(
    ("shares", "path", "says"),
    [
        (["1/3", "1/3"], "$.payers.shares", "must sum to 1"),
        (["1/0", "1"], "$.payers.shares[0].share", "A rate or share from 0 to 1"),
        (["1/3 ", "2/3"], "$.payers.shares[0].share", "A rate or share from 0 to 1"),
        (["1", "-1/2"], "$.payers.shares[1].share", "A rate or share from 0 to 1"),
    ],
)
def test_shares_that_are_none_or_are_not_the_whole_are_named(shares: list[str], path: str, says: str) -> None:
    named = [{"payer": f"p{place}", "share": share} for place, share in enumerate(shares)]
    with pytest.raises(DocumentError) as wrong:
        parse_programme(programme_document(payers={"rule": "largest_remainder", "shares": named, "clause": "1"}))
    assert [(fault.path, says in fault.message) for fault in wrong.value.faults] == [(path, True)]


def test_the_payee_follows_the_way_of_settlement() -> None:
    now = award(programme_document(), facts_of(100))
    later = award(programme_document(settlement=REFUNDED), facts_of(100))
    assert (now.mode, now.payee, now.lines[0].payee) == ("deducted_now", "provider", "provider")
    assert (later.mode, later.payee, later.lines[0].payee) == ("refunded_later", "firm", "firm")


# Gates ---------------------------------------------------------------------------------------------------------------


def region(**areas: Any) -> dict[str, Any]:
    gate = {"type": "region", "subject": "applicant", "clause": "1", **areas}
    return programme_document(gates=[gate])


@pytest.mark.parametrize(
    ("prefix", "code", "inside"),
    [
        ("63", "630102", True),
        ("6328", "632801", True),
        ("6328", "632501", False),
        ("630102", "630102", True),
        ("63", "310163", False),
    ],
)
def test_a_region_is_a_prefix_of_the_code(prefix: str, code: str, inside: bool) -> None:
    facts = facts_of(100, applicant={"region_code": code})
    if inside:
        assert award(region(any_of=[{"code_prefix": prefix}]), facts).total_fen == 5_000
        assert refused(region(none_of=[{"code_prefix": prefix}]), facts) == ["subsidy.unmet.region_excluded"]
    else:
        assert refused(region(any_of=[{"code_prefix": prefix}]), facts) == ["subsidy.unmet.region"]
        assert award(region(none_of=[{"code_prefix": prefix}]), facts).total_fen == 5_000


def test_a_code_that_nobody_knows_is_missing_where_a_zone_does_not_answer() -> None:
    """As of any gate that cannot be told: it refuses and names the fact, allowed or excluded by code."""
    zone, code = {"zone": "high-tech"}, {"code_prefix": "6301"}
    known = facts_of(100, applicant={"policy_zones": ["high-tech"]})
    missing = ["subsidy.unmet.fact_missing"]
    assert refused(region(any_of=[zone], none_of=[code]), known) == missing
    assert refused(region(none_of=[code]), known) == missing
    assert refused(region(any_of=[code]), known) == missing
    assert refused(region(any_of=[code], none_of=[zone]), known) == ["subsidy.unmet.region_excluded"]
    assert refused(region(any_of=[{"zone": "other"}], none_of=[code]), known) == ["subsidy.unmet.region"]
    assert award(region(any_of=[zone, code]), known).total_fen == 5_000
    assert award(region(any_of=[zone], none_of=[{"zone": "other"}]), known).total_fen == 5_000


def test_a_policy_zone_stands_beside_the_code() -> None:
    areas = [{"code_prefix": "6301"}, {"zone": "high-tech"}]
    inside = facts_of(100, applicant={"region_code": "632801", "policy_zones": ["high-tech"]})
    assert award(region(any_of=areas), inside).total_fen == 5_000
    elsewhere = facts_of(100, applicant={"region_code": "632801", "policy_zones": ["other"]})
    assert refused(region(any_of=areas), elsewhere) == ["subsidy.unmet.region"]


def test_a_refusal_names_every_unmet_gate_once_with_its_clause() -> None:
    example = next(each for each in load("DEMO-QH-A")["examples"] if each["title"] == "everything wrong at once")
    outcome = evaluate(parse_programme(load("DEMO-QH-A")), parse_facts(example["facts"]), {})
    assert isinstance(outcome, Refused)
    assert [reason.clause for reason in outcome.reasons] == ["1", "2", "2", "2", "2", "3"]
    assert outcome.steps == ()


def test_a_fact_that_two_rules_of_a_clause_miss_is_told_once() -> None:
    gate = {"type": "minimum_spend", "of": "contract", "amount": 1, "clause": "1"}
    base = {"amount": "contract", "minimum_charge": "included", "clause": "1"}
    assert refused(programme_document(gates=[gate], base=base), facts_of(100)) == ["subsidy.unmet.fact_missing"]


def test_an_organisation_nobody_verified_is_refused_whether_denied_or_unknown() -> None:
    gate = {"type": "verified_organisation", "subject": "provider", "clause": "1"}
    document = programme_document(gates=[gate])
    assert refused(document, facts_of(100)) == ["subsidy.unmet.verified_organisation"]
    assert refused(document, facts_of(100, provider={"verified": False})) == ["subsidy.unmet.verified_organisation"]
    assert award(document, facts_of(100, provider={"verified": True})).total_fen == 5_000


# Sessions of a lab's own list ------------------------------------------------------------------------------------------


def _brought(imported: bool | None) -> dict[str, Any]:
    service = {"service_on": "2025-06-10"} | ({} if imported is None else {"imported": imported})
    return facts_of("100", service=service)


def test_what_was_brought_along_is_covered_only_where_the_document_says_so() -> None:
    silent = programme_document()
    allowing = programme_document(imported_sessions={"allowed": True, "clause": "1"})
    refusing = programme_document(imported_sessions={"allowed": False, "clause": "1"})
    assert refused(silent, _brought(True)) == ["subsidy.unmet.imported"] == refused(refusing, _brought(True))
    assert award(allowing, _brought(True)).total_fen == 5000
    for document in (silent, allowing, refusing):
        for booked_here in (None, False):
            assert award(document, _brought(booked_here)).total_fen == 5000


def test_the_mark_of_a_brought_session_survives_writing_and_reading() -> None:
    for imported in (True, False, None):
        facts = parse_facts(_brought(imported))
        assert facts.service.imported is imported and parse_facts(facts_document(facts)) == facts


# Ends of what can be said -----------------------------------------------------------------------------------------------


def test_a_life_that_runs_beyond_the_calendar_ends_with_it() -> None:
    days = {"first_day": "2025-01-01", "last_day": "2025-12-31", "clause": "1"}
    life = {"after": "request.voucher_issued_on", "months": 1200, "last_day": "included"}
    document = programme_document(validity={**days, "windows": [{"date": "service.claim_on", "within": life}]})
    facts = facts_of(100, service={"claim_on": "9999-12-31"}, request={"voucher_issued_on": "9999-12-01"})
    assert award(document, facts).total_fen == 5_000
    life |= {"days": 36_500}
    del life["months"]
    assert award(document, facts).total_fen == 5_000


@pytest.mark.parametrize("odd", ["twelve", True, None])
def test_a_quantity_of_ones_own_that_is_no_number_is_told_as_not_known(odd: Any) -> None:
    base, rate = {"quantity": "other.kilometres", "clause": "1"}, {"type": "per_unit", "amount": 2, "clause": "1"}
    beside = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": "1"}
    document = programme_document(base=base, rate=rate, settlement=beside)
    facts = facts_of(100, other={} if odd is None else {"kilometres": odd})
    assert refused(document, facts) == ["subsidy.unmet.fact_missing"]
    assert award(document, facts_of(100, other={"kilometres": 12})).total_fen == 2_400


def test_of_several_rates_one_that_cannot_be_worked_out_is_passed() -> None:
    says = {"zh": "条件", "en": "Condition"}
    firm, team = ({"fact": "applicant.kind", "is": kind} for kind in ("firm", "team"))
    nobody = {"type": "cases", "cases": [{"when": team, "says": says, "rate": "0.9"}]}
    unset = {"type": "chosen", "at_most": "0.8", "when_not_chosen": "refuse"}
    cases = [{"when": firm, "says": says, "rate": rate} for rate in (nobody, unset, "0.3")]
    found = award(programme_document(rate={"type": "best_of", "clause": "1", "cases": cases}), facts_of(100))
    assert (found.total_fen, found.estimate) == (3_000, False)
