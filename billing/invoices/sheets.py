"""What goes to the tax platform, as a table: CSV or XLSX. Whoever enters it there finds every field in one row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.utils import translation

from billing.bills.wording import unit_word
from billing.invoices.rules.batch_rows import BatchRow
from billing.invoices.wording import COLUMNS, ITEM, KINDS
from billing.ledger.rules.money import plain_yuan
from billing.settlement.captions import CHINESE
from billing.settlement.exports import plain_cell
from billing.settlement.xlsx import Sheet, Value, workbook
from billing.wording import percent

_WIDTHS = [18, 30, 22, 22, 12, 28, 20, 10, 10, 8, 14, 14, 14, 24, 30]


def requests_csv(rows: Sequence[BatchRow]) -> bytes:
    """UTF-8 with a byte order mark, Chinese headings; texts begin no formula, amounts in yuan."""
    out = io.StringIO()
    writer = csv.writer(out)
    with translation.override(CHINESE):
        writer.writerow([str(word) for word in COLUMNS])
        for row in rows:
            texts, amounts, last = _cells(row)
            written = ("" if fen is None else plain_yuan(fen) for fen in amounts)
            writer.writerow([*map(plain_cell, texts), *written, *map(plain_cell, last)])
    return out.getvalue().encode("utf-8-sig")


def requests_xlsx(rows: Sequence[BatchRow], owner: str, now: datetime) -> bytes:
    """The same as a workbook; amounts are numbers, codes stay texts."""
    with translation.override(CHINESE):
        head, title = [str(word) for word in COLUMNS], str(ITEM)
        written: list[Sequence[Value]] = []
        for row in rows:
            texts, amounts, last = _cells(row)
            written.append([*texts, *(None if fen is None else Decimal(fen).scaleb(-2) for fen in amounts), *last])
    return workbook([Sheet(title, head, written, _WIDTHS)], title=title, creator=owner, made_at=now)


def _cells(row: BatchRow) -> tuple[tuple[str, ...], tuple[int | None, ...], tuple[str, ...]]:
    """The texts before the amounts, the amounts (fen), and the texts behind them."""
    part = row.part
    kind = str(KINDS[row.kind]) if row.kind else ""
    unit, rate = unit_word(part.unit) if part.unit else "", percent(part.rate) if part.rate else ""
    texts = (row.bill, row.title, row.buyer_code, row.seller_code, kind, row.email, str(ITEM), unit, part.quantity, rate)
    return texts, (part.net_fen, part.tax_fen, part.total_fen), (row.blue, row.note)
