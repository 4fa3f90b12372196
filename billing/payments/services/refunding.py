"""Sending free money back: by the owner's own transfer, or through the provider with which it was paid."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import cast
from uuid import uuid4

from billing.bills.services.issuing import checked_reason
from billing.ledger.services import Source
from billing.payments import accounts
from billing.payments.models import Checkout, Method, Payment, Refund, RefundKind, RefundRequest
from billing.payments.provider import ProviderError, configured
from billing.payments.rules.states import RefundState
from billing.payments.services import differences, settling
from billing.payments.services.allocating import standing_of
from billing.payments.services.checkouts import ASK_AGAIN, LOOK_AGAIN
from billing.payments.services.differences import Fact
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.jobs import defer_once

_log = logging.getLogger(__name__)
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
            raise Refusal.of("refund.amount", field="amount_fen", free_fen=free)
        audit.record(actor, "payment.refund", payment, now, after={"amount_fen": amount_fen}, reason=text)
        if payment.method in (Method.BANK, Method.HAND):
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
    """Look whether the provider has the refund, and only else ask for it, under the key that was written down; apply what it says. Safe to
    repeat, also after the provider has forgotten the key: then it is not asked for any more, and failed if the provider has none. Where
    the provider does not know the session, or has not answered until then, nobody can tell from here: it has failed, its money is free
    again, and it stands with the differences for a person to look at.

    Raises ProviderError when it cannot be asked, so that the queue tries again.
    """
    request = RefundRequest.objects.select_related("payment__checkout").get(pk=request_id)
    provider, checkout = configured(), request.payment.checkout
    if request.state != RefundState.ASKED or provider is None or checkout is None:
        return
    try:
        facts = provider.fetch(checkout.session_ref or "")
    except ProviderError as error:
        if error.for_good or now - request.asked_at > ASK_AGAIN:
            _park(request, checkout, "provider.forgotten" if error.for_good else error.code, now)
            return
        raise
    settling.apply(provider, facts, now)
    if any(each.key == request.key for each in facts.refunds):
        return
    if now - request.asked_at > ASK_AGAIN:
        _fail(request, "provider.never_answered")
        return
    try:
        provider.refund(checkout.intent_ref or "", request.amount_fen, request.key)
    except ProviderError as error:
        if error.for_good:
            _fail(request, error.code)
            return
        raise
    settling.apply(provider, provider.fetch(checkout.session_ref or ""), now)


def ask_all(now: datetime) -> int:
    """Ask again for every refund that is still under way after a while: its job or its news may have been lost. Returns how many could be
    asked for; one that could not holds up no other."""
    rows = RefundRequest.objects.filter(state=RefundState.ASKED, asked_at__lt=now - LOOK_AGAIN).order_by("pk")
    asked = 0
    for request_id in list(rows.values_list("pk", flat=True)[:500]):
        try:
            ask(request_id, now)
            asked += 1
        except ProviderError as error:
            _log.warning("the refund %s could not be asked for: %s", request_id, error.code)
    return asked


def _park(request: RefundRequest, checkout: Checkout, note: str, now: datetime) -> None:
    """Nobody knows whether the money went back; a late answer of the provider still counts (``failed`` may become ``done``)."""

    def work() -> None:
        _fail(request, note)
        fact = Fact("refund_lost", checkout.session_ref or "", checkout.pk, request.amount_fen, 0, note)
        differences.note(fact, now)

    transactions.run(work)


def close_abandoned(now: datetime) -> int:
    """Park what was asked for of a provider that is switched off by now; returns how many."""
    rows = RefundRequest.objects.select_related("payment__checkout")
    parked = 0
    for request in rows.filter(state=RefundState.ASKED, asked_at__lt=now - ASK_AGAIN).order_by("pk")[:500]:
        if request.payment.checkout is not None:
            _park(request, request.payment.checkout, "provider.off", now)
            parked += 1
    return parked


def _fail(request: RefundRequest, note: str) -> None:
    rows = RefundRequest.objects.filter(pk=request.pk, state=RefundState.ASKED)
    rows.update(state=RefundState.FAILED.value, note=note)
