"""Receipts and statements of account as papers that anybody can check."""

from __future__ import annotations

from django.db.models import Sum
from django.utils.translation import pgettext_lazy

from billing.papers.kinds import PaperKind, issue_day, register
from billing.papers.rules.status import Facts, Status, after_credits
from billing.payments.models import Allocation
from billing.receipts.models import AccountStatement, Receipt
from billing.receipts.rules.content import ACCOUNT, RECEIPT


def _receipt(row: Receipt) -> Facts:
    """What of the payment was taken away from the customer's bills again is acknowledged no longer."""
    given = Allocation.objects.filter(payment_id=row.payment_id, bill__customer_id=row.customer_id)
    still = given.aggregate(fen=Sum("amount_fen"))["fen"] or 0
    said = (
        Receipt.objects.filter(payment_id=row.payment_id, customer_id=row.customer_id).aggregate(fen=Sum("total_fen"))["fen"] or 0
    )
    back = min(row.total_fen, max(0, said - still))
    return Facts(row.number, row.total_fen, issue_day(row.issued_at), after_credits(row.total_fen, back), back)


def _account(row: AccountStatement) -> Facts:
    """A later one for the same days takes its place."""
    same = AccountStatement.objects.filter(
        owner=row.owner_id, customer=row.customer_id, first_on=row.first_on, last_on=row.last_on
    )
    status = Status.REPLACED if same.filter(pk__gt=row.pk).exists() else Status.VALID
    return Facts(row.number, row.total_fen, issue_day(row.issued_at), status)


register(PaperKind(RECEIPT, pgettext_lazy("kind of paper", "Receipt"), Receipt, _receipt))
register(PaperKind(ACCOUNT, pgettext_lazy("kind of paper", "Statement of account"), AccountStatement, _account))
