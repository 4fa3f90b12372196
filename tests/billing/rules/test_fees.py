"""Fees for unused time: a share of the price, and what falls away when others use it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.ledger.rules.documents import DocumentError
from billing.ledger.rules.money import Rounding
from billing.pricing.rules import FeeRule, describe, fallen_away, parse_schedule, price_fee
from billing.settlement.rules.fees import is_dearer, moved_terms, promised_start, returned_fen
from booking.rules.leaving import Fault
from config.kernel.time_range import TimeRange
from tests.billing.rules.test_pricing import document

START = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
LOST = TimeRange(START, START + timedelta(hours=3))


def minutes(first: int, last: int) -> TimeRange:
    return TimeRange(START + timedelta(minutes=first), START + timedelta(minutes=last))


@pytest.mark.parametrize(
    ("rule", "gross", "fee"),
    [
        (None, 100_00, 0),
        (FeeRule(Decimal("0.5")), 0, 0),
        (FeeRule(Decimal("0")), 100_00, 0),
        (FeeRule(Decimal("0.5")), 100_01, 50_01),  # half a fen goes up
        (FeeRule(Decimal("0.5"), at_least_fen=80_00), 100_00, 80_00),
        (FeeRule(Decimal("0.5"), at_least_fen=800_00), 100_00, 100_00),  # never more than the booking costs
        (FeeRule(Decimal("1"), at_most_fen=30_00), 100_00, 30_00),
    ],
)
def test_a_fee_is_a_share_between_floor_and_ceiling(rule, gross, fee):
    priced = price_fee(rule, gross, Rounding.HALF_UP, 1)
    assert priced.fee_fen == fee
    assert (priced.steps[-1].amount_fen if priced.steps else 0) == fee
    assert not fee or priced.steps[-1].key == "fee.step.not_subsidised"


def test_a_fee_is_rounded_as_the_schedule_rounds():
    assert price_fee(FeeRule(Decimal("0.333")), 100_00, Rounding.DOWN, 100).fee_fen == 33_00


@pytest.mark.parametrize(
    "fees",
    [
        {"late_cancel": {"share": 0.5}},
        {"late_cancel": {"share": "1.5"}},
        {"late_cancel": {}},
        {"early": {"share": "1"}},
        {"no_show": {"share": "1", "at_least": "50", "at_most": "49.99"}},
    ],
)
def test_a_schedule_with_a_fee_that_makes_no_sense_is_refused(fees):
    with pytest.raises(DocumentError) as refused:
        parse_schedule(document(fees=fees))
    assert all(fault.path.startswith("$.fees") for fault in refused.value.faults)


def test_a_schedule_without_fees_takes_none_and_one_with_fees_says_them():
    assert parse_schedule(document()).fees == {}
    told = describe(parse_schedule(document(fees={"no_show": {"share": "1", "at_most": "300"}})))
    assert told.fees == {Fault.NO_SHOW: FeeRule(Decimal("1"), 0, 300_00)}


def test_half_of_the_time_used_takes_half_of_the_fee_away():
    fallen = fallen_away(101, LOST, [minutes(0, 60), minutes(30, 90), minutes(170, 500)], Rounding.DOWN, 1)
    assert (fallen.fallen_fen, fallen.covered_seconds, fallen.lost_seconds) == (101 * 100 // 180, 100 * 60, 180 * 60)


spans = st.tuples(st.integers(-60, 240), st.integers(1, 200)).map(lambda pair: minutes(pair[0], pair[0] + pair[1]))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 10**9), st.lists(spans, max_size=6), st.sampled_from([*Rounding]), st.sampled_from([1, 100]), st.randoms())
def test_never_more_falls_away_than_the_fee_in_whatever_order_the_time_is_used(fee, used, mode, step, order):
    """Written one use after the other, each entry is positive, their sum is what all of it takes away, and all used is all away."""
    whole = fallen_away(fee, LOST, used, mode, step).fallen_fen
    order.shuffle(used)
    entries, before = [], 0
    for count in range(1, len(used) + 1):
        after = fallen_away(fee, LOST, used[:count], mode, step).fallen_fen
        assert after >= before
        entries.append(after - before)
        before = after
    assert sum(entries) == whole <= fee
    assert fallen_away(fee, LOST, [*used, LOST], mode, step).fallen_fen == fee
    assert fallen_away(fee, LOST, [], mode, step).fallen_fen == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 1000), st.data())
def test_a_card_gets_back_only_what_it_paid_and_last(fee, data):
    covered = data.draw(st.integers(0, fee))
    returned = 0
    for fallen in sorted(data.draw(st.lists(st.integers(0, fee), max_size=4))):
        returned += returned_fen(fee, fallen, covered, returned)
        assert returned == max(0, covered - (fee - fallen)) <= covered
    assert returned + returned_fen(fee, fee, covered, returned) == covered


@pytest.mark.parametrize(("hours_before", "late"), [(25, False), (24, False), (23, True)])
def test_what_leaving_costs_stays_with_a_time_that_is_moved_too_late(hours_before, late):
    frozen, terms = {"starts_at": START.isoformat()}, {"notice_minutes": 1440}
    stays = moved_terms(frozen, terms, 100_00, START - timedelta(hours=hours_before))
    assert stays == ({"starts_at": START.isoformat(), "fee_gross_fen": 100_00} if late else {})
    assert moved_terms(frozen, terms, 100_00, None) == {}  # the lab wished for it


def test_moving_again_never_makes_it_cheaper():
    frozen = {"starts_at": (START + timedelta(days=30)).isoformat()}
    terms = {"notice_minutes": 1440, "starts_at": START.isoformat(), "fee_gross_fen": 100_00}
    assert promised_start(frozen, terms) == START
    stays = {"starts_at": START.isoformat(), "fee_gross_fen": 100_00}
    for wished_at in (START, None):
        assert moved_terms(frozen, terms, 10_00, wished_at) == stays


def test_fees_are_dearer_when_one_of_them_is():
    half, whole, free = (parse_schedule(document(**more)) for more in (
        {"fees": {"late_cancel": {"share": "0.5"}}}, {"fees": {"late_cancel": {"share": "0.4"}, "no_show": {"share": "1"}}}, {}
    ))  # fmt: skip
    assert is_dearer(whole, half, 100_00, 100_00) and is_dearer(half, whole, 100_00, 100_00)
    assert is_dearer(half, free, 100_00, 100_00) and is_dearer(half, None, 100_00, 100_00)
    assert not is_dearer(free, half, 100_00, 100_00) and not is_dearer(half, half, 100_00, 100_00)
    assert is_dearer(half, half, 100_01, 100_00)
