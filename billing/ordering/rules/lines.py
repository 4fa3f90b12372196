"""Lines of a quotation: what, how many of which unit, at which price, and what that makes in fen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from billing.ledger.rules.money import EXACT, Rounding, round_fen
from billing.pricing.rules.samples import UNITS as PRICE_UNITS
from config.kernel.errors import Reason

MOST_LINES = 60
MOST_QUANTITY = Decimal(1_000_000)
MOST_UNIT_FEN = 100_000_000_000
MOST_TOTAL_FEN = 10_000_000_000_000
DESCRIPTION_LENGTH = 300
UNITS = (*PRICE_UNITS, "piece")
_QUANTITY = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,3})?")


class LineKind(StrEnum):
    INSTRUMENT_TIME = "instrument_time"
    TEST = "test"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LineInput:
    """One line as it is typed. ``unit_price_fen`` None takes the published price; an empty ``unit`` takes the unit of that price.

    ``quantity`` is a decimal text with three places at most. ``subject_id`` is the instrument or the test item, None for other things.
    """

    kind: str
    quantity: str
    subject_id: int | None = None
    description: str = ""
    unit: str = ""
    unit_price_fen: int | None = None


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line as it is kept. ``published_fen`` is what the lab's price list said for one unit then, None where it says nothing."""

    kind: LineKind
    subject_id: int | None
    subject_name: str
    description: str
    quantity: Decimal
    unit: str
    unit_price_fen: int
    published_fen: int | None

    @property
    def amount_fen(self) -> int:
        return amount_fen(self.quantity, self.unit_price_fen)


def amount_fen(quantity: Decimal, unit_price_fen: int) -> int:
    """What ``quantity`` units cost, rounded once, half up, to whole fen."""
    return round_fen(EXACT.multiply(quantity, Decimal(unit_price_fen)), Rounding.HALF_UP)


def part_fen(taken: Decimal, quantity: Decimal, unit_price_fen: int) -> int:
    """What ``quantity`` units more cost after ``taken`` of a line: all the parts of a line together cost what the line does."""
    return amount_fen(EXACT.add(taken, quantity), unit_price_fen) - amount_fen(taken, unit_price_fen)


def time_left(quantity: Decimal, taken: timedelta, unit_minutes: int) -> Decimal:
    """How many units of ``unit_minutes`` a line for an instrument's time has left after ``taken``; never below nil."""
    units = EXACT.divide(Decimal(taken // timedelta(minutes=1)), Decimal(unit_minutes))
    return max(EXACT.subtract(quantity, units), Decimal(0))


def total_fen(lines: Iterable[PricedLine]) -> int:
    return sum(line.amount_fen for line in lines)


def parse_quantity(text: str) -> Decimal | None:
    """A quantity as people type it (full-width digits and separators too); None where it is none between 0.001 and a million."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").strip()
    if not _QUANTITY.fullmatch(plain):
        return None
    found = Decimal(plain)
    return found if 0 < found <= MOST_QUANTITY else None


def shown_quantity(quantity: Decimal) -> str:
    """Without trailing zeros: 2.500 is 2.5."""
    return f"{quantity.normalize():f}"


def reasons_against(lines: Sequence[LineInput]) -> list[Reason]:
    """What is wrong with the lines as they were typed, each at ``lines.<place>.<field>``; prices are looked up later."""
    if not lines:
        return [Reason("quotation.lines_missing", {}, "lines")]
    if len(lines) > MOST_LINES:
        return [Reason("quotation.too_many_lines", {"most": MOST_LINES}, "lines")]
    return [reason for place, line in enumerate(lines) for reason in _reasons(line, f"lines.{place}")]


def _reasons(line: LineInput, field: str) -> list[Reason]:
    reasons = []
    if line.kind not in list(LineKind):
        return [Reason("quotation.kind_unknown", {"known": [kind.value for kind in LineKind]}, f"{field}.kind")]
    other = line.kind == LineKind.OTHER
    if other == (line.subject_id is not None):
        reasons.append(
            Reason("quotation.subject_missing" if not other else "quotation.subject_not_wanted", {}, f"{field}.subject")
        )
    if other and not line.description.strip():
        reasons.append(Reason("quotation.description_missing", {}, f"{field}.description"))
    if parse_quantity(line.quantity) is None:
        reasons.append(Reason("quotation.quantity_unreadable", {}, f"{field}.quantity"))
    if line.unit and line.unit not in UNITS:
        reasons.append(Reason("quotation.unit_unknown", {"known": list(UNITS)}, f"{field}.unit"))
    if line.unit_price_fen is not None and not 0 <= line.unit_price_fen <= MOST_UNIT_FEN:
        reasons.append(Reason("quotation.price_out_of_range", {}, f"{field}.unit_price"))
    if other and line.unit_price_fen is None:
        reasons.append(Reason("quotation.price_missing", {}, f"{field}.unit_price"))
    return reasons
