"""How much may be credited of a line, and what of its subsidy goes back with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from billing.bills.rules.content import SubsidyBack
from billing.ledger.rules.money import WIDE, Rounding, round_fen, split_largest_remainder


class CreditReason(StrEnum):
    """Why a bill is corrected."""

    FEE_FELL_AWAY = "fee_fell_away"
    WRONG_AMOUNT = "wrong_amount"
    POOR_RESULT = "poor_result"
    NOT_DELIVERED = "not_delivered"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class AwardLeft:
    """An award of the charge and what of it has not gone back yet, in all and by payer. ``claimed``: a statement holds it; ``handed_in``: a
    claim that was handed in."""

    award_id: int
    programme: str
    left: tuple[tuple[str, int], ...]
    claimed: bool
    handed_in: bool = False

    @property
    def left_fen(self) -> int:
        return sum(amount for _, amount in self.left)


def card_back(line_left_fen: int, credit_fen: int, card_paid_fen: int) -> int:
    """What goes back to the fund card that paid ``card_paid_fen`` of a line still: what it did not pay is credited first, then what it
    paid, so that it never has paid more than the line is (as with a fee that falls away, ``billing.settlement.rules.fees``)."""
    return max(0, card_paid_fen - (line_left_fen - credit_fen))


def subsidy_back(credit_fen: int, line_left_fen: int, awards: Sequence[AwardLeft]) -> tuple[SubsidyBack, ...]:
    """What of each award goes back when ``credit_fen`` of the ``line_left_fen`` that are not credited yet are: the same share of what is
    left of it, rounded once, and all of it with the last of the line. Raises ValueError outside 0 < credit <= left."""
    if not 0 < credit_fen <= line_left_fen:
        raise ValueError("a credit is more than nothing and at most what is left of the line")
    found = []
    for award in awards:
        share = round_fen(WIDE.divide(Decimal(award.left_fen * credit_fen), Decimal(line_left_fen)), Rounding.HALF_UP)
        if share:
            parts = split_largest_remainder(share, [amount for _, amount in award.left])
            payers = tuple((payer, part) for (payer, _), part in zip(award.left, parts, strict=True))
            found.append(SubsidyBack(award.award_id, award.programme, share, payers, award.claimed, award.handed_in))
    return tuple(found)
