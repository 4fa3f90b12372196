"""Payment lists for the treasury: made, checked and approved by three people, and what was paid on each line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Sum
from django.db.models.functions import Coalesce

from billing.bills.services.issuing import local_day
from billing.claims import accounts
from billing.claims.models import Claim, ClaimBatch, ClaimLine, PaymentLine, PaymentList, Payout
from billing.claims.paper_kinds import LIST
from billing.claims.rules import content as papers
from billing.claims.rules.content import ListLine
from billing.claims.rules.numbers import Series
from billing.claims.rules.states import ClaimEvent, ClaimState
from billing.claims.rules.totals import Standing, split_like
from billing.claims.services.documents import queue_documents
from billing.claims.services.moving import locked, move
from billing.claims.services.office import (
    OFFICE,
    REASON_LENGTH,
    checked_text,
    locked_batch,
    next_number,
    plain_text,
    require_office,
)
from billing.claims.services.papers import account_changed, batch_paper, codes_of, handed_in_accounts, payee_paper
from billing.claims.services.proving import prove
from billing.ledger.rules.documents import sha256_of
from billing.ledger.services import Source
from billing.papers import codes
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit, transactions

PAYABLE = (ClaimState.APPROVED, ClaimState.PARTLY_PAID, ClaimState.PAYMENT_FAILED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the treasury did with a line: ``paid_fen`` of it on a day, under the bank's reference; why not all of it."""

    paid_fen: int
    paid_on: date
    reference: str = ""
    reason: str = ""


def payable(batch: ClaimBatch) -> list[tuple[Claim, int]]:
    """The claims of a batch that can be put on a list, with what is not paid of each (fen)."""
    paid = Coalesce(Sum("payment_lines__payout__paid_fen"), 0)
    rows = Claim.objects.filter(batch=batch, state__in=PAYABLE, total_fen__gt=0).select_related("payee").annotate(paid_fen=paid)
    return [(claim, claim.total_fen - claim.paid_fen) for claim in rows.order_by("pk") if claim.total_fen > claim.paid_fen]


def make(actor: Actor, batch_id: int, now: datetime, *, expected_fen: int | None = None) -> PaymentList:
    """Put everything of a batch that is approved and not paid on a list, numbered and frozen.

    Raises NotFound, Forbidden, Conflict ``claims.figures_differ`` (other than ``expected_fen``), Refusal ``claims.nothing_to_pay`` /
    ``claims.no_account`` for each payee without a bank account / ``claims.inconsistent``.
    """

    def work() -> PaymentList:
        batch = locked_batch(actor, batch_id)
        require_office(actor, batch, Role.FINANCE)
        rows = Claim.objects.select_for_update(no_key=True).filter(batch=batch, state__in=PAYABLE).order_by("pk")
        list(rows.values_list("pk"))
        found = payable(batch)
        if not found:
            raise Refusal.of("claims.nothing_to_pay")
        total = sum(amount for _claim, amount in found)
        if expected_fen is not None and expected_fen != total:
            raise Conflict(Reason("claims.figures_differ", {"total_fen": total}))
        lacking = [claim for claim, _amount in found if not claim.payee.bank_account_number]
        Refusal.raise_any([Reason("claims.no_account", {"number": claim.number, "payee": claim.payee.name}) for claim in lacking])
        prove([claim for claim, _amount in found])
        return _write(actor, batch, found, now)

    return transactions.run(work)


def sign(actor: Actor, list_id: int, now: datetime) -> PaymentList:
    """Check a list, or approve one that was checked: maker, reviewer and approver are three people.

    Raises NotFound, Forbidden ``claims.three_people``, Conflict ``claims.signed_already``.
    """

    def work() -> PaymentList:
        found = get_visible(PaymentList.objects.all(), actor, pk=list_id)
        row = PaymentList.objects.select_for_update(no_key=True, of=("self",)).select_related("batch__programme").get(pk=found.pk)
        require_office(actor, row.batch, *OFFICE)
        if row.approved_by_id is not None:
            raise Conflict.of("claims.signed_already", number=row.number)
        if actor.user_id in (row.issued_by_id, row.reviewed_by_id):
            raise Forbidden.of("claims.three_people", number=row.number)
        part = "reviewed" if row.reviewed_by_id is None else "approved"
        PaymentList.objects.filter(pk=row.pk).update(**{f"{part}_by": actor.user_id, f"{part}_at": now})
        audit.record(actor, f"payment_list.{part}", row, now, after={"number": row.number})
        row.refresh_from_db()
        return row

    return transactions.run(work)


