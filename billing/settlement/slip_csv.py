"""Internal slips as a file for the finance office, in the reader's language."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from billing.ledger.rules.money import plain_yuan
from billing.pricing.rules.pricing import LineKind
from billing.settlement.exports import plain_cell
from billing.settlement.slip_models import InternalSlip
from billing.wording import slip_cause


def slips_csv(slips: Iterable[InternalSlip], zone: ZoneInfo) -> bytes:
    """One line per slip in UTF-8 with a byte order mark; amounts in yuan, the day of issue in ``zone``, times in the instrument's."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            _("Number"),
            _("Issued on"),
            _("Research group"),
            _("Fund card"),
            _("Person"),
            _("Instrument"),
            _("Reference"),
            _("From"),
            _("To"),
            _("Hours"),
            _("Total in yuan"),
            _("Paid from the card in yuan"),
            _("Still open in yuan"),
            _("For"),
        ]
    )
    for slip in slips:
        said = slip.content
        texts, amounts = (
            (
                slip.number,
                slip.issued_at.astimezone(zone).date().isoformat(),
                said["group"],
                said["card"]["number"] if said["card"] else "",
                said["person"],
                said["instrument"]["name"],
                said["reference"],
                said["starts_at"],
                said["ends_at"],
                _hours(said["lines"]),
            ),
            [plain_yuan(fen) for fen in (slip.total_fen, slip.covered_fen, slip.open_fen)],
        )
        # An amount below zero stays a number: the sign before our own digits is no formula.
        writer.writerow([*map(plain_cell, texts), *amounts, str(slip_cause(said)) or _("Use")])
    return out.getvalue().encode("utf-8-sig")


def _hours(lines: Iterable[dict[str, object]]) -> str:
    """The billed time on the instrument in hours, to the hundredth; the operator's beside it does not count, and samples have none."""
    seconds = sum(int(str(line.get("seconds", 0))) for line in lines if line["kind"] != LineKind.OPERATOR)
    hundredths = (seconds * 100 + 1800) // 3600
    return f"{hundredths // 100}.{hundredths % 100:02d}"
