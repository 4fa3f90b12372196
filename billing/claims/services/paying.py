"""Payment lists for the treasury: made, checked and approved by three people, and what was paid on each line."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from billing.bills.services.issuing import local_day
from billing.claims import accounts, invoices
from billing.claims.models import Claim, ClaimBatch, ClaimLine, ClaimStep, ClaimSubmission, PaymentLine, PaymentList, Payout
from billing.claims.paper_kinds import LIST
from billing.claims.rules import content as papers
from billing.claims.rules.content import ListLine, SurplusLine
from billing.claims.rules.numbers import Series
from billing.claims.rules.payers import Listed, Shared, left
from billing.claims.rules.states import ClaimEvent, Part, kept_from_list
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.rules.waiting import STATES, Work
from billing.claims.services import credit_now, eligible_then, real_days, surplus
from billing.claims.services.documents import queue_documents, queue_signed
from billing.claims.services.moving import locked, move
from billing.claims.services.office import (
    OFFICE,
    REASON_LENGTH,
    Right,
    checked_text,
    locked_batch,
    next_number,
    plain_text,
    require_office,
)
from billing.claims.services.papers import account_changed, batch_paper, codes_of, handed_in_accounts, payee_paper, publicity_of
from billing.claims.services.proving import lines_of, prove
from billing.claims.services.waiting_lists import tell_list
from billing.claims.signing import is_free
from billing.ledger.rules.documents import sha256_of
from billing.ledger.services import Source
from billing.papers import codes
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit, transactions

PAYABLE = STATES[Work.LIST]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the treasury did with a line: ``paid_fen`` of it on a day, under the bank's reference; why not all of it."""

    paid_fen: int
    paid_on: date
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Payable:
    """What a payer gives of a claim, is not paid and stands on no list (fen)."""

    claim: Claim
    payer: str
    amount_fen: int


def payable(batch: ClaimBatch) -> list[Payable]:
    """What of a batch can be put on lists, claim by claim; three queries at most."""
    rows = Claim.objects.filter(batch=batch, state__in=PAYABLE, total_fen__gt=0).select_related("payee").order_by("pk")
    return [
        Payable(claim, payer, amount) for claim, shared in shares_of(rows) for payer, amount in left(shared).items() if amount > 0
    ]


def shares_of(claims: Iterable[Claim]) -> list[tuple[Claim, Shared]]:
    """Claims with what each payer gives of them, and their lines on lists that hold; two queries."""
    claims = list(claims)
    parts: dict[int, list[list[dict[str, Any]]]] = {claim.pk: [] for claim in claims}
    lines = ClaimLine.objects.filter(claim__in=claims, standing=Standing.INCLUDED).order_by("position")
    for claim_id, payers in lines.values_list("claim_id", "payers") if claims else ():
        parts[claim_id].append(payers)
    listed: dict[int, list[Listed]] = {claim.pk: [] for claim in claims}
    rows = PaymentLine.objects.filter(claim__in=claims, payment_list__cancelled_at__isnull=True).order_by("pk")
    names = ("claim_id", "payment_list__payer", "amount_fen", "payout__paid_fen")
    for claim_id, payer, amount, paid in rows.values_list(*names) if claims else ():
        listed[claim_id].append(Listed(payer, amount, paid))
    return [(each, Shared(each.total_fen, papers.sum_by_payer(parts[each.pk]), listed[each.pk])) for each in claims]


def make(
    actor: Actor, batch_id: int, now: datetime, *, expected_fen: int | None = None, surplus_fen: int = 0
) -> list[PaymentList]:
    """Put everything of a batch that is approved and not paid on lists, one for each payer, numbered and frozen; but for claims that the
    credit lists of the day, windows of payments or an invoice that is waited for keep back, which go on a list once they no longer do.
    ``surplus_fen``: what these payees sent too much for claw-backs goes back with the lists, that much in all; 0: it does not.

    Raises NotFound, Forbidden (``claims.three_people``: who claims one of them for its payee), Conflict ``claims.figures_differ`` (other
    than ``expected_fen`` or ``surplus_fen``), Refusal ``claims.nothing_to_pay`` / ``claims.not_creditworthy`` / ``claims.not_paid_today`` /
    ``claims.invoice_awaited`` / ``claims.inconsistent`` / ``claims.no_account`` for each payee without a bank account.
    """

    def work() -> list[PaymentList]:
        batch = locked_batch(actor, batch_id)
        right = require_office(actor, batch, now, Role.FINANCE)
        rows = Claim.objects.select_for_update(no_key=True).filter(batch=batch, state__in=PAYABLE).order_by("pk")
        list(rows.values_list("pk"))
        found = payable(batch)
        if not found:
            raise Refusal.of("claims.nothing_to_pay")
        owed, today = [each.claim for each in found], local_day(now)
        kept = kept_back(owed, today)
        found = [each for each in found if all(each.claim.pk not in claims for claims in kept.values())]
        if not found:
            raise Refusal(*(Reason(why, {"number": each}) for why, claims in kept.items() for each in sorted(claims.values())))
        total = sum(each.amount_fen for each in found)
        if expected_fen is not None and expected_fen != total:
            raise Conflict(Reason("claims.figures_differ", {"total_fen": total}))
        claims = list({each.claim.pk: each.claim for each in found}.values())
        _refuse_claimant(claims, right.people(actor))
        lacking = [claim for claim in claims if not claim.payee.bank_account_number]
        Refusal.raise_any([Reason("claims.no_account", {"number": claim.number, "payee": claim.payee.name}) for claim in lacking])
        prove(claims)
        return _write_all(actor, right, batch, found, _surplus(batch, found, surplus_fen), now)

    return transactions.run(work)


