"""Bills issued by hand by two people: one proposes what they looked at, another one issues it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from billing.bills.models import Bill
from billing.bills.notices import tell_decided, tell_proposed
from billing.bills.proposal_models import BillProposal, ProposalState
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest, Expected
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit, idempotency, transactions
from config.kernel.services.transactions import constraint_name

PROPOSE_ROUTE = "page.bill.propose"
ONE_WAITS = "bill_proposal_one_waits"


def needs_second(total_fen: int) -> bool:
    """Whether somebody else has to issue a bill that comes to so much."""
    return bool(total_fen >= settings.SECOND_PERSON_FROM_FEN)


def propose(actor: Actor, asked: BillRequest, now: datetime, *, expected: Expected | None = None) -> BillProposal:
    """Keep what a bill would come to, for another person to issue; nothing is issued.

    Raises what ``issuing.preview`` raises, Conflict ``bill.proposed_already``.
    """

    def work() -> BillProposal:
        totals = issuing.preview(actor, asked, now, expected=expected)["totals"]
        try:
            with transaction.atomic():
                written = BillProposal.objects.create(
                    owner_id=asked.owner_id,
                    customer_id=asked.customer_id,
                    until_on=asked.until_on,
                    due_days=asked.due_days,
                    line_count=totals["lines"],
                    total_fen=totals["total_fen"],
                    proposed_by_id=actor.person_id,
                    proposed_at=now,
                )
        except IntegrityError as error:
            if constraint_name(error) != ONE_WAITS:
                raise
            raise Conflict.of("bill.proposed_already") from error
        after = {"customer": asked.customer_id, "total_fen": written.total_fen, "lines": written.line_count}
        audit.record(actor, "bill.propose", written, now, after=after)
        tell_proposed(written, now)
        return written

    return transactions.run(work)


def propose_once(
    actor: Actor, asked: BillRequest, now: datetime, *, idempotency_key: str, expected: Expected | None = None
) -> int:
    """As ``propose``, at most once for a key: the proposal's id. Raises Refusal ``idempotency.*`` besides."""

    def effect() -> dict[str, Any]:
        return {"id": propose(actor, asked, now, expected=expected).pk}

    payload = issuing.payload_of(asked, expected)
    result, _replayed = transactions.run(lambda: idempotency.once(actor, PROPOSE_ROUTE, idempotency_key, payload, now, effect))
    return int(result["id"])


def issue(actor: Actor, proposal_id: int, now: datetime) -> Bill:
    """Issue what another person proposed, if it still has as many lines and comes to as much.

    Raises NotFound, Forbidden, Refusal ``bill.own_proposal``, Conflict ``bill.proposal_decided``, and what ``issuing.issue`` raises
    (``bill.figures_differ`` where the figures are others by now).
    """

    def work() -> Bill:
        row = _locked(actor, proposal_id)
        if row.proposed_by_id == actor.user_id:
            raise Refusal.of("bill.own_proposal")
        asked = BillRequest(row.owner_id, row.customer_id, row.until_on, row.due_days)
        bill = issuing.issue(actor, asked, now, expected=Expected(row.line_count, row.total_fen))
        _decide(actor, row, ProposalState.ISSUED, now, bill=bill)
        return bill

    return transactions.run(work)


def decline(actor: Actor, proposal_id: int, reason: str, now: datetime) -> BillProposal:
    """Send a proposal back with a reason, or withdraw one's own (then the reason may be left out). Raises NotFound, Forbidden, Refusal
    ``bill.reason_*``, Conflict ``bill.proposal_decided``."""

    def work() -> BillProposal:
        row = _locked(actor, proposal_id)
        own = row.proposed_by_id == actor.user_id
        text = issuing.checked_reason(reason) if reason.strip() or not own else ""
        return _decide(actor, row, ProposalState.WITHDRAWN if own else ProposalState.SENT_BACK, now, reason=text)

    return transactions.run(work)


def _locked(actor: Actor, proposal_id: int) -> BillProposal:
    found = get_visible(BillProposal.objects.all(), actor, pk=proposal_id)
    actor.require_in(found.owner_id, Role.OWNER_FINANCE)
    row = (
        BillProposal.objects.select_for_update(no_key=True, of=("self",))
        .select_related("customer", "proposed_by")
        .get(pk=found.pk)
    )
    if row.state != ProposalState.WAITING:
        raise Conflict.of("bill.proposal_decided")
    return row


def _decide(
    actor: Actor, row: BillProposal, state: ProposalState, now: datetime, *, bill: Bill | None = None, reason: str = ""
) -> BillProposal:
    row.state, row.decided_by_id, row.decided_at, row.bill, row.reason = state, actor.person_id, now, bill, reason
    row.save(update_fields=["state", "decided_by", "decided_at", "bill", "reason"])
    after = {"state": state.value, "bill": bill.number if bill is not None else ""}
    audit.record(actor, "bill.decide_proposal", row, now, before={"state": "waiting"}, after=after, reason=reason)
    tell_decided(row, now)
    return row
