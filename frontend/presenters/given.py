"""What became of money that was given all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billing.bills.models import Bill
from billing.payments.services.giving_certain import Given
from config.kernel.access import Actor, visible_to
from config.kernel.messages import reason_sentence


@dataclass(frozen=True, slots=True)
class GivenRow:
    """Money to a bill; ``problems``: in words, why it was not given."""

    payment_id: int
    bill_id: int
    number: str
    amount_fen: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GivenRows:
    """``fen``: what was given in all."""

    done: list[GivenRow]
    left: list[GivenRow]

    @property
    def fen(self) -> int:
        return sum(row.amount_fen for row in self.done)


def given_rows(actor: Actor, report: Sequence[Given]) -> GivenRows | None:
    """The report in words; None where nothing was asked for. One query."""
    if not report:
        return None
    bills = visible_to(Bill.objects.filter(pk__in=[each.wanted.bill_id for each in report]), actor)
    numbers = dict(bills.values_list("pk", "number"))
    rows = [
        GivenRow(
            each.wanted.payment_id,
            each.wanted.bill_id,
            numbers.get(each.wanted.bill_id, "–"),
            each.wanted.amount_fen,
            tuple(reason_sentence(reason) for reason in each.reasons),
        )
        for each in report
    ]
    return GivenRows([row for row in rows if not row.problems], [row for row in rows if row.problems])
