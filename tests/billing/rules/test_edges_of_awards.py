"""Where one comparison, one sign or one default of the subsidy rules decides: the very edge, the last fen, the second of two."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.ledger.rules.documents import DocumentError
from billing.pricing.rules.steps import Step
from billing.subsidy.rules import Award, Balance, Refused, evaluate, parse_facts, parse_programme
from billing.subsidy.rules.assess import Candidate, assess_nothing, assess_session
from billing.subsidy.rules.batch import Claim, Opening, evaluate_batch
from billing.subsidy.rules.codec import _plain, differences
from billing.subsidy.rules.cutting import Cutting, Worked
from billing.subsidy.rules.engines import named
from billing.subsidy.rules.examples import AMOUNTS, _as_asked, _opening, _run_batch, _sum_of, price_of, run_example
from billing.subsidy.rules.fact_fields import FIELDS, _fields
from billing.subsidy.rules.facts import NO_MORE, Facts, GroupsRead, Listing, frozen_facts
from billing.subsidy.rules.other_years import _later
from billing.subsidy.rules.outcome import SettlementMode, Unmet
from billing.subsidy.rules.parts.adjustments import LeastAward
from billing.subsidy.rules.parts.caps import parse_cap
from billing.subsidy.rules.parts.conditions import OPERATORS, condition_faults, facts_named, parse_condition
from billing.subsidy.rules.parts.days import add_months, in_window
from billing.subsidy.rules.parts.exact import at_most
from billing.subsidy.rules.parts.gates import parse_gate
from billing.subsidy.rules.parts.payers_match import match_faults
from billing.subsidy.rules.programme import _asks_what_was_paid
from billing.subsidy.rules.programme_faults import document_faults
from billing.subsidy.rules.reach import reaches
from billing.subsidy.rules.sample_codec import KIND, is_of_samples
from billing.subsidy.rules.sides import in_one_way
from config.kernel.time_range import TimeRange
from tests.billing.rules.builders import REFUNDED, cap, facts_of, programme_document
from tests.billing.rules.test_assessment import SCHEDULE
from tests.billing.rules.test_remembered import check_all
from tests.billing.rules.test_sides import BESIDE

DEDUCTED = {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "provider", "clause": "1"}
SAYS = {"zh": "条件", "en": "Condition"}
FIRM = {"fact": "applicant.kind", "is": "firm"}
TODAY = date(2025, 6, 10)


def flat(rate: str) -> dict[str, Any]:
    return {"type": "flat", "rate": rate, "clause": "1"}


def two_sides(first: dict[str, Any], second: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Three fifths of the fee on each of two sides."""
    sides = [{"id": name, "settlement": settled} for name, settled in (("a", first), ("b", second))]
    return programme_document(rate=flat("0.6"), sides=sides, **changes)


def awarded(document: dict[str, Any], facts: dict[str, Any], balances: Any = None, left: int | None = None) -> Award:
    found = evaluate(parse_programme(document), parse_facts(facts), balances or {}, cost_left_fen=left)
    assert isinstance(found, Award), found
    return found


def refused(document: dict[str, Any], facts: dict[str, Any]) -> list[Unmet]:
    found = evaluate(parse_programme(document), parse_facts(facts), {})
    assert isinstance(found, Refused), found
    return list(found.reasons)


def parts(award: Award) -> list[int]:
    return [line.amount_fen for line in award.lines]


def keys(award: Award) -> list[str]:
    return [step.key.removeprefix("subsidy.step.") for step in award.steps]


# --- Several sides ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "second", "given"),
    [
        (DEDUCTED, DEDUCTED, [60_00, 40_00]),
        (DEDUCTED, REFUNDED, [60_00, 40_00]),
        (BESIDE, DEDUCTED, [60_00, 60_00]),
        (DEDUCTED, BESIDE, [60_00, 60_00]),
    ],
)
def test_sides_never_take_more_than_the_cost_together_but_for_what_is_paid_beside_it(
    first: dict[str, Any], second: dict[str, Any], given: list[int]
) -> None:
    assert parts(awarded(two_sides(first, second), facts_of(100), left=100_00)) == given


