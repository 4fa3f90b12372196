"""Bills and credit notes as papers that anybody can check."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from billing.bills.models import Bill, BillVoid, CreditNote
from billing.papers.kinds import PaperKind, issue_day, register
from billing.papers.rules.status import Facts, Status, after_credits

BILL, CREDIT_NOTE = "bill", "credit_note"


def _bill(bill: Bill) -> Facts:
    notes = list(CreditNote.objects.filter(bill=bill).order_by("pk").values_list("number", "total_fen"))
    back = sum(fen for _number, fen in notes)
    status = after_credits(bill.total_fen, back, void=BillVoid.objects.filter(bill=bill).exists())
    return Facts(bill.number, bill.total_fen, issue_day(bill.issued_at), status, back, tuple(number for number, _fen in notes))


def _credit_note(note: CreditNote) -> Facts:
    return Facts(note.number, note.total_fen, issue_day(note.issued_at), Status.VALID)


register(PaperKind(BILL, pgettext_lazy("kind of paper", "Bill"), Bill, _bill))
register(PaperKind(CREDIT_NOTE, pgettext_lazy("kind of paper", "Credit note"), CreditNote, _credit_note))
