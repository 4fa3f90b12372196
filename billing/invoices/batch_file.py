"""What an institution takes to the tax platform: the invoices that were asked for, and the red letters that are due."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from billing.bills.models import Bill, CreditNote
from billing.invoices.models import InvoiceRequest
from billing.invoices.queries import red_due, waiting_of
from billing.invoices.rules.batch_rows import BatchRow, parts, red_part
from config.kernel.access import Actor


def rows_of(actor: Actor, owner_id: int) -> list[BatchRow]:
    """The rows of one of the actor's institutions, what waits first, the oldest first; five queries. Raises NotFound for another one."""
    waiting = list(waiting_of(actor, owner_id))
    red = list(red_due(actor).filter(owner_id=owner_id))
    bills = {each.bill_id: each.bill for each in (*waiting, *red)}
    credited = _credited(bills)
    asked = _asked(each.bill_id for each in red)
    blue_rows = [row for each in waiting for row in _wanted(each, credited.get(each.bill_id, {}))]
    return [*blue_rows, *(_red(each, asked.get(each.bill_id)) for each in red)]


def _wanted(asked: InvoiceRequest, credited: dict[int, int]) -> list[BatchRow]:
    content = asked.bill.content
    return [
        BatchRow(
            bill=asked.bill.number,
            title=asked.title,
            buyer_code=asked.buyer_code,
            seller_code=content["owner"]["code"],
            kind=asked.kind,
            email=asked.email,
            part=part,
            note=asked.note,
        )
        for part in parts(content["lines"], credited)
    ]


def _red(blue: Any, asked: InvoiceRequest | None) -> BatchRow:
    """``asked``: how the invoice was asked for, None where it was not."""
    bill: Bill = blue.bill
    rates = {part.rate for part in parts(bill.content["lines"], {})}
    return BatchRow(
        bill=bill.number,
        title=asked.title if asked is not None else bill.content["customer"]["name"],
        buyer_code=blue.buyer_code,
        seller_code=blue.seller_code,
        kind=asked.kind if asked is not None else "",
        email=asked.email if asked is not None else "",
        part=red_part(blue.due_fen, blue.left_tax_fen, blue.left_fen, rates.pop() if len(rates) == 1 else ""),
        blue=blue.whole,
    )


def _credited(bill_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """What of each line (by position) of bills was credited (fen), by bill."""
    found: dict[int, dict[int, int]] = {}
    notes = CreditNote.objects.filter(bill_id__in=list(bill_ids)).values_list("bill_id", "line__position", "total_fen")
    for bill_id, position, fen in notes:
        lines = found.setdefault(bill_id, {})
        lines[position] = lines.get(position, 0) + fen
    return found


def _asked(bill_ids: Iterable[int]) -> dict[int, InvoiceRequest]:
    """The latest request for each of some bills that was answered with an invoice."""
    rows = InvoiceRequest.objects.filter(bill_id__in=list(bill_ids), answer="recorded").order_by("pk")
    return {each.bill_id: each for each in rows}
