"""What waits for the tax platform, as a table: CSV or XLSX. Whoever enters it there finds every field in one row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import translation

from billing.invoices.wording import COLUMNS, ITEM, KINDS
from billing.ledger.rules.money import plain_yuan
from billing.settlement.captions import CHINESE
from billing.settlement.exports import plain_cell
from billing.settlement.xlsx import Sheet, Value, workbook

_WIDTHS = [18, 30, 22, 12, 28, 20, 14, 30]


def requests_csv(waiting: Iterable[Any]) -> bytes:
    """UTF-8 with a byte order mark, Chinese headings; texts begin no formula, amounts in yuan."""
    out = io.StringIO()
    writer = csv.writer(out)
    with translation.override(CHINESE):
        writer.writerow([str(word) for word in COLUMNS])
        for each in waiting:
            *texts, total, note = _texts(each)
            writer.writerow([*map(plain_cell, texts), total, plain_cell(note)])
    return out.getvalue().encode("utf-8-sig")


def requests_xlsx(waiting: Iterable[Any], owner: str, now: datetime) -> bytes:
    """The same as a workbook; amounts are numbers, codes stay texts."""
    with translation.override(CHINESE):
        head = [str(word) for word in COLUMNS]
        rows: list[Sequence[Value]] = []
        for each in waiting:
            *texts, _, note = _texts(each)
            rows.append([*texts, Decimal(each.claimed_fen).scaleb(-2), note])
        title = str(ITEM)
    return workbook([Sheet(title, head, rows, _WIDTHS)], title=title, creator=owner, made_at=now)


def _texts(asked: Any) -> tuple[str, ...]:
    """A row from ``queries.waiting_of``."""
    item, kind = str(ITEM), str(KINDS[asked.kind])
    return asked.bill.number, asked.title, asked.buyer_code, kind, asked.email, item, plain_yuan(asked.claimed_fen), asked.note
