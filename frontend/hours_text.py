"""Hours and yuan as people type them, and minutes and fen written so that they are read again as the same."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_CLOCK = re.compile(r"([0-9]{1,5}):([0-5][0-9])", re.ASCII)
#: Half a hundredth of an hour, in minutes.
_A_HUNDREDTH = Decimal("0.3")
_MOST_MINUTES = 10_000_000


def hours_text(minutes: int) -> str:
    """Minutes as hours, as one types them: 90 is 1.5, 20 is 0.33, 7 is 0:07."""
    if minutes % 5:
        return f"{minutes // 60}:{minutes % 60:02d}"
    return f"{Decimal(minutes) / 60:.2f}".rstrip("0").rstrip(".")


def read_hours(text: str) -> int | None:
    """Hours as typed (1.5, 0.25, 0:20) in whole minutes, or None. Two decimals name a multiple of five minutes: 0.33 is 20 minutes."""
    text = unicodedata.normalize("NFKC", text).strip()
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1]) * 60 + int(clock[2])
    hours = _number(text)
    if hours is None:
        return None
    minutes = hours * 60
    five = int((minutes / 5).to_integral_value()) * 5
    if abs(minutes - five) <= _A_HUNDREDTH:
        return five
    return int(minutes) if minutes == int(minutes) else None


def read_whole(text: str) -> int | None:
    """A whole number as typed, or None for what is none or beyond all sense."""
    number = _number(unicodedata.normalize("NFKC", text).strip())
    return int(number) if number is not None and number == int(number) else None


def read_yuan(text: str) -> int | None:
    """An amount as typed in yuan (200, 0.5) in whole fen, or None."""
    number = _number(unicodedata.normalize("NFKC", text).strip())
    return int(number * 100) if number is not None and number * 100 == int(number * 100) else None


def yuan_text(fen: int) -> str:
    """Fen as yuan, as one types them: 20000 is 200, 50 is 0.5."""
    text = f"{fen // 100}.{fen % 100:02d}"
    return text.rstrip("0").rstrip(".")


def _number(text: str) -> Decimal | None:
    """A number of a size that may be calculated with."""
    try:
        number = Decimal(text.replace(",", "."))
    except ArithmeticError:  # no number, or one that is beyond all numbers
        return None
    return number if number.is_finite() and -_MOST_MINUTES <= number <= _MOST_MINUTES else None
