"""The life of a quotation: one table says what may follow what, and which side does it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from booking.rules.enquiries import Side
from config.kernel.errors import Refusal


class QuotationState(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class QuotationEvent(StrEnum):
    EDIT = "edit"
    SEND = "send"
    ACCEPT = "accept"
    DECLINE = "decline"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"


#: What the customer does; time expires, the lab does the rest.
OF_THE_CUSTOMER = frozenset({QuotationEvent.ACCEPT, QuotationEvent.DECLINE})
#: What is not done without saying why.
NEEDS_REASON = frozenset({QuotationEvent.DECLINE})

_TRANSITIONS: dict[QuotationState, dict[QuotationEvent, QuotationState]] = {
    QuotationState.DRAFT: {
        QuotationEvent.EDIT: QuotationState.DRAFT,
        QuotationEvent.SEND: QuotationState.SENT,
        QuotationEvent.WITHDRAW: QuotationState.WITHDRAWN,
    },
    QuotationState.SENT: {
        QuotationEvent.ACCEPT: QuotationState.ACCEPTED,
        QuotationEvent.DECLINE: QuotationState.DECLINED,
        QuotationEvent.EXPIRE: QuotationState.EXPIRED,
        QuotationEvent.WITHDRAW: QuotationState.WITHDRAWN,
    },
    QuotationState.ACCEPTED: {},
    QuotationState.DECLINED: {},
    QuotationState.EXPIRED: {},
    QuotationState.WITHDRAWN: {},
}


def next_state(state: QuotationState, event: QuotationEvent) -> QuotationState:
    """The state after ``event``. Raises Refusal ``quotation.illegal_transition`` when the table has no such step."""
    try:
        return _TRANSITIONS[state][event]
    except KeyError:
        raise Refusal.of("quotation.illegal_transition", state=state.value, event=event.value) from None


def events_from(state: QuotationState) -> frozenset[QuotationEvent]:
    """What may happen in ``state``; nothing exactly in final states."""
    return frozenset(_TRANSITIONS[state])


def successors() -> dict[str, frozenset[str]]:
    """Which other states may follow each; nothing exactly on final ones."""
    return {state.value: frozenset(_TRANSITIONS[state].values()) - {state} for state in QuotationState}


def side_of(event: QuotationEvent) -> Side:
    """Which side does it."""
    return Side.CUSTOMER if event in OF_THE_CUSTOMER else Side.LAB


def is_over(valid_until: date, today: date) -> bool:
    """Whether a quotation binds no more: it does so until the end of its last local day."""
    return today > valid_until
