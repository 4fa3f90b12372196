"""The waiting list's table, against the same written out as plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from booking.rules.policy_layers import HOUSE
from booking.rules.waiting import WaitEvent, WaitState, look_on_from, next_wait_state, offer_expires
from booking.rules.week_time import WeekTime
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange

STEPS = {
    ("waiting", "offer"): "offered",
    ("waiting", "withdraw"): "withdrawn",
    ("waiting", "lapse"): "lapsed",
    ("offered", "accept"): "taken",
    ("offered", "pass"): "waiting",
    ("offered", "withdraw"): "withdrawn",
    ("offered", "lapse"): "lapsed",
}


@pytest.mark.parametrize(("state", "event"), list(product(WaitState, WaitEvent)))
def test_every_state_takes_exactly_the_events_of_the_table(state, event):
    expected = STEPS.get((state.value, event.value))
    if expected is not None:
        assert next_wait_state(state, event) == expected
        return
    with pytest.raises(Refusal) as refused:
        next_wait_state(state, event)
    assert refused.value.reasons[0].code == "wait.not_now"


def test_an_offer_stands_an_hour_and_never_beyond_its_start():
    now = datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert offer_expires(now, now + timedelta(days=1)) == now + timedelta(hours=1)
    assert offer_expires(now, now + timedelta(minutes=20)) == now + timedelta(minutes=20)


# --- After a refusal ------------------------------------------------------------------------------------------------------
SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 11, 24, 16, tzinfo=UTC)
NIGHT = WeekTime((1, 2, 3, 4, 5, 6, 7), 18 * 60, 8 * 60)
MORNING = WeekTime((1, 2, 3, 4, 5, 6, 7), 9 * 60, 12 * 60)


def hour(number: float) -> datetime:
    return MIDNIGHT + timedelta(hours=number)


def quota(again: float | None, *, peak_only: bool = False) -> Reason:
    params = {"quota_period": ["day", peak_only]} | ({} if again is None else {"again_at": hour(again).isoformat()})
    return Reason("quota.person_count", params)


@pytest.mark.parametrize(
    ("reasons", "at", "times", "later"),
    [
        ([Reason("measure.credit_until")], 9, {}, None),
        ([Reason("booking.licence_needed")], 9, {}, None),
        ([Reason("booking.off_hours_licence")], 6, {"licensed_times": (NIGHT,)}, 8),
        ([Reason("booking.off_hours_licence")], 17, {"licensed_times": (NIGHT,)}, 18),
        ([Reason("booking.off_hours_licence")], 19, {"licensed_times": (NIGHT,)}, 24),
        ([Reason("booking.cool_off", {"from_at": hour(13).isoformat()})], 9, {}, 13),
        ([quota(24)], 9, {}, 24),
        ([quota(24), Reason("booking.off_hours_licence")], 6, {"licensed_times": (NIGHT,)}, 24),
        ([quota(None)], 9, {}, None),
        ([quota(24, peak_only=True)], 10, {"peak": (MORNING,)}, 12),
        ([quota(None)], 10, {"unlimited": (NIGHT,)}, 18),
        ([Reason("booking.something_new")], 9, {}, 24),
    ],
)
def test_after_a_refusal_one_looks_on_where_it_may_hold_no_longer(reasons, at, times, later):
    during = TimeRange(hour(at), hour(at + 2))
    found = look_on_from(reasons, during, replace(HOUSE, **times), SHANGHAI)
    assert found == (None if later is None else hour(later))
