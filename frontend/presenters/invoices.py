"""What VAT invoices and requests for them are for, as rows for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from instruments.models import Organisation


@dataclass(frozen=True, slots=True)
class InvoiceOf:
    """What an invoice is for: number, page, who pays it (None: a programme that names no office), and over how much it was issued (fen)."""

    number: str
    url: str
    buyer: Organisation | None
    total_fen: int


def invoice_of(row: Any) -> InvoiceOf:
    """The bill, or the settlement statement, of a row of ``billing.invoices.queries``."""
    if row.bill_id is not None:
        bill = row.bill
        return InvoiceOf(bill.number, reverse("bill_invoice", args=[bill.pk]), bill.customer, bill.total_fen)
    found = row.statement
    office = found.programme_version.programme.issuer
    return InvoiceOf(found.number, reverse("statement_invoice", args=[found.pk]), office, found.total_fen)
