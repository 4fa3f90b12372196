"""Promises of the engine under programmes nobody wrote, and a second engine that has to agree with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from billing.ledger.rules.money import parse_yuan
from billing.subsidy.rules import MESSAGES, Award, Balance, SettlementMode, evaluate, parse_facts, parse_programme
from billing.subsidy.rules.cutting import Cutting
from billing.subsidy.rules.outcome import Outcome
from tests.billing.rules import second_engine
from tests.billing.rules.builders import cap, facts_of, programme_document
from tests.billing.rules.strategies import BALANCES, documents, facts

Json = dict[str, Any]
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))


def decided(document: Json, given_facts: Json, balances: Json) -> Outcome:
    known = {
        name: Balance(parse_yuan(each["limit"]) if "limit" in each else None, parse_yuan(each.get("used", 0)))
        for name, each in balances.items()
    }
    return evaluate(parse_programme(document), parse_facts(given_facts), known)


def agrees(document: Json, given_facts: Json, balances: Json) -> None:
    outcome = decided(document, given_facts, balances)
    expected = second_engine.pays(document, given_facts, balances)
    if not isinstance(outcome, Award):
        assert expected is None, outcome.reasons
        return
    assert expected is not None
    assert {line.payer: line.amount_fen for line in outcome.lines if line.amount_fen} == {
        payer: part for payer, part in expected.items() if part
    }


def keeps_its_promises(document: Json, given_facts: Json, balances: Json) -> None:
    outcome = decided(document, given_facts, balances)
    assert outcome == decided(json.loads(json.dumps(document)), given_facts, balances)
    for key, params in [(step.key, step.params) for step in outcome.steps]:
        assert set(MESSAGES[key].params) == set(params) - {"exact_fen"}
    if not isinstance(outcome, Award):
        assert outcome.reasons
        return
    assert outcome.total_fen == sum(line.amount_fen for line in outcome.lines)
    assert all(line.amount_fen >= 0 for line in outcome.lines)
    assert sum(outcome.given_fen(mode) for mode in SettlementMode) == outcome.total_fen
    if outcome.mode is not SettlementMode.PAID_BESIDE:
        assert outcome.off_cost_fen <= (
            parse_yuan(given_facts["amounts"]["fee"]) if "quantity" in document["base"] else outcome.base_fen
        )
    for name, left in outcome.left_after.items():
        assert left >= 0 and outcome.draws[name] >= 0
    room = second_engine.Caps(document, given_facts, balances)
    for each in document["caps"]:
        left_before = room.room(each)
        drawn = sum(line.amount_fen for line in outcome.lines if each.get("payer", line.payer) == line.payer)
        assert left_before is None or drawn <= left_before


@given(documents(), facts(), BALANCES)
@QUICK
def test_a_second_engine_agrees_on_what_every_payer_pays(document: Json, given_facts: Json, balances: Json) -> None:
    agrees(document, given_facts, balances)


@given(documents(), facts(), BALANCES)
@QUICK
def test_no_award_exceeds_a_cap_or_the_cost_and_all_of_it_is_explained(document: Json, given_facts: Json, balances: Json) -> None:
    keeps_its_promises(document, given_facts, balances)


@pytest.mark.proof
@given(documents(), facts(), BALANCES)
@LONG
def test_a_second_engine_agrees_however_long_one_looks(document: Json, given_facts: Json, balances: Json) -> None:
    agrees(document, given_facts, balances)


@pytest.mark.proof
@given(documents(), facts(), BALANCES)
@LONG
def test_the_promises_hold_however_long_one_looks(document: Json, given_facts: Json, balances: Json) -> None:
    keeps_its_promises(document, given_facts, balances)


SEARCH = settings(QUICK, phases=[Phase.generate], report_multiple_bugs=False)


@pytest.mark.parametrize(
    ("name", "forgetful"),
    [
        ("_cut", lambda _self, _cap, amount: amount),
        ("_within_cost", lambda _self, amount, _cost: amount),
    ],
)
def test_an_engine_that_forgets_a_limit_is_found_out(name: str, forgetful: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cutting, name, forgetful)

    @given(documents(), facts(), BALANCES)
    @SEARCH
    def look(document: Json, given_facts: Json, balances: Json) -> None:
        agrees(document, given_facts, balances)

    with pytest.raises(AssertionError):
        look()


GROWING = st.sampled_from(
    [
        {"type": "flat", "rate": "0.37"},
        {"type": "tiers", "tiers": [{"up_to": 3000, "rate": "0.5"}, {"up_to": 9000, "rate": "0.1"}, {"rate": "0.3"}]},
        {"type": "face_value", "amount": 4000, "own_share": "0.25"},
        {"type": "vouchers", "face_value": 700, "most": 9, "co_funded_share": "0.4", "own_money": 150},
        {"type": "stacked", "levels": [{"payer": "county", "rate": "0.2"}, {"payer": "city", "rate": "0.15"}]},
        {"type": "fixed", "amount": 500},
    ]
)


TWO_FEES = st.tuples(st.integers(0, 2_000_000), st.integers(0, 2_000_000))
USED = st.integers(0, 500_000)


@given(GROWING, TWO_FEES, USED)
@QUICK
def test_who_spends_more_never_gets_less(rate: Json, fees: tuple[int, int], used: int) -> None:
    gives_more_for_more(rate, fees, used)


@pytest.mark.proof
@given(GROWING, TWO_FEES, USED)
@LONG
def test_who_spends_more_never_gets_less_however_long_one_looks(rate: Json, fees: tuple[int, int], used: int) -> None:
    gives_more_for_more(rate, fees, used)


def gives_more_for_more(rate: Json, fees: tuple[int, int], used: int) -> None:
    payers = {"payers": {"rule": "by_level", "clause": "1"}} if rate["type"] == "stacked" else {}
    document = programme_document(rate={**rate, "clause": "1"}, caps=[cap("year", "applicant_year", 4000)], **payers)
    programme = parse_programme(document)
    given_facts = [facts_of(f"{fee // 100}.{fee % 100:02d}", quantities={"vouchers": 9}) for fee in sorted(fees)]
    amounts = [evaluate(programme, parse_facts(each), {"year": Balance(None, used)}) for each in given_facts]
    assert isinstance(amounts[0], Award) and isinstance(amounts[1], Award)
    assert amounts[0].total_fen <= amounts[1].total_fen
