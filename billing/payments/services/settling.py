"""Applying what a provider says of a session: a state machine that only moves forward, so that any order of news, and any number of the
same, ends alike."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.db.models import Q, QuerySet, Sum

from billing.bills.models import Bill
from billing.bills.services.issuing import local_day
from billing.ledger.services import Source
from billing.payments import accounts
from billing.payments.models import Allocation, Checkout, Dispute, Payment, Refund, RefundKind, RefundRequest
from billing.payments.provider import PaymentProvider
from billing.payments.rules import provider as rules
from billing.payments.rules.provider import DisputeFact, RefundFact, SessionFacts, SessionState
from billing.payments.rules.states import (
    CHECKOUT_NEXT,
    DISPUTE_NEXT,
    REFUND_NEXT,
    CheckoutState,
    DisputeState,
    RefundState,
    may_follow,
)
from billing.payments.services import differences, prepaying
from billing.payments.services.allocating import free_up, freed_fen, give_locked, open_fen, standing_of
from billing.payments.services.differences import Fact
from config.kernel.access import NOBODY
from config.kernel.services import audit, transactions

#: Why money is taken from a bill again without anybody's doing here.
REFUNDED, DISPUTED = "refunded", "dispute lost"


def apply(provider: PaymentProvider, facts: SessionFacts, now: datetime) -> str:
    """Bring our rows to where the provider's session is. Returns a code: ``done``, ``unknown`` (none of ours), or why it was put into
    quarantine (``provider.*``). Safe to repeat."""

    def work() -> str:
        checkout = _locked(facts)
        if checkout is None:
            return "unknown"
        asked = rules.Asked(checkout.key, checkout.amount_fen, provider.live)
        fault = rules.mismatch(asked, facts)
        if not fault and facts.intent_ref and checkout.intent_ref not in (None, facts.intent_ref):
            fault = "provider.other_intent"
        if fault:
            _move(checkout, CheckoutState.QUARANTINED, now, note=fault)
            found = (checkout.pk, facts.amount_fen, checkout.amount_fen, fault)
            differences.note(Fact("quarantined", facts.session_ref, *found), now)
            return fault
        _name(checkout, facts)
        if facts.state is SessionState.PAID:
            _paid(checkout, facts, now)
        elif facts.state is SessionState.EXPIRED:
            _move(checkout, CheckoutState.EXPIRED, now)
        elif facts.url:
            _move(checkout, CheckoutState.OPEN, now, url=facts.url)
        return "done"

    return transactions.run(work)


def _locked(facts: SessionFacts) -> Checkout | None:
    """The attempt, by the key that we wrote down before the session existed, else by the session; its bill comes after it."""
    rows = Checkout.objects.select_for_update(no_key=True, of=("self",)).select_related("bill")
    found = rows.filter(key=facts.key).first() if facts.key else None
    return found or rows.filter(session_ref=facts.session_ref).first()


def _name(checkout: Checkout, facts: SessionFacts) -> None:
    """Keep the provider's names for it, each once."""
    names = {"session_ref": facts.session_ref, "intent_ref": facts.intent_ref}
    new = {field: ref for field, ref in names.items() if ref and getattr(checkout, field) is None}
    if new:
        Checkout.objects.filter(pk=checkout.pk).update(**new)
        for field, ref in new.items():
            setattr(checkout, field, ref)


def _move(checkout: Checkout, state: CheckoutState, now: datetime, *, note: str = "", url: str = "") -> None:
    """Forward, or not at all."""
    if may_follow(CHECKOUT_NEXT, checkout.state, state):
        changes = {"state": state.value, "note": note, "changed_at": now} | ({"url": url} if url else {})
        Checkout.objects.filter(pk=checkout.pk).update(**changes)
        checkout.state = state.value


def _paid(checkout: Checkout, facts: SessionFacts, now: datetime) -> None:
    """The money, once; then what went back of it, and what its payer's bank asks back."""
    payment = Payment.objects.filter(checkout=checkout).first()
    if payment is None:
        payment = _take(checkout, facts, now)
    _move(checkout, CheckoutState.PAID, now)
    Payment.objects.select_for_update(no_key=True).values_list("pk").get(pk=payment.pk)
    short = sum(_refund(payment, refund, now) for refund in facts.refunds)
    short += sum(_dispute(payment, dispute, now) for dispute in facts.disputes)
    if short > 0:
        # What is promised to bookings stays promised: a person settles it with the customer.
        gone = _gone_fen(Refund.objects.filter(payment=payment))
        fact = Fact("refunded", facts.session_ref, checkout.pk, facts.back_fen, gone, "provider.prepaid_promised")
        differences.note(fact, now)


