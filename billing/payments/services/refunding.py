"""Sending free money back: by the owner's own transfer, or through the provider with which it was paid."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import uuid4

from billing.bills.services.issuing import checked_reason
from billing.ledger.services import Source
from billing.payments import accounts
from billing.payments.models import Method, Payment, Refund, RefundKind, RefundRequest
from billing.payments.provider import ProviderError, configured
from billing.payments.rules.states import RefundState
from billing.payments.services import settling
from billing.payments.services.allocating import standing_of
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.jobs import defer_once

TASK = "billing.ask_for_refund"
QUEUE = "payments"


def refund(actor: Actor, payment_id: int, amount_fen: int, reason: str, now: datetime) -> Refund | RefundRequest:
    """Write down that free money of a transfer was sent back, or ask the provider to send it; the worker asks.

    Raises NotFound, Forbidden, Refusal ``refund.amount`` (with what is free) / ``refund.under_way`` / ``bill.reason_*``.
    """
    text = checked_reason(reason)

    def work() -> Refund | RefundRequest:
        payment = get_visible(Payment.objects.all(), actor, pk=payment_id)
        actor.require_in(payment.owner_id, Role.OWNER_FINANCE)
        Payment.objects.select_for_update(no_key=True).values_list("pk").get(pk=payment.pk)
        if RefundRequest.objects.filter(payment=payment, state=RefundState.ASKED).exists():
            raise Refusal.of("refund.under_way")
        free = standing_of(payment).free_fen
        if not 0 < amount_fen <= free:
            raise Refusal.of("refund.amount", field="amount", free_fen=free)
        audit.record(actor, "payment.refund", payment, now, after={"amount_fen": amount_fen}, reason=text)
        if payment.method == Method.BANK:
            return _sent(actor, payment, amount_fen, text, now)
        return _request(actor, payment, amount_fen, text, now)

    return transactions.run(work)


def _sent(actor: Actor, payment: Payment, amount_fen: int, reason: str, now: datetime) -> Refund:
    row = Refund.objects.create(
        payment=payment, kind=RefundKind.REFUND, amount_fen=amount_fen, reason=reason, actor_id=actor.user_id, at=now
    )
    accounts.post_refund(payment, amount_fen, Source("refund", row.pk, "refund", actor_id=actor.user_id), now)
    return row


def _request(actor: Actor, payment: Payment, amount_fen: int, reason: str, now: datetime) -> RefundRequest:
    row = RefundRequest.objects.create(
        payment=payment,
        key=f"refund:{payment.pk}:{uuid4()}",
        amount_fen=amount_fen,
        reason=reason,
        asked_by_id=cast(int, actor.user_id),  # who has a role is somebody
        asked_at=now,
    )
    name = f"refund:{row.pk}"
    defer_once(TASK, name, queue=QUEUE, lock=name, request_id=row.pk)
    return row


def ask(request_id: int, now: datetime) -> None:
    """Ask the provider for a refund, under the key that was written down, and apply what it says. Safe to repeat.

    Raises ProviderError when it cannot be asked, so that the queue tries again.
    """
    request = RefundRequest.objects.select_related("payment__checkout").get(pk=request_id)
    provider, checkout = configured(), request.payment.checkout
    if request.state != RefundState.ASKED or provider is None or checkout is None:
        return
    try:
        provider.refund(checkout.intent_ref or "", request.amount_fen, request.key)
    except ProviderError as error:
        if error.for_good:
            rows = RefundRequest.objects.filter(pk=request.pk, state=RefundState.ASKED)
            rows.update(state=RefundState.FAILED.value, note=error.code)
            return
        raise
    settling.apply(provider, provider.fetch(checkout.session_ref or ""), now)
