"""Bills issued by hand by two people: one proposes what they looked at, another one issues it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from billing.bills.alone import before_fen, open_of
from billing.bills.models import Bill
from billing.bills.notices import tell_decided, tell_proposed
from billing.bills.proposal_models import BillProposal
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.settlement import two_people
from billing.settlement.proposal_models import ProposalState
from billing.settlement.rules.lines_digest import Expected
from config.kernel.access import NOBODY, Actor, Role, get_visible
from config.kernel.services import audit, idempotency, transactions
from config.kernel.services.parking import each_parked

PROPOSE_ROUTE, KIND = "page.bill.propose", "bill"


def needs_second(actor: Actor, asked: BillRequest, total_fen: int, now: datetime) -> bool:
    """Whether somebody else than the actor has to issue a bill that comes to so much, after what the actor billed alone."""
    return two_people.needs_second(total_fen, before_fen(actor.person_id, asked.owner_id, asked.customer_id, now))


def propose(actor: Actor, asked: BillRequest, now: datetime, *, expected: Expected | None = None) -> BillProposal:
    """Keep what a bill would come to, and of which lines, for another person to issue; nothing is issued.

    Raises what ``issuing.preview`` raises, Conflict ``bill.proposed_already``.
    """

    def work() -> BillProposal:
        seen = issuing.look(actor, asked, now, expected=expected)[1]
        row = BillProposal(
            owner_id=asked.owner_id,
            customer_id=asked.customer_id,
            until_on=asked.until_on,
            due_days=asked.due_days,
            line_count=seen.line_count,
            total_fen=seen.total_fen,
            lines_sha256=seen.lines_sha256,
            proposed_by_id=actor.person_id,
            proposed_at=now,
        )
        _overtake(actor, BillProposal.objects.filter(owner=asked.owner_id, customer=asked.customer_id), now)
        written = two_people.keep(row, KIND)
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
    """Issue what another person proposed, if it is still the same lines over as much.

    Raises NotFound, Forbidden, Refusal ``bill.own_proposal``, Conflict ``bill.proposal_decided``, and what ``issuing.issue`` raises
    (``bill.figures_differ`` or ``bill.lines_differ`` where the lines are others by now).
    """

    def work() -> Bill:
        row = _locked(actor, proposal_id)
        two_people.refuse_own(actor, row, KIND)
        asked = BillRequest(row.owner_id, row.customer_id, row.until_on, row.due_days)
        bill = issuing.issue(actor, asked, now, expected=row.seen, made_by=row.proposed_by)
        _decide(actor, row, ProposalState.ISSUED, now, bill=bill)
        return bill

    return transactions.run(work)


def decline(actor: Actor, proposal_id: int, reason: str, now: datetime) -> BillProposal:
    """Send a proposal back with a reason, or withdraw one's own (then the reason may be left out). Raises NotFound, Forbidden, Refusal
    ``proposal.reason_*``, Conflict ``bill.proposal_decided``."""

    def work() -> BillProposal:
        row = _locked(actor, proposal_id)
        state, text = two_people.declined(actor, row, reason)
        return _decide(actor, row, state, now, reason=text)

    return transactions.run(work)


def close_overtaken(now: datetime) -> int:
    """Close every proposal of which nothing can be billed any more; returns how many. Safe to repeat."""
    rows = list(BillProposal.objects.filter(state=ProposalState.WAITING).order_by("pk"))
    left = open_of(rows)
    over = [row.pk for row in rows if row.pk not in left]
    return each_parked(over, lambda pk: _overtake(NOBODY, BillProposal.objects.filter(pk=pk), now), "proposed bill")


def _overtake(actor: Actor, rows: QuerySet[BillProposal], now: datetime) -> int:
    rows = rows.select_related("customer", "proposed_by")
    return two_people.overtake(actor, rows, KIND, now, open_of=open_of, tell=tell_decided)


def _locked(actor: Actor, proposal_id: int) -> BillProposal:
    found = get_visible(BillProposal.objects.all(), actor, pk=proposal_id)
    actor.require_in(found.owner_id, Role.OWNER_FINANCE)
    return two_people.locked(BillProposal.objects.select_related("customer", "proposed_by"), found.pk, KIND)


def _decide(
    actor: Actor, row: BillProposal, state: ProposalState, now: datetime, *, bill: Bill | None = None, reason: str = ""
) -> BillProposal:
    two_people.decide(actor, row, state, now, KIND, issued=bill, reason=reason)
    tell_decided(row, now)
    return row
