"""Promises of a whole session under programmes nobody wrote: its four numbers, and that what is frozen comes out the same again."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from billing.ledger.rules.money import parse_yuan
from billing.pricing.rules import parse_schedule
from billing.subsidy.rules import (
    Assessment,
    Award,
    Balance,
    Candidate,
    Inputs,
    SettlementMode,
    assessment_from_json,
    assessment_to_json,
    codec,
    differences,
    inputs_from_json,
    inputs_sha256,
    inputs_to_json,
    parse_facts,
    replay,
)
from billing.subsidy.rules.outcome import Outcome
from billing.subsidy.rules.programme import read_programme
from config.kernel.time_range import TimeRange
from tests.billing.rules.strategies import BALANCES, CONDITIONS, SAYS, documents, facts

Json = dict[str, Any]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))
SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2025, 6, 10, 10, tzinfo=SHANGHAI)
SCHEDULES = [
    parse_schedule(
        {
            "format": 2,
            "unit": "hour",
            "currency": "CNY",
            "rates": {"firm_sme": "433.33"},
            "bands": [{"code": "peak", "weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00", "ratio": "1.25"}],
            "setup": {"firm_sme": "33.33"},
            "minimum": {"amount": "500"},
            "rounding": {"step": "fen", "mode": "half_up"},
            **tax,
        }
    )
    for tax in ({}, {"tax": {"rate": "0.06", "included": True}}, {"tax": {"rate": "0.06", "included": False}})
]
SEVERAL_GATES = st.lists(
    CONDITIONS.map(lambda when: {"type": "condition", "when": when, "says": SAYS, "clause": "1"}), max_size=3
)
EXCLUSIVE = st.sampled_from([{}, {}, {"exclusive": {"class": "one", "clause": "1"}}])
PROGRAMMES = st.lists(st.tuples(documents(), SEVERAL_GATES, EXCLUSIVE, BALANCES), min_size=1, max_size=3).map(
    lambda drawn: [
        (document | {"code": f"P{place}", "gates": gates} | exclusive, balances)
        for place, (document, gates, exclusive, balances) in enumerate(drawn)
    ]
)
ANY_SESSION = (PROGRAMMES, facts(), st.integers(1, 3000), st.sampled_from(SCHEDULES), st.integers(0, 2**32).map(random.Random))


def inputs_of(programmes: list[tuple[Json, Json]], given_facts: Json, minutes: int, schedule: Any) -> Inputs:
    known = parse_facts(given_facts)
    candidates = [
        Candidate(
            read_programme(document),
            known,
            {
                name: Balance(parse_yuan(each["limit"]) if "limit" in each else None, parse_yuan(each.get("used", 0)))
                for name, each in balances.items()
            },
        )
        for document, balances in programmes
    ]
    return Inputs(schedule, TimeRange(START, START + timedelta(minutes=minutes)), SHANGHAI, "firm_sme", tuple(candidates))


def shuffled(value: Any, dice: random.Random) -> Any:
    """The same document with the keys of its objects in another order, as a database gives them back."""
    if isinstance(value, dict):
        names = list(value)
        dice.shuffle(names)
        return {name: shuffled(value[name], dice) for name in names}
    return [shuffled(each, dice) for each in value] if isinstance(value, list) else value


def four_numbers_hold(found: Assessment) -> None:
    """Each way of settlement moves its own number, and nothing else does."""
    assert found.gross_fen == sum(line.amount_fen for line in found.priced.lines)
    given = {mode: sum(award.given_fen(mode) for award in found.awards) for mode in SettlementMode}
    assert found.deducted_fen == given[SettlementMode.DEDUCTED_NOW]
    assert found.refunded_fen == given[SettlementMode.REFUNDED_LATER]
    assert found.payable_now_fen == found.gross_fen - found.deducted_fen
    assert found.final_cost_fen == found.payable_now_fen - found.refunded_fen
    assert 0 <= found.final_cost_fen <= found.payable_now_fen <= found.gross_fen
    for award in found.awards:
        assert sum(award.given_fen(mode) for mode in SettlementMode) == award.total_fen
        assert award.given_fen(award.mode) == award.total_fen == sum(line.amount_fen for line in award.lines)
    if found.tax is not None:
        assert 0 <= found.tax.amount_fen < found.gross_fen


def apart_from_order(outcome: Outcome) -> Any:
    """An outcome without the working, whose order is that of the gates; of a refusal every reason, in any order."""
    if isinstance(outcome, Award):
        return outcome._replace(steps=())
    return sorted((each.clause, each.code, json.dumps(each.params, sort_keys=True)) for each in outcome.reasons)


def keeps_what_it_promises(
    programmes: list[tuple[Json, Json]], given_facts: Json, minutes: int, schedule: Any, dice: random.Random
) -> None:
    inputs = inputs_of(programmes, given_facts, minutes, schedule)
    found = inputs.assess()
    four_numbers_hold(found)
    frozen_inputs = json.loads(json.dumps(inputs_to_json(inputs)))
    frozen = json.loads(json.dumps(assessment_to_json(found)))
    assert assessment_from_json(frozen) == found
    again = shuffled(frozen_inputs, dice)
    assert inputs_sha256(again) == inputs_sha256(frozen_inputs)
    assert list(differences(frozen, replay(again))) == []
    assert assessment_from_json(shuffled(frozen, dice)) == found
    for each in again["candidates"]:
        dice.shuffle(each["programme"]["gates"])
    reordered = inputs_from_json(again).assess()
    assert [apart_from_order(each) for each in reordered.outcomes] == [apart_from_order(each) for each in found.outcomes]
    assert reordered[:1] + reordered[3:7] == found[:1] + found[3:7]


@given(*ANY_SESSION)
@QUICK
def test_four_numbers_freezing_and_replay_hold_for_any_session(
    programmes: list[tuple[Json, Json]], given_facts: Json, minutes: int, schedule: Any, dice: random.Random
) -> None:
    keeps_what_it_promises(programmes, given_facts, minutes, schedule, dice)


@pytest.mark.proof
@given(*ANY_SESSION)
@LONG
def test_they_hold_however_long_one_looks(
    programmes: list[tuple[Json, Json]], given_facts: Json, minutes: int, schedule: Any, dice: random.Random
) -> None:
    keeps_what_it_promises(programmes, given_facts, minutes, schedule, dice)


def test_a_codec_that_forgets_what_was_used_before_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_balance_to_json", lambda balance: {"limit_fen": balance.limit_fen, "used_fen": 0})

    @given(*ANY_SESSION)
    @settings(QUICK, max_examples=500, phases=[Phase.generate], report_multiple_bugs=False)
    def look(programmes: Any, given_facts: Json, minutes: int, schedule: Any, dice: random.Random) -> None:
        keeps_what_it_promises(programmes, given_facts, minutes, schedule, dice)

    with pytest.raises(AssertionError):
        look()
