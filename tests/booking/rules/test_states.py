"""The life of a reservation, against the table written out as plain words."""

import pytest

from booking.rules.states import (
    BLOCKING_STATES,
    IN_REVIEW,
    Action,
    ReservationState,
    actions_from,
    blocks,
    next_state,
)
from config.kernel.errors import Refusal

STEPS = {
    ("requested", "approve"): "approved",
    ("requested", "reject"): "rejected",
    ("requested", "cancel"): "cancelled",
    ("requested", "expire"): "expired",
    ("approved", "check_in"): "in_use",
    ("approved", "cancel"): "cancelled",
    ("approved", "mark_no_show"): "no_show",
    ("requested", "move"): "requested",
    ("approved", "move"): "approved",
    ("no_show", "come_late"): "in_use",
    ("in_use", "extend"): "in_use",
    ("in_use", "check_out"): "completed",
    ("completed", "agree"): "agreed",
    ("completed", "ask_adjustment"): "adjusting",
    ("completed", "dispute"): "disputed",
    ("adjusting", "accept_adjustment"): "agreed",
    ("adjusting", "refuse_adjustment"): "adjustment_refused",
    ("adjustment_refused", "agree"): "agreed",
    ("adjustment_refused", "dispute"): "disputed",
    ("disputed", "decide"): "agreed",
    ("approved", "take_back"): "requested",
    ("rejected", "take_back"): "requested",
    ("approved", "undo_import"): "cancelled",
    ("completed", "undo_import"): "cancelled",
    **{
        (state, "correct"): state
        for state in ("requested", "approved", "in_use", "completed", "adjusting", "adjustment_refused", "disputed")
    },
}


@pytest.mark.parametrize("state", ReservationState)
@pytest.mark.parametrize("action", Action)
def test_every_state_takes_exactly_the_actions_of_the_table(state, action):
    expected = STEPS.get((state.value, action.value))
    assert (action in actions_from(state)) == (expected is not None)
    if expected is not None:
        assert next_state(state, action) == expected
        return
    with pytest.raises(Refusal) as caught:
        next_state(state, action)
    (reason,) = caught.value.reasons
    assert reason.code == "booking.illegal_transition"
    assert reason.params == {"state": state.value, "action": action.value}


def test_every_state_is_reached_and_no_life_goes_in_circles_unless_an_answer_is_taken_back():
    lives = [("requested",)]
    reached = set()
    while lives:
        life = lives.pop()
        reached.add(life[-1])
        nexts = [after for (before, step), after in STEPS.items() if before == life[-1] != after and step != "take_back"]
        assert not set(nexts) & set(life)
        lives += [(*life, after) for after in nexts]
    assert reached == {state.value for state in ReservationState}


def test_final_states_are_those_that_nothing_leaves():
    final = {state for state in ReservationState if not actions_from(state)}
    assert final == {"cancelled", "agreed", "expired"}


def test_a_reservation_blocks_from_approval_on_and_a_request_only_where_the_lab_says_so():
    assert {"completed", "adjusting", "adjustment_refused", "disputed"} == IN_REVIEW
    assert {"approved", "in_use", "agreed", *IN_REVIEW} == BLOCKING_STATES
    for state in ReservationState:
        assert blocks(state, pending_blocks=False) == (state in BLOCKING_STATES)
        assert blocks(state, pending_blocks=True) == (state in BLOCKING_STATES or state == "requested")
