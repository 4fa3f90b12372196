"""The life of a question to a lab: one table says what may follow what, and who does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from config.kernel.errors import Refusal

SUBJECT_LENGTH = 200
TEXT_LENGTH = 4000
MOST_ATTACHMENTS = 5
MOST_LABS = 10
"""So many labs can be asked for one unmet need."""


class EnquiryState(StrEnum):
    """``OPEN`` waits for the lab, ``ANSWERED`` for the asker."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class EnquiryEvent(StrEnum):
    ASK = "ask"
    ANSWER = "answer"
    CLOSE = "close"


class Side(StrEnum):
    """Who writes: the customer organisation's people or the lab's."""

    CUSTOMER = "customer"
    LAB = "lab"


def sides_of(parties: Mapping[Side, int], acts_for: Mapping[Side, Collection[int]]) -> tuple[Side, ...]:
    """On which sides somebody acts, the customer's first: ``parties`` are the ids of the two organisations, ``acts_for`` those of the
    organisations for which the person may act on either side. Somebody of both firms is on both sides."""
    return tuple(side for side in Side if parties[side] in acts_for[side])


_TRANSITIONS: dict[EnquiryState, dict[EnquiryEvent, EnquiryState]] = {
    EnquiryState.OPEN: {
        EnquiryEvent.ASK: EnquiryState.OPEN,
        EnquiryEvent.ANSWER: EnquiryState.ANSWERED,
        EnquiryEvent.CLOSE: EnquiryState.CLOSED,
    },
    EnquiryState.ANSWERED: {
        EnquiryEvent.ASK: EnquiryState.OPEN,
        EnquiryEvent.ANSWER: EnquiryState.ANSWERED,
        EnquiryEvent.CLOSE: EnquiryState.CLOSED,
    },
    EnquiryState.CLOSED: {EnquiryEvent.ASK: EnquiryState.OPEN},
}


def next_state(state: EnquiryState, event: EnquiryEvent) -> EnquiryState:
    """The state after ``event``. Raises Refusal ``enquiry.illegal_transition`` when the table has no such step."""
    try:
        return _TRANSITIONS[state][event]
    except KeyError:
        raise Refusal.of("enquiry.illegal_transition", state=state.value, event=event.value) from None


def events_from(state: EnquiryState) -> frozenset[EnquiryEvent]:
    """What may happen in ``state``: a closed question is opened again by asking on."""
    return frozenset(_TRANSITIONS[state])
