"""The one writer of a claim's state: the table of the rules, a step in the history, and the database's own look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Sum

from billing.bills.services.issuing import local_day
from billing.claims.models import Claim, ClaimStep, PaymentLine, Payout
from billing.claims.notices import tell_payee
from billing.claims.rules.review import expected_on, review_of
from billing.claims.rules.states import WITHIN, ClaimEvent, ClaimState, after
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Forbidden
from config.kernel.services import audit
from config.kernel.services.transactions import constraint_name

THREE_PEOPLE = "claim_three_people"
#: What happens to one of a claim's lists, of which there may be others.
_OF_LISTS = frozenset({ClaimEvent.UNLIST, ClaimEvent.PAY_PART, ClaimEvent.PAY_FAIL})


def locked(actor: Actor, claim_id: int) -> Claim:
    """A claim that the actor sees, locked and read again. Raises NotFound."""
    found = get_visible(Claim.objects.all(), actor, pk=claim_id)
    rows = Claim.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("batch__programme", "batch__programme_version", "payee", "publicity").get(pk=found.pk)


def move(
    actor: Actor,
    claim: Claim,
    event: ClaimEvent,
    now: datetime,
    reason: str = "",
    also: Mapping[str, Any] | None = None,
    behalf_id: int | None = None,
) -> ClaimStep:
    """Let an event happen to a locked claim, in the caller's transaction; the claim object follows. An actor who is nobody is the platform.
    ``also``: what the audit trail says besides; ``behalf_id``: for whom the actor stands in. What leaves a claim where it waits leaves
    its days.

    Raises Conflict ``claims.not_now`` (the table does not allow it), Forbidden ``claims.three_people``.
    """
    state, review = ClaimState(claim.state), review_of(claim.batch.programme_version.document)
    before = _by_payouts(claim) if event is ClaimEvent.UNLIST else None
    listed = event in _OF_LISTS and _waits_on_a_list(claim)
    to = after(state, event, claim.step, len(review.steps), before, listed=listed)
    if to is None:
        raise Conflict.of("claims.not_now", state=state.value, number=claim.number)
    new_state, new_step = to
    since = claim.since if event in WITHIN or state is new_state is ClaimState.LISTED else now
    expected = expected_on(review, new_state, new_step, local_day(since), claim.batch.closes_on)
    position = claim.step_count + 1
    try:
        written = ClaimStep.objects.create(
            claim=claim,
            position=position,
            event=event,
            from_state=state,
            to_state=new_state,
            step=claim.step,
            actor_id=actor.user_id,
            behalf_id=behalf_id,
            reason=reason,
            total_fen=claim.total_fen,
            at=now,
        )
    except IntegrityError as error:
        if constraint_name(error) != THREE_PEOPLE:
            raise
        raise Forbidden.of("claims.three_people", number=claim.number) from error
    rows = Claim.objects.filter(pk=claim.pk, state=state, step_count=claim.step_count)
    changes = {"state": new_state, "step": new_step, "step_count": position, "expected_on": expected, "since": since}
    if rows.update(**changes) != 1:
        raise Conflict.of("claims.not_now", state=state.value, number=claim.number)
    for name, value in changes.items():
        setattr(claim, name, value)
    after_it = {"number": claim.number, "state": new_state.value, "total_fen": claim.total_fen, **(also or {})}
    audit.record(actor, f"claim.{event.value}", claim, now, after=after_it, reason=reason)
    tell_payee(claim, event, reason, now)
    return written


def _by_payouts(claim: Claim) -> ClaimState:
    """Where an approved claim stands by what was paid of it."""
    paid = Payout.objects.filter(line__claim=claim).aggregate(fen=Sum("paid_fen"))["fen"]
    if paid is None:
        return ClaimState.APPROVED
    return ClaimState.PARTLY_PAID if paid else ClaimState.PAYMENT_FAILED


def _waits_on_a_list(claim: Claim) -> bool:
    """Whether a list that holds names it and nothing is recorded of that yet."""
    rows = PaymentLine.objects.filter(claim=claim, payment_list__cancelled_at__isnull=True, payout__isnull=True)
    return rows.exists()
