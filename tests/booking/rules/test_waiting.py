"""The waiting list's table, against the same written out as plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from booking.rules.waiting import WaitEvent, WaitState, next_wait_state, offer_expires
from config.kernel.errors import Refusal

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
