"""The one table of a claim's states: from which state which event leads where. Nothing else decides it, and the database repeats it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ClaimState(StrEnum):
    """Where a claim stands. ``in_review`` waits at the step that the claim names; ``sent_back`` waits for its payee (退回补正), which is
    no rejection."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    SENT_BACK = "sent_back"
    PASSED = "passed"
    PUBLICISED = "publicised"
    APPROVED = "approved"
    LISTED = "listed"
    PAID = "paid"
    PARTLY_PAID = "partly_paid"
    PAYMENT_FAILED = "payment_failed"
    RECHECKED = "rechecked"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ClaimEvent(StrEnum):
    """What happens to a claim."""

    FILL = "fill"
    """The office puts on it what can be claimed."""
    COMPLETE = "complete"
    """Somebody of its payee adds a file or writes the number of an invoice."""
    SUBMIT = "submit"
    BEGIN = "begin"
    """The claim window is over and the figures of the batch are fixed: the first step looks."""
    PASS = "pass"  # noqa: S105
    SEND_BACK = "send_back"
    LINE = "line"
    """A line is left out, postponed or counts again."""
    PUBLICISE = "publicise"
    APPROVE = "approve"
    LIST = "list"
    UNLIST = "unlist"
    """The payment list is cancelled before anything of it was paid."""
    SETTLE = "settle"
    """Nothing is left to pay: what is to be clawed back took it all."""
    PAY = "pay"
    PAY_PART = "pay_part"
    PAY_FAIL = "pay_fail"
    RECHECK = "recheck"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    PAID_BACK = "paid_back"
    """Money came back for a notice of which the claim took something off: it takes so much less off. Nobody's part."""


class Part(StrEnum):
    """What somebody does for a claim. Of one claim these are three people, each part whole: who did some of it has that part."""

    MAKER = "maker"
    """Says what is claimed: completes it or hands it in for its payee."""
    REVIEWER = "reviewer"
    """Prepares it at the office: fills it, closes its batch, looks at it, changes which lines count."""
    APPROVER = "approver"


PART_OF: Mapping[ClaimEvent, Part] = {
    ClaimEvent.COMPLETE: Part.MAKER,
    ClaimEvent.SUBMIT: Part.MAKER,
    ClaimEvent.FILL: Part.REVIEWER,
    ClaimEvent.BEGIN: Part.REVIEWER,
    ClaimEvent.PASS: Part.REVIEWER,
    ClaimEvent.SEND_BACK: Part.REVIEWER,
    ClaimEvent.LINE: Part.REVIEWER,
    ClaimEvent.APPROVE: Part.APPROVER,
}

