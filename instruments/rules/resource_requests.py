"""The life of a request for a resource that is not booked: one table says what may follow what, and who does it."""

from __future__ import annotations

from enum import StrEnum

from config.kernel.errors import Refusal


class RequestState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    DELIVERED = "delivered"
    CLOSED = "closed"


class RequestAction(StrEnum):
    """``GIVE_FEEDBACK`` closes a request; the other side cannot."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    DELIVER = "deliver"
    GIVE_FEEDBACK = "give_feedback"


#: What the organisation that asked may do; everything else is for the owner's lab managers.
OF_THE_ASKING = frozenset({RequestAction.WITHDRAW, RequestAction.GIVE_FEEDBACK})

_TRANSITIONS: dict[RequestState, dict[RequestAction, RequestState]] = {
    RequestState.REQUESTED: {
        RequestAction.APPROVE: RequestState.APPROVED,
        RequestAction.REFUSE: RequestState.REFUSED,
        RequestAction.WITHDRAW: RequestState.WITHDRAWN,
    },
    RequestState.APPROVED: {
        RequestAction.DELIVER: RequestState.DELIVERED,
        RequestAction.REFUSE: RequestState.REFUSED,
        RequestAction.WITHDRAW: RequestState.WITHDRAWN,
    },
    RequestState.DELIVERED: {RequestAction.GIVE_FEEDBACK: RequestState.CLOSED},
    RequestState.REFUSED: {},
    RequestState.WITHDRAWN: {},
    RequestState.CLOSED: {},
}


def next_state(state: RequestState, action: RequestAction) -> RequestState:
    """The state after ``action``. Raises Refusal ``resource_request.illegal_transition`` when the table has no such step."""
    try:
        return _TRANSITIONS[state][action]
    except KeyError:
        raise Refusal.of("resource_request.illegal_transition", state=state.value, action=action.value) from None


def actions_from(state: RequestState) -> frozenset[RequestAction]:
    """What may be done in ``state``; empty exactly for final states."""
    return frozenset(_TRANSITIONS[state])
