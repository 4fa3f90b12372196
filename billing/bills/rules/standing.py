"""Where a bill stands: what the facts (payments, credit notes, a void) make of it. No state is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class BillState(StrEnum):
    ISSUED = "issued"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    CREDITED = "credited"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Standing:
    """Amounts in fen: ``total_fen`` as issued, ``credited_fen`` by credit notes, ``paid_fen`` by payments given to the bill,
    ``written_off_fen`` what of the rest the owner gave up in its books. It is owed all the same, and can still be paid."""

    total_fen: int
    credited_fen: int = 0
    paid_fen: int = 0
    voided: bool = False
    written_off_fen: int = 0

    @property
    def due_fen(self) -> int:
        """What the customer owes for the bill in all."""
        return 0 if self.voided else self.total_fen - self.credited_fen

    @property
    def open_fen(self) -> int:
        """What is left to pay."""
        return self.due_fen - self.paid_fen

    @property
    def expected_fen(self) -> int:
        """What of that its owner still expects: the rest is given up in its books."""
        return self.open_fen - self.written_off_fen

    @property
    def state(self) -> BillState:
        if self.voided:
            return BillState.VOID
        if self.credited_fen == self.total_fen:
            return BillState.CREDITED
        if self.open_fen == 0:
            return BillState.PAID
        if self.written_off_fen and self.expected_fen <= 0:
            return BillState.UNCOLLECTIBLE
        return BillState.PARTLY_PAID if self.paid_fen else BillState.ISSUED

    @property
    def may_void(self) -> bool:
        """Only what nobody has paid and nothing was credited of; anything else is corrected by a credit note."""
        return not self.voided and not self.paid_fen and not self.credited_fen and not self.written_off_fen

    @property
    def outside(self) -> Standing:
        """What the customer sees of it: a claim is a claim, whatever the owner's books say."""
        return replace(self, written_off_fen=0)


def is_overdue(standing: Standing, days_late: int) -> bool:
    """Whether something is still to pay ``days_late`` days after the day it was due."""
    return standing.open_fen > 0 and days_late > 0
