"""When a group's leader has to be asked, and what an answer covers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from booking.rules.spending import LeaderState, after_pricing

AMOUNTS = st.integers(0, 10**9)
STATES = st.sampled_from([None, *LeaderState])


@given(STATES, AMOUNTS, AMOUNTS)
def test_nobody_waits_for_a_leader_who_need_not_be_asked(state, asked_fen, amount_fen):
    assert after_pricing(state, asked_fen, amount_fen, asks=False) is None


@given(STATES, AMOUNTS, AMOUNTS, AMOUNTS)
def test_what_an_approved_booking_cost_already_is_asked_about_by_nobody(state, asked_fen, amount_fen, settled_fen):
    after = after_pricing(state, asked_fen, amount_fen, asks=True, settled_fen=settled_fen)
    if amount_fen <= settled_fen:
        assert after is not LeaderState.WAITING
    else:
        assert after is after_pricing(state, asked_fen, amount_fen, asks=True)


@given(STATES, AMOUNTS, AMOUNTS)
def test_only_a_yes_to_as_much_or_more_is_a_yes(state, asked_fen, amount_fen):
    covered = state is LeaderState.APPROVED and amount_fen <= asked_fen
    after = after_pricing(state, asked_fen, amount_fen, asks=True)
    assert after is (LeaderState.APPROVED if covered else LeaderState.WAITING)
