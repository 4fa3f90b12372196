"""The postings of money that comes in, is given to bills, and goes back."""

from __future__ import annotations

from datetime import datetime

from billing.bills.accounts import cash, receivable, unassigned
from billing.bills.models import Bill
from billing.ledger import services as ledger
from billing.ledger.services import Source
from billing.payments.models import Payment


def post_payment(payment: Payment, source: Source, now: datetime) -> None:
    """Money came in; it is nobody's yet."""
    ledger.move(cash(payment.owner_id, payment.method), unassigned(payment.owner_id), payment.amount_fen, source, now)


def post_allocation(bill: Bill, amount_fen: int, source: Source, now: datetime) -> None:
    """The customer owes less because of money that came in; below zero: it is undone, and the money is free again."""
    free, owed = unassigned(bill.owner_id), receivable(bill.owner_id, bill.customer_id)
    if amount_fen > 0:
        ledger.move(free, owed, amount_fen, source, now)
    else:
        ledger.move(owed, free, -amount_fen, source, now)


def post_refund(payment: Payment, amount_fen: int, source: Source, now: datetime) -> None:
    """Free money went back to where it came from."""
    ledger.move(unassigned(payment.owner_id), cash(payment.owner_id, payment.method), amount_fen, source, now)