def _surplus(batch: ClaimBatch, found: list[Payable], expected_fen: int) -> list[surplus.Free]:
    """What came too much of the payees that are listed, locked. Raises Conflict ``claims.figures_differ`` (other than expected)."""
    if not expected_fen:
        return []
    free = surplus.free_of(batch.programme_id, {each.claim.payee_id for each in found}, lock=True)
    total = sum(each.amount_fen for each in free)
    if total != expected_fen:
        raise Conflict(Reason("claims.figures_differ", {"total_fen": total}))
    return free


def kept_back(claims: Iterable[Claim], today: date) -> dict[str, dict[int, str]]:
    """Why claims go on no list on a local day: by the code of the reason, the numbers of claims by id."""
    claims = list(claims)
    return {
        "claims.not_creditworthy": not_creditworthy(claims, today),
        "claims.not_paid_today": outside_days(claims, today),
        "claims.invoice_awaited": invoices.awaited(claims),
    }


def not_creditworthy(claims: Iterable[Claim], today: date) -> dict[int, str]:
    """The numbers of claims, by id, with a line that its programme would not pay with the credit lists of a local day: none of them goes on
    a list while that stands."""
    claims = list(claims)
    numbers = {claim.pk: claim.number for claim in claims}
    lines = [line for line in lines_of(claims) if line.kind == LineKind.AWARD]
    listed = credit_now.listed(lines, today)
    return {line.claim_id: numbers[line.claim_id] for line in lines if line.pk in listed}


def outside_days(claims: Iterable[Claim], today: date) -> dict[int, str]:
    """The numbers of claims, by id, that their programme lets nobody pay on a local day: by its windows, or by a condition on that day."""
    claims = list(claims)
    numbers = {claim.pk: claim.number for claim in claims}
    first = ClaimSubmission.objects.filter(claim__in=claims, position=1).values_list("claim_id", "issued_at")
    handed_in = {claim_id: local_day(at) for claim_id, at in first}
    lines = lines_of(claims)

    def days(line: ClaimLine) -> dict[str, date]:
        claimed = {real_days.CLAIM: handed_in[line.claim_id]} if line.claim_id in handed_in else {}
        return claimed | {real_days.PAYMENT: today}

    lost = eligible_then.lost(lines, days)
    kept = [*real_days.unpayable(lines, today, handed_in), *(line.claim_id for line in lines if line.pk in lost)]
    return {claim_id: numbers[claim_id] for claim_id in kept}


def _refuse_claimant(claims: list[Claim], people: Collection[int]) -> None:
    """Raise Forbidden ``claims.three_people`` where one of these claimed one of some claims; one query."""
    own = Q(actor__in=people) | Q(behalf__in=people)
    steps = ClaimStep.objects.filter(own, claim__in=claims, event__in=sorted(kept_from_list(Part.MAKER)))
    number = steps.order_by("claim_id").values_list("claim__number", flat=True).first()
    if number is not None:
        raise Forbidden.of("claims.three_people", number=number)


