"""Who has to agree to a new time, for every side and state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from booking.rules.changes import ChangeEvent, ChangeState, Side, counting, needs_the_other_side, next_change_state
from booking.rules.states import ReservationState
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange

TEN = datetime(2026, 11, 25, 2, tzinfo=UTC)
OLD = TimeRange(TEN, TEN + timedelta(hours=3))
LATER = TimeRange(TEN + timedelta(hours=1), TEN + timedelta(hours=4))
SHORTER = TimeRange(TEN, TEN + timedelta(hours=2))


@pytest.mark.parametrize(("state", "event"), list(product(ChangeState, ChangeEvent)))
def test_only_an_open_change_can_be_answered_and_only_once(state, event):
    if state is ChangeState.OPEN:
        assert next_change_state(state, event) is not ChangeState.OPEN
    else:
        with pytest.raises(Refusal) as refused:
            next_change_state(state, event)
        assert refused.value.reasons[0].code == "change.answered_already"


@pytest.mark.parametrize(
    ("state", "approval", "new", "asks"),
    [
        (ReservationState.REQUESTED, True, LATER, False),
        (ReservationState.APPROVED, True, LATER, True),
        (ReservationState.APPROVED, True, SHORTER, False),
        (ReservationState.APPROVED, False, LATER, False),
    ],
)
def test_the_customer_asks_the_lab_when_it_has_said_yes_to_another_time(state, approval, new, asks):
    assert needs_the_other_side(Side.CUSTOMER, state, OLD, new, approval_required=approval, agreed=False) is asks


@pytest.mark.parametrize(("state", "approval", "new"), list(product(ReservationState, [True, False], [LATER, SHORTER])))
def test_the_lab_never_moves_a_customer_alone(state, approval, new):
    assert needs_the_other_side(Side.LAB, state, OLD, new, approval_required=approval, agreed=False)
    assert not needs_the_other_side(Side.LAB, state, OLD, new, approval_required=approval, agreed=True)


@pytest.mark.parametrize(
    ("new", "left"),
    [
        (OLD, {"booking.off_hours_licence", "booking.instrument_unavailable"}),
        (SHORTER, {"booking.off_hours_licence", "booking.instrument_unavailable"}),
        (TimeRange(TEN, TEN + timedelta(hours=4)), {"quota.hours", "booking.off_hours_licence", "booking.instrument_unavailable"}),
        (LATER, {"booking.in_the_past", "booking.too_soon", "booking.beyond_horizon", "booking.off_grid", "quota.hours",
                 "booking.off_hours_licence", "booking.instrument_unavailable"}),
    ],
)  # fmt: skip
def test_a_start_that_stays_is_not_judged_again_and_all_other_rules_count(new, left):
    codes = ["booking.in_the_past", "booking.too_soon", "booking.beyond_horizon", "booking.off_grid", "quota.hours",
             "booking.off_hours_licence", "booking.instrument_unavailable"]  # fmt: skip
    assert {one.code for one in counting([Reason(code, {}, "") for code in codes], OLD, new)} == left


def test_an_end_that_stays_need_not_lie_on_the_grid_of_today_and_a_new_one_does():
    reason = Reason("booking.end_off_grid", {}, "ends_at")
    assert counting([reason], OLD, TimeRange(OLD.starts_at + timedelta(hours=1), OLD.ends_at)) == []
    assert counting([reason], OLD, SHORTER) == [reason]