_S, _E = ClaimState, ClaimEvent
#: (state, event) -> the states it may lead to; which of several is decided by the step (``after``).
TABLE: Mapping[tuple[ClaimState, ClaimEvent], tuple[ClaimState, ...]] = {
    (_S.DRAFT, _E.FILL): (_S.DRAFT,),
    (_S.DRAFT, _E.COMPLETE): (_S.DRAFT,),
    (_S.DRAFT, _E.SUBMIT): (_S.SUBMITTED,),
    (_S.DRAFT, _E.WITHDRAW): (_S.WITHDRAWN,),
    (_S.SUBMITTED, _E.BEGIN): (_S.IN_REVIEW,),
    (_S.SUBMITTED, _E.WITHDRAW): (_S.WITHDRAWN,),
    (_S.SUBMITTED, _E.PAID_BACK): (_S.SUBMITTED,),
    (_S.IN_REVIEW, _E.PASS): (_S.IN_REVIEW, _S.PASSED),
    (_S.IN_REVIEW, _E.SEND_BACK): (_S.SENT_BACK,),
    (_S.IN_REVIEW, _E.LINE): (_S.IN_REVIEW,),
    (_S.IN_REVIEW, _E.PAID_BACK): (_S.IN_REVIEW,),
    (_S.IN_REVIEW, _E.REJECT): (_S.REJECTED,),
    (_S.SENT_BACK, _E.COMPLETE): (_S.SENT_BACK,),
    (_S.SENT_BACK, _E.SUBMIT): (_S.IN_REVIEW,),
    (_S.SENT_BACK, _E.REJECT): (_S.REJECTED,),
    (_S.SENT_BACK, _E.WITHDRAW): (_S.WITHDRAWN,),
    (_S.PASSED, _E.PUBLICISE): (_S.PUBLICISED,),
    (_S.PASSED, _E.SEND_BACK): (_S.SENT_BACK,),
    (_S.PASSED, _E.REJECT): (_S.REJECTED,),
    (_S.PUBLICISED, _E.APPROVE): (_S.APPROVED,),
    (_S.PUBLICISED, _E.SEND_BACK): (_S.SENT_BACK,),
    (_S.PUBLICISED, _E.REJECT): (_S.REJECTED,),
    (_S.APPROVED, _E.LIST): (_S.LISTED,),
    (_S.APPROVED, _E.SETTLE): (_S.PAID,),
    (_S.LISTED, _E.LIST): (_S.LISTED,),
    (_S.LISTED, _E.UNLIST): (_S.APPROVED, _S.PARTLY_PAID, _S.PAYMENT_FAILED, _S.LISTED),
    (_S.LISTED, _E.PAY): (_S.PAID,),
    (_S.LISTED, _E.PAY_PART): (_S.PARTLY_PAID, _S.LISTED),
    (_S.LISTED, _E.PAY_FAIL): (_S.PAYMENT_FAILED, _S.LISTED),
    (_S.PARTLY_PAID, _E.LIST): (_S.LISTED,),
    (_S.PAYMENT_FAILED, _E.LIST): (_S.LISTED,),
    (_S.PAID, _E.RECHECK): (_S.RECHECKED,),
    (_S.RECHECKED, _E.RECHECK): (_S.RECHECKED,),
}
#: What changes a claim and leaves it where it waits.
WITHIN = frozenset({_E.FILL, _E.COMPLETE, _E.LINE, _E.PAID_BACK})
#: Where nothing more is decided about the claim itself.
ENDS = frozenset({_S.REJECTED, _S.WITHDRAWN})
#: Only its payee has it in hand; its lines may still change.
IN_HAND = frozenset({_S.DRAFT, _S.SENT_BACK})
#: The office looks at it: lines may be left out with a reason.
LOOKED_AT = frozenset({_S.IN_REVIEW})
#: States in which what a claim comes to may change: before its last step of the review, and when it ends without money.
AMOUNT_OPEN = frozenset({_S.DRAFT, _S.SUBMITTED, _S.IN_REVIEW, _S.REJECTED, _S.WITHDRAWN})
#: Handed in, and what it comes to may change still: money that comes back takes the place of what it takes off.
EASED = frozenset({_S.SUBMITTED, _S.IN_REVIEW})
#: What was given to the office; what goes back of an award from here on is clawed back.
SUBMITTED = frozenset(_S) - {_S.DRAFT} - ENDS
#: The amount is promised to the payee.
PROMISED = frozenset({_S.APPROVED, _S.LISTED, _S.PAID, _S.PARTLY_PAID, _S.PAYMENT_FAILED, _S.RECHECKED})


def done_by(*parts: Part) -> frozenset[ClaimEvent]:
    """What people do who have one of these parts."""
    return frozenset(event for event, part in PART_OF.items() if part in parts)


def kept_from_list(part: Part) -> frozenset[ClaimEvent]:
    """What of a claim keeps who did it from a part in the payment lists on which it stands: who claims it has none there, and who prepared
    it at the office does not approve them. Who approved it may sign: two others do, too."""
    return done_by(Part.MAKER, Part.REVIEWER) if part is Part.APPROVER else done_by(Part.MAKER)


def events_of(state: ClaimState) -> frozenset[ClaimEvent]:
    """What may happen in a state."""
    return frozenset(event for from_state, event in TABLE if from_state is state)


def after(
    state: ClaimState, event: ClaimEvent, step: int, steps: int, before: ClaimState | None = None, *, listed: bool = False
) -> tuple[ClaimState, int] | None:
    """The state and step (from 0) after an event, or None where it may not happen. ``steps``: how many the chain has; ``before``: where
    it stands by what was paid of it, lists aside; ``listed``: it waits on another payer's list, too.

    A claim that is sent back keeps its step and comes back to it; one sent back after the last step comes back to the last. One whose list
    is cancelled stands where it stood before the list. While it waits on another payer's list, it stays listed.
    """
    allowed = TABLE.get((state, event))
    if allowed is None:
        return None
    if event is ClaimEvent.PASS:
        return (ClaimState.PASSED, steps) if step + 1 >= steps else (ClaimState.IN_REVIEW, step + 1)
    if event is ClaimEvent.BEGIN:
        return ClaimState.IN_REVIEW, 0
    if listed and ClaimState.LISTED in allowed:
        return ClaimState.LISTED, step
    if event is ClaimEvent.UNLIST:
        return (before, step) if before in allowed else None
    if event is ClaimEvent.SEND_BACK:
        return ClaimState.SENT_BACK, min(step, steps - 1)
    return allowed[0], step
