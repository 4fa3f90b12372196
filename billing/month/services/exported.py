"""What an export of a month holds: which documents of which month, how their files are made, and where they lie in the archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from billing.bills.models import Bill, CreditNote
from billing.bills.services import documents
from billing.claims.models import Clawback, PaymentList
from billing.claims.services import documents as claim_documents
from billing.ledger.books import Period
from billing.receipts.models import Receipt
from billing.receipts.rules.content import RECEIPT
from billing.receipts.services import issuing as receipts
from billing.settlement.closed import of_office
from billing.settlement.models import Statement
from billing.settlement.rules.period import last_day
from billing.settlement.rules.series import Series
from billing.settlement.services import rendering


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: ``folder`` of the archive, ``of_month`` those of a series and a month (by its first day) that hold, ``render`` to
    make the files of one."""

    folder: str
    of_month: Callable[[Series, date], QuerySet[Any]]
    render: Callable[[int, datetime], None]


def _bills(series: Series, month: date) -> QuerySet[Any]:
    return Bill.objects.filter(owner_id=series.owner_id, until_on__range=(month, last_day(month)), void__isnull=True)


def _statements(series: Series, month: date) -> QuerySet[Any]:
    return of_office(Statement.objects.filter(period_on=month), series)


def _issued(rows: QuerySet[Any], month: date) -> QuerySet[Any]:
    """What was issued on the local days of a month."""
    days = Period(month, last_day(month))
    return rows.filter(issued_at__gte=days.starts_at, issued_at__lt=days.ends_at)


def _credit_notes(series: Series, month: date) -> QuerySet[Any]:
    return _issued(CreditNote.objects.filter(owner_id=series.owner_id), month)


def _receipts(series: Series, month: date) -> QuerySet[Any]:
    return _issued(Receipt.objects.filter(owner_id=series.owner_id), month)


def _payment_lists(series: Series, month: date) -> QuerySet[Any]:
    rows = PaymentList.objects.filter(batch__programme__issuer=series.office_id, cancelled_at__isnull=True)
    return _issued(rows, month)


def _clawbacks(series: Series, month: date) -> QuerySet[Any]:
    return _issued(Clawback.objects.filter(programme__issuer=series.office_id), month)


#: By the field of an item, in the order of the archive.
KINDS: Mapping[str, Kind] = {
    "bill": Kind("bills", _bills, lambda pk, now: documents.render("bill", pk, now)),
    "statement": Kind("statements", _statements, lambda pk, now: rendering.render(pk, now)),
    "credit_note": Kind("credit-notes", _credit_notes, lambda pk, now: documents.render("credit_note", pk, now)),
    "receipt": Kind("receipts", _receipts, lambda pk, now: receipts.render(RECEIPT, pk, now)),
    "payment_list": Kind("payment-lists", _payment_lists, lambda pk, now: claim_documents.render("list", pk, now)),
    "clawback": Kind("claw-backs", _clawbacks, lambda pk, now: claim_documents.render("clawback", pk, now)),
}
#: What an export is of, and what goes with it.
MAIN = ("bill", "statement")
_OF_OWNER, _OF_OFFICE = ("bill", "credit_note", "receipt"), ("statement", "payment_list", "clawback")


def documents_of(series: Series, month: date) -> list[tuple[str, QuerySet[Any]]]:
    """The documents of a month that hold, kind by kind in the order of their numbers: of a lab its bills with the credit notes and
    receipts issued in the month, of an office its statements with the payment lists and claw-back notices."""
    kinds = _OF_OWNER if series.is_bills else _OF_OFFICE
    return [(name, KINDS[name].of_month(series, month).order_by("number", "pk")) for name in kinds]
