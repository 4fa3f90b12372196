"""What an institution takes to the tax platform: the invoices that were asked for, and the red letters that are due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from billing.bills.models import CreditNote
from billing.invoices.models import InvoiceRequest
from billing.invoices.papers import Key, Kind, Paper, key_of
from billing.invoices.papers import of as paper_of
from billing.invoices.queries import credited_of, red_due, waiting_of
from billing.invoices.rules.batch_rows import BatchRow, Part, bought, parts, red_part
from config.kernel.access import Actor


def rows_of(actor: Actor, owner_id: int) -> list[BatchRow]:
    """The rows of one of the actor's institutions, what waits first, the oldest first; six queries. Raises NotFound for another one."""
    waiting = list(waiting_of(actor, owner_id))
    red = list(red_due(actor).filter(owner_id=owner_id))
    keys = {key_of(each) for each in (*waiting, *red)}
    credited = _credited(pk for kind, pk in keys if kind is Kind.BILL)
    back = credited_of(key for key in keys if key[0] is Kind.STATEMENT)
    asked = _asked(key_of(each) for each in red)
    blue_rows = [row for each in waiting for row in _wanted(each, credited, back)]
    return [*blue_rows, *(_red(each, asked.get(key_of(each))) for each in red)]


def _wanted(asked: InvoiceRequest, credited: Mapping[int, Mapping[int, int]], back: Mapping[Key, int]) -> list[BatchRow]:
    """``credited``: by bill, of each line; ``back``: of whole statements."""
    paper = paper_of(asked)
    return [
        BatchRow(
            bill=paper.number,
            title=asked.title,
            buyer_code=asked.buyer_code,
            seller_code=paper.seller["code"],
            kind=asked.kind,
            email=asked.email,
            part=part,
            note=asked.note,
        )
        for part in _parts(paper, credited, back)
    ]


def _parts(paper: Paper, credited: Mapping[int, Mapping[int, int]], back: Mapping[Key, int]) -> list[Part]:
    if paper.kind is Kind.BILL:
        return parts(paper.content["lines"], credited.get(paper.pk, {}))
    return [bought(paper.total_fen - back.get(paper.key, 0))]


def _red(blue: Any, asked: InvoiceRequest | None) -> BatchRow:
    """``asked``: how the invoice was asked for, None where it was not."""
    paper = paper_of(blue)
    rates = {part.rate for part in parts(paper.content["lines"], {})} if paper.kind is Kind.BILL else set()
    return BatchRow(
        bill=paper.number,
        title=asked.title if asked is not None else paper.buyer["name"],
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


def _asked(keys: Iterable[Key]) -> dict[Key, InvoiceRequest]:
    """The latest request for each of some bills and statements that was answered with an invoice."""
    keys = list(keys)
    of_bills, of_statements = ([pk for each, pk in keys if each is kind] for kind in (Kind.BILL, Kind.STATEMENT))
    mine = Q(bill_id__in=of_bills) | Q(statement_id__in=of_statements)
    return {key_of(each): each for each in InvoiceRequest.objects.filter(mine, answer="recorded").order_by("pk")}