def sign(actor: Actor, list_id: int, now: datetime) -> PaymentList:
    """Check a list, or approve one that was checked: maker, reviewer and approver are three people (``signing``).

    Raises NotFound, Forbidden ``claims.three_people``, Conflict ``claims.signed_already`` / ``claims.list_cancelled``.
    """

    def work() -> PaymentList:
        row = _locked_list(actor, list_id)
        right = require_office(actor, row.batch, now, *OFFICE)
        if row.cancelled_at is not None:
            raise Conflict.of("claims.list_cancelled", number=row.number)
        if row.approved_by_id is not None:
            raise Conflict.of("claims.signed_already", number=row.number)
        if not is_free(row, *right.people(actor)):
            raise Forbidden.of("claims.three_people", number=row.number)
        part = "reviewed" if row.reviewed_by_id is None else "approved"
        signed = {f"{part}_by": actor.user_id, f"{part}_for": right.behalf_id, f"{part}_at": now}
        PaymentList.objects.filter(pk=row.pk).update(**signed)
        audit.record(actor, f"payment_list.{part}", row, now, after={"number": row.number})
        row.refresh_from_db()
        if row.lacks_signed_pdf:
            queue_signed(row)
        tell_list(row, now)
        return row

    return transactions.run(work)


def cancel(actor: Actor, list_id: int, reason: str, now: datetime) -> PaymentList:
    """Cancel a list of which nothing was recorded, signed or not, for everybody to see: its claims stand where they stood before it, and
    can be put on another list.

    Raises NotFound, Forbidden, Conflict ``claims.list_cancelled`` / ``claims.list_paid``, Refusal ``claims.text_*``.
    """
    why = checked_text(reason)

    def work() -> PaymentList:
        row = _locked_list(actor, list_id)
        right = require_office(actor, row.batch, now, Role.FINANCE)
        if row.cancelled_at is not None:
            raise Conflict.of("claims.list_cancelled", number=row.number)
        if Payout.objects.filter(line__payment_list=row).exists():
            raise Conflict.of("claims.list_paid", number=row.number)
        surplus.leave_list(actor, row, why, now)
        changes = {"cancelled_by_id": actor.person_id, "cancelled_at": now, "cancel_reason": why}
        PaymentList.objects.filter(pk=row.pk).update(**changes)
        for claim_id in row.lines.order_by("claim_id").values_list("claim_id", flat=True):
            move(actor, locked(actor, claim_id), ClaimEvent.UNLIST, now, why, behalf_id=right.behalf_id)
        audit.record(actor, "payment_list.cancel", row, now, after={"number": row.number}, reason=why)
        row.refresh_from_db()
        tell_list(row, now)
        return row

    return transactions.run(work)


def _locked_list(actor: Actor, list_id: int) -> PaymentList:
    """A list that the actor sees, locked and read again; before its claims, as everywhere. Raises NotFound."""
    found = get_visible(PaymentList.objects.all(), actor, pk=list_id)
    return PaymentList.objects.select_for_update(no_key=True, of=("self",)).select_related("batch__programme").get(pk=found.pk)


def record(actor: Actor, line_id: int, outcome: Outcome, now: datetime) -> Payout:
    """Write down what was paid on a line of an approved list, once. What was not paid goes on the next list.

    Raises NotFound, Forbidden, Conflict ``claims.recorded_already`` / ``claims.list_cancelled``, Refusal ``claims.not_approved`` /
    ``claims.paid_amount`` / ``claims.paid_on`` / ``claims.text_*`` (a reason where not all was paid).
    """

    def work() -> Payout:
        found = get_visible(PaymentLine.objects.all(), actor, pk=line_id)
        made, right = open_list(actor, found.payment_list_id, now)
        written = record_line(actor, right, made, found, outcome, now)
        tell_list(made, now)
        return written

    return transactions.run(work)


def open_list(actor: Actor, list_id: int, now: datetime) -> tuple[PaymentList, Right]:
    """An approved list, locked, and by which right the actor records what was paid on it; part of the caller's transaction. Raises
    NotFound, Forbidden, Conflict ``claims.list_cancelled``, Refusal ``claims.not_approved``."""
    made = _locked_list(actor, list_id)
    right = require_office(actor, made.batch, now, Role.FINANCE)
    if made.cancelled_at is not None:
        raise Conflict.of("claims.list_cancelled", number=made.number)
    if made.approved_by_id is None:
        raise Refusal.of("claims.not_approved", number=made.number)
    return made, right


