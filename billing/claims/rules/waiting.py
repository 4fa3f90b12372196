"""What claims wait for at an office, by when it should be done, and whose part keeps them from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from billing.claims.rules.review import Review
from billing.claims.rules.states import ClaimEvent, ClaimState, Part, done_by


class Work(StrEnum):
    """What an office does next for claims of a batch."""

    CLOSE = "close"
    """The claim window is over: the batch is closed, and the review begins."""
    REVIEW = "review"
    PUBLICISE = "publicise"
    APPROVE = "approve"
    """The publicity is over and no objection waits."""
    LIST = "list"
    """Finance puts on a payment list what is approved, or what a treasury did not pay, also while another payer's list waits."""


#: States in which an office may have something to do for a claim.
STATES: Mapping[Work, tuple[ClaimState, ...]] = {
    Work.CLOSE: (ClaimState.SUBMITTED,),
    Work.REVIEW: (ClaimState.IN_REVIEW,),
    Work.PUBLICISE: (ClaimState.PASSED,),
    Work.APPROVE: (ClaimState.PUBLICISED,),
    Work.LIST: (ClaimState.APPROVED, ClaimState.PARTLY_PAID, ClaimState.PAYMENT_FAILED, ClaimState.LISTED),
}
WAITING = frozenset(state for states in STATES.values() for state in states)
_PART: Mapping[Work, Part] = {Work.REVIEW: Part.REVIEWER, Work.APPROVE: Part.APPROVER}


def apart(work: Work) -> frozenset[ClaimEvent]:
    """What keeps who did it for a claim from this work for it: maker, reviewer and approver are three people."""
    own = _PART.get(work)
    return done_by(*(part for part in Part if part is not own)) if own is not None else frozenset()


def due_on(work: Work, review: Review, step: int, since: date) -> date | None:
    """The last day on which it is in time, as the programme's document says; None where it says nothing. ``since``: the day of the
    claim's last step."""
    if work is Work.REVIEW:
        return since + timedelta(days=review.steps[min(step, len(review.steps) - 1)].due_days)
    return since + timedelta(days=review.pay_days) if work is Work.LIST else None
