"""A customer asks for the VAT invoice of a bill; who asked takes it back, who issues refuses it with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError

from billing.bills.models import Bill, BillVoid
from billing.bills.services.issuing import checked_reason
from billing.invoices.models import Answer, InvoiceRequest
from billing.invoices.queries import credited_of, customer_code, has_live_invoice
from billing.invoices.rules.checks import InvoiceKind, plain
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.transactions import constraint_name
from instruments.rules.identifiers import is_valid_uscc
from instruments.rules.registry_values import clean_text

#: Who acts for the customer.
ASKERS = (Role.FIRM_ADMIN, Role.OWNER_FINANCE)
TITLE_LENGTH, NOTE_LENGTH, OTHER_LENGTH = 200, 200, 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """To whom the invoice is made out, its kind, and where it is sent. ``other_buyer``: who that is and why, where it is not the
    customer."""

    title: str
    buyer_code: str
    kind: str
    email: str
    note: str = ""
    other_buyer: str = ""


def ask(actor: Actor, bill_id: int, wanted: Wanted, now: datetime) -> InvoiceRequest:
    """Ask for the invoice of a bill that is not void and has none. Raises NotFound, Forbidden, Refusal ``invoice.*`` with a reason for
    every field, Conflict ``invoice.asked_already``."""

    def work() -> InvoiceRequest:
        bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
        actor.require_in(bill.customer_id, *ASKERS)
        Bill.objects.select_for_update(no_key=True).values_list("pk").get(pk=bill.pk)
        if BillVoid.objects.filter(bill=bill).exists():
            raise Refusal.of("invoice.bill_void")
        if has_live_invoice(bill):
            raise Refusal.of("invoice.has_one")
        if 0 < bill.total_fen <= credited_of([bill.pk]).get(bill.pk, 0):
            raise Refusal.of("invoice.nothing_owed")
        request = _write(actor, bill, _checked(wanted, customer_code(bill.content)), now)
        after = {"bill": bill.number, "kind": request.kind, "buyer_code": request.buyer_code, "other_buyer": request.other_buyer}
        audit.record(actor, "invoice.ask", request, now, after=after)
        return request

    try:
        return transactions.run(work)
    except IntegrityError as error:
        if constraint_name(error) != "invoice_request_one_waits":
            raise
        raise Conflict.of("invoice.asked_already") from error


def refuse(actor: Actor, bill_id: int, reason: str, now: datetime) -> InvoiceRequest:
    """The issuer says why not. Raises NotFound, Forbidden, Refusal ``bill.reason_*`` / ``invoice.nothing_asked``."""
    bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
    actor.require_in(bill.owner_id, Role.OWNER_FINANCE)
    return _answer(actor, bill, Answer.REFUSED, checked_reason(reason), now)


def withdraw(actor: Actor, bill_id: int, now: datetime) -> InvoiceRequest:
    """The customer asks no longer. Raises NotFound, Forbidden, Refusal ``invoice.nothing_asked``."""
    bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
    actor.require_in(bill.customer_id, *ASKERS)
    return _answer(actor, bill, Answer.WITHDRAWN, "", now)


def answer_waiting(actor: Actor, bill: Bill, answer: Answer, reason: str, now: datetime) -> InvoiceRequest | None:
    """Answer what waits for a locked bill; None: nothing does."""
    waiting = InvoiceRequest.objects.select_for_update().filter(bill=bill, answered_at__isnull=True).first()
    if waiting is None:
        return None
    waiting.answer, waiting.reason, waiting.answered_at = answer, reason, now
    waiting.answered_by_id = actor.user_id
    waiting.save(update_fields=["answer", "reason", "answered_at", "answered_by"])
    audit.record(actor, f"invoice.{answer.value}", waiting, now, after={"bill": bill.number}, reason=reason)
    return waiting


def _answer(actor: Actor, bill: Bill, answer: Answer, reason: str, now: datetime) -> InvoiceRequest:
    def work() -> InvoiceRequest:
        done = answer_waiting(actor, bill, answer, reason, now)
        if done is None:
            raise Refusal.of("invoice.nothing_asked")
        return done

    return transactions.run(work)


def _checked(wanted: Wanted, own_code: str) -> Wanted:
    """The fields as they are kept. Another buyer than the customer (``own_code``) has to be said. Raises Refusal with every fault."""
    code, kinds = plain(wanted.buyer_code), [each.value for each in InvoiceKind]
    title = clean_text(wanted.title, TITLE_LENGTH, "title")
    note = clean_text(wanted.note, NOTE_LENGTH, "note")
    other = clean_text(wanted.other_buyer, OTHER_LENGTH, "other_buyer") if code != own_code else ""
    wrong = []
    if not title:
        wrong.append(Reason("invoice.title_missing", {}, "title"))
    if not is_valid_uscc(code):
        wrong.append(Reason("invoice.buyer_code", {}, "buyer_code"))
    elif code != own_code and not other:
        wrong.append(Reason("invoice.other_buyer", {}, "other_buyer"))
    if wanted.kind not in kinds:
        wrong.append(Reason("invoice.kind", {}, "kind"))
    email = wanted.email.strip()
    try:
        validate_email(email)
    except ValidationError:
        wrong.append(Reason("invoice.email", {}, "email"))
    Refusal.raise_any(wrong)
    return Wanted(title, code, wanted.kind, email, note, other)


def _write(actor: Actor, bill: Bill, wanted: Wanted, now: datetime) -> InvoiceRequest:
    return InvoiceRequest.objects.create(
        bill=bill,
        title=wanted.title,
        buyer_code=wanted.buyer_code,
        kind=wanted.kind,
        email=wanted.email,
        note=wanted.note,
        other_buyer=wanted.other_buyer,
        asked_by_id=cast(int, actor.user_id),  # who has a role is somebody
        asked_at=now,
    )
