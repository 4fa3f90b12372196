"""What a commission in force says besides time and tests, as the lab charges it with a session or a sample job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billing.ordering import wording
from billing.ordering.charged import OtherLine
from billing.ordering.models import CommissionSheet


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """One line. ``several``: so much is left that the lab says how much of it is charged."""

    position: int
    words: str
    unit: str
    unit_price_fen: int
    left: str
    several: bool


@dataclass(frozen=True, slots=True)
class AgreedLines:
    """The lines of one sheet. ``target`` (reservation, sample_job) and ``pk`` are what they are charged with."""

    sheet: CommissionSheet
    lines: Sequence[OfferedLine]
    target: str
    pk: int


def agreed_lines(sheet: CommissionSheet | None, found: Sequence[OtherLine], target: str, pk: int) -> AgreedLines | None:
    """None where nothing is left to charge."""
    if sheet is None or not found:
        return None
    lines = [
        OfferedLine(
            each.line.position,
            each.line.description,
            wording.unit_word(each.line.unit),
            each.line.unit_price_fen,
            each.shown_left,
            each.left != 1,
        )
        for each in found
    ]
    return AgreedLines(sheet, lines, target, pk)
