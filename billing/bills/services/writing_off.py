"""Giving up what a customer does not pay: one person proposes, another one writes it off. The claim stays, in the books it is a loss."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from billing.bills import accounts
from billing.bills.models import Bill, WriteOff, WriteOffKind
from billing.bills.notices import tell_decided, tell_proposed
from billing.bills.proposal_models import WriteOffProposal
from billing.bills.queries import ISSUERS, bill_for, standing_of, with_standing
from billing.bills.rules.standing import Standing
from billing.bills.services.issuing import local_day
from billing.ledger.services import Source
from billing.settlement import two_people
from billing.settlement.proposal_models import ProposalState
from config.kernel.access import NOBODY, Actor
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, transactions

KIND = "write_off"


def propose(actor: Actor, bill_id: int, why: str, now: datetime, amount_fen: int | None = None) -> WriteOffProposal:
    """Propose to give up what is expected still of an overdue bill, or so much of it: the rest stays due. Nothing is posted before another
    person agrees.

    Raises NotFound, Forbidden, Refusal ``write_off.reason_*`` / ``write_off.nothing_open`` / ``write_off.not_due`` /
    ``write_off.done_already`` / ``write_off.amount``, Conflict ``write_off.proposed_already``.
    """
    text = _checked_reason(why)

    def work() -> WriteOffProposal:
        bill = _locked_bill(actor, bill_id)
        standing = _standing(bill)
        _refuse_impossible(bill, standing, now)
        amount = standing.expected_fen if amount_fen is None else amount_fen
        if not 0 < amount <= standing.expected_fen:
            raise Refusal.of("write_off.amount", field="amount_fen", left_fen=standing.expected_fen)
        row = WriteOffProposal(
            bill=bill,
            why=text,
            line_count=1,
            total_fen=amount,
            whole=amount == standing.expected_fen,
            proposed_by_id=actor.person_id,
            proposed_at=now,
        )
        written = two_people.keep(row, KIND)
        audit.record(actor, "write_off.propose", bill, now, after={"total_fen": written.total_fen}, reason=text)
        tell_proposed(written, now)
        return written

    return transactions.run(work)


def write_off(actor: Actor, bill_id: int, now: datetime) -> WriteOff:
    """Give up what another person proposed, if just that is expected still, or of a part no less.

    Raises NotFound, Forbidden, Refusal ``write_off.own_proposal`` and what ``propose`` raises of the bill, Conflict
    ``write_off.proposal_decided`` / ``write_off.figures_differ``.
    """

    def work() -> WriteOff:
        bill = _locked_bill(actor, bill_id)
        proposal = _waiting(bill)
        two_people.refuse_own(actor, proposal, KIND)
        standing = _standing(bill)
        _refuse_impossible(bill, standing, now)
        if not _fits(proposal, standing):
            raise Conflict(Reason("write_off.figures_differ", {"total_fen": standing.expected_fen}))
        row = _write(bill, WriteOffKind.WRITTEN_OFF, proposal.total_fen, proposal.why, actor.user_id, now)
        two_people.decide(actor, proposal, ProposalState.ISSUED, now, KIND, issued=row)
        tell_decided(proposal, now)
        return row

    return transactions.run(work)


def decline(actor: Actor, bill_id: int, reason: str, now: datetime) -> WriteOffProposal:
    """Send the proposal back with a reason, or withdraw one's own. Raises NotFound, Forbidden, Refusal ``proposal.reason_*``, Conflict
    ``write_off.proposal_decided``."""

    def work() -> WriteOffProposal:
        proposal = _waiting(_locked_bill(actor, bill_id))
        state, text = two_people.declined(actor, proposal, reason)
        two_people.decide(actor, proposal, state, now, KIND, reason=text)
        tell_decided(proposal, now)
        return proposal

    return transactions.run(work)


def take_back(actor: Actor, bill_id: int, reason: str, now: datetime) -> WriteOff:
    """Expect the money again: the customer is reminded again, and the books hold the claim. Raises NotFound, Forbidden, Refusal
    ``write_off.reason_*`` / ``write_off.none``."""
    text = _checked_reason(reason)

    def work() -> WriteOff:
        bill = _locked_bill(actor, bill_id)
        given_up = _standing(bill).written_off_fen
        if not given_up:
            raise Refusal.of("write_off.none")
        row = _write(bill, WriteOffKind.TAKEN_BACK, -given_up, text, actor.user_id, now)
        audit.record(actor, "write_off.take_back", bill, now, after={"amount_fen": given_up}, reason=text)
        return row

    return transactions.run(work)


def meet(bill: Bill, now: datetime) -> None:
    """Something was paid or credited of a locked bill, or taken back: where less is left to pay than was given up, the difference is given
    up no more; a proposal over another amount than what is left is closed. Part of the transaction of whatever was written."""
    proposals = WriteOffProposal.objects.filter(bill=bill).select_related("proposed_by", "bill__customer")
    waits = proposals.filter(state=ProposalState.WAITING).exists()
    written = WriteOff.objects.filter(bill=bill).exists()
    if not waits and not written:
        return
    standing = _standing(bill)
    beyond = standing.written_off_fen - max(0, standing.open_fen)
    if beyond > 0:
        _write(bill, WriteOffKind.MET, -beyond, "", None, now)
    if waits:

        def as_proposed(rows: Sequence[WriteOffProposal]) -> set[int]:
            return {row.pk for row in rows if _fits(row, _standing(bill))}

        two_people.overtake(NOBODY, proposals, KIND, now, open_of=as_proposed, tell=tell_decided)


def _checked_reason(reason: str) -> str:
    return two_people.checked_reason(reason, "write_off.reason_missing", "write_off.reason_too_long")


def _locked_bill(actor: Actor, bill_id: int) -> Bill:
    bill = bill_for(actor, bill_id)
    actor.require_in(bill.owner_id, *ISSUERS)
    return Bill.objects.select_for_update(no_key=True, of=("self",)).select_related("customer").defer("content").get(pk=bill.pk)


def _standing(bill: Bill) -> Standing:
    """Where a locked bill stands now."""
    found: Any = with_standing(Bill.objects.filter(pk=bill.pk)).defer("content").get()
    return standing_of(found)


def _refuse_impossible(bill: Bill, standing: Standing, now: datetime) -> None:
    if standing.open_fen <= 0:
        raise Refusal.of("write_off.nothing_open")
    if standing.expected_fen <= 0:
        raise Refusal.of("write_off.done_already")
    if local_day(now) <= bill.due_on:
        raise Refusal(Reason("write_off.not_due", {"due_on": bill.due_on.isoformat()}))


def _fits(proposal: WriteOffProposal, standing: Standing) -> bool:
    """Whether it is still what was looked at: all that is expected, or a part of it."""
    left = standing.expected_fen
    return proposal.total_fen == left if proposal.whole else proposal.total_fen <= left


def _waiting(bill: Bill) -> WriteOffProposal:
    rows = WriteOffProposal.objects.select_related("proposed_by", "bill__customer").filter(bill=bill)
    found = rows.select_for_update(no_key=True, of=("self",)).filter(state=ProposalState.WAITING).first()
    if found is None:
        raise Conflict.of("write_off.proposal_decided")
    return found


def _write(bill: Bill, kind: WriteOffKind, amount_fen: int, reason: str, actor_id: int | None, now: datetime) -> WriteOff:
    row = WriteOff.objects.create(bill=bill, kind=kind, amount_fen=amount_fen, reason=reason, actor_id=actor_id, at=now)
    accounts.post_write_off(bill.owner_id, amount_fen, Source("write_off", row.pk, kind.value, actor_id=actor_id), now)
    return row
