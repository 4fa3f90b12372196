"""Quotations and commission sheets as papers that anybody can check, once they were sent or issued."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from billing.ordering.models import CommissionSheet, Quotation
from billing.ordering.rules.quotations import QuotationState
from billing.ordering.rules.sheets import SheetState
from billing.papers.kinds import PaperKind, issue_day, register
from billing.papers.rules.status import Facts, Status

QUOTATION, COMMISSION = "quotation", "commission"
_ENDED = (QuotationState.DECLINED, QuotationState.EXPIRED)
#: An issued sheet binds nobody before both sides have signed.
_COMMISSIONS = {SheetState.ISSUED: Status.PENDING, SheetState.CANCELLED: Status.VOID}


def _quotation(row: Quotation) -> Facts:
    status = Status.ENDED if row.state in _ENDED else Status.VALID
    status = Status.VOID if row.state == QuotationState.WITHDRAWN else status
    return Facts(row.number or "", row.total_fen, issue_day(row.sent_at or row.created_at), status)


def _commission(row: CommissionSheet) -> Facts:
    status = _COMMISSIONS.get(SheetState(row.state), Status.VALID)
    total = (row.content or {}).get("total_fen")
    return Facts(row.number or "", total, issue_day(row.issued_at or row.created_at), status)


register(PaperKind(QUOTATION, pgettext_lazy("kind of paper", "Quotation"), Quotation, _quotation, ("pdf",)))
register(
    PaperKind(COMMISSION, pgettext_lazy("kind of paper", "Commission sheet"), CommissionSheet, _commission, ("pdf", "signed_pdf"))
)