def record(actor: Actor, line_id: int, outcome: Outcome, now: datetime) -> Payout:
    """Write down what was paid on a line of an approved list, once. What was not paid goes on the next list.

    Raises NotFound, Forbidden, Conflict ``claims.recorded_already``, Refusal ``claims.not_approved`` / ``claims.paid_amount`` /
    ``claims.paid_on`` / ``claims.text_*`` (a reason where not all was paid).
    """

    def work() -> Payout:
        found = get_visible(PaymentLine.objects.select_related("payment_list"), actor, pk=line_id)
        claim = locked(actor, found.claim_id)
        require_office(actor, claim.batch, Role.FINANCE)
        if found.payment_list.approved_by_id is None:
            raise Refusal.of("claims.not_approved", number=found.payment_list.number)
        if Payout.objects.filter(line=found).exists():
            raise Conflict.of("claims.recorded_already")
        if not 0 <= outcome.paid_fen <= found.amount_fen:
            raise Refusal.of("claims.paid_amount", field="amount", most_fen=found.amount_fen)
        if not local_day(found.payment_list.issued_at) <= outcome.paid_on <= local_day(now):
            raise Refusal.of("claims.paid_on", field="paid_on")
        whole = outcome.paid_fen == found.amount_fen
        reason = plain_text(outcome.reason, REASON_LENGTH) if whole else checked_text(outcome.reason)
        written = Payout.objects.create(
            line=found,
            paid_fen=outcome.paid_fen,
            paid_on=outcome.paid_on,
            reference=plain_text(outcome.reference, 100),
            reason=reason,
            recorded_by_id=actor.person_id,
            recorded_at=now,
        )
        if outcome.paid_fen:
            source = Source("payout", written.pk, "claim_pay", claim.batch.programme_version_id, actor.user_id)
            accounts.post_paid(claim.batch.programme_id, claim.payee_id, outcome.paid_fen, source, now)
        move(actor, claim, _event(claim, whole), now, reason)
        return written

    return transactions.run(work)


def _event(claim: Claim, whole: bool) -> ClaimEvent:
    if whole:
        return ClaimEvent.PAY
    paid = Payout.objects.filter(line__claim=claim).aggregate(fen=Coalesce(Sum("paid_fen"), 0))["fen"]
    return ClaimEvent.PAY_PART if paid else ClaimEvent.PAY_FAIL


def _write(actor: Actor, batch: ClaimBatch, found: list[tuple[Claim, int]], now: datetime) -> PaymentList:
    payees = codes_of(claim.payee_id for claim, _amount in found)
    accounts_then = handed_in_accounts(claim for claim, _amount in found)
    shares = _shares([claim for claim, _amount in found])
    lines = [
        ListLine(
            position=place,
            claim=claim.number,
            payee=payee_paper(claim.payee, payees.get(claim.payee_id, "")),
            amount_fen=amount,
            of_claim_fen=claim.total_fen,
            payers=split_like(amount, shares[claim.pk]),
            account_changed=account_changed(claim.payee, accounts_then.get(claim.pk)),
        )
        for place, (claim, amount) in enumerate(found, start=1)
    ]
    number = next_number(Series.PAYMENT_LIST, now)
    content = codes.with_code(papers.payment_list(batch_paper(batch), number, lines, actor.name, local_day(now)))
    written = PaymentList.objects.create(
        batch=batch,
        number=number,
        total_fen=content["totals"]["total_fen"],
        line_count=len(lines),
        content=content,
        content_sha256=sha256_of(content),
        issued_at=now,
        issued_by_id=actor.person_id,
    )
    PaymentLine.objects.bulk_create(
        [
            PaymentLine(payment_list=written, claim=claim, position=place, amount_fen=amount)
            for place, (claim, amount) in enumerate(found, start=1)
        ]
    )
    for claim, _amount in found:
        move(actor, locked(actor, claim.pk), ClaimEvent.LIST, now)
    codes.register(LIST, written.pk, content, now)
    after = {"number": number, "lines": len(lines), "total_fen": written.total_fen}
    audit.record(actor, "payment_list.make", written, now, after=after)
    queue_documents(written)
    return written


def _shares(claims: list[Claim]) -> dict[int, dict[str, int]]:
    """What each payer gives of each claim."""
    parts: dict[int, list[list[dict[str, object]]]] = {claim.pk: [] for claim in claims}
    for line in ClaimLine.objects.filter(claim__in=claims, standing=Standing.INCLUDED).order_by("position"):
        parts[line.claim_id].append(line.payers)
    return {pk: papers.sum_by_payer(each) for pk, each in parts.items()}