def record_line(actor: Actor, right: Right, made: PaymentList, line: PaymentLine, outcome: Outcome, now: datetime) -> Payout:
    """``record`` for a line of a list from ``open_list``, in the same transaction; who waits for the list is told afterwards
    (``tell_list``)."""
    claim = locked(actor, line.claim_id)
    if Payout.objects.filter(line=line).exists():
        raise Conflict.of("claims.recorded_already")
    if not 0 <= outcome.paid_fen <= line.amount_fen:
        raise Refusal.of("claims.paid_amount", field="paid_fen", most_fen=line.amount_fen)
    if not local_day(made.issued_at) <= outcome.paid_on <= local_day(now):
        raise Refusal.of("claims.paid_on", field="paid_on")
    whole = outcome.paid_fen == line.amount_fen
    reason = plain_text(outcome.reason, REASON_LENGTH) if whole else checked_text(outcome.reason)
    written = Payout.objects.create(
        line=line,
        paid_fen=outcome.paid_fen,
        paid_on=outcome.paid_on,
        reference=plain_text(outcome.reference, 100),
        reason=reason,
        recorded_by_id=actor.person_id,
        recorded_at=now,
    )
    if outcome.paid_fen:
        source = Source("payout", written.pk, "claim_pay", claim.batch.programme_version_id, actor.user_id)
        accounts.post_paid(claim.batch.programme_id, made.payer, claim.payee_id, outcome.paid_fen, source, now)
    event = _event(claim)
    said = "" if whole and event is not ClaimEvent.PAY else reason
    move(actor, claim, event, now, said, behalf_id=right.behalf_id)
    return written


def _event(claim: Claim) -> ClaimEvent:
    """What has become of a claim with all that is recorded of it."""
    paid = Payout.objects.filter(line__claim=claim).aggregate(fen=Coalesce(Sum("paid_fen"), 0))["fen"]
    if paid == claim.total_fen:
        return ClaimEvent.PAY
    return ClaimEvent.PAY_PART if paid else ClaimEvent.PAY_FAIL


def _write_all(
    actor: Actor, right: Right, batch: ClaimBatch, found: list[Payable], free: list[surplus.Free], now: datetime
) -> list[PaymentList]:
    """``free``: what goes back to payees, with the first list that pays them."""
    by_payer: dict[str, list[Payable]] = {}
    for each in found:
        by_payer.setdefault(each.payer, []).append(each)
    claims = {each.claim.pk: each.claim for each in found}
    payees = codes_of(claim.payee_id for claim in claims.values())
    accounts_then = handed_in_accounts(claims.values())
    public, sold = publicity_of(claims.values()), invoices.sold(claims.values())
    written: list[PaymentList] = []
    numbers: dict[int, list[str]] = {}
    for payer, rows in by_payer.items():
        lines = [
            ListLine(
                position=place,
                claim=each.claim.number,
                payee=payee_paper(each.claim.payee, payees.get(each.claim.payee_id, "")),
                amount_fen=each.amount_fen,
                of_claim_fen=each.claim.total_fen,
                account_changed=account_changed(each.claim.payee, accounts_then.get(each.claim.pk)),
                publicity=public.get(each.claim.pk),
                invoices=sold.get(each.claim.pk, ()),
            )
            for place, each in enumerate(rows, start=1)
        ]
        paid = {each.claim.payee_id for each in rows}
        mine, free = [each for each in free if each.payee_id in paid], [each for each in free if each.payee_id not in paid]
        beside = [
            SurplusLine(
                each.row.clawback.number,
                payee_paper(each.row.clawback.payee, payees.get(each.payee_id, "")),
                each.amount_fen,
            )
            for each in mine
        ]
        written.append(_write(actor, right, batch, payer, rows, lines, beside, now))
        surplus.put_on_list(actor, right, written[-1], mine, now)
        for each in rows:
            numbers.setdefault(each.claim.pk, []).append(written[-1].number)
    for pk, lists in numbers.items():
        move(actor, locked(actor, pk), ClaimEvent.LIST, now, also={"lists": lists}, behalf_id=right.behalf_id)
    return written


def _write(
    actor: Actor,
    right: Right,
    batch: ClaimBatch,
    payer: str,
    rows: list[Payable],
    lines: list[ListLine],
    beside: list[SurplusLine],
    now: datetime,
) -> PaymentList:
    number = next_number(Series.PAYMENT_LIST, now)
    content = codes.with_code(papers.payment_list(batch_paper(batch), number, payer, lines, actor.name, local_day(now), beside))
    written = PaymentList.objects.create(
        batch=batch,
        number=number,
        payer=payer,
        total_fen=content["totals"]["total_fen"],
        line_count=len(lines),
        content=content,
        content_sha256=sha256_of(content),
        issued_at=now,
        issued_by_id=actor.person_id,
        issued_for_id=right.behalf_id,
    )
    PaymentLine.objects.bulk_create(
        [
            PaymentLine(payment_list=written, claim=each.claim, position=place, amount_fen=each.amount_fen)
            for place, each in enumerate(rows, start=1)
        ]
    )
    codes.register(LIST, written.pk, content, now)
    after = {"number": number, "payer": payer, "lines": len(lines), "total_fen": written.total_fen}
    audit.record(actor, "payment_list.make", written, now, after=after)
    queue_documents(written)
    tell_list(written, now)
    return written
