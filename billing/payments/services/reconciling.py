"""Holding the provider's sessions against our books: every difference is listed, and what was only lost on the way is applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from billing.payments.models import Checkout, Dispute, Payment, Refund
from billing.payments.provider import NotThere, PaymentProvider, ProviderError, configured
from billing.payments.rules.provider import SessionFacts, SessionState
from billing.payments.rules.states import CheckoutState, DisputeState
from billing.payments.services import differences, settling
from billing.payments.services.differences import Fact
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the provider and our books disagree. Amounts in fen; ``code``: what about, ``applied``: it was brought in."""

    code: str
    session_ref: str
    reference: str
    provider_fen: int
    ours_fen: int
    applied: bool


def reconcile(provider: PaymentProvider, now: datetime, *, days: int, apply: bool) -> list[Difference]:
    """The differences of the sessions that were made, or of which a refund or a dispute was made, in the last ``days``, and of those with a
    dispute that is open here; with ``apply`` lost news is brought in, and what is still different after that stays in the list as not
    applied. Raises ProviderError."""
    since = now - timedelta(days=days)
    found: list[Difference] = []
    seen: set[str] = set()
    for facts in _to_hold_against(provider, since):
        if facts.session_ref in seen:
            continue
        seen.add(facts.session_ref)
        difference = _difference(facts)
        if difference is not None and apply:
            settling.apply(provider, facts, now)
            left = _difference(facts)
            difference = difference if left is None else left
            difference = Difference(
                difference.code,
                difference.session_ref,
                difference.reference,
                difference.provider_fen,
                difference.ours_fen,
                left is None,
            )
        if difference is not None:
            found.append(difference)
    found += _only_here(since, seen)
    if apply:
        _write_down(found, seen, now)
    return found


def _to_hold_against(provider: PaymentProvider, since: datetime) -> Iterator[SessionFacts]:
    """Sessions made since; older ones of which money went back or was asked back since; and those of disputes that we have as open, for a
    bank decides weeks after it was asked. Some may come more than once."""
    yield from provider.sessions_since(since)
    yield from provider.sessions_back_since(since)
    waiting = Dispute.objects.filter(state=DisputeState.OPEN).values_list("payment__checkout__session_ref", flat=True)
    for session_ref in sorted({ref for ref in waiting if ref}):
        try:
            yield provider.fetch(session_ref)
        except NotThere:
            continue  # what the provider does not know any more cannot be compared; the dispute stays open here


def _write_down(found: Sequence[Difference], seen: set[str], now: datetime) -> None:
    """Keep what stays different for a person to look at; what was different in these sessions and is no longer is settled."""
    left = [each for each in found if not each.applied]
    checkouts = dict(
        Checkout.objects.filter(session_ref__in=[each.session_ref for each in left]).values_list("session_ref", "pk")
    )

    def work() -> None:
        for each in left:
            fact = Fact(each.code, each.session_ref, checkouts.get(each.session_ref), each.provider_fen, each.ours_fen)
            differences.note(fact, now)
        differences.settle(seen, {(each.code, each.session_ref) for each in left}, now)

    transactions.run(work)


def look_again(actor: Actor, difference_id: int, now: datetime) -> bool:
    """Ask the provider for the session of a difference anew and bring in what was lost; whether it is settled now.

    Raises NotFound, Refusal ``difference.done`` / ``checkout.unreachable`` / ``provider.off``.
    """
    row = differences.open_one(actor, difference_id)
    provider = configured()
    if provider is None:
        raise Refusal.of("provider.off")
    try:
        facts = provider.fetch(row.session_ref)
    except ProviderError as error:
        if error.for_good:
            return False
        raise Refusal.of("checkout.unreachable") from error
    settling.apply(provider, facts, now)
    left = _difference(facts)
    audit.record(actor, "payment.difference_again", row, now)
    if left is not None or row.code == "refund_lost":
        return False
    transactions.run(lambda: differences.settle({row.session_ref}, set(), now))
    return True


def _difference(facts: SessionFacts) -> Difference | None:
    checkout = Checkout.objects.select_related("bill").filter(key=facts.key).first() if facts.key else None
    if checkout is None:
        if facts.key and facts.state is SessionState.PAID:
            return Difference("unknown", facts.session_ref, "", facts.amount_fen, 0, False)
        return None
    reference = checkout.reference
    if checkout.state == CheckoutState.QUARANTINED:
        return Difference("quarantined", facts.session_ref, reference, facts.amount_fen, checkout.amount_fen, False)
    payment = Payment.objects.filter(checkout=checkout).first()
    theirs = facts.amount_fen if facts.state is SessionState.PAID else 0
    ours = payment.amount_fen if payment is not None else 0
    if theirs != ours:
        return Difference("paid", facts.session_ref, reference, theirs, ours, False)
    gone = Refund.objects.filter(payment=payment).aggregate(fen=Sum("amount_fen"))["fen"] or 0 if payment is not None else 0
    if min(facts.back_fen, theirs) != gone:
        return Difference("refunded", facts.session_ref, reference, facts.back_fen, gone, False)
    asked, known = _disputed(facts, payment)
    if (asked, known) != (0, 0):
        return Difference("disputed", facts.session_ref, reference, asked, known, False)
    return None


def _disputed(facts: SessionFacts, payment: Payment | None) -> tuple[int, int]:
    """What payers' banks ask back, or have decided about, other than we know it: with the provider, and with us (fen)."""
    theirs = {(each.ref, each.state): each.amount_fen for each in facts.disputes}
    rows = Dispute.objects.filter(payment=payment).values_list("provider_ref", "state", "amount_fen")
    ours = {(ref, state): fen for ref, state, fen in rows} if payment is not None else {}
    asked = sum(fen for key, fen in theirs.items() if key not in ours)
    return asked, sum(fen for key, fen in ours.items() if key not in theirs)


def _only_here(since: datetime, seen: set[str]) -> list[Difference]:
    """Paid with us, and the provider does not know it."""
    rows = Payment.objects.filter(checkout__asked_at__gte=since, checkout__isnull=False).select_related("checkout__bill")
    return [
        Difference("only_here", row.checkout.session_ref or "", row.checkout.reference, 0, row.amount_fen, False)
        for row in rows.order_by("pk")
        if row.checkout is not None and row.checkout.session_ref not in seen
    ]
