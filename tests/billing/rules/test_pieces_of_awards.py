"""What is taken out of an award, or worked out beside it: one way of settlement, the facts of a session, promises, limits by case."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.ledger.rules.accounting import COLUMNS, chosen_columns
from billing.pricing.rules.samples import ExtraCharge
from billing.subsidy.rules.assess import Candidate, assess_session, session_facts
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.outcome import Award, Balance, SettlementMode
from billing.subsidy.rules.parts.caps import parse_cap
from billing.subsidy.rules.programme import parse_programme
from billing.subsidy.rules.sides import in_one_way
from config.kernel.time_range import TimeRange
from tests.billing.rules.builders import cap, facts_of, programme_document
from tests.billing.rules.test_sides import SCHEDULE, sided

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2025, 6, 10, 10, tzinfo=ZONE)
TWO_HOURS = TimeRange(START, START + timedelta(hours=2))


def test_each_way_of_settlement_has_the_lines_steps_and_figures_of_its_own_sides() -> None:
    whole = evaluate(parse_programme(sided()), parse_facts(facts_of(1000)), {"fund": Balance(10_000_000, 0)})
    assert isinstance(whole, Award) and whole.sides is not None
    user, owner = (in_one_way(whole, each.mode) for each in whole.sides)
    assert [(one.mode, one.payee, one.total_fen) for one in (user, owner)] == [
        (each.mode, each.payee, each.total_fen) for each in whole.sides
    ]
    assert (user.total_fen, owner.total_fen) == (50_000, 10_000)
    assert user.lines + owner.lines == whole.lines and user.lines == whole.lines[:1]
    assert user.steps + owner.steps == whole.steps and user.steps[-1].key == "subsidy.step.total"
    assert (user.base_fen, owner.base_fen) == (100_000, 100_000)
    assert (user.computed_fen, owner.computed_fen) == (50_000, 10_000)
    neither = in_one_way(whole, SettlementMode.DEDUCTED_NOW)
    assert (neither.total_fen, neither.lines, neither.steps, neither.payee) == (0, (), (), whole.payee)


def test_an_award_of_one_side_is_given_in_its_own_way_only() -> None:
    award = evaluate(parse_programme(programme_document()), parse_facts(facts_of(1000)), {})
    assert isinstance(award, Award) and award.sides is None
    assert in_one_way(award, SettlementMode.DEDUCTED_NOW) is award
    other = in_one_way(award, SettlementMode.REFUNDED_LATER)
    assert (other.total_fen, other.lines) == (0, ())


def test_the_facts_of_a_session_are_those_of_what_may_be_subsidised_of_it() -> None:
    one = Candidate(parse_programme(programme_document()), parse_facts({"applicant": {"kind": "firm"}}), {})
    found = {
        minutes: session_facts(one, SCHEDULE, TWO_HOURS, ZONE, "firm_sme", START + timedelta(minutes=minutes))
        for minutes in (0, 60, 120, 180)
    }
    found[-1] = session_facts(one, SCHEDULE, TWO_HOURS, ZONE, "firm_sme")
    assert {each: facts.quantities.minutes for each, facts in found.items()} == {0: 120, 60: 60, 120: 120, 180: 120, -1: 120}
    assert {each: facts.amounts.fee for each, facts in found.items()} == {
        0: 100_000,
        60: 50_000,
        120: 100_000,
        180: 100_000,
        -1: 100_000,
    }


def test_what_is_beyond_the_booked_end_and_what_was_used_besides_are_told_one_after_the_other() -> None:
    extras = [ExtraCharge("argon", 20_00), ExtraCharge("needle", 5_00)]
    found = assess_session(SCHEDULE, TWO_HOURS, ZONE, "firm_sme", (), START + timedelta(hours=1), extras=extras)
    told = {step.key: step for step in found.steps}
    assert found.gross_fen == 1_025_00
    beyond, besides = told["session.step.beyond_booked"], told["session.step.extras"]
    assert (beyond.params, beyond.amount_fen) == ({"beyond_fen": 500_00}, 1_000_00)
    assert (besides.params, besides.amount_fen) == ({"beyond_fen": 25_00}, 1_025_00)


def test_a_cap_that_cut_to_what_was_promised_is_named_among_those_that_bind() -> None:
    programme = parse_programme(programme_document(caps=[cap("year", "firm_year", "900")]))
    award = evaluate(programme, parse_facts(facts_of(1000)), {"year": Balance(None, 0, promised_fen=123_45)})
    assert isinstance(award, Award)
    assert (award.total_fen, award.binding_caps) == (123_45, ("year",))
    kept = evaluate(programme, parse_facts(facts_of(1000)), {"year": Balance(None, 0, promised_fen=500_00)})
    assert isinstance(kept, Award) and (kept.total_fen, kept.binding_caps) == (500_00, ())


def test_a_rate_of_levels_may_be_paid_in_shares_that_are_not_theirs() -> None:
    levels = [{"payer": payer, "rate": rate} for payer, rate in (("province", "0.3"), ("city", "0.1"))]
    shares = [{"payer": payer, "share": "0.5"} for payer in ("province", "city")]
    document = programme_document(
        rate={"type": "stacked", "levels": levels, "clause": "1"},
        payers={"rule": "largest_remainder", "shares": shares, "clause": "1"},
    )
    award = evaluate(parse_programme(document), parse_facts(facts_of(1000)), {})
    assert isinstance(award, Award)
    assert {line.payer: line.amount_fen for line in award.lines} == {"province": 200_00, "city": 200_00}


def test_an_account_may_hold_the_highest_of_a_limits_cases() -> None:
    cases = [
        {"when": {"fact": "applicant.size", "is": each}, "limit": limit} for each, limit in (("micro", "500"), ("small", "300"))
    ]
    for otherwise in ("100", "400", "900"):
        found = parse_cap(cap("year", "firm_year", {"cases": cases, "otherwise": otherwise}), "service.service_on")
        assert found.limit_fen == max(500_00, int(otherwise) * 100)


def test_no_columns_chosen_are_all_of_them() -> None:
    assert chosen_columns("") == chosen_columns(" , ") == tuple(COLUMNS)
