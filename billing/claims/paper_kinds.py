"""Redemption forms, payment lists and claw-back notices as papers that anybody can check."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from billing.claims.asked_back import is_asked_back
from billing.claims.models import ClaimSubmission, Clawback, PaymentList
from billing.claims.rules.states import ENDS
from billing.papers.kinds import PaperKind, issue_day, register
from billing.papers.rules.status import Facts, Status

FORM, LIST, NOTICE = "redemption_form", "payment_list", "clawback_notice"


def _form(row: ClaimSubmission) -> Facts:
    """A later one of the same claim takes its place; it ends with a claim that was rejected or withdrawn."""
    status = Status.ENDED if row.claim.state in ENDS else Status.VALID
    later = ClaimSubmission.objects.filter(claim=row.claim_id, position__gt=row.position).order_by("-position")
    number = later.values_list("number", flat=True).first() or ""
    day = issue_day(row.issued_at)
    return Facts(row.number, row.total_fen, day, Status.REPLACED if number else status, replaced_by=number)


def _list(row: PaymentList) -> Facts:
    """One person made it; it counts once two others have checked and approved it, and while nobody has cancelled it."""
    status = Status.VALID if row.approved_by_id is not None else Status.PENDING
    return Facts(row.number, row.total_fen, issue_day(row.issued_at), Status.VOID if row.cancelled_at is not None else status)


def _notice(row: Clawback) -> Facts:
    """It ends with a claim that was rejected or withdrawn, and while its line is left out: what was never given does not come back."""
    status = Status.VALID if is_asked_back(row) else Status.ENDED
    return Facts(row.number, row.total_fen, issue_day(row.issued_at), status)


register(PaperKind(FORM, pgettext_lazy("kind of paper", "Redemption form"), ClaimSubmission, _form))
register(PaperKind(LIST, pgettext_lazy("kind of paper", "Payment list"), PaymentList, _list, ("pdf", "xlsx", "signed_pdf")))
register(PaperKind(NOTICE, pgettext_lazy("kind of paper", "Claw-back notice"), Clawback, _notice))
