"""What a payment pays of a customer's bills, and the receipts for it."""

from __future__ import annotations

from django.db.models import QuerySet

from billing.payments.models import Allocation
from billing.receipts.models import Receipt


def paid_by_bill(payment_id: int, customer_id: int) -> dict[str, int]:
    """What a payment pays of each bill of a customer (fen), by number, in the order in which it was first given; one query."""
    given = Allocation.objects.filter(payment_id=payment_id, bill__customer_id=customer_id).order_by("pk")
    found: dict[str, int] = {}
    for number, amount in given.values_list("bill__number", "amount_fen"):
        found[number] = found.get(number, 0) + amount
    return found


def receipts_of(payment_id: int, customer_id: int) -> QuerySet[Receipt]:
    """The receipts for a payment that a customer was given, the first one first."""
    return Receipt.objects.filter(payment_id=payment_id, customer_id=customer_id).order_by("pk")
