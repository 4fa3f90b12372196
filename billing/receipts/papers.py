"""Receipts and statements of account as papers that anybody can check."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from billing.papers.kinds import PaperKind, issue_day, register
from billing.papers.rules.status import Facts, Status, after_credits
from billing.receipts.models import AccountStatement, Receipt
from billing.receipts.paid import paid_by_bill, receipts_of
from billing.receipts.rules.content import ACCOUNT, RECEIPT
from billing.receipts.rules.standing import printed, taken_back


def _receipt(row: Receipt) -> Facts:
    """What of the payment was taken away from the bills that the receipt names is acknowledged no longer."""
    until = receipts_of(row.payment_id, row.customer_id).filter(pk__lte=row.pk)
    said = [printed(content) for content in until.values_list("content", flat=True)]
    back = taken_back(paid_by_bill(row.payment_id, row.customer_id), said, len(said) - 1)
    return Facts(row.number, row.total_fen, issue_day(row.issued_at), after_credits(row.total_fen, back), back)


def _account(row: AccountStatement) -> Facts:
    """A later one for the same days takes its place."""
    same = AccountStatement.objects.filter(
        owner=row.owner_id, customer=row.customer_id, first_on=row.first_on, last_on=row.last_on
    )
    later = same.filter(pk__gt=row.pk).order_by("-pk").values_list("number", flat=True).first() or ""
    status = Status.REPLACED if later else Status.VALID
    return Facts(row.number, row.total_fen, issue_day(row.issued_at), status, replaced_by=later)


register(PaperKind(RECEIPT, pgettext_lazy("kind of paper", "Receipt"), Receipt, _receipt))
register(PaperKind(ACCOUNT, pgettext_lazy("kind of paper", "Statement of account"), AccountStatement, _account))
