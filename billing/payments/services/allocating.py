"""Giving money to bills and taking it away again. Payments are locked before bills, each in id order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Sum

from billing.bills.models import Bill, BillVoid, CreditNote
from billing.bills.services import writing_off
from billing.bills.services.issuing import checked_reason
from billing.ledger.services import Source
from billing.payments import accounts
from billing.payments.models import Allocation, Payment, Refund, RefundRequest
from billing.payments.prepaid_models import PrepaidEntry
from billing.payments.rules.states import RefundState
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions

_freed: list[Callable[[Bill, Sequence[Allocation], datetime, int | None], None]] = []


def register_on_freed(work: Callable[[Bill, Sequence[Allocation], datetime, int | None], None]) -> None:
    """The one who works on money that a bill gave back; the last counts. ``prepaying`` registers itself at start-up."""
    _freed[:] = [work]


def freed(bill: Bill, undone: Sequence[Allocation], now: datetime, *, actor_id: int | None) -> None:
    """A bill needs less than it was given: the money of these reversing entries (with what each undoes; their payments are locked) is free
    again, in the same transaction."""
    for work in _freed:
        work(bill, undone, now, actor_id)


@dataclass(frozen=True, slots=True)
class PaymentStanding:
    """What of a payment is given to bills, went back, is promised to go back (the provider was asked), and is kept for its customer as
    prepaid, in fen."""

    amount_fen: int
    given_fen: int
    returned_fen: int
    promised_fen: int = 0
    prepaid_fen: int = 0

    @property
    def here_fen(self) -> int:
        """What of it lies here and is neither given nor kept for anybody, whether it is promised back or not."""
        return self.amount_fen - self.given_fen - self.returned_fen - self.prepaid_fen

    @property
    def free_fen(self) -> int:
        """What may be given or sent back."""
        return self.here_fen - self.promised_fen


def _sum(rows: Any) -> int:
    return int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def standing_of(payment: Payment) -> PaymentStanding:
    """Where a payment stands now; four queries."""
    given = _sum(Allocation.objects.filter(payment=payment))
    returned = _sum(Refund.objects.filter(payment=payment))
    prepaid = _sum(PrepaidEntry.objects.filter(payment=payment))
    return PaymentStanding(payment.amount_fen, given, returned, promised_fen(payment), prepaid)


def promised_fen(payment: Payment) -> int:
    """What of a payment the provider was asked to send back and has not sent yet: it is still here, and given to nothing else."""
    return _sum(RefundRequest.objects.filter(payment=payment, state=RefundState.ASKED))


def open_fen(bill: Bill) -> int:
    """What is left to pay of a bill now; nothing of one that is void."""
    if BillVoid.objects.filter(bill=bill).exists():
        return 0
    credited = CreditNote.objects.filter(bill=bill).aggregate(fen=Sum("total_fen"))["fen"] or 0
    return bill.total_fen - credited - _sum(Allocation.objects.filter(bill=bill))


def give(actor: Actor, payment_id: int, bill_id: int, amount_fen: int, now: datetime) -> Allocation:
    """Give a part of a payment to a bill of the same owner: claiming money that nobody knew, a part of a bill, or one of several bills.

    Raises NotFound, Forbidden, Refusal ``payment.other_owner`` / ``payment.amount`` (with what is free and what is open).
    """

    def work() -> Allocation:
        payment, bill = _locked(actor, payment_id, bill_id)
        free, left = standing_of(payment).free_fen, open_fen(bill)
        if not 0 < amount_fen <= min(free, left):
            raise Refusal.of("payment.amount", field="amount_fen", free_fen=free, open_fen=left)
        row = give_locked(payment, bill, amount_fen, now, actor_id=actor.user_id)
        audit.record(actor, "payment.give", payment, now, after={"bill": bill.number, "amount_fen": amount_fen})
        return row

    return transactions.run(work)


def _locked(actor: Actor, payment_id: int, bill_id: int) -> tuple[Payment, Bill]:
    payment = get_visible(Payment.objects.all(), actor, pk=payment_id)
    actor.require_in(payment.owner_id, Role.OWNER_FINANCE)
    bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
    if bill.owner_id != payment.owner_id:
        raise Refusal.of("payment.other_owner", field="bill")
    lock(payment.pk, bill.pk)
    return payment, bill


def lock(payment_id: int, bill_id: int) -> None:
    """Lock a payment and then a bill, until the transaction ends."""
    Payment.objects.select_for_update(no_key=True).values_list("pk").get(pk=payment_id)
    Bill.objects.select_for_update(no_key=True).values_list("pk").get(pk=bill_id)


def give_locked(
    payment: Payment, bill: Bill, amount_fen: int, now: datetime, *, actor_id: int | None, prepaid: PrepaidEntry | None = None
) -> Allocation:
    """Write the allocation and its posting; both rows are locked and the amount was checked. ``prepaid``: what was taken for it."""
    row = Allocation.objects.create(payment=payment, bill=bill, amount_fen=amount_fen, prepaid=prepaid, actor_id=actor_id, at=now)
    accounts.post_allocation(bill, amount_fen, Source("allocation", row.pk, "payment_give", actor_id=actor_id), now)
    writing_off.meet(bill, now)
    return row


def undo(actor: Actor, allocation_id: int, reason: str, now: datetime) -> Allocation:
    """Take what is left of an allocation away from its bill by a reversing entry; the money is free again, or prepaid again where prepaid
    money had paid (``freed``).

    Raises NotFound, Forbidden, Refusal ``bill.reason_missing`` / ``bill.reason_too_long`` / ``payment.undone_already``.
    """
    text = checked_reason(reason)

    def work() -> Allocation:
        given = get_visible(Allocation.objects.select_related("payment", "bill"), actor, pk=allocation_id)
        actor.require_in(given.payment.owner_id, Role.OWNER_FINANCE)
        lock(given.payment_id, given.bill_id)
        left = left_of(given)
        if given.undoes_id is not None or left == 0:
            raise Refusal.of("payment.undone_already")
        row = take_back(given, left, text, now, actor_id=actor.user_id)
        freed(given.bill, [row], now, actor_id=actor.user_id)
        audit.record(
            actor, "payment.undo", given.payment, now, after={"bill": given.bill.number, "amount_fen": left}, reason=text
        )
        return row

    return transactions.run(work)


def left_of(given: Allocation) -> int:
    """What of an allocation was not undone."""
    return given.amount_fen + _sum(Allocation.objects.filter(undoes=given))


def take_back(given: Allocation, amount_fen: int, reason: str, now: datetime, *, actor_id: int | None) -> Allocation:
    """The reversing entry of a part of an allocation, whose payment and bill are locked."""
    row = Allocation.objects.create(
        payment_id=given.payment_id,
        bill_id=given.bill_id,
        amount_fen=-amount_fen,
        undoes=given,
        reason=reason,
        actor_id=actor_id,
        at=now,
    )
    accounts.post_allocation(given.bill, -amount_fen, Source("allocation", row.pk, "payment_undo", actor_id=actor_id), now)
    return row


def free_up(rows: Any, amount_fen: int, reason: str, now: datetime, *, actor_id: int | None) -> list[Allocation]:
    """Undo allocations (of one bill or of one payment) in their order until ``amount_fen`` is free; returns the reversing entries, which
    come to as much as could be freed."""
    undone: list[Allocation] = []
    for given in rows.filter(undoes__isnull=True).select_related("bill", "payment"):
        part = min(left_of(given), amount_fen - freed_fen(undone))
        if part > 0:
            undone.append(take_back(given, part, reason, now, actor_id=actor_id))
    return undone


def freed_fen(undone: Iterable[Allocation]) -> int:
    """What reversing entries come to."""
    return -sum(row.amount_fen for row in undone)
