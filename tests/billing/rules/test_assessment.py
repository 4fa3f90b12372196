"""One session, its price and every subsidy on it: the four numbers, exclusion, stacking, freezing and replay."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.pricing.rules import parse_schedule
from billing.pricing.rules.samples import ExtraCharge
from billing.pricing.rules.tax import TaxTold
from billing.subsidy.rules import (
    ENGINE_VERSION,
    Assessment,
    Award,
    Balance,
    Candidate,
    Facts,
    Inputs,
    OtherEngine,
    Refused,
    SettlementMode,
    assess_session,
    assessment_from_json,
    assessment_to_json,
    differences,
    inputs_from_json,
    inputs_sha256,
    inputs_to_json,
    parse_facts,
    parse_programme,
    replay,
)
from billing.subsidy.rules.assess import assess_nothing
from billing.subsidy.rules.cutting import Cutting
from config.kernel.time_range import TimeRange
from tests.billing.rules.builders import REFUNDED, cap, load, programme_document

SHANGHAI = ZoneInfo("Asia/Shanghai")
SCHEDULE = parse_schedule(
    {
        "format": 1,
        "currency": "CNY",
        "rates": {"firm_sme": "400.00", "firm_large": "500"},
        "bands": [{"code": "peak", "weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00", "ratio": "1.25"}],
        "minimum": {"amount": "50"},
        "rounding": {"step": "fen", "mode": "half_up"},
    }
)
START = datetime(2025, 6, 10, 10, tzinfo=SHANGHAI)
PROGRAMMES = {code: parse_programme(load(code)) for code in ("DEMO-QH-A", "DEMO-QH-V")}


def applicant(kind: str = "firm", size: str | None = "small", region: str = "630102", **more: Any) -> Facts:
    party = {"kind": kind, "region_code": region, "verified": True, **more} | ({"size": size} if size else {})
    return parse_facts({"applicant": party, "provider": {"verified": True}, "service": {"kind": "instrument_use"}})


def assess(*candidates: Candidate, minutes: int = 120) -> Assessment:
    time_range = TimeRange(START, START + timedelta(minutes=minutes))
    return assess_session(SCHEDULE, time_range, SHANGHAI, "firm_sme", candidates)


def both(facts: Facts) -> tuple[Candidate, ...]:
    return tuple(Candidate(programme, facts, {}) for programme in PROGRAMMES.values())


def made(code: str, facts: Facts | None = None, **changes: Any) -> Candidate:
    return Candidate(parse_programme(programme_document(code=code, **changes)), facts or applicant(), {})


def flat(rate: str) -> dict[str, str]:
    return {"type": "flat", "clause": "1", "rate": rate}


EXCLUSIVE = {"exclusive": {"class": "one", "clause": "1"}}


def test_a_session_without_programmes_costs_its_price() -> None:
    found = assess()
    figures = (found.gross_fen, found.deducted_fen, found.refunded_fen, found.payable_now_fen, found.final_cost_fen)
    assert figures == (100_000, 0, 0, 100_000, 100_000)
    assert not found.estimate


def test_what_was_used_besides_is_told_as_its_own_amount_and_nobody_subsidises_it() -> None:
    used = (ExtraCharge("Argon", 30_00), ExtraCharge("Cell", 20_00))
    during = TimeRange(START, START + timedelta(minutes=120))
    found = assess_session(SCHEDULE, during, SHANGHAI, "firm_sme", both(applicant()), extras=used)
    assert (found.gross_fen, found.deducted_fen, found.payable_now_fen) == (105_000, 40_000, 65_000)
    told = {step.key: (step.params, step.amount_fen) for step in found.steps}
    assert told["session.step.extras"] == ({"beyond_fen": 50_00}, 105_000)


@pytest.mark.parametrize(("included", "gross", "tax"), [(True, 105_000, 56_60 + 2_83), (False, 111_000, 60_00 + 2_83)])
def test_tax_is_told_of_what_was_used_besides_too_and_what_was_agreed_stays(included: bool, gross: int, tax: int) -> None:
    taxed = parse_schedule({**SCHEDULE.document, "format": 2, "unit": "hour", "tax": {"rate": "0.06", "included": included}})
    during = TimeRange(START, START + timedelta(minutes=120))
    used = (ExtraCharge("Argon", 30_00), ExtraCharge("Cell", 20_00))
    found = assess_session(taxed, during, SHANGHAI, "firm_sme", extras=used)
    assert found.gross_fen == gross and found.tax == TaxTold("0.06", tax, included)
    assert sum(line.amount_fen for line in found.priced.lines) == gross
    nothing = assess_nothing(START.date(), "firm_sme", extras=used, tax=taxed.tax)
    assert (nothing.gross_fen, nothing.tax) == (50_00, TaxTold("0.06", 2_83, included=True))
    assert assess_nothing(START.date(), "firm_sme", extras=used).tax is None


@pytest.mark.parametrize(
    ("facts", "deducted", "refunded"),
    [
        (applicant(), 40_000, 0),
        (applicant("team", None), 40_000, 0),
        (applicant(size="medium"), 0, 50_000),
        (applicant(size="large"), 0, 50_000),
        (applicant(region="632801"), 0, 50_000),
        (applicant("team", None, "632801"), 40_000, 0),
        (applicant(region="310104"), 0, 0),
    ],
)
def test_the_demonstration_deducts_for_some_and_refunds_for_others(facts: Facts, deducted: int, refunded: int) -> None:
    found = assess(*both(facts))
    assert (found.deducted_fen, found.refunded_fen) == (deducted, refunded)
    assert found.payable_now_fen == 100_000 - deducted
    assert found.final_cost_fen == 100_000 - deducted - refunded
    assert found.estimate == bool(refunded)


OUTLINES = st.lists(
    st.tuples(
        st.sampled_from(["0.1", "0.5", "0.333333", "1"]),
        st.booleans(),
        st.sampled_from(["", "one", "two"]),
        st.sampled_from(["fen", "yuan"]),
        st.integers(0, 2000),
    ),
    max_size=4,
)


@given(OUTLINES, st.integers(1, 3000))
@settings(max_examples=100, deadline=None)
def test_the_four_numbers_hold_together_whatever_the_programmes(
    outlines: list[tuple[str, bool, str, str, int]], minutes: int
) -> None:
    candidates = []
    for place, (rate, later, exclusive, step, limit) in enumerate(outlines):
        changes: dict[str, Any] = {"rate": flat(rate), "caps": [cap("pool", "pool", limit)]}
        changes["rounding"] = {"step": step, "mode": "half_up", "clause": "1"}
        if later:
            changes["settlement"] = REFUNDED
        if exclusive:
            changes["exclusive"] = {"class": exclusive, "clause": "1"}
        candidates.append(made(f"P{place}", **changes))
    found = assess(*candidates, minutes=minutes)
    assert found.gross_fen == sum(line.amount_fen for line in found.priced.lines)
    of_mode = {mode: sum(each.total_fen for each in found.awards if each.mode is mode) for mode in SettlementMode}
    assert found.deducted_fen == of_mode[SettlementMode.DEDUCTED_NOW]
    assert found.refunded_fen == of_mode[SettlementMode.REFUNDED_LATER]
    assert found.payable_now_fen == found.gross_fen - found.deducted_fen
    assert found.final_cost_fen == found.payable_now_fen - found.refunded_fen
    assert 0 <= found.final_cost_fen <= found.payable_now_fen <= found.gross_fen
    assert len(found.outcomes) == len(candidates)
    classes = [
        candidate.programme.exclusive_class
        for candidate, outcome in zip(candidates, found.outcomes, strict=True)
        if isinstance(outcome, Award) and candidate.programme.exclusive_class
    ]
    assert len(classes) == len(set(classes))


@pytest.mark.parametrize("order", [1, -1])
def test_of_programmes_that_exclude_each_other_the_one_giving_most_stays_in_any_order(order: int) -> None:
    pair = [made("LESS", rate=flat("0.4"), **EXCLUSIVE), made("MORE", rate=flat("0.5"), **EXCLUSIVE)][::order]
    outcomes = {outcome.programme: outcome for outcome in assess(*pair).outcomes}
    less = outcomes["LESS"]
    assert isinstance(outcomes["MORE"], Award)
    assert isinstance(less, Refused)
    assert [(reason.code, reason.params["programme"]) for reason in less.reasons] == [("subsidy.unmet.exclusive", "MORE")]
    assert (less.reasons[0].params["winner_fen"], less.reasons[0].params["instead_fen"]) == (50_000, 40_000)


def of_class(own: str) -> dict[str, Any]:
    return {"exclusive": {"class": own, "clause": "1"}}


def not_with(own: str, *others: str) -> dict[str, Any]:
    return {"exclusive": {"class": own, "not_with": list(others), "clause": "1"}}


@pytest.mark.parametrize("who", ["A", "B"])
@pytest.mark.parametrize("named", ["class", "code"])
def test_one_programme_that_is_not_combined_with_another_suffices_whichever_says_so(who: str, named: str) -> None:
    other = {"A": {"class": "b", "code": "BB"}, "B": {"class": "a", "code": "AA"}}[who][named]
    own, says = {"AA": "a", "BB": "b"}, f"{who}{who}"
    changes = {code: not_with(name, other) if code == says else of_class(name) for code, name in own.items()}
    pair = [made("AA", rate=flat("0.4"), **changes["AA"]), made("BB", rate=flat("0.5"), **changes["BB"])]
    (less,) = [outcome for outcome in assess(*pair).outcomes if isinstance(outcome, Refused)]
    (reason,) = less.reasons
    assert (less.programme, reason.code, reason.params["programme"], reason.params["says"]) == (
        "AA",
        "subsidy.unmet.not_combined",
        "BB",
        says,
    )
    free = [made("AA", rate=flat("0.4")), made("BB", rate=flat("0.5"))]
    assert len(assess(*free).awards) == 2


@pytest.mark.parametrize(("own", "clause"), [({"exclusive": {"class": "b", "not_with": ["AA"], "clause": "2"}}, "2"), ({}, "1")])
def test_what_goes_names_its_own_clause_of_exclusion_or_that_of_its_life(own: dict[str, Any], clause: str) -> None:
    clauses = [{"id": number, "zh": "test", "en": "test"} for number in ("1", "2")]
    winner = made("AA", rate=flat("0.5"), **not_with("a", "BB"))
    _stays, less = assess(winner, made("BB", rate=flat("0.4"), clauses=clauses, **own)).outcomes
    assert isinstance(less, Refused)
    assert [reason.clause for reason in less.reasons] == [clause]


@pytest.mark.parametrize(("middle", "stay"), [("0.4", ["ONE", "TWO"]), ("0.9", ["MID"])])
def test_what_excludes_two_that_may_be_combined_stays_alone_or_not_at_all(middle: str, stay: list[str]) -> None:
    ends = [made("ONE", rate=flat("0.5")), made("TWO", rate=flat("0.3"))]
    found = assess(*ends, made("MID", rate=flat(middle), **not_with("mid", "ONE", "TWO")))
    assert [award.programme for award in found.awards] == stay


SIDES = ["a", "b", "c", "d"]
EXCLUDING = st.lists(
    st.tuples(st.sampled_from(["0.1", "0.2", "0.3"]), st.sampled_from(SIDES), st.sets(st.sampled_from(SIDES))), max_size=5
)
DICE = st.integers(0, 2**32).map(random.Random)


@given(EXCLUDING, DICE)
@settings(max_examples=100, deadline=None)
def test_what_stays_excludes_no_other_what_goes_is_excluded_by_more_and_the_order_does_not_matter(
    outlines: list[tuple[str, str, set[str]]], dice: Any
) -> None:
    stays_whatever_the_order(outlines, dice)


@pytest.mark.proof
@given(EXCLUDING, DICE)
@settings(max_examples=100_000, deadline=None)
def test_the_order_does_not_matter_however_long_one_looks(outlines: list[tuple[str, str, set[str]]], dice: Any) -> None:
    stays_whatever_the_order(outlines, dice)


def stays_whatever_the_order(outlines: list[tuple[str, str, set[str]]], dice: Any) -> None:
    made_of = {}
    for place, (rate, own, others) in enumerate(outlines):
        named = sorted(others - {own})
        changes = not_with(own, *named) if named else of_class(own)
        made_of[f"P{place}"] = (made(f"P{place}", rate=flat(rate), **changes), own, set(named) | {own}, int(rate[-1]))

    def excluded(one: str, other: str) -> bool:
        return made_of[one][1] in made_of[other][2] or made_of[other][1] in made_of[one][2]

    codes = list(made_of)
    stay = {award.programme for award in assess(*(made_of[code][0] for code in codes)).awards}
    assert not any(excluded(one, other) for one in stay for other in stay if one < other)
    for code in set(codes) - stay:
        assert any(excluded(code, one) and (-made_of[one][3], one) < (-made_of[code][3], code) for one in stay)
    dice.shuffle(codes)
    assert {award.programme for award in assess(*(made_of[code][0] for code in codes)).awards} == stay


@pytest.mark.parametrize("order", [1, -1])
def test_a_tie_between_exclusive_programmes_goes_to_the_lower_code(order: int) -> None:
    pair = [made("AA", **EXCLUSIVE), made("BB", **EXCLUSIVE)][::order]
    assert [award.programme for award in assess(*pair).awards] == ["AA"]


def test_a_refused_programme_excludes_nobody() -> None:
    kinds = [{"type": "applicant_kind", "clause": "1", "any_of": ["team"]}]
    found = assess(made("MORE", rate=flat("1"), gates=kinds, **EXCLUSIVE), made("LESS", **EXCLUSIVE))
    assert [award.programme for award in found.awards] == ["LESS"]


def test_subsidies_that_do_not_exclude_each_other_stop_at_the_price() -> None:
    found = assess(made("FIRST", rate=flat("0.7")), made("SECOND", rate=flat("0.7"), settlement=REFUNDED))
    assert [award.total_fen for award in found.awards] == [70_000, 30_000]
    assert found.final_cost_fen == 0
    assert "subsidy.step.within_cost" in [step.key for step in found.awards[1].steps]


def test_without_the_guard_subsidies_would_exceed_the_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cutting, "_within_cost", lambda _self, amount, _cost: amount)
    found = assess(made("FIRST", rate=flat("0.7")), made("SECOND", rate=flat("0.7"), settlement=REFUNDED))
    assert found.final_cost_fen == -40_000


def test_one_estimate_makes_the_whole_an_estimate() -> None:
    quality = {"type": "quality_factor", "clause": "1", "factors": {"A": "1"}, "assume": "A"}
    pair = (made("GUESSED", rate=flat("0.1"), adjustments=[quality]), made("SURE", rate=flat("0.1")))
    assert assess(*pair).estimate
    assert assess(*pair[::-1]).estimate


def test_a_programme_cannot_be_applied_twice() -> None:
    with pytest.raises(ValueError, match="once"):
        assess(made("SAME"), made("SAME"))


def test_the_session_itself_says_amount_length_and_date() -> None:
    base = {"amount": "contract", "minimum_charge": "excluded", "clause": "1"}
    given_facts = replace(applicant(), amounts=parse_facts({"amounts": {"contract": 999999, "fee": 1}}).amounts)
    short = assess(made("CONTRACT", given_facts, base=base), minutes=3)
    assert (short.gross_fen, short.priced.minimum_top_up_fen) == (5_000, 2_500)
    assert short.awards[0].base_fen == 2_500
    assert short.awards[0].basis_on == date(2025, 6, 10)


def test_the_service_date_is_local_and_the_callers_date_goes_first() -> None:
    start = datetime(2025, 12, 31, 17, tzinfo=UTC)
    time_range = TimeRange(start, start + timedelta(hours=1))
    [outcome] = assess_session(SCHEDULE, time_range, SHANGHAI, "firm_sme", [made("LATE")]).outcomes
    assert isinstance(outcome, Refused)
    assert outcome.reasons[0].params["on"] == "2026-01-01"
    dated = parse_facts({"service": {"service_on": "2025-12-31"}})
    [outcome] = assess_session(SCHEDULE, time_range, SHANGHAI, "firm_sme", [made("LATE", dated)]).outcomes
    assert isinstance(outcome, Award)


def test_the_amount_asked_for_is_the_callers() -> None:
    asked = replace(applicant(), amounts=parse_facts({"amounts": {"asked": "12.34"}}).amounts)
    found = assess(made("ASKED", asked, adjustments=[{"type": "asked_limit", "clause": "1"}]))
    assert found.deducted_fen == 1_234


# Freezing and replay -------------------------------------------------------------------------------------------------


def frozen(*candidates: Candidate) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs = Inputs(SCHEDULE, TimeRange(START, START + timedelta(minutes=97)), SHANGHAI, "firm_sme", candidates)
    return through_text(inputs_to_json(inputs)), through_text(assessment_to_json(inputs.assess()))


def through_text(value: dict[str, Any]) -> dict[str, Any]:
    """As a database gives it back: through text, keys in another order."""
    again: dict[str, Any] = json.loads(json.dumps(value, sort_keys=True))
    return again


WITH_BALANCES = tuple(
    Candidate(
        programme,
        applicant(size=size, first_use=True),
        {"firm-year": Balance(None, 5_990_000), "pool": Balance(10**8, 10**7)},
    )
    for size, programme in (("medium", PROGRAMMES["DEMO-QH-A"]), ("small", PROGRAMMES["DEMO-QH-V"]))
)


def test_inputs_and_results_survive_their_json() -> None:
    inputs, result = frozen(*WITH_BALANCES)
    assert inputs_from_json(inputs).candidates == WITH_BALANCES
    assessment = assess_session(SCHEDULE, TimeRange(START, START + timedelta(minutes=97)), SHANGHAI, "firm_sme", WITH_BALANCES)
    assert assessment_from_json(result) == assessment
    assert len(assessment.awards) == 1
    assert result["engine"] == ENGINE_VERSION


def test_a_replay_in_a_fresh_process_gives_the_same_result_to_the_last_step() -> None:
    inputs, result = frozen(*WITH_BALANCES)
    code = (
        "import json, sys; from billing.subsidy.rules import inputs_sha256, replay; data = json.load(sys.stdin);"
        "print(json.dumps([inputs_sha256(data), replay(data)]))"
    )
    told = subprocess.run([sys.executable, "-c", code], input=json.dumps(inputs), capture_output=True, text=True, check=True)
    fingerprint, again = json.loads(told.stdout)
    assert fingerprint == inputs_sha256(inputs)
    assert list(differences(result, again)) == []


def test_a_tampered_result_is_found_where_it_differs() -> None:
    inputs, result = frozen(*WITH_BALANCES)
    result["outcomes"][0]["total_fen"] += 1
    result["outcomes"][0]["steps"].pop()
    found = {each.path: each for each in differences(result, replay(inputs))}
    total = found.pop("$.outcomes[0].total_fen")
    assert total.frozen == total.recomputed + 1
    [missing] = found.values()
    assert (missing.frozen, missing.recomputed["key"]) == (None, "subsidy.step.total")


def test_a_change_of_any_input_changes_the_fingerprint_and_order_of_keys_does_not() -> None:
    inputs, _ = frozen(*WITH_BALANCES)
    shuffled = dict(reversed(list(inputs.items())))
    assert inputs_sha256(shuffled) == inputs_sha256(inputs)
    inputs["candidates"][0]["balances"]["pool"]["used_fen"] += 1
    assert inputs_sha256(shuffled | {"candidates": inputs["candidates"]}) == inputs_sha256(inputs)
    assert inputs_sha256(inputs) != inputs_sha256(frozen(*WITH_BALANCES)[0])


def test_inputs_of_another_engine_are_not_recomputed() -> None:
    inputs, _ = frozen(*WITH_BALANCES)
    with pytest.raises(OtherEngine):
        replay({**inputs, "engine": "0"})


def test_a_float_has_no_place_in_frozen_inputs() -> None:
    inputs, _ = frozen(*WITH_BALANCES)
    with pytest.raises(TypeError):
        inputs_sha256({**inputs, "customer_class": 1.0})
