"""Facts that follow from a price: told to programmes that look at them, and to no other; what was frozen without them stays as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.pricing.rules.counted import parse_counted
from billing.pricing.rules.pricing import price_session
from billing.pricing.rules.samples import SamplePrice, price_samples
from billing.pricing.rules.schedule import parse_schedule
from billing.subsidy.rules.assess import Candidate, assess_nothing, assess_session
from billing.subsidy.rules.codec import Inputs, candidate_to_json, candidates_of, inputs_from_json, inputs_to_json, replay
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.priced_facts import OF_OUTSIDE, asked, told
from billing.subsidy.rules.programme import parse_programme
from config.kernel.time_range import TimeRange
from tests.billing.rules.builders import programme_document

ZONE = ZoneInfo("Asia/Shanghai")
NINE = datetime(2026, 11, 25, 1, tzinfo=UTC)
ROUND = {"step": "fen", "mode": "half_up"}
SAYS = {"zh": "条件", "en": "Condition"}


def schedule(**more: Any) -> Any:
    plain = {
        "format": 2,
        "currency": "CNY",
        "unit": "hour",
        "rates": {"firm_sme": "400"},
        "bands": [],
        "minimum": {},
        "rounding": ROUND,
    }
    return parse_schedule(plain | more)


def hours(count: float) -> TimeRange:
    return TimeRange(NINE, datetime.fromtimestamp(NINE.timestamp() + count * 3600, UTC))


def of_session(found: Any, length: float) -> dict[str, int]:
    return told(price_session(found, hours(length), ZONE, "firm_sme"), int(length * 60))


def gate(when: dict[str, Any]) -> dict[str, Any]:
    return {"type": "condition", "clause": "1", "when": when, "says": SAYS}


TAXED = {"tax": {"rate": "0.06", "included": True}}


FIRM, SISTER, LAB = {"id": "firm"}, {"id": "sister", "controller": "lab"}, {"id": "lab"}


@pytest.mark.parametrize(
    ("customer", "owner", "more", "found"),
    [
        # Two hours at 400 are 800.00; with 6 % in it 800 x 0.06 / 1.06 = 45.28 are tax; with 6 % on it 848.00, of which 48.00.
        (FIRM, LAB, {}, (800_00, 120)),
        (FIRM, LAB, TAXED, (754_72, 120)),
        (FIRM, LAB, {"tax": {"rate": "0.06", "included": False}}, (800_00, 120)),
        (SISTER, LAB, TAXED, (0, 0)),
        (LAB, LAB, TAXED, (0, 0)),
        (SISTER, {"id": "other", "controller": "lab"}, TAXED, (0, 0)),
        (SISTER, {"id": "other", "controller": "third"}, {}, (800_00, 120)),
        ({}, LAB, {}, None),
        (FIRM, {}, {}, None),
    ],
)
def test_an_owner_earns_what_a_customer_of_another_controller_pays_without_the_tax(
    customer: dict[str, str], owner: dict[str, str], more: dict[str, Any], found: tuple[int, int] | None
) -> None:
    facts = parse_facts({"applicant": customer, "provider": owner})
    priced = price_session(schedule(**more), hours(2), ZONE, "firm_sme")
    outside = {path: value for path, value in told(priced, 120, facts).items() if path in OF_OUTSIDE}
    names = ("amounts.external_income", "quantities.external_minutes")
    assert outside == ({} if found is None else dict(zip(names, found, strict=True)))


def test_income_and_hours_from_outside_are_told_with_the_price_and_replayed_and_what_the_facts_say_stays() -> None:
    income = {"base": {"amount": "external_income", "clause": "1"}}
    time = {
        "base": {"quantity": "external_machine_hours", "clause": "1"},
        "rate": {"type": "per_unit", "amount": "30", "part_units": "exact", "clause": "1"},
    }
    assert asked(programme_document(**income)) == {"amounts.external_income"}
    assert asked(programme_document(**time)) == {"quantities.external_minutes"}
    given = []
    for changes, said in ((income, {}), (income, {"amounts": {"external_income": 100}}), (time, {})):
        programme = parse_programme(programme_document(**changes))
        facts = parse_facts({"applicant": FIRM, "provider": LAB, "service": {"service_on": "2025-06-10"}, **said})
        candidate = Candidate(programme, facts, {}, programme.asks_of_price)
        inputs = Inputs(schedule(**TAXED), hours(2.5), ZONE, "firm_sme", (candidate,))
        found = inputs.assess()
        (award,) = found.awards
        given.append(award.total_fen)
        assert replay(json.loads(json.dumps(inputs_to_json(inputs))))["outcomes"][0]["total_fen"] == award.total_fen
        assert not replace(inputs, candidates=(replace(candidate, told=frozenset()),)).assess().awards or said
    # Half of 1,000.00 less 56.60 of tax; half of what the facts say; two hours and a half at 30.
    assert given == [471_70, 50_00, 75_00]


def test_nothing_charged_is_no_income_and_no_time_from_outside() -> None:
    programme = parse_programme(programme_document(base={"amount": "external_income", "clause": "1"}))
    candidate = Candidate(programme, parse_facts({"applicant": FIRM, "provider": LAB}), {}, programme.asks_of_price)
    (award,) = assess_nothing(date(2025, 6, 10), "firm_sme", (candidate,)).awards
    assert award.base_fen == award.total_fen == 0


def test_a_session_is_one_and_says_its_tax_where_the_price_names_a_rate() -> None:
    assert of_session(schedule(), 2) == {"quantities.sessions": 1}
    assert of_session(schedule(**TAXED), 2) == {"quantities.sessions": 1, "amounts.tax": 45_28}
    added = {"tax": {"rate": "0.06", "included": False}}
    assert of_session(schedule(**added), 2) == {"quantities.sessions": 1, "amounts.tax": 48_00}


@pytest.mark.parametrize(("length", "days"), [(1, 1), (8, 1), (8.5, 2), (16, 2)])
def test_started_days_are_counted_where_the_price_is_one_for_a_day(length: float, days: int) -> None:
    assert of_session(schedule(unit="day"), length)["quantities.days"] == days
    assert "quantities.days" not in of_session(schedule(unit="half_day"), length)


@pytest.mark.parametrize(
    ("unit", "samples", "elements", "found"),
    [
        ("sample", 5, 1, {"quantities.units": 5}),
        ("element", 5, 3, {"quantities.units": 15, "quantities.elements": 15}),
        ("run", 4, 1, {"quantities.units": 4, "quantities.runs": 4}),
        ("batch", 9, 1, {"quantities.units": 1}),
        ("test", 2, 1, {"quantities.units": 2}),
    ],
)
def test_a_commissioned_test_says_what_its_price_counts(unit: str, samples: int, elements: int, found: dict[str, int]) -> None:
    plain = SamplePrice(unit, 100_00)
    assert told(price_samples(plain, samples, elements, "firm_sme", date(2026, 11, 25)), None) == found
    document = {"format": 2, "currency": "CNY", "unit": unit, "rates": {"firm_sme": "100"}, "setup": {"firm_sme": "30"}, **TAXED}
    document |= {
        "minimum": {"amount": "20"},
        "rounding": ROUND,
        "steps": [{"up_to": "3", "ratio": "1"}, {"ratio": "0.5"}],
    }
    priced = price_samples(SamplePrice.of_terms(parse_counted(document)), samples, elements, "firm_sme", date(2026, 11, 25))
    assert told(priced, None).items() > found.items()  # and the tax; setting up and the least charge count nothing


def test_a_document_asks_for_what_its_rules_name_and_not_for_what_its_texts_and_examples_say() -> None:
    document = programme_document()
    assert asked(document) == frozenset()
    names = {
        "clauses": [{"id": "1", "zh": "units", "en": "days"}],
        "examples": [{"facts": {"quantities": {"runs": 1}}, "by": "runs"}],
    }
    assert asked(document | names) == frozenset()
    assert asked(document | {"gates": [gate({"fact": "quantities.sessions", "at_least": 1})]}) == {"quantities.sessions"}
    less = document["base"] | {"less": ["tax"]}
    assert asked(document | {"sides": [{"base": less}]}) == {"amounts.tax"}
    assert asked(document | {"base": {"quantity": "days", "clause": "2"}}) == {"quantities.days"}


def candidate(facts: dict[str, Any] | None = None) -> Candidate:
    less = programme_document()["base"] | {"less": ["tax"]}
    programme = parse_programme(programme_document(base=less))
    known = {"applicant": {"kind": "firm", "verified": True}, "service": {"service_on": "2025-06-10"}} | (facts or {})
    return Candidate(programme, parse_facts(known), {}, programme.asks_of_price)


def base_of(given: Candidate) -> int:
    (outcome,) = assess_session(schedule(**TAXED), hours(2), ZONE, "firm_sme", [given]).outcomes
    return outcome.base_fen  # type: ignore[union-attr]


def test_the_tax_is_left_out_of_the_base_where_it_is_told() -> None:
    assert base_of(candidate()) == 800_00 - 45_28
    assert base_of(replace(candidate(), told=frozenset())) == 800_00
    said = candidate({"amounts": {"tax": "100.00"}})
    assert base_of(said) == 700_00  # what somebody said stays


def test_what_was_frozen_without_being_told_replays_without_it_and_what_was_told_with_it() -> None:
    for given, told_now in ((candidate(), True), (replace(candidate(), told=frozenset()), False)):
        inputs = Inputs(schedule(**TAXED), hours(2), ZONE, "firm_sme", (given,))
        frozen = inputs_to_json(inputs)
        assert ("told" in frozen["candidates"][0]) is told_now
        assert inputs_from_json(frozen) == inputs
        assert replay(frozen)["outcomes"][0]["base_fen"] == (800_00 - 45_28 if told_now else 800_00)
    written = candidate_to_json(candidate())
    assert candidates_of([candidate().programme], [written]) == (candidate(),)


def test_nothing_charged_is_no_session() -> None:
    document = programme_document(gates=[gate({"fact": "quantities.sessions", "at_least": 1})])
    programme = parse_programme(document)
    one = Candidate(programme, candidate().facts, {}, programme.asks_of_price)
    (paid,) = assess_session(schedule(), hours(2), ZONE, "firm_sme", [one]).outcomes
    (nothing,) = assess_nothing(date(2025, 6, 10), "firm_sme", [one]).outcomes
    assert type(paid).__name__ == "Award"
    assert [reason.code for reason in nothing.reasons] == ["subsidy.unmet.condition"]  # type: ignore[union-attr]