def _take(checkout: Checkout, facts: SessionFacts, now: datetime) -> Payment:
    """Write the payment down and give it to its bill as far as that is open (what a transfer paid meanwhile leaves the rest free), or keep
    it as prepaid for who paid it. It came on the day on which the provider took it, however late we hear of it; it is posted now."""
    bill, customer_id = checkout.bill, checkout.customer_id
    payment = Payment.objects.create(
        owner_id=bill.owner_id if bill is not None else cast(int, checkout.owner_id),  # a CHECK: one of the two is there
        method=checkout.provider,
        amount_fen=checkout.amount_fen,
        received_on=local_day(min(facts.paid_at or now, now)),
        remark=checkout.reference,
        checkout=checkout,
        created_at=now,
    )
    accounts.post_payment(payment, Source("payment", payment.pk, "checkout_paid"), now)
    said: dict[str, object] = {"amount_fen": payment.amount_fen}
    if bill is not None:
        said["bill"] = bill.number
        Bill.objects.select_for_update(no_key=True).values_list("pk").get(pk=bill.pk)
        amount = min(payment.amount_fen, open_fen(bill))
        if amount > 0:
            give_locked(payment, bill, amount, now, actor_id=None)
    elif customer_id is not None:
        said["customer"] = customer_id
        prepaying.keep(payment, customer_id, payment.amount_fen, now, actor_id=None)
    audit.record(NOBODY, "payment.online", payment, now, after=said)
    return payment


def _refund(payment: Payment, fact: RefundFact, now: datetime) -> int:
    """Returns what of it could not be booked, as ``_went_back``."""
    request = RefundRequest.objects.filter(payment=payment, key=fact.key).first() if fact.key else None
    if request is not None and (fact.done or fact.failed):
        state = RefundState.DONE if fact.done else RefundState.FAILED
        if may_follow(REFUND_NEXT, request.state, state):
            RefundRequest.objects.filter(pk=request.pk).update(state=state.value, provider_ref=fact.ref)
    if not fact.done:
        return 0
    reason = request.reason if request is not None else REFUNDED
    return _went_back(payment, RefundKind.REFUND, fact.amount_fen, fact.ref, reason, now)


def _dispute(payment: Payment, fact: DisputeFact, now: datetime) -> int:
    """Returns what of a lost one could not be booked, as ``_went_back``."""
    row, created = Dispute.objects.get_or_create(
        provider_ref=fact.ref,
        defaults={
            "payment": payment,
            "amount_fen": fact.amount_fen,
            "reason": fact.reason or "unknown",
            "state": fact.state,
            "opened_at": fact.opened_at,
            "changed_at": now,
        },
    )
    if not created and may_follow(DISPUTE_NEXT, row.state, fact.state):
        Dispute.objects.filter(pk=row.pk).update(state=fact.state, changed_at=now)
    if fact.state != DisputeState.LOST:
        return 0
    return _went_back(payment, RefundKind.DISPUTE, fact.amount_fen, fact.ref, DISPUTED, now)


def _gone_fen(refunds: QuerySet[Refund]) -> int:
    return int(refunds.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def _went_back(payment: Payment, kind: RefundKind, amount_fen: int, ref: str, reason: str, now: datetime) -> int:
    """Book money of a payment that is no longer there, once for the provider's name of it: bills that it had paid are open again, what was
    kept as prepaid is less. Returns what is promised to bookings and so not booked (fen); that is booked later, when it is free."""
    before = Refund.objects.filter(Q(provider_ref=ref) | Q(provider_ref__startswith=f"{ref}:"), payment=payment)
    here = payment.amount_fen - _gone_fen(Refund.objects.filter(payment=payment))
    amount = min(amount_fen - _gone_fen(before), here)  # a lost dispute takes at most what a refund has left
    if amount <= 0:
        return 0
    short = amount - standing_of(payment).here_fen
    if short > 0:
        given = Allocation.objects.filter(payment=payment)
        for bill_id in sorted(set(given.values_list("bill_id", flat=True))):
            Bill.objects.select_for_update(no_key=True).values_list("pk").get(pk=bill_id)
        short -= freed_fen(free_up(given.order_by("-pk"), short, reason, now, actor_id=None))
    if short > 0:
        short -= prepaying.take_back(payment, short, reason, now)
    short = max(0, short)
    if amount > short:
        part = before.count()
        name = f"{ref}:{part + 1}" if part else ref
        row = Refund.objects.create(
            payment=payment, kind=kind, amount_fen=amount - short, provider_ref=name, reason=reason, at=now
        )
        accounts.post_refund(payment, amount - short, Source("refund", row.pk, kind.value), now)
        audit.record(NOBODY, "payment.refund", payment, now, after={"amount_fen": amount - short, "ref": name}, reason=reason)
    return short
