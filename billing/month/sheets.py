"""The statements of a list as a table, with what became of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from django.utils.translation import pgettext

from billing.ledger.rules.money import plain_yuan
from billing.month.rules.came_of import CameOf
from billing.settlement.exports import plain_cell
from billing.settlement.models import Statement


def statements_csv(rows: Sequence[Statement], came_of: Mapping[int, CameOf]) -> bytes:
    """UTF-8 with a byte order mark, headings in the language of the reader, amounts in yuan; ``came_of`` by id."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            pgettext("table of statements", "Number"),
            pgettext("table of statements", "Month"),
            pgettext("table of statements", "Payee"),
            pgettext("table of statements", "Programme"),
            pgettext("table of statements", "Issued (yuan)"),
            pgettext("table of statements", "Taken back since (yuan)"),
            pgettext("table of statements", "Paid (yuan)"),
            pgettext("table of statements", "Payment failed (yuan)"),
        ]
    )
    for each in rows:
        said = came_of[each.pk]
        texts = (each.number, f"{each.period_on:%Y-%m}", each.payee.name, each.programme_version.programme.code)
        amounts = (said.issued_fen, said.taken_back_fen, said.paid_fen, said.failed_fen)
        writer.writerow([*map(plain_cell, texts), *map(plain_yuan, amounts)])
    return out.getvalue().encode("utf-8-sig")
