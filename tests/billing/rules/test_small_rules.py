"""Rules of a few lines that prices, budgets and the ledger rest on: forecasts, customer classes, lowest prices, tables, seals, costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from billing.ledger.rules import chain, table
from billing.ledger.rules.chain import MARK_BYTES, Movement
from billing.ledger.rules.documents import DocumentError, canonical_json, load_schema
from billing.ledger.rules.money import Rounding, amount_in_capitals, round_fen, split_largest_remainder
from billing.ledger.rules.table import Column, read_table
from billing.pricing.rules import parse_schedule
from billing.pricing.rules.cost_recovery import CostSheet, recover, sheet_from_json, sheet_to_json
from billing.pricing.rules.counted import is_of_time, parse_counted
from billing.pricing.rules.customer_class import customer_class
from billing.pricing.rules.fees import FeeRule, price_fee
from billing.pricing.rules.lowest import lowest_public_fen
from billing.pricing.rules.pricing import LineKind, PriceLine, UnitLine, line_json
from billing.pricing.rules.samples import MOST_ELEMENTS, MOST_SAMPLES, SamplePrice, price_samples
from billing.subsidy.rules import Award, Balance, evaluate, parse_facts, parse_programme
from billing.subsidy.rules.assess import Candidate, assess_nothing, assess_session
from billing.subsidy.rules.batch import Claim, Opening, evaluate_batch
from billing.subsidy.rules.examples import AMOUNTS, _sum_of
from billing.subsidy.rules.fact_fields import FIELDS, fact_field
from billing.subsidy.rules.forecast import forecast, window_of
from billing.subsidy.rules.parts.base import parse_base
from billing.subsidy.rules.parts.conditions import condition_faults
from billing.subsidy.rules.parts.values import value_fault
from billing.subsidy.rules.programme_faults import document_faults
from billing.subsidy.rules.public_days import PUBLIC_DAYS, public_days
from billing.subsidy.rules.remembered import Deciding, Named, Request
from billing.subsidy.rules.sale import invoiced
from billing.subsidy.rules.sample_codec import SampleInputs
from billing.subsidy.rules.sides import _joined
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from tests.billing.rules.builders import cap, facts_of, load, programme_document
from tests.billing.rules.test_prices_format_2 import COUNTED, DOCUMENT, SHANGHAI, document, plain, priced

TODAY = date(2026, 6, 30)
RATES = {"inside": "200", "firm_sme": "400"}


def expected(granted: int, posted: int = 0, held: int = 0, recent: int = 900, days: int = 90, last: date = date(2027, 6, 30)):
    return forecast(
        granted_fen=granted, posted_fen=posted, held_fen=held, recent_fen=recent, window_days=days, today=TODAY, last_day=last
    )


def test_what_was_spent_goes_on_to_the_end_of_the_year_or_of_the_version() -> None:
    whole_year = expected(10_000, 1_000, 200)
    assert (whole_year.until, whole_year.used_fen, whole_year.short_on) == (date(2026, 12, 31), 1_200 + 10 * 184, None)
    ends = expected(10_000, last=TODAY + timedelta(days=10))
    assert (ends.until, ends.used_fen) == (TODAY + timedelta(days=10), 100)
    assert expected(10_000, last=TODAY - timedelta(days=3)).used_fen == 0


def test_what_is_about_to_be_paid_is_public_for_as_long_as_the_document_says() -> None:
    assert public_days(programme_document()) == PUBLIC_DAYS == 7
    assert public_days(programme_document(review={"publicity_days": 10})) == 10


def test_whether_there_is_an_invoice_is_said_by_the_side_that_is_settled_so() -> None:
    bought = {"mode": "paid_beside", "form": "monthly_purchase"}
    assert invoiced({"sides": [{"settlement": {"mode": "refunded_later"}}, {"settlement": bought}]}, "paid_beside") == "asked"
    assert invoiced({"sides": [{"id": "user"}], "settlement": bought}, "paid_beside") == "asked"
    assert invoiced({"sides": [{"id": "user"}, {"settlement": bought}]}, "deducted_now") == ""


def test_a_budget_is_short_on_the_day_after_the_last_it_lasts() -> None:
    assert expected(1_840).short_on is None  # it lasts to the last day
    assert expected(1_839).short_on == TODAY + timedelta(days=184)
    assert expected(95).short_on == TODAY + timedelta(days=10)
    assert expected(300, 100, 200).short_on == expected(300, 100, 201).short_on == TODAY
    assert expected(301, 100, 200, recent=0).short_on is None
    assert expected(301, 100, 200, recent=-50).used_fen == 300
    assert expected(10_000, recent=1, days=7).used_fen == int(Fraction(184, 7))


def test_the_last_ninety_days_count_or_as_many_as_there_are() -> None:
    assert window_of(TODAY, TODAY) == window_of(TODAY, TODAY + timedelta(days=5)) == 1
    assert window_of(TODAY, TODAY - timedelta(days=9)) == 10
    assert window_of(TODAY, date(2020, 1, 1)) == 90


@pytest.mark.parametrize(
    ("kind", "size", "owner", "found"),
    [
        ("owner", None, True, "inside"),
        ("owner", None, False, "academic"),
        ("government", None, False, "academic"),
        ("team", None, False, "team"),
        ("firm", "medium", False, "firm_sme"),
        ("firm", "large", False, "firm_large"),
        ("firm", None, False, "firm_large"),
    ],
)
def test_whoever_it_is_has_a_customer_class(kind: str, size: str | None, owner: bool, found: str) -> None:
    priced = {"inside", "academic", "team", "firm_sme", "firm_large"}
    assert customer_class(kind=kind, size=size, is_owner=owner, priced=priced) == found


def test_a_class_without_a_price_pays_as_the_next_best_one() -> None:
    def of(priced: set[str], kind: str, **more: Any) -> str:
        return customer_class(kind=kind, size=None, priced=priced, **({"is_owner": False} | more))

    assert of({"firm_sme", "firm_large"}, "team") == "firm_sme"
    assert of({"firm_large"}, "team") == "firm_large"
    assert of({"academic", "firm_sme"}, "owner", is_owner=True) == "academic"
    assert of({"firm_sme"}, "firm") == "firm_sme"


def test_the_lowest_price_is_that_of_an_hour_for_anybody_but_the_owners_own() -> None:
    assert lowest_public_fen(plain()) == 400_00
    assert lowest_public_fen(document(steps=None)) == 13_333  # at night
    assert lowest_public_fen(document(bands=None, holidays=None)) == 300_00  # after five and a half hours
    assert lowest_public_fen(plain(unit="half_day", unit_minutes=240, rates={"inside": "1", "firm_sme": "999"})) == 24_975
    assert lowest_public_fen(plain(rates={"inside": "1"})) is None
    own = [{"code": "ours", "when": {"own": True}}, {"code": "others"}]
    assert lowest_public_fen(plain(classes=own, rates={"ours": "1", "others": "7"})) == 7_00


def test_a_document_says_whether_it_prices_time() -> None:
    assert is_of_time({}) and is_of_time(DOCUMENT) and not is_of_time({"unit": "sample"})
    operated = parse_schedule(plain(operator={"rates": {"inside": 0, "firm_sme": 1}}))
    assert [each.is_operated(mode) for each in (operated, parse_schedule(plain())) for mode in ("assisted", "nobody")] == [
        True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("hourly", "unit", "told"), [("400", "250", False), ("", "250", True), ("", "", False)])
def test_a_line_names_its_unit_where_its_rate_is_not_for_an_hour(hourly: str, unit: str, told: bool) -> None:
    line = UnitLine(LineKind.SETUP, "", None, None, 0, hourly, 33_33, "half_day", 14_400, unit, 0)
    assert ("unit" in line_json(line)) is told
    assert "unit" not in line_json(PriceLine(LineKind.TIME, "", None, None, 0, "", 1))


def test_a_session_that_costs_nothing_has_nothing_to_be_shared() -> None:
    nothing = assess_nothing(TODAY, "firm_sme")
    figures = (nothing.gross_fen, nothing.priced.gross_fen, nothing.priced.minimum_top_up_fen, nothing.payable_now_fen)
    assert figures == (0, 0, 0, 0)


# --- Money --------------------------------------------------------------------------------------------------------------
def test_fractions_that_no_decimal_holds_are_rounded_as_decimals_are() -> None:
    for numerator in range(-40, 41):
        for step in (1, 100):
            for mode in Rounding:
                halves = Fraction(numerator * step, 4)
                assert round_fen(halves, mode, step) == round_fen(Decimal(numerator * step) / 4, mode, step)
    assert round_fen(Fraction(5, 3), Rounding.HALF_EVEN) == 2 and round_fen(Fraction(4, 3), Rounding.HALF_EVEN) == 1


def test_capitals_name_every_place_and_one_nought_between() -> None:
    assert amount_in_capitals(1_000_000_000_00) == "壹拾亿元整"
    assert amount_in_capitals(100_010_00) == "壹拾万零壹拾元整"
    assert amount_in_capitals(100_000_010_00) == "壹亿零壹拾元整"
    assert amount_in_capitals(9_999_000_999_90) == "玖拾玖亿玖仟玖佰万零玖佰玖拾玖元玖角整"
    assert amount_in_capitals(10_950_00) == "壹万零玖佰伍拾元整"
    assert amount_in_capitals(1_000_00) == "壹仟元整" and amount_in_capitals(10_001_000_00) == "壹仟万壹仟元整"


def test_nothing_is_shared_as_nothing() -> None:
    assert split_largest_remainder(0, [1, 2]) == (0, 0)
    assert split_largest_remainder(-1, [1, 1]) == (-1, 0)
    assert split_largest_remainder(1, [1, 1]) == (1, 0)


def test_a_document_has_one_text() -> None:
    assert canonical_json({"b": "数", "a": [1]}) == '{"a":[1],"b":"数"}'
    with pytest.raises(TypeError):
        canonical_json({"a": [{"b": float("inf")}]})


# --- Tables -------------------------------------------------------------------------------------------------------------
COLUMNS = [Column("name", ("name", "名称"), str), Column("count", ("count",), int), Column("note", ("note",), str, optional=True)]


def read(*lines: str) -> Any:
    try:
        return read_table("\n".join(lines).encode(), COLUMNS)
    except Refusal as refusal:
        return [(reason.code, reason.params.get("row"), reason.params.get("column"), reason.field) for reason in refusal.reasons]


def test_a_table_is_read_by_the_names_of_its_columns() -> None:
    assert read("Count,名称", "3, a ", " ,", "4,b,c") == [
        (2, {"name": "a", "count": 3, "note": None}),
        (4, {"name": "b", "count": 4, "note": None}),
    ]
    assert read("name,count,note", "a,3,x", "b,4") == [
        (2, {"name": "a", "count": 3, "note": "x"}),
        (3, {"name": "b", "count": 4, "note": None}),
    ]


def test_every_fault_of_a_table_is_told_with_its_row() -> None:
    assert read("") == read("name,count") == read("name,count", ",") == [("table.empty", None, None, "file")]
    assert read("note", "x") == [("table.column_missing", None, "name", "file"), ("table.column_missing", None, "count", "file")]
    assert read("name,count", "a,1", "b", ",x") == [
        ("table.cell_empty", 3, "count", "file"),
        ("table.cell_empty", 4, "name", "file"),
        ("table.cell_invalid", 4, "count", "file"),
    ]


def test_a_table_is_as_long_as_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_ROWS", 2)
    assert len(read("name,count", "a,1", "b,2")) == 2
    assert read("name,count", "a,1", "b,2", "c,3") == [("table.too_long", None, None, "file")]


def test_a_day_is_written_in_three_ways() -> None:
    assert {table.day(text) for text in ("2026-01-31", "2026/1/31", "2026.01.31", "20260131")} == {date(2026, 1, 31)}
    for wrong in ("2026-13-01", "12026-1-1", "2026-00001-1", "1-2", "x"):
        with pytest.raises(ValueError):
            table.day(wrong)
    assert table.day("0001-1-1") == date(1, 1, 1)


# --- Seals --------------------------------------------------------------------------------------------------------------
def movement(number: int, **changes: Any) -> Movement:
    plain_one = Movement(number, "hold", 1, 2, 100, None, "reservation", 3, "approve", 4, 5, datetime(2026, 1, 1, tzinfo=UTC))
    return replace(plain_one, **changes)


def test_a_seal_is_of_every_movement_in_its_order() -> None:
    movements = [movement(number) for number in range(5)]
    sealed = chain.link("before", movements)
    assert sealed == chain.link("before", movements) and len(sealed.marks) == 5 * MARK_BYTES
    assert len({sealed.sha256, chain.link("other", movements).sha256, chain.link("before", movements[::-1]).sha256}) == 3
    east = movement(0, at=datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))))
    assert chain.digest(east) == chain.digest(movements[0])


@pytest.mark.parametrize(
    "change", [{"amount_fen": 101}, {"reason": "x"}, {"at": datetime(2026, 1, 2, tzinfo=UTC)}, {"hold_id": 1}]
)
def test_a_movement_that_was_changed_or_taken_out_is_found(change: dict[str, Any]) -> None:
    movements = [movement(number) for number in range(5)]
    marks = chain.link("before", movements).marks
    assert chain.strays(marks, movements) == chain.Strays((), 0)
    assert chain.strays(marks, [*movements[:2], movement(2, **change), *movements[3:]]) == chain.Strays((2,), 0)
    assert chain.strays(marks, movements[1:]) == chain.Strays((), 1)
    assert chain.strays(marks, [*movements, movement(9)]) == chain.Strays((9,), 0)


# --- Costs --------------------------------------------------------------------------------------------------------------
def test_a_unit_costs_its_part_of_the_instrument_what_it_uses_and_a_share_of_both() -> None:
    sheet = CostSheet(
        1_000_000_00,
        10,
        1_500,
        {"consumables": 12_00, "labour": 30_00},
        Decimal("0.2"),
        {"inside": Decimal("0.5"), "firm_sme": Decimal(1)},
    )
    found = recover(sheet)
    assert [(part.code, part.amount_fen) for part in found.parts] == [
        ("depreciation", 66_67), ("consumables", 12_00), ("labour", 30_00), ("management", 21_73),
    ]  # fmt: skip
    assert found.cost_fen == 130_40 and found.proposed_fen == {"inside": 65_20, "firm_sme": 130_40}
    assert sheet_from_json(sheet_to_json(sheet)) == sheet
    assert sheet_to_json(sheet)["cost_fen"] == 130_40
    bare = recover(replace(sheet, management_share=Decimal(0), per_unit_fen={"labour": 0}))
    assert [part.code for part in bare.parts] == ["depreciation"]


# --- Conditions on facts of an author's own -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("test", "value", "given", "holds"),
    [
        ("is", 7, 7, True), ("is", 7, "7", False), ("is", 1, True, False), ("is", True, True, True),
        ("is_not", 7, 7, False), ("is_not", 7, "7", True), ("is_not", 7, 8, True),
        ("at_least", 3, 3, True), ("at_least", 3, 2, False), ("below", 3, 3, False), ("below", 3, "2", False),
    ],
)  # fmt: skip
def test_a_fact_of_an_authors_own_is_compared_with_its_like(test: str, value: Any, given: Any, holds: bool) -> None:
    gate = {"type": "condition", "when": {"fact": "other.age", test: value}, "says": {"zh": "x", "en": "x"}, "clause": "1"}
    programme = parse_programme(programme_document(gates=[gate]))
    known = parse_facts({"applicant": {"kind": "firm"}, "other": {"age": given}})
    assert (programme.conditions[2].check(known).__class__.__name__ == "Step") is holds


# --- What else a mistake could change without being seen ------------------------------------------------------------------
def test_a_commission_has_one_sample_at_least_and_so_many_at_most() -> None:
    price = SamplePrice("element", 100, {})
    for samples, elements, fits in [
        (1, 1, True), (MOST_SAMPLES, MOST_ELEMENTS, True), (0, 1, False), (1, 0, False), (MOST_SAMPLES + 1, 1, False),
        (1, MOST_ELEMENTS + 1, False),
    ]:  # fmt: skip
        try:
            assert price_samples(price, samples, elements, "team", TODAY).gross_fen == samples * elements * 100
            assert fits
        except Refusal:
            assert not fits


def test_whoever_has_no_class_of_their_own_pays_the_dearest_rate_of_the_samples() -> None:
    assert SamplePrice.of_terms(parse_counted(COUNTED)).amount_fen == 120_00


def test_a_schema_that_is_wrong_is_found_when_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text('{"type": "no such type"}', encoding="utf-8")
    with pytest.raises(jsonschema.SchemaError):
        load_schema(path)


def test_an_award_of_several_sides_is_an_estimate_when_one_of_them_is() -> None:
    found = evaluate(parse_programme(programme_document()), parse_facts(facts_of(100)), {})
    assert isinstance(found, Award) and not found.estimate
    unsure = found._replace(estimate=True)
    assert _joined([("a", found), ("b", unsure)]).estimate and _joined([("a", unsure), ("b", found)]).estimate
    assert not _joined([("a", found), ("b", found)]).estimate


def test_lines_of_a_claim_have_to_be_the_whole_of_its_base() -> None:
    document = programme_document(rounding={"step": "fen", "mode": "half_up", "clause": "1", "per": "line"})
    programme = parse_programme(document)
    whole, less = facts_of(100, amounts={"lines": ["60", "40"]}), facts_of(100, amounts={"lines": ["60", "39"]})
    assert isinstance(evaluate(programme, parse_facts(whole), {}), Award)
    [reason] = evaluate(programme, parse_facts(less), {}).reasons
    assert (reason.code, reason.params) == ("subsidy.unmet.lines_differ", {"lines_fen": 99_00, "base_fen": 100_00})
    [only] = evaluate(programme, parse_facts(facts_of(None, amounts={"lines": ["60"]})), {}).reasons
    assert only.code == "subsidy.unmet.fact_missing"
    assert isinstance(evaluate(programme, parse_facts(facts_of(100)), {}), Award)


def test_a_limit_that_nobody_set_refuses_also_where_it_is_remembered() -> None:
    unset = cap("fund", "pool", {"configured": True, "when_unset": "refuse"})
    programme, known = parse_programme(programme_document(caps=[unset])), parse_facts(facts_of(100))
    request = Request.of(known, known.service, known.amounts, known.quantities)
    deciding = Deciding(programme)
    for balances in ({}, {"fund": Balance(1_000_00)}, {}):
        expected = evaluate(programme, known, balances)
        found = deciding.decide(Named(1, 1, 1), request, balances, None)
        assert found == expected._replace(steps=())
        assert isinstance(found, Award) is bool(balances)


def test_time_beyond_what_was_agreed_that_costs_nothing_more_is_told_as_nothing() -> None:
    schedule = parse_schedule(plain(minimum={"amount": 1000}))
    start = datetime(2026, 11, 3, tzinfo=UTC)
    during, until = TimeRange(start, start + timedelta(hours=2)), start + timedelta(hours=1)
    found = assess_session(schedule, during, SHANGHAI, "firm_sme", (), until)
    [beyond] = [step for step in found.steps if step.key == "session.step.beyond_booked"]
    assert beyond.params == {"beyond_fen": 0} and found.gross_fen == 1000_00


def test_a_fee_that_meets_its_floor_or_its_booking_exactly_is_not_told_twice() -> None:
    def keys(rule: FeeRule) -> list[str]:
        return [step.key for step in price_fee(rule, 100_00, Rounding.HALF_UP, 1).steps]

    assert keys(FeeRule(Decimal("0.5"), 50_00, 50_00)) == keys(FeeRule(Decimal("0.5")))
    assert keys(FeeRule(Decimal(1))) == keys(FeeRule(Decimal("0.5")))


@pytest.mark.parametrize(
    ("life", "last"), [({"months": 6}, "2025-12-10"), ({"days": 6}, "2025-06-16"), ({"days": 0}, "2025-06-10")]
)
def test_a_time_after_another_day_ends_when_it_says(life: dict[str, int], last: str) -> None:
    within = {"after": "service.service_on", "last_day": "included", **life}
    validity = {"first_day": "2025-01-01", "last_day": "2025-12-31", "clause": "1"}
    programme = parse_programme(
        programme_document(validity=validity | {"windows": [{"date": "service.claim_on", "within": within}]})
    )

    def given(on: date) -> Any:
        return evaluate(programme, parse_facts(facts_of(100, service={"claim_on": on.isoformat()})), {})

    end = date.fromisoformat(last)
    assert isinstance(given(end), Award) and not isinstance(given(end + timedelta(days=1)), Award)


def test_faults_behind_others_are_told_too() -> None:
    assert [fault.path for fault in condition_faults({"fact": "applicant.staff", "known": True, "is": "x"}, "$")] == ["$.is"]
    nameless = {"code": "x", "weekdays": [], "from": "01:00", "to": "02:00", "ratio": "1"}
    with pytest.raises(DocumentError) as refused:
        parse_schedule(plain(bands=[nameless]))
    assert [fault.path for fault in refused.value.faults] == ["$.bands[0].weekdays"]
    own = {name: value for name, value in nameless.items() if name != "ratio"} | {"weekdays": [1], "rates": RATES}
    steps = [{"up_to": "1", "rates": RATES}, {"rates": RATES}]
    with pytest.raises(DocumentError) as refused:
        parse_schedule(plain(bands=[own], steps=steps))
    assert [fault.path for fault in refused.value.faults] == ["$.steps"]
    wrong = {"type": "chosen", "at_least": "0.5", "at_most": "0.4", "clause": "1"}
    case = {"when": {"fact": "applicant.kind", "is": "firm"}, "says": {"zh": "x", "en": "x"}, "rate": "0.1"}
    document = programme_document(rate={"type": "cases", "clause": "1", "cases": [case], "otherwise": wrong})
    assert "$.rate.otherwise.at_least" in [fault.path for fault in document_faults(document)]
    assert value_fault([1], FIELDS["applicant.verified"]) and value_fault(None, fact_field("other.x"))
    assert not value_fault("x", fact_field("other.x")) and not value_fault(True, FIELDS["applicant.verified"])


def test_a_programme_of_several_sides_shows_its_first() -> None:
    programme = parse_programme(load("HA-2018"))
    first = programme.sides[0].programme
    assert (programme.mode, programme.payee, programme.base) == (first.mode, first.payee, first.base)
    assert programme.mode is not programme.sides[1].programme.mode


def test_the_price_behind_a_base_is_the_least_of_several() -> None:
    base = parse_base({"least_of": ["fee", "paid"], "minimum_charge": "included", "clause": "1"})
    assert base.whole(parse_facts(facts_of(100, amounts={"paid": 90}))) == 90_00
    assert base.whole(parse_facts(facts_of(80, amounts={"paid": 90}))) == 80_00


def test_a_commission_once_verified_is_that_of_somebody_verified() -> None:
    known = parse_facts({"applicant": {"kind": "firm"}})
    candidate = Candidate(parse_programme(programme_document()), known, {})
    asked = SampleInputs(SamplePrice("sample", 100, {}), 1, 1, TODAY, "team", (candidate,))
    assert [each.facts.applicant.verified for each in asked.once_verified().candidates] == [True]


def test_the_figures_of_claims_are_added_up() -> None:
    claim = {f"{name}_fen": 1 for name in AMOUNTS} | {
        "payers_fen": {"a": 1}, "payees_fen": {}, "binding": ["c"], "refused": ["r"], "estimate": False,
    }  # fmt: skip
    whole = _sum_of([claim, claim | {"payers_fen": {"b": 2}}])
    assert whole["payers_fen"] == {"a": 1, "b": 2} and whole["binding"] == ["c"]
    assert _sum_of([])["payers_fen"] == {}


def test_a_rate_fixed_afterwards_is_assumed_until_pool_and_claims_are_known() -> None:
    rate = {"type": "ex_post", "clause": "1", "at_least": "0", "at_most": "1", "assume": "0.3"}
    programme = parse_programme(programme_document(rate=rate))
    for batch, total, unsure in [
        ({}, 30_00, True), ({"pool": 10}, 30_00, True), ({"claims": 20}, 30_00, True), ({"pool": 10, "claims": 20}, 50_00, False)
    ]:  # fmt: skip
        found = evaluate(programme, parse_facts(facts_of(100, batch=batch)), {})
        assert isinstance(found, Award) and (found.total_fen, found.estimate) == (total, unsure)


def test_a_session_that_begins_half_a_minute_before_an_edge_is_cut_there() -> None:
    found = priced(document(steps=None), "2026-11-03T08:59:30", "2026-11-03T10:00:00")
    assert [(line.band, line.seconds) for line in found.lines] == [("standard", 30), ("day", 3600)]


def test_the_best_of_several_rates_is_an_estimate_when_one_that_holds_is() -> None:
    case = {"when": {"fact": "applicant.kind", "is": "firm"}, "says": {"zh": "x", "en": "x"}}
    unsure = {"type": "ex_post", "at_least": "0", "at_most": "1", "assume": "0.3"}
    for rates in (["0.1", unsure], [unsure, "0.1"]):
        rate = {"type": "best_of", "clause": "1", "cases": [case | {"rate": each} for each in rates]}
        found = evaluate(parse_programme(programme_document(rate=rate)), parse_facts(facts_of(100)), {})
        assert isinstance(found, Award) and found.estimate


def test_a_batch_without_a_pool_tells_no_rate() -> None:
    rate = {"type": "ex_post", "clause": "1", "at_least": "0", "at_most": "1", "assume": "0.3"}
    programme = parse_programme(programme_document(rate=rate))
    found = evaluate_batch(programme, [Claim("a", parse_facts(facts_of(100)))], Opening({}, {}))
    assert found.steps == () and found.total_fen == 30_00
