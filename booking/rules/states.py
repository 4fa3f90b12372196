"""The life of a reservation: one table says what may follow what."""

from __future__ import annotations

from enum import StrEnum

from config.kernel.errors import Refusal


class ReservationState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    IN_USE = "in_use"
    COMPLETED = "completed"
    ADJUSTING = "adjusting"
    ADJUSTMENT_REFUSED = "adjustment_refused"
    DISPUTED = "disputed"
    AGREED = "agreed"
    NO_SHOW = "no_show"
    EXPIRED = "expired"


class Action(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    CHECK_IN = "check_in"
    EXTEND = "extend"
    CHECK_OUT = "check_out"
    AGREE = "agree"
    ASK_ADJUSTMENT = "ask_adjustment"
    ACCEPT_ADJUSTMENT = "accept_adjustment"
    REFUSE_ADJUSTMENT = "refuse_adjustment"
    DISPUTE = "dispute"
    DECIDE = "decide"
    MARK_NO_SHOW = "mark_no_show"
    COME_LATE = "come_late"
    EXPIRE = "expire"
    MOVE = "move"
    TAKE_BACK = "take_back"
    UNDO_IMPORT = "undo_import"
    CORRECT = "correct"


_TRANSITIONS: dict[ReservationState, dict[Action, ReservationState]] = {
    ReservationState.REQUESTED: {
        Action.APPROVE: ReservationState.APPROVED,
        Action.REJECT: ReservationState.REJECTED,
        Action.CANCEL: ReservationState.CANCELLED,
        Action.EXPIRE: ReservationState.EXPIRED,
        Action.MOVE: ReservationState.REQUESTED,
        Action.CORRECT: ReservationState.REQUESTED,
    },
    ReservationState.APPROVED: {
        Action.CHECK_IN: ReservationState.IN_USE,
        Action.CANCEL: ReservationState.CANCELLED,
        Action.MARK_NO_SHOW: ReservationState.NO_SHOW,
        Action.MOVE: ReservationState.APPROVED,
        Action.TAKE_BACK: ReservationState.REQUESTED,
        Action.UNDO_IMPORT: ReservationState.CANCELLED,
        Action.CORRECT: ReservationState.APPROVED,
    },
    ReservationState.IN_USE: {
        Action.EXTEND: ReservationState.IN_USE,
        Action.CHECK_OUT: ReservationState.COMPLETED,
        Action.CORRECT: ReservationState.IN_USE,
    },
    ReservationState.COMPLETED: {
        Action.AGREE: ReservationState.AGREED,
        Action.ASK_ADJUSTMENT: ReservationState.ADJUSTING,
        Action.DISPUTE: ReservationState.DISPUTED,
        Action.UNDO_IMPORT: ReservationState.CANCELLED,
        Action.CORRECT: ReservationState.COMPLETED,
    },
    ReservationState.ADJUSTING: {
        Action.ACCEPT_ADJUSTMENT: ReservationState.AGREED,
        Action.REFUSE_ADJUSTMENT: ReservationState.ADJUSTMENT_REFUSED,
        Action.CORRECT: ReservationState.ADJUSTING,
    },
    ReservationState.ADJUSTMENT_REFUSED: {
        Action.AGREE: ReservationState.AGREED,
        Action.DISPUTE: ReservationState.DISPUTED,
        Action.CORRECT: ReservationState.ADJUSTMENT_REFUSED,
    },
    ReservationState.DISPUTED: {
        Action.DECIDE: ReservationState.AGREED,
        Action.CORRECT: ReservationState.DISPUTED,
    },
    ReservationState.AGREED: {},
    ReservationState.REJECTED: {Action.TAKE_BACK: ReservationState.REQUESTED},
    ReservationState.CANCELLED: {},
    ReservationState.NO_SHOW: {Action.COME_LATE: ReservationState.IN_USE},
    ReservationState.EXPIRED: {},
}

IN_REVIEW = frozenset(
    {ReservationState.COMPLETED, ReservationState.ADJUSTING, ReservationState.ADJUSTMENT_REFUSED, ReservationState.DISPUTED}
)
"""The use is over and what it is worth is not agreed yet: its money is still held."""

BLOCKING_STATES = frozenset({ReservationState.APPROVED, ReservationState.IN_USE, ReservationState.AGREED, *IN_REVIEW})
"""States whose occupancy keeps others out. A completed one goes on blocking: actual times never move an occupancy.
A requested one blocks only where the lab's policy says so (``blocks``)."""

GIVEN_UP = frozenset({ReservationState.REJECTED, ReservationState.CANCELLED, ReservationState.EXPIRED, ReservationState.NO_SHOW})
"""States in which a reservation takes no time and never will."""


def next_state(state: ReservationState, action: Action) -> ReservationState:
    """The state after ``action``. Raises Refusal ``booking.illegal_transition`` when the table has no such step."""
    try:
        return _TRANSITIONS[state][action]
    except KeyError:
        raise Refusal.of("booking.illegal_transition", state=state.value, action=action.value) from None


def actions_from(state: ReservationState) -> frozenset[Action]:
    """What may be done in ``state``; empty exactly for final states."""
    return frozenset(_TRANSITIONS[state])


def blocks(state: ReservationState, pending_blocks: bool) -> bool:
    """Whether a reservation's occupancy keeps others out, given the lab's choice for pending requests."""
    return state in BLOCKING_STATES or (pending_blocks and state is ReservationState.REQUESTED)
