"""Issuing receipts and statements of account, and making their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from django.db.models import Q

from billing.bills.models import Bill, CreditNote
from billing.bills.services.issuing import local_day
from billing.ledger.books import Period, balance_before
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.rules.documents import sha256_of
from billing.ordering.services.parties import party_of
from billing.papers import codes
from billing.payments.models import Allocation, Payment
from billing.receipts import ports, rendering
from billing.receipts.models import AccountStatement, CustomerPaper, Receipt
from billing.receipts.paid import paid_by_bill, receipts_of
from billing.receipts.rules import content as rules
from billing.receipts.rules.content import ACCOUNT, RECEIPT, Heading, Line, Received
from billing.receipts.rules.standing import printed, unsaid
from billing.settlement.services.again import queue_again
from billing.settlement.services.making import Makers, make_documents
from billing.settlement.services.numbering import next_place
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.jobs import defer_once
from instruments.models import Organisation

TASK = "billing.render_receipt"
QUEUE = "documents"
MODELS: Mapping[str, type[Receipt] | type[AccountStatement]] = {RECEIPT: Receipt, ACCOUNT: AccountStatement}
#: Who asks for a statement of account: either side.
SIDES = (Role.OWNER_FINANCE, Role.FIRM_ADMIN)
#: And who does on the side of the owner: a lab's finance of its bills, an office's of its claw-backs.
OWNERS = (Role.OWNER_FINANCE, Role.FINANCE)
MOST_LINES = 5000


def receipt(actor: Actor, payment_id: int, customer_id: int, now: datetime) -> Receipt:
    """Acknowledge what of a payment pays the bills of a customer and stands on no receipt yet.

    Raises NotFound, Forbidden, Refusal ``receipt.nothing_new``.
    """

    actor.require(Role.OWNER_FINANCE)

    def work() -> Receipt:
        payment = get_visible(Payment.objects.all(), actor, pk=payment_id)
        actor.require_in(payment.owner_id, Role.OWNER_FINANCE)
        Payment.objects.select_for_update(no_key=True).values_list("pk").get(pk=payment.pk)
        lines = _paid(payment, customer_id)
        if not lines:
            raise Refusal.of("receipt.nothing_new")
        received = Received(payment.method, payment.received_on, payment.payer_name, payment.remark)
        dry = rules.receipt(_heading(actor, payment.owner_id, customer_id, now), received, lines)
        return cast(Receipt, _write(actor, RECEIPT, payment.owner_id, customer_id, dry, now, payment=payment))

    return transactions.run(work)


def account_statement(
    actor: Actor, owner_id: int, customer_id: int, first_on: date, last_on: date, now: datetime
) -> AccountStatement:
    """Freeze every movement between the two sides in a period; either side may.

    Raises Forbidden, NotFound, Refusal ``receipt.days`` / ``receipt.nothing_between`` / ``receipt.too_long``.
    """
    _require_side(actor, owner_id, customer_id)
    if first_on > last_on or last_on > local_day(now):
        raise Refusal.of("receipt.days", field="last_on")

    def work() -> AccountStatement:
        account = Account.objects.filter(key=f"receivable:{owner_id}:{customer_id}").first()
        others = ports.moves(owner_id, customer_id, now)
        if account is None and not others:
            raise Refusal.of("receipt.nothing_between")
        opening, lines = _between(account, others, Period(first_on, last_on))
        heading = _heading(actor, owner_id, customer_id, now)
        dry = rules.account_statement(heading, first_on, last_on, opening, lines, of_office=account is None)
        days = {"first_on": first_on, "last_on": last_on}
        return cast(AccountStatement, _write(actor, ACCOUNT, owner_id, customer_id, dry, now, **days))

    return transactions.run(work)


def render(kind: str, document_id: int, now: datetime) -> None:
    """Make and store what is missing; nothing when both files are there. Raises what ``making.make_documents`` does."""
    make_documents(MODELS[kind], document_id, Makers(rendering.render_xlsx, rendering.render_pdf_apart), now)


def retry(actor: Actor, kind: str, document_id: int, now: datetime) -> None:
    """Queue files again after they failed; either side may. Raises NotFound, Forbidden, Refusal ``statement.not_failed``."""
    document: Any = get_visible(MODELS[kind]._default_manager.all(), actor, pk=document_id)
    _require_side(actor, document.owner_id, document.customer_id)
    again = ("receipt.render_again", "statement.not_failed")
    queue_again(
        actor, document, _job(kind, document_id), *again, lambda: _queue(kind, document_id, at_once=True), now, render_percent=0
    )


def _require_side(actor: Actor, owner_id: int, customer_id: int) -> None:
    actor.require(*SIDES, *OWNERS)
    if owner_id not in actor.organisations(*OWNERS) and customer_id not in actor.organisations(*SIDES):
        raise NotFound.of("access.not_found", model="organisation")


def _heading(actor: Actor, owner_id: int, customer_id: int, now: datetime) -> Heading:
    sides = Organisation.objects.in_bulk([owner_id, customer_id])
    owner, customer = party_of(sides[owner_id], None, bank=True), party_of(sides[customer_id], None)
    return Heading(owner, customer, local_day(now), actor.name)


def _paid(payment: Payment, customer_id: int) -> list[Line]:
    """What of a payment pays each bill of a customer, less what receipts say of this bill already; two queries."""
    said = [printed(content) for content in receipts_of(payment.pk, customer_id).values_list("content", flat=True)]
    left = unsaid(paid_by_bill(payment.pk, customer_id), said)
    return [Line(payment.received_on, "payment", number, 0, amount) for number, amount in left.items()]


def _between(account: Account | None, others: Sequence[tuple[datetime, Line]], period: Period) -> tuple[int, list[Line]]:
    """What was owed before a period, and every movement in it, the first first: of bills and of whatever else there is."""
    before = [line for at, line in others if period.starts_at is not None and at < period.starts_at]
    opening = sum(line.debit_fen - line.credit_fen for line in before)
    found = [(at, line) for at, line in others[len(before) :] if period.ends_at is None or at < period.ends_at]
    if account is not None:
        opening += balance_before(account, period, None)
        found += _moved(account, period)
    if len(found) > MOST_LINES:
        raise Refusal.of("receipt.too_long", most=MOST_LINES)
    return opening, [line for _at, line in sorted(found, key=lambda each: each[0])]


def _moved(account: Account, period: Period) -> list[tuple[datetime, Line]]:
    """The movements of what a customer owes, in their order, with the numbers of the papers behind them; four queries."""
    moved = Transfer.objects.filter(period.within(), Q(debit=account) | Q(credit=account), kind=TransferKind.MOVE)
    rows = list(moved.order_by("pk")[: MOST_LINES + 1])
    if len(rows) > MOST_LINES:
        raise Refusal.of("receipt.too_long", most=MOST_LINES)
    numbers = _numbers(rows)
    return [(row.at, _line(row, account, numbers)) for row in rows]


def _numbers(rows: Sequence[Transfer]) -> dict[tuple[str, int], str]:
    """The number of the paper behind each source."""
    wanted: dict[str, set[int]] = {}
    for row in rows:
        wanted.setdefault(row.source_type, set()).add(row.source_id)
    found = {
        ("bill", pk): number for pk, number in Bill.objects.filter(pk__in=wanted.get("bill", ())).values_list("pk", "number")
    }
    notes = CreditNote.objects.filter(pk__in=wanted.get("credit_note", ())).values_list("pk", "number")
    given = Allocation.objects.filter(pk__in=wanted.get("allocation", ())).values_list("pk", "bill__number")
    found |= {("credit_note", pk): number for pk, number in notes}
    return found | {("allocation", pk): number for pk, number in given}


def _line(row: Transfer, account: Account, numbers: Mapping[tuple[str, int], str]) -> Line:
    debited = row.debit_id == account.pk
    what = {"bill_void": "void", "credit_note": "credit_note", "bill_issue": "bill"}.get(row.reason)
    what = what or ("payment_undone" if debited else "payment")
    number = numbers.get((row.source_type, row.source_id), "")
    amounts = (row.amount_fen, 0) if debited else (0, row.amount_fen)
    return Line(local_day(row.at), what, number, *amounts)


def _write(
    actor: Actor, kind: str, owner_id: int, customer_id: int, dry: rules.Json, now: datetime, **more: Any
) -> CustomerPaper:
    year = local_day(now).year
    number = rules.document_number(kind, year, next_place(rules.series_key(kind, owner_id, year)))
    content = codes.with_code({**dry, "number": number})
    paper = MODELS[kind]._default_manager.create(
        owner_id=owner_id,
        customer_id=customer_id,
        number=number,
        total_fen=content["totals"]["total_fen"],
        content=content,
        content_sha256=sha256_of(content),
        issued_at=now,
        issued_by_id=cast(int, actor.user_id),  # who has a role is somebody
        **more,
    )
    codes.register(kind, paper.pk, content, now)
    audit.record(actor, f"{kind}.issue", paper, now, after={"number": number, "total_fen": paper.total_fen})
    _queue(kind, paper.pk)
    return paper


def _job(kind: str, document_id: int) -> str:
    return f"{kind}:{document_id}"


def _queue(kind: str, document_id: int, *, at_once: bool = False) -> None:
    """One job for the worker, in the transaction of the change."""
    name = _job(kind, document_id)
    defer_once(TASK, name, queue=QUEUE, lock=name, at_once=at_once, kind=kind, document_id=document_id)
