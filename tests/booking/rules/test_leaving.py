"""Whose fault unused time is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.rules.leaving import Fault, Release, fault_of
from booking.rules.policy import BookingPolicy
from booking.rules.states import Action, ReservationState
from tests.conftest import slot_of

POLICY = BookingPolicy(
    granularity_minutes=30,
    min_minutes=30,
    max_minutes=480,
    notice_minutes=0,
    horizon_days=60,
    buffer_before_minutes=0,
    buffer_after_minutes=0,
    approval_required=True,
    pending_blocks=True,
    cancel_notice_minutes=60,
)
BOOKED = slot_of(9, 12)


@pytest.mark.parametrize(
    ("action", "before", "by_customer", "minutes_before", "fault"),
    [
        (Action.CANCEL, ReservationState.APPROVED, True, 59, Fault.LATE_CANCEL),
        (Action.CANCEL, ReservationState.APPROVED, True, 60, None),
        (Action.CANCEL, ReservationState.APPROVED, False, 1, None),
        (Action.CANCEL, ReservationState.REQUESTED, True, 1, None),
        (Action.MARK_NO_SHOW, ReservationState.APPROVED, True, -30, Fault.NO_SHOW),
        (Action.EXPIRE, ReservationState.REQUESTED, True, 0, None),
        (Action.REJECT, ReservationState.REQUESTED, False, 0, None),
    ],
)
def test_only_a_promised_time_given_back_too_late_or_not_used_is_the_customers_fault(
    action, before, by_customer, minutes_before, fault
):
    at = BOOKED.starts_at - timedelta(minutes=minutes_before)
    assert fault_of(Release(action, before, by_customer), POLICY, BOOKED, at) is fault
    assert fault_of(Release(action, before, by_customer, imported=True), POLICY, BOOKED, at) is None


@pytest.mark.parametrize("told_minutes", [30, 90])
@pytest.mark.parametrize("seconds_late", [0, 1])
def test_what_the_customer_was_told_counts_and_not_the_rules_of_now(told_minutes, seconds_late):
    until = BOOKED.starts_at - timedelta(minutes=told_minutes)
    release = Release(Action.CANCEL, ReservationState.APPROVED, by_customer=True, free_until=until)
    found = fault_of(release, POLICY, BOOKED, until + timedelta(seconds=seconds_late))
    assert found is (Fault.LATE_CANCEL if seconds_late else None)


def test_nobody_is_late_with_what_the_customer_cannot_be_blamed_for():
    past = BOOKED.starts_at - timedelta(days=1)
    for release in (
        Release(Action.CANCEL, ReservationState.APPROVED, by_customer=False, free_until=past),
        Release(Action.CANCEL, ReservationState.REQUESTED, by_customer=True, free_until=past),
        Release(Action.CANCEL, ReservationState.APPROVED, by_customer=True, imported=True, free_until=past),
    ):
        assert fault_of(release, POLICY, BOOKED, BOOKED.starts_at) is None
