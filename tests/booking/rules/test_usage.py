"""Booked, actual and billable time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.usage import DEFAULT_BILLABLE_RULE, BillableBasis, BillableRule, derive_billable
from config.kernel.time_range import TimeRange
from tests.booking.rules.cases import MINUTE, span

TEN = datetime(2026, 5, 5, 2, tzinfo=UTC)
BOOKED = span(TEN, 120)


def by_actual(round_up_minutes: int) -> BillableRule:
    return BillableRule(BillableBasis.ACTUAL_WITHIN_BOOKED_ROUNDED_UP, round_up_minutes)


def seconds_range(start: int, length: int) -> TimeRange:
    return TimeRange(TEN + timedelta(seconds=start), TEN + timedelta(seconds=start + length))


def test_by_default_a_reservation_is_charged_as_booked_whatever_was_used():
    assert BillableRule(BillableBasis.BOOKED, round_up_minutes=1) == DEFAULT_BILLABLE_RULE
    for actual in (None, span(TEN, 5), span(TEN - timedelta(days=1), 5)):
        billable = derive_billable(BOOKED, actual)
        assert (billable.range, billable.minutes, billable.reason) == (BOOKED, 120, "usage.booked")


@pytest.mark.parametrize(
    ("actual", "step", "billed", "overrun_minutes"),
    [
        (span(TEN, 31), 30, span(TEN, 60), 0),
        (span(TEN, 30), 30, span(TEN, 30), 0),
        (seconds_range(0, 30 * 60 + 1), 30, span(TEN, 60), 0),
        (span(TEN + 110 * MINUTE, 10), 30, span(TEN + 90 * MINUTE, 30), 0),
        (span(TEN, 119), 45, BOOKED, 0),
        (span(TEN, 150), 30, BOOKED, 30),
        (span(TEN - 10 * MINUTE, 40), 1, span(TEN, 30), 10),
        (seconds_range(0, 120 * 60 + 1), 15, BOOKED, 1),
        (span(TEN - 5 * MINUTE, 130), 15, BOOKED, 10),
    ],
)
def test_actual_use_is_rounded_up_within_the_booked_range_and_overrun_is_kept_apart(actual, step, billed, overrun_minutes):
    billable = derive_billable(BOOKED, actual, by_actual(step))
    assert (billable.range, billable.minutes) == (billed, billed.seconds // 60)
    assert (billable.overrun_minutes, billable.reason) == (overrun_minutes, "usage.actual")


def test_overrun_is_told_when_charging_by_reservation_too():
    assert derive_billable(BOOKED, span(TEN, 150)).overrun_minutes == 30


def test_without_a_measurement_the_booked_range_is_charged():
    billable = derive_billable(BOOKED, None, by_actual(15))
    assert (billable.range, billable.overrun_minutes, billable.reason) == (BOOKED, 0, "usage.not_measured")


def test_use_only_outside_the_booking_is_nothing_but_overrun():
    billable = derive_billable(BOOKED, span(TEN + 120 * MINUTE, 20), by_actual(15))
    assert (billable.range, billable.minutes, billable.overrun_minutes) == (None, 0, 20)
    assert billable.reason == "usage.outside_booking"


@given(st.integers(1, 9000), st.integers(-9000, 9000), st.integers(1, 9000), st.integers(1, 90))
def test_what_is_billed_lies_within_the_booking_and_covers_all_use_in_it(booked_seconds, start, length, step):
    booked, actual = seconds_range(0, booked_seconds), seconds_range(start, length)
    billable = derive_billable(booked, actual, by_actual(step))
    inside = booked.intersect(actual)
    outside = length - (inside.seconds if inside else 0)
    assert (billable.overrun_minutes - 1) * 60 < outside <= billable.overrun_minutes * 60
    if inside is None:
        assert billable.range is None
        return
    assert booked.contains(billable.range)
    assert billable.range.contains(inside)
    assert billable.range == booked or billable.range.seconds % (60 * step) == 0
    assert billable.range.seconds < inside.seconds + 60 * step
    assert (billable.minutes - 1) * 60 < billable.range.seconds <= billable.minutes * 60


def test_a_rounding_step_below_a_minute_cannot_be_made():
    with pytest.raises(ValueError, match="at least one minute"):
        BillableRule(round_up_minutes=0)