def test_a_promise_is_one_for_all_sides_and_what_it_cuts_is_told() -> None:
    document = two_sides(DEDUCTED, DEDUCTED, caps=[cap("fund", "pool", 10_000)])
    found = awarded(document, facts_of(100), {"fund": Balance(promised_fen=80_00)})
    assert parts(found) == [60_00, 20_00] and keys(found).count("promise_cut") == 1


def test_each_way_of_settlement_tells_the_base_of_its_own_side() -> None:
    owner = {
        "id": "owner",
        "settlement": BESIDE,
        "base": {"quantity": "samples", "clause": "1"},
        "rate": {"type": "per_unit", "amount": 5, "clause": "1"},
    }
    user = {"id": "user", "settlement": REFUNDED, "rounding": {"step": "fen", "mode": "down", "per": "line", "clause": "1"}}
    facts = facts_of(100, amounts={"lines": ["60", "40"]}, quantities={"samples": 3})
    whole = awarded(programme_document(sides=[owner, user]), facts)
    assert parts(whole) == [15_00, 50_00]
    assert in_one_way(whole, SettlementMode.REFUNDED_LATER).base_fen == 100_00
    assert in_one_way(whole, SettlementMode.PAID_BESIDE).base_fen == whole.base_fen


def test_what_the_sides_deduct_from_a_session_is_deducted() -> None:
    start = datetime(2025, 6, 10, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    during = TimeRange(start, start + timedelta(hours=2))
    programme = parse_programme(two_sides(DEDUCTED, REFUNDED))
    found = assess_session(
        SCHEDULE,
        during,
        ZoneInfo("Asia/Shanghai"),
        "firm_sme",
        (Candidate(programme, parse_facts({"applicant": {"kind": "firm"}}), {}),),
    )
    assert (found.gross_fen, found.deducted_fen, found.refunded_fen) == (1000_00, 600_00, 400_00)
    assert (found.payable_now_fen, found.final_cost_fen) == (400_00, 0)


# --- Cutting ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("cost", "left", "total"), [(800, 900, 800), (800, 700, 700), (None, 500, 500), (800, None, 800)])
def test_the_lower_of_the_cost_and_what_others_left_of_it_limits(cost: int | None, left: int | None, total: int) -> None:
    programme = parse_programme(programme_document())
    found = Cutting(programme, parse_facts(facts_of(10)), {}, []).award(Worked(1000, 1000, cost, TODAY, False), left)
    assert isinstance(found, Award) and found.total_fen == total


def in_order(*caps: dict[str, Any]) -> dict[str, Any]:
    """The city pays what the county's own caps leave."""
    payers = {"rule": "in_order", "order": [{"payer": "county"}, {"payer": "city"}], "clause": "1"}
    return programme_document(payers=payers, caps=list(caps))


def test_a_payer_pays_what_the_least_of_its_own_caps_leaves() -> None:
    county = [cap("county-a", "order", 20, payer="county"), cap("county-b", "order", 30, payer="county")]
    assert parts(awarded(in_order(*county), facts_of(100))) == [20_00, 30_00]
    unlimited = cap("county-c", "pool", {"configured": True, "when_unset": "no_limit"}, payer="county")
    assert parts(awarded(in_order(unlimited, county[1]), facts_of(100))) == [30_00, 20_00]


POOL = cap("county-pool", "pool", 1000, payer="county")
OF_ORDER = cap("county-order", "order", 25, payer="county")
#: An account may have more than the document says where nothing is configured.
CONFIGURED = cap("county-pool", "pool", {"configured": True, "default": 20}, payer="county")


@pytest.mark.parametrize(
    "document",
    [
        in_order(POOL),
        in_order(POOL, OF_ORDER),
        in_order(CONFIGURED),
        in_order(CONFIGURED, OF_ORDER),
        in_order(OF_ORDER, cap("city-pool", "pool", 1000, payer="city")),
        in_order(cap("fund", "pool", 100), cap("part", "order", {"share": "0.5", "of": "fund"}, payer="county")),
        programme_document(caps=[cap("order", "order", {"configured": True, "default": 1000})]),
        programme_document(
            gates=[
                {"type": "minimum_spend", "of": "fee", "amount": 500, "clause": "1"},
                {"type": "applicant_kind", "any_of": ["team"], "clause": "1"},
            ]
        ),
    ],
)
def test_what_is_remembered_follows_accounts_of_payers_and_configured_limits(document: dict[str, Any]) -> None:
    limits: list[dict[str, Any]] = [
        {},
        {"county-pool": {"limit": "10"}, "city-pool": {"limit": "5"}, "fund": {"limit": "40"}, "order": {"limit": "7"}},
        {"county-pool": {"limit": "100"}},
        {"county-pool": {"limit": "30", "used": "10"}, "city-pool": {"used": "990"}, "fund": {"limit": "70"}},
    ]
    check_all(document, [facts_of(100), facts_of(60, kind="team")], limits)


# --- Batches ------------------------------------------------------------------------------------------------------------
WHOLE = flat("1")


def claim(name: str, fee: int, kind: str = "firm", **groups: Any) -> Claim:
    return Claim(name, parse_facts(facts_of(fee, kind=kind, applicant={"id": name}, **groups)))


def totals(document: dict[str, Any], *claims: Claim, opening: Opening | None = None) -> list[int]:
    found = evaluate_batch(parse_programme(document), list(claims), opening or Opening({}, {}))
    return [outcome.total_fen for outcome in found.outcomes.values() if isinstance(outcome, Award)]


CONTRACT = {"service": {"contract_number": "C-1"}}


def test_whom_a_cap_does_not_concern_uses_nothing_of_it() -> None:
    of_contract = cap("c", "contract", 50, when=FIRM)
    document = programme_document(rate=WHOLE, caps=[of_contract])
    assert totals(document, claim("a", 40, "team", **CONTRACT), claim("b", 40, **CONTRACT)) == [40_00, 40_00]
    assert totals(document, claim("a", 40, **CONTRACT), claim("b", 40, **CONTRACT)) == [40_00, 10_00]


def test_a_payers_cap_of_a_contract_counts_what_that_payer_gave() -> None:
    shares = [{"payer": "province", "share": "0.75"}, {"payer": "city", "share": "0.25"}]
    document = programme_document(
        rate=WHOLE,
        payers={"rule": "largest_remainder", "shares": shares, "clause": "1"},
        caps=[cap("c", "contract", 30, payer="city")],
    )
    assert totals(document, claim("a", 100, **CONTRACT), claim("b", 100, **CONTRACT)) == [100_00, 75_00 + 5_00]


def test_a_pool_that_is_of_no_year_does_not_begin_anew_with_one() -> None:
    validity = {"first_day": "2025-01-01", "last_day": "2026-12-31", "clause": "1"}
    document = programme_document(rate=WHOLE, caps=[cap("fund", "pool", 100)], validity=validity)
    later = claim("b", 80, service={"service_on": "2026-06-10"})
    assert totals(document, claim("a", 80), later) == [80_00, 20_00]
    of_year = programme_document(rate=WHOLE, caps=[cap("own", "applicant_year", 100)], validity=validity)
    again = Claim("b", parse_facts(facts_of(80, applicant={"id": "a"}, service={"service_on": "2026-06-10"})))
    assert totals(of_year, claim("a", 80), again) == [80_00, 80_00]


def test_a_pool_that_is_just_enough_is_not_divided() -> None:
    divided = cap("fund", "pool", 100, divided="pro_rata")
    document = programme_document(rate=WHOLE, caps=[divided])
    found = evaluate_batch(parse_programme(document), [claim("a", 60), claim("b", 40)], Opening({}, {}))
    assert found.steps == () and found.total_fen == 100_00
    assert len(evaluate_batch(parse_programme(document), [claim("a", 60), claim("b", 41)], Opening({}, {})).steps) == 1


def test_of_a_second_divided_pool_a_claim_asks_what_the_first_left_it() -> None:
    shares = [{"payer": "province", "share": "0.2"}, {"payer": "city", "share": "0.8"}]
    first = cap("fund", "pool", 120, divided="pro_rata")
    document = programme_document(
        rate=WHOLE,
        payers={"rule": "largest_remainder", "shares": shares, "clause": "1"},
        caps=[first, cap("city", "pool", 150, payer="city", divided="pro_rata")],
    )
    found = evaluate_batch(parse_programme(document), [claim("a", 200), claim("b", 40)], Opening({}, {}))
    assert [step.params["cap"] for step in found.steps] == ["fund"] and found.total_fen == 120_00


# --- Bases and adjustments ----------------------------------------------------------------------------------------------
def test_the_top_up_to_a_minimum_is_left_out_where_it_is_known_and_never_more_than_there_is() -> None:
    excluded = {"amount": "fee", "minimum_charge": "excluded", "at_most": 80, "clause": "1"}
    document = programme_document(rate=WHOLE, base=excluded)
    found = awarded(document, facts_of(100, amounts={"minimum_top_up": "20"}))
    assert found.base_fen == 80_00 and keys(found)[:3].count("base_less") == 1 and "base_at_most" not in keys(found)
    assert awarded(document, facts_of(70)).base_fen == 70_00
    assert awarded(document, facts_of(70, amounts={"minimum_top_up": "70"})).base_fen == 0
    other = programme_document(rate=WHOLE, base={"amount": "fee", "minimum_charge": "included", "less": ["paid"], "clause": "1"})
    assert awarded(other, facts_of(50, amounts={"paid": "90"})).base_fen == 0
    assert awarded(other, facts_of(50)).base_fen == 50_00


def test_what_is_left_after_a_deduction_may_be_one_fen() -> None:
    deduct = {"type": "deduct", "of": "other_amounts.loan", "clause": "1"}
    document = programme_document(adjustments=[deduct])
    assert awarded(document, facts_of(100, other_amounts={"loan": "49.99"})).total_fen == 1
    assert awarded(document, facts_of(100, other_amounts={"loan": "51"})).total_fen == 0


def test_an_award_of_just_the_least_is_paid_and_nothing_assumed() -> None:
    least = LeastAward("1", 50_00)
    assert [least.apply(Decimal(fen), 0, Facts(), []) for fen in (50_00, 49_99)] == [50_00, 0]
    assert not least.estimates(Facts())


def test_the_lower_of_two_is_told_by_a_fen() -> None:
    assert at_most(Decimal(101), 100) == 100 and at_most(Decimal(100), 100) == 100 and at_most(Decimal(99), 100) == 99
    assert at_most(Fraction(301, 3), Decimal(100)) == 100


# --- Rates --------------------------------------------------------------------------------------------------------------
def test_a_tier_that_was_filled_before_gives_and_tells_nothing() -> None:
    tiers = [{"up_to": 100, "rate": "0.5"}, {"rate": "0.1"}]
    document = programme_document(rate={"type": "tiers", "clause": "1", "tiers": tiers, "continues": "before.fee"})
    found = awarded(document, facts_of(50, before={"fee": "100"}))
    assert (found.total_fen, keys(found).count("tier")) == (5_00, 1)
    units = {
        "type": "per_unit",
        "clause": "1",
        "tiers": [{"up_to": 10, "amount": 5}, {"amount": 1}],
        "continues": "before.samples",
    }
    counted = programme_document(base={"quantity": "samples", "clause": "1"}, rate=units, settlement=BESIDE)
    assert [
        awarded(counted, facts_of(100, quantities={"samples": 4}, before={"samples": before})).total_fen for before in (0, 8, 10)
    ] == [20_00, 12_00, 4_00]


def test_of_two_rates_that_hold_the_one_that_gives_a_fen_more_is_best() -> None:
    def best(*rates: Any) -> dict[str, Any]:
        return programme_document(
            rate={"type": "best_of", "clause": "1", "cases": [{"when": FIRM, "says": SAYS, "rate": rate} for rate in rates]}
        )

    assert awarded(best("0.5", "0.5001"), facts_of(100)).total_fen == 50_01
    chosen = {"type": "chosen", "at_most": "0.5", "when_not_chosen": "refuse"}
    assert [reason.code for reason in refused(best(chosen), facts_of(100))] == ["subsidy.unmet.fact_missing"]


@pytest.mark.parametrize(
    "rate",
    [
        {"type": "chosen", "at_least": "0.5", "at_most": "0.5", "when_not_chosen": "refuse"},
        {"type": "ex_post", "at_least": "0.3", "at_most": "0.3", "assume": "0.3"},
        {"type": "tiers", "tiers": [{"up_to": "0.01", "rate": "0.5"}, {"rate": "0.1"}]},
        {"type": "stacked", "levels": [{"payer": "a", "rate": "0.4"}, {"payer": "b", "rate": "0.6"}]},
    ],
)
def test_the_very_edge_of_a_rate_is_right(rate: dict[str, Any]) -> None:
    payers = {"rule": "by_level", "clause": "1"}
    levels = {"payers": payers} if rate["type"] == "stacked" else {}
    assert document_faults(programme_document(rate={"clause": "1", **rate}, **levels)) == []


def test_tiers_that_lack_an_end_do_not_hide_one_that_falls() -> None:
    tiers = [{"up_to": 100, "rate": "0.5"}, {"rate": "0.4"}, {"up_to": 50, "rate": "0.3"}, {"rate": "0.1"}]
    found = document_faults(programme_document(rate={"type": "tiers", "clause": "1", "tiers": tiers}))
    assert [fault.path for fault in found] == ["$.rate.tiers[1]", "$.rate.tiers[2].up_to"]


# --- Gates and conditions -----------------------------------------------------------------------------------------------
def spent(amount: int, on: str, months: int = 12, with_this: bool = False, **groups: Any) -> Any:
    gate = {"type": "minimum_spend", "of": "fee", "amount": 100, "months": months, "with_this": with_this, "clause": "1"}
    known = parse_facts(facts_of(groups.pop("fee", 40), before={"spend": [{"on": on, "amount": amount}]}, **groups))
    return parse_gate(gate, "service.service_on").check(known)


def test_what_was_spent_counts_to_the_very_day_and_not_from_the_same_day_before() -> None:
    assert isinstance(spent(100, "2025-06-10"), Step) and isinstance(spent(100, "2024-06-11"), Step)
    assert isinstance(spent(100, "2024-06-10"), Unmet) and isinstance(spent(100, "2025-06-11"), Unmet)
    assert isinstance(spent(99, "2025-06-10"), Unmet) and isinstance(spent(60, "2025-06-10", with_this=True), Step)
    short = spent(10, "2025-06-10")
    assert isinstance(short, Unmet) and short.params["spent_fen"] == 10_00
    no_day = parse_facts({"applicant": {"kind": "firm"}, "amounts": {"fee": "40"}})
    gate = {"type": "minimum_spend", "of": "fee", "amount": 100, "months": 12, "with_this": True, "clause": "1"}
    names = []
    for known in (no_day, parse_facts(facts_of())):
        found = parse_gate(gate, "service.service_on").check(known)
        assert isinstance(found, Unmet)
        names.append(found.params["fact"])
    assert names == ["service.service_on", "amounts.fee"]
    assert isinstance(parse_gate({**gate, "with_this": False}, "service.service_on").check(no_day), Unmet)


def test_a_gate_of_places_tells_the_zones_it_looked_at() -> None:
    gate = {"type": "region", "subject": "applicant", "any_of": [{"zone": "x"}], "clause": "1"}
    found = parse_gate(gate, "service.service_on").check(parse_facts(facts_of(applicant={"policy_zones": ["b", "a"]})))
    assert isinstance(found, Unmet) and found.params["zones"] == ["a", "b"]
    plain = parse_gate(gate, "service.service_on").check(parse_facts(facts_of(applicant={"region_code": "630104"})))
    assert isinstance(plain, Unmet) and plain.params["zones"] == []


def test_facts_of_an_authors_own_are_compared_with_each_other_by_their_like() -> None:
    condition = parse_condition({"fact": "other.age", "is": {"fact": "other.limit"}}, "service.service_on")
    held = [
        condition.holds(parse_facts({"other": {"age": age, "limit": limit}}), [])
        for age, limit in ((7, 7), (7, "7"), (7, 8), (1, True))
    ]
    assert held == [True, False, False, False]


def test_a_wrong_test_names_those_that_there_are() -> None:
    [fault] = condition_faults({"fact": "applicant.verified", "at_least": 1}, "$")
    able = [name for name, each in OPERATORS.items() if FIELDS["applicant.verified"].kind in each.suits]
    assert able and fault.message.endswith(f"use one of {', '.join(able)}") and "at_least" not in able
    assert [each.path for each in condition_faults({"fact": "applicant.kind", "says": 1}, "$")] == ["$.says"]
    assert facts_named({"fact": "a.b", "is": {"fact": "c.d"}}) == {"a.b", "c.d"}


def test_a_programme_reaches_what_only_the_customer_could_be_against() -> None:
    known = parse_facts({"provider": {"region_code": "630104"}, "service": {"service_on": "2025-06-10"}})

    def reached(**gate: Any) -> bool:
        return reaches(parse_programme(programme_document(gates=[{**gate, "clause": "1"}])), known)

    def condition(**when: Any) -> bool:
        return reached(type="condition", when=when, says=SAYS)

    assert condition(fact="applicant.staff", at_least=10) and condition(fact="instrument.original_value", at_least=10)
    assert not condition(fact="provider.region_code", **{"is": "110000"})
    assert condition(fact="request.side", **{"is": "user", "if_unknown": "no"})
    elsewhere = [{"code_prefix": "11"}]
    assert reached(type="region", subject="applicant", any_of=elsewhere)
    assert not reached(type="region", subject="provider", any_of=elsewhere)
    assert reached(type="region", subject="provider", any_of=[{"code_prefix": "63"}])


# --- Days ---------------------------------------------------------------------------------------------------------------
def test_months_end_where_the_calendar_does() -> None:
    assert add_months(date(9999, 12, 15), 1) == date.max and add_months(date(1, 1, 15), -1) == date.min
    assert add_months(date(9999, 11, 15), 1) == date(9999, 12, 15) and add_months(date(1, 2, 15), -1) == date(1, 1, 15)
    assert add_months(date(9998, 12, 31), 12) == date(9999, 12, 31)
    assert (_later("9998-02-28", 1), _later("0002-03-01", -1)) == ("9999-02-28", "0001-03-01")
    for wrong in (("9999-01-01", 1), ("0001-01-01", -1)):
        with pytest.raises(ValueError, match="no calendar"):
            _later(*wrong)


def test_a_window_holds_on_its_first_and_last_day_also_over_the_end_of_a_year() -> None:
    winter = [in_window(date(2025, *day), "11-15", "02-01") for day in ((11, 15), (11, 14), (2, 1), (2, 2), (12, 31))]
    assert winter == [True, False, True, False, True]
    one_day = [in_window(date(2025, 8, day), "08-02", "08-02") for day in (1, 2, 3)]
    assert one_day == [False, True, False]


def test_an_entry_in_a_list_counts_from_its_first_day() -> None:
    assert [Listing("x", TODAY).holds(TODAY + timedelta(days=days)) for days in (-1, 0, 1)] == [False, True, True]


def test_a_programme_may_be_valid_for_one_day() -> None:
    one_day = {"first_day": "2025-06-10", "last_day": "2025-06-10", "clause": "1"}
    assert awarded(programme_document(validity=one_day), facts_of(100)).total_fen == 50_00


# --- Documents ----------------------------------------------------------------------------------------------------------
def test_an_id_of_a_cap_is_taken_by_the_side_before() -> None:
    sides = [
        {"id": "a", "settlement": DEDUCTED, "caps": [cap("x", "order", 5)]},
        {"id": "b", "settlement": BESIDE, "caps": [cap("x", "order", 5)]},
    ]
    with pytest.raises(DocumentError) as wrong:
        parse_programme(programme_document(sides=sides))
    assert [fault.path for fault in wrong.value.faults] == ["$.sides[1].caps[0].id"]


def test_nobody_matches_twice() -> None:
    document = {"lead": "a", "matches": [{"payer": "b"}, {"payer": "b"}, {"payer": "a"}]}
    assert [fault.path for fault in match_faults(document, "$")] == ["$.matches[1].payer", "$.matches[2].payer"]


def test_a_programme_says_what_it_depends_on() -> None:
    plain = parse_programme(programme_document())
    graded = parse_programme(
        programme_document(
            adjustments=[
                {"type": "quality_factor", "factors": {"A": "1", "B": "0.5"}, "assume": "A", "clause": "1"},
                {"type": "least_award", "amount": 1, "clause": "1"},
            ]
        )
    )
    assert (plain.uses_quality, graded.uses_quality) == (False, True)
    covering = parse_programme(programme_document(imported_sessions={"allowed": True, "clause": "1"}))
    assert (plain.covers_imported, covering.covers_imported) == (False, True)
    award = awarded(covering.document, facts_of(100, service={"imported": True}))
    assert [step.amount_fen for step in award.steps if step.key == "subsidy.step.imported"] == [0]


def test_only_rules_ask_what_was_paid_not_examples() -> None:
    asking = {"type": "condition", "when": {"fact": "amounts.paid", "known": True}, "says": SAYS, "clause": "1"}
    assert _asks_what_was_paid(programme_document(gates=[asking]))
    assert not _asks_what_was_paid(programme_document(examples=[{"facts": {"fact": "amounts.paid"}}]))


def test_a_limit_of_nothing_is_nothing_whatever_was_configured() -> None:
    assert parse_cap(cap("x", "pool", 0), "service.service_on").limit(Balance(500)) == 0


def test_spending_is_looked_back_on_as_far_as_the_gate_with_the_most_months_asks() -> None:
    def gate(months: int) -> dict[str, Any]:
        return {"type": "minimum_spend", "of": "fee", "amount": 100, "months": months, "with_this": False, "clause": "1"}

    def months(*gates: dict[str, Any], **changes: Any) -> int:
        return parse_programme(programme_document(gates=list(gates), **changes)).looks_back_months

    either = {"type": "any_of", "clause": "1", "alternatives": [[gate(3)], [gate(24), gate(12)]]}
    assert [months(), months(gate(6), gate(3)), months(gate(6), either)] == [0, 6, 24]
    assert months(gate(6), sides=[{"id": "a", "gates": [gate(9)]}, {"id": "b"}]) == 9
    assert months({"type": "minimum_spend", "of": "fee", "amount": 100, "clause": "1"}) == 0


def test_an_award_draws_on_what_is_named_and_on_what_concerns_the_kind_of_applicant() -> None:
    caps = [cap("of-firm", "firm_year", 1), cap("of-order", "order", 1), cap("of-session", "session", 1)]
    programme = parse_programme(programme_document(caps=caps))

    def counted(kind: str, **service: str) -> list[str]:
        return [each.id for each in programme.caps_counted(parse_facts(facts_of(100, kind=kind, service=service)))]

    assert [counted("firm"), counted("team")] == [["of-firm"], []]
    assert [counted("firm", order="7"), counted("team", order="7")] == [["of-firm", "of-order"], ["of-order"]]


# --- Examples and what is kept ------------------------------------------------------------------------------------------
def test_nil_is_the_same_written_or_left_out() -> None:
    assert _as_asked("payers_fen", {"a": 5, "b": 0}, {"a": 5, "c": 0}) == {"a": 5, "c": 0}
    assert _as_asked("payers_fen", None, {"a": 1}) is None and _as_asked("total_fen", 7, 8) == 7


def test_accounts_of_somebody_are_nobody_elses() -> None:
    opening = _opening({"own": {"of": {"a": {"used": "5"}}}, "all": {"limit": "7"}})
    assert opening.caps == {"all": Balance(7_00)} and opening.subjects == {("own", "a"): Balance(None, 5_00)}


def test_an_example_of_one_claim_is_worked_out_and_a_refusal_estimates_nothing() -> None:
    programme = parse_programme(programme_document(gates=[{"type": "applicant_kind", "any_of": ["firm"], "clause": "1"}]))
    batch = {"title": SAYS, "claims": [{"id": "a", "facts": facts_of(100)}], "expect": {"total": 50}}
    assert _run_batch(programme, batch).passed
    refusal = {"title": SAYS, "facts": facts_of(100, kind="team"), "expect": {"total": 0, "estimate": False}}
    assert run_example(programme, refusal).passed


def test_of_three_claims_one_estimate_makes_the_whole_one() -> None:
    nothing = {f"{name}_fen": 0 for name in AMOUNTS} | {"payers_fen": {}, "payees_fen": {}, "binding": [], "refused": []}
    assert _sum_of([nothing | {"estimate": place == 1} for place in range(3)])["estimate"] is True


def test_what_nobody_knows_costs_nothing() -> None:
    programme = parse_programme(programme_document(base={"amount": "contract", "minimum_charge": "included", "clause": "1"}))
    assert price_of(programme, Facts()) == 0
    assert price_of(programme, parse_facts({"amounts": {"contract": "9"}})) == 9_00


def test_every_fact_stands_under_its_name() -> None:
    def told(fields: Any) -> dict[str, tuple[Any, str]]:
        return {path: (field.kind, repr(field.read)) for path, field in fields.items()}

    assert told(_fields()) == told(FIELDS)


def test_facts_that_say_no_more_are_one_and_groups_are_read_once() -> None:
    assert parse_facts(facts_of(100)).more is NO_MORE
    assert parse_facts({"quality": {"score": 80}}).more.score == 80
    before = GroupsRead()
    first, again = (frozen_facts({"applicant": {"id": "a", "kind": "firm"}}, before) for _ in range(2))
    assert first.applicant is again.applicant
    assert frozen_facts({"applicant": {"id": "a", "kind": "team"}}, before).applicant.kind == "team"


def test_a_list_that_became_something_else_is_a_difference() -> None:
    assert [(each.path, each.frozen, each.recomputed) for each in differences([1], None)] == [("$", [1], None)]
    assert _plain(Decimal("1.5")) == Decimal("1.5")


def test_an_assessment_has_the_number_of_its_engine() -> None:
    found = assess_nothing(TODAY, "firm_sme")
    assert named(found.engine, found) is found
    assert named("0", found) == found._replace(engine="0")
    assert is_of_samples({"kind": KIND}) and not is_of_samples({})
