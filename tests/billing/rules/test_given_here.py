"""What programmes before it give is told to one that looks at other public money: with a step, whatever the way of settlement, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.pricing.rules.schedule import parse_schedule
from billing.subsidy.rules.assess import Assessment, Candidate
from billing.subsidy.rules.codec import Inputs, beside_others, inputs_from_json, inputs_to_json
from billing.subsidy.rules.facts import Facts, parse_facts
from billing.subsidy.rules.given_here import OTHERS, Given, asked
from billing.subsidy.rules.outcome import Award, Outcome, Refused
from billing.subsidy.rules.programme import parse_programme
from config.kernel.time_range import TimeRange
from tests.billing.rules.builders import load, programme_document

START = datetime(2025, 11, 24, 1, 0, tzinfo=UTC)
SCHEDULE = parse_schedule(
    {
        "format": 1,
        "currency": "CNY",
        "rates": {"inside": 500, "academic": 500, "firm_sme": 500, "firm_large": 500, "team": 500},
        "bands": [],
        "minimum": {"minutes": 0, "amount": "0"},
        "rounding": {"step": "fen", "mode": "half_up"},
    }
)
GROSS = 1_000_00
NO_LIMIT: dict[str, Any] = {"caps": []}
TOGETHER = {"type": "rate_limit", "rate": "0.5", "of": "amounts.fee", "counting": [OTHERS], "clause": "1"}
DEDUCT = {"type": "deduct", "of": OTHERS, "clause": "1"}
SAYS = {"zh": "条件", "en": "Condition"}


def flat(rate: str) -> dict[str, Any]:
    return {"type": "flat", "clause": "1", "rate": rate}


def settled(mode: str) -> dict[str, Any]:
    payee = "firm" if mode == "refunded_later" else "provider"
    form = {"deducted_now": "deduct_and_redeem", "refunded_later": "post_claim_refund", "paid_beside": "yearly_reward"}[mode]
    return {"settlement": {"mode": mode, "form": form, "payee": payee, "clause": "1"}}


def gate(**when: Any) -> dict[str, Any]:
    return {"gates": [{"type": "condition", "clause": "1", "when": {"fact": OTHERS, **when}, "says": SAYS}]}


def made(code: str, known: dict[str, Any] | None = None, **changes: Any) -> Candidate:
    programme = parse_programme(programme_document(code=code, **NO_LIMIT | {"gates": [], "adjustments": []} | changes))
    facts: Facts = parse_facts({"applicant": {"kind": "firm"}, **(known or {})})
    return Candidate(programme, facts, {}, programme.asks_of_price | programme.asks_of_others)


def inputs(*candidates: Candidate) -> Inputs:
    during = TimeRange(START, START + timedelta(minutes=120))
    return Inputs(SCHEDULE, during, ZoneInfo("Asia/Shanghai"), "firm_sme", candidates)


def assess(*candidates: Candidate) -> Assessment[Any]:
    return inputs(*candidates).assess()


def totals(found: Assessment[Any]) -> list[int | None]:
    return [each.total_fen if isinstance(each, Award) else None for each in found.outcomes]


def told(outcome: Outcome) -> list[dict[str, Any]]:
    return [dict(step.params) for step in outcome.steps if step.key == "subsidy.step.given_here"]


A, B = ("A-1", "B-1")
LOOKING: dict[str, Any] = {"rate": flat("0.4"), "adjustments": [TOGETHER]}


def test_two_programmes_of_forty_per_cent_with_others_at_most_half_give_half_together() -> None:
    found = assess(made(A, rate=flat("0.4")), made(B, **LOOKING))
    assert found.gross_fen == GROSS
    assert totals(found) == [400_00, 100_00]
    assert told(found.outcomes[0]) == [] and told(found.outcomes[1]) == [{"programmes": [A], "given_fen": 400_00}]
    assert found.outcomes[1].steps[0].amount_fen == 0, "nothing is given yet where it is said"


@pytest.mark.parametrize("earlier", ["deducted_now", "refunded_later", "paid_beside"])
@pytest.mark.parametrize("later", ["deducted_now", "refunded_later", "paid_beside"])
def test_whatever_the_way_of_settlement(earlier: str, later: str) -> None:
    found = assess(made(A, rate=flat("0.4"), **settled(earlier)), made(B, **LOOKING, **settled(later)))
    assert totals(found) == [400_00, 100_00]


def test_all_that_were_before_count_and_none_that_comes_after() -> None:
    found = assess(made(A, rate=flat("0.1")), made("A-2", rate=flat("0.2")), made(B, **LOOKING), made("C-1", rate=flat("0.3")))
    assert totals(found) == [100_00, 200_00, 200_00, 300_00]
    assert told(found.outcomes[2]) == [{"programmes": [A, "A-2"], "given_fen": 300_00}]


def test_what_gives_nothing_is_not_named() -> None:
    found = assess(made(A, rate=flat("0")), made(B, **LOOKING))
    assert totals(found) == [0, 400_00] and told(found.outcomes[1]) == []


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({"adjustments": [DEDUCT]}, 0),
        ({"rate": flat("0.6"), "adjustments": [DEDUCT]}, 200_00),
        ({"base": {"amount": "fee", "minimum_charge": "included", "less": ["other_subsidies"], "clause": "1"}}, 240_00),
        (gate(below=400), None),
        (gate(above=399), 400_00),
        ({"caps": [{"id": "beside", "per": "session", "limit": "50", "when_short": "partial", "clause": "1", "says": SAYS,
                    "when": {"fact": OTHERS, "above": 0}}]}, 50_00),
    ],
)  # fmt: skip
def test_wherever_a_programme_looks_at_it(changes: dict[str, Any], total: int | None) -> None:
    found = assess(made(A, rate=flat("0.4")), made(B, **{"rate": flat("0.4")} | changes))
    assert totals(found) == [400_00, total]


@pytest.mark.parametrize(
    ("changes", "total"), [(gate(at_most=0), 400_00), (gate(above=0), None), ({"adjustments": [DEDUCT]}, 400_00)]
)
def test_where_nothing_was_given_here_that_is_known(changes: dict[str, Any], total: int | None) -> None:
    assert totals(assess(made(B, **{"rate": flat("0.4")} | changes))) == [total]


def test_what_is_declared_counts_beside_it() -> None:
    declared = {"amounts": {"other_subsidies": "60"}}
    found = assess(made(A, rate=flat("0.4")), made(B, declared, **LOOKING))
    assert totals(found) == [400_00, 40_00]
    assert told(found.outcomes[1]) == [{"programmes": [A], "given_fen": 400_00}]


def test_by_itself_a_programme_comes_to_what_it_came_to_beside_the_others() -> None:
    whole = inputs(made(A, rate=flat("0.4")), made(B, **LOOKING))
    alone = beside_others(whole, 1)
    assert alone.beside == (Given(A, 400_00),)
    assert replace(whole, candidates=(alone,)).assess().outcomes[0] == whole.assess().outcomes[1]
    assert whole.facts_of(1).amounts.claim.other_subsidies == 400_00
    assert beside_others(whole, 0) is whole.candidates[0] and whole.facts_of(0).amounts.claim.other_subsidies is None


def test_what_was_frozen_before_it_was_told_comes_to_what_it_came_to() -> None:
    later = replace(made(B, **LOOKING), told=frozenset())
    found = assess(made(A, rate=flat("0.4")), later)
    assert totals(found) == [400_00, 400_00] and told(found.outcomes[1]) == []


def test_frozen_inputs_replay() -> None:
    whole = inputs(made(A, rate=flat("0.4")), made(B, **LOOKING))
    frozen = inputs_to_json(whole)
    assert [each.get("told") for each in frozen["candidates"]] == [None, [OTHERS]]
    assert inputs_from_json(frozen).assess() == whole.assess()


def test_a_programme_that_does_not_look_is_not_decided_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from billing.subsidy.rules import assess as module

    calls: list[str] = []
    real = module.evaluate

    def counted(programme: Any, *args: Any, **more: Any) -> Outcome:
        calls.append(programme.code)
        return real(programme, *args, **more)

    monkeypatch.setattr(module, "evaluate", counted)
    assess(made(A, rate=flat("0.4")), made(B, rate=flat("0.4")))
    assert calls == [A, B]
    calls.clear()
    assess(made(A, rate=flat("0.4")), made(B, **LOOKING))
    assert calls == [A, B, B]


def test_which_of_those_that_exclude_each_other_stay_is_decided_before() -> None:
    same: dict[str, Any] = {"exclusive": {"class": "one", "clause": "1"}}
    beside = gate(above=0)
    found = assess(made(A, rate=flat("0.1")), made(B, rate=flat("0.4"), **beside, **same), made("C-1", rate=flat("0.2"), **same))
    assert totals(found) == [100_00, None, 200_00]
    excluded = found.outcomes[1]
    assert isinstance(excluded, Refused) and [each.code for each in excluded.reasons] == ["subsidy.unmet.exclusive"]
    again = assess(made(A, rate=flat("0.1")), made(B, **LOOKING | same), made("C-1", rate=flat("0.45"), **same))
    assert totals(again) == [100_00, None, 450_00] and told(again.outcomes[1]) == []  # it was out before anything was told


SAME: dict[str, Any] = {"exclusive": {"class": "one", "clause": "1"}}


def test_an_award_that_stays_is_not_weighed_again_once_it_is_told_and_a_refusal_keeps_its_own_reason() -> None:
    stays = assess(made(A, rate=flat("0.4")), made(B, **LOOKING | SAME))
    assert totals(stays) == [400_00, 100_00]
    never = assess(made(A, rate=flat("0.4")), made(B, **LOOKING | SAME | gate(above=5000)), made("C-1", rate=flat("0.2"), **SAME))
    refused = never.outcomes[1]
    assert isinstance(refused, Refused) and [each.code for each in refused.reasons] == ["subsidy.unmet.condition"]


@pytest.mark.parametrize("says", [B, "C-1"])
def test_it_gives_way_whichever_of_the_two_says_that_they_are_not_combined(says: str) -> None:
    def not_with(own: str, other: str) -> dict[str, Any]:
        return {"exclusive": {"class": f"of {own}", "not_with": [other], "clause": "1"}} if own == says else {}

    found = assess(
        made(A, rate=flat("0.1")),
        made(B, rate=flat("0.4"), **gate(above=0), **not_with(B, "C-1")),
        made("C-1", rate=flat("0.2"), **not_with("C-1", B)),
    )
    assert totals(found) == [100_00, None, 200_00]
    given_up = found.outcomes[1]
    assert isinstance(given_up, Refused) and [each.code for each in given_up.reasons] == ["subsidy.unmet.not_combined"]


@pytest.mark.parametrize(("changes", "clause"), [({}, "1"), ({"exclusive": {"class": "one", "clause": "2"}}, "2")])
def test_the_step_names_the_clause_about_other_money_where_there_is_one(changes: dict[str, Any], clause: str) -> None:
    clauses = {"clauses": [{"id": each, "zh": "test", "en": "test"} for each in ("1", "2")]}
    found = assess(made(A, rate=flat("0.4")), made(B, **LOOKING, **clauses, **changes))
    assert found.outcomes[1].steps[0].clause == clause


def test_a_programme_that_is_told_nothing_stays_as_it_is() -> None:
    whole = inputs(made(A, rate=flat("0.4")), made(B, rate=flat("0.4")))
    assert beside_others(whole, 1) is whole.candidates[1]


def test_documents_that_look_at_it_and_those_that_do_not() -> None:
    assert asked(load("DEMO-QH-V")) == frozenset()
    assert asked(programme_document(adjustments=[DEDUCT])) == {OTHERS}
    assert asked(
        programme_document(base={"amount": "fee", "minimum_charge": "included", "less": ["other_subsidies"], "clause": "1"})
    ) == {OTHERS}
