"""A customer asks for the VAT invoice of a bill, an office for that of what it buys by a settlement statement; who asked takes it back, who
issues refuses it with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError

from billing.bills.models import Bill
from billing.bills.services.issuing import checked_reason
from billing.invoices.models import Answer, InvoiceRequest
from billing.invoices.papers import Kind, Paper
from billing.invoices.queries import bill_paper, has_live_invoice, none_for, statement_paper
from billing.invoices.rules.checks import InvoiceKind, plain
from billing.settlement.models import Statement
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.transactions import constraint_name
from instruments.rules.identifiers import is_valid_uscc
from instruments.rules.registry_values import clean_text

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
    return _ask(actor, lambda: bill_paper(actor, bill_id), wanted, now)


def ask_sold(actor: Actor, statement_id: int, wanted: Wanted, now: datetime) -> InvoiceRequest:
    """The office asks for the invoice of what it buys by a settlement statement; as ``ask``."""
    return _ask(actor, lambda: statement_paper(actor, statement_id), wanted, now)


def _ask(actor: Actor, find: Callable[[], Paper], wanted: Wanted, now: datetime) -> InvoiceRequest:
    def work() -> InvoiceRequest:
        paper = find()
        paper.require_payer(actor)
        lock(paper)
        if why := none_for(paper):
            raise Refusal.of(why)
        if has_live_invoice(paper):
            raise Refusal.of("invoice.has_one")
        request = _write(actor, paper, _checked(wanted, paper.buyer_code), now)
        said = {"kind": request.kind, "buyer_code": request.buyer_code, "other_buyer": request.other_buyer}
        audit.record(actor, "invoice.ask", request, now, after={str(paper.kind): paper.number, **said})
        return request

    try:
        return transactions.run(work)
    except IntegrityError as error:
        if constraint_name(error) not in ("invoice_request_one_waits", "invoice_request_one_of_statement"):
            raise
        raise Conflict.of("invoice.asked_already") from error


def lock(paper: Paper) -> None:
    """Whoever writes about the invoices of a bill or a statement waits for each other here."""
    model = Bill if paper.kind is Kind.BILL else Statement
    model._default_manager.select_for_update(no_key=True).values_list("pk").get(pk=paper.pk)


def refuse(actor: Actor, bill_id: int, reason: str, now: datetime) -> InvoiceRequest:
    """The issuer of a bill says why not. Raises NotFound, Forbidden, Refusal ``bill.reason_*`` / ``invoice.nothing_asked``."""
    return _refuse(actor, bill_paper(actor, bill_id), reason, now)


def refuse_sold(actor: Actor, statement_id: int, reason: str, now: datetime) -> InvoiceRequest:
    """The payee of a statement says why not; as ``refuse``."""
    return _refuse(actor, statement_paper(actor, statement_id), reason, now)


def _refuse(actor: Actor, paper: Paper, reason: str, now: datetime) -> InvoiceRequest:
    actor.require_in(paper.seller_id, Role.OWNER_FINANCE)
    return _answer(actor, paper, Answer.REFUSED, checked_reason(reason), now)


def withdraw(actor: Actor, bill_id: int, now: datetime) -> InvoiceRequest:
    """The customer asks no longer. Raises NotFound, Forbidden, Refusal ``invoice.nothing_asked``."""
    return _withdraw(actor, bill_paper(actor, bill_id), now)


def withdraw_sold(actor: Actor, statement_id: int, now: datetime) -> InvoiceRequest:
    """The office asks no longer; as ``withdraw``."""
    return _withdraw(actor, statement_paper(actor, statement_id), now)


def _withdraw(actor: Actor, paper: Paper, now: datetime) -> InvoiceRequest:
    paper.require_payer(actor)
    return _answer(actor, paper, Answer.WITHDRAWN, "", now)


def answer_waiting(actor: Actor, paper: Paper, answer: Answer, reason: str, now: datetime) -> InvoiceRequest | None:
    """Answer what waits for a locked bill or statement; None: nothing does."""
    waiting = InvoiceRequest.objects.select_for_update().filter(**paper.column, answered_at__isnull=True).first()
    if waiting is None:
        return None
    waiting.answer, waiting.reason, waiting.answered_at = answer, reason, now
    waiting.answered_by_id = actor.user_id
    waiting.save(update_fields=["answer", "reason", "answered_at", "answered_by"])
    audit.record(actor, f"invoice.{answer.value}", waiting, now, after={str(paper.kind): paper.number}, reason=reason)
    return waiting


def _answer(actor: Actor, paper: Paper, answer: Answer, reason: str, now: datetime) -> InvoiceRequest:
    def work() -> InvoiceRequest:
        done = answer_waiting(actor, paper, answer, reason, now)
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


def _write(actor: Actor, paper: Paper, wanted: Wanted, now: datetime) -> InvoiceRequest:
    return InvoiceRequest.objects.create(
        **paper.column,
        title=wanted.title,
        buyer_code=wanted.buyer_code,
        kind=wanted.kind,
        email=wanted.email,
        note=wanted.note,
        other_buyer=wanted.other_buyer,
        asked_by_id=cast(int, actor.user_id),  # who has a role is somebody
        asked_at=now,
    )
