"""Money as whole fen: the one rounding point, exact splits, and how an amount is written and read.

Every amount in billing is an ``int`` of fen (1/100 yuan). Rates are ``Decimal``. Floats are refused with TypeError.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from fractions import Fraction
from math import lcm

FEN_PER_YUAN = 100

#: Multiplications and sums are done here: what cannot be kept exactly raises ``decimal.Inexact`` instead of drifting.
EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Clamped])
#: Divisions by a period of time (3,600 s) and rounding happen here; 60 digits leave no doubt at a tie.
WIDE = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow, Clamped])

_YUAN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,2})?")
_ONE = Decimal(1)


class Rounding(StrEnum):
    """How a fraction of a step is dropped. All are symmetrical: a reversal rounds to the same figure, negative."""

    HALF_UP = "half_up"
    DOWN = "down"
    HALF_EVEN = "half_even"
    UP = "up"


_HOW = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.DOWN: ROUND_DOWN,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.UP: ROUND_UP,
}


def round_fen(value: Decimal | Fraction, mode: Rounding, step_fen: int = 1) -> int:
    """Round ``value`` (fen, any fraction) to a multiple of ``step_fen`` (1 = fen, 100 = whole yuan).

    The only place where a fraction of money is dropped. ``half_up`` moves a tie away from zero, ``half_even`` to the even step,
    ``down`` towards zero, ``up`` away from it.
    Raises TypeError when ``value`` is neither Decimal nor Fraction, ValueError when the step is not positive.
    """
    how = ROUND_HALF_UP if mode is Rounding.HALF_UP else _HOW[mode]
    if step_fen == 1 and isinstance(value, Decimal):
        return int(value.quantize(_ONE, how, WIDE))
    if step_fen < 1:
        raise ValueError("a rounding step is at least one fen")
    if isinstance(value, Fraction):
        return _round_fraction(value, mode, step_fen)
    if not isinstance(value, Decimal):
        raise TypeError("money is rounded from a Decimal or a Fraction of fen")
    steps = WIDE.divide(value, Decimal(step_fen))
    return int(steps.quantize(_ONE, how, WIDE)) * step_fen


def _round_fraction(value: Fraction, mode: Rounding, step_fen: int) -> int:
    """``round_fen`` of what no decimal can hold, such as a third of a fen."""
    if value < 0:
        return -_round_fraction(-value, mode, step_fen)
    whole, rest = divmod(value, step_fen)
    twice = 2 * rest
    more = {
        Rounding.DOWN: False,
        Rounding.UP: rest > 0,
        Rounding.HALF_UP: twice >= step_fen,
        Rounding.HALF_EVEN: twice > step_fen or (twice == step_fen and whole % 2 == 1),
    }[mode]
    return (int(whole) + more) * step_fen


def split_largest_remainder(total_fen: int, weights: Sequence[int | Decimal]) -> tuple[int, ...]:
    """Share ``total_fen`` by ``weights`` so that the parts sum to it exactly.

    Every part gets its whole fen; the fen that are left go one each to the largest remainders, the earlier place
    first at a tie. A negative total is the mirror of the positive one.
    Raises ValueError when weights are missing, negative or all zero; TypeError for floats.
    """
    if total_fen < 0:
        return tuple(-part for part in split_largest_remainder(-total_fen, weights))
    return split_whole(total_fen, whole_weights(weights))


def split_whole(total_fen: int, scaled: Sequence[int]) -> tuple[int, ...]:
    """``split_largest_remainder`` of a total that is not negative, by weights from ``whole_weights``."""
    whole = sum(scaled)
    parts = [total_fen * weight // whole for weight in scaled]
    by_remainder = sorted(range(len(scaled)), key=lambda place: (-(total_fen * scaled[place] % whole), place))
    for place in by_remainder[: total_fen - sum(parts)]:
        parts[place] += 1
    return tuple(parts)


def whole_weights(weights: Sequence[int | Decimal | Fraction]) -> tuple[int, ...]:
    """The same proportions in whole numbers. Raises as ``split_largest_remainder`` does."""
    if any(isinstance(weight, float) for weight in weights):
        raise TypeError("weights are whole numbers or Decimals")
    ratios = [weight.as_integer_ratio() for weight in weights]
    if not ratios or any(numerator < 0 for numerator, _ in ratios) or not any(numerator for numerator, _ in ratios):
        raise ValueError("a split needs weights that are not negative and not all zero")
    common = lcm(*(denominator for _, denominator in ratios))
    return tuple(numerator * (common // denominator) for numerator, denominator in ratios)


def yuan(fen: int) -> str:
    """Write fen as yuan with two decimals and thousands separators: ``123450`` -> ``"1,234.50"``."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{sign}{whole:,}.{rest:02d}"


def plain_yuan(fen: int) -> str:
    """Write fen as yuan without separators, as documents and interfaces carry it: ``123450`` -> ``"1234.50"``."""
    return yuan(fen).replace(",", "")


def parse_yuan(amount: str | int) -> int:
    """Read yuan as fen: ``"499.99"`` -> ``49999``, ``30000`` -> ``3000000``.

    Raises TypeError for anything but text and whole numbers (a float has already lost what was written), ValueError
    for text that is not a plain amount of at most two decimals.
    """
    if isinstance(amount, bool) or not isinstance(amount, str | int):
        raise TypeError("an amount is text or a whole number of yuan, never a float")
    if isinstance(amount, int):
        return amount * FEN_PER_YUAN
    if not _YUAN.fullmatch(amount):
        raise ValueError(f"not an amount of yuan: {amount!r}")
    whole, _, rest = amount.lstrip("-").partition(".")
    fen = int(whole) * FEN_PER_YUAN + int(rest.ljust(2, "0") or "0")
    return -fen if amount.startswith("-") else fen


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_SECTIONS = ("", "万", "亿")
_CURRENCY = "人民币"
_MINUS = "负"
_YUAN_SIGN, _JIAO_SIGN, _FEN_SIGN, _EVEN_SIGN = "元", "角", "分", "整"
_ZERO = _DIGITS[0]
_SECTION = 10_000


def amount_in_capitals(fen: int, *, currency: bool = False) -> str:
    """Write an amount in the capital numerals of Chinese financial papers.

    ``currency`` puts the name of the currency before it. Raises ValueError from 10 ** 12 yuan on.
    """
    whole, rest = divmod(abs(fen), FEN_PER_YUAN)
    if whole >= _SECTION ** len(_SECTIONS):
        raise ValueError("the amount is too large to be written in capitals")
    sign = _MINUS if fen < 0 else ""
    return (_CURRENCY if currency else "") + sign + _whole_part(whole, rest) + _decimal_part(whole, rest)


def _whole_part(whole: int, rest: int) -> str:
    if whole == 0:
        return "" if rest else _ZERO + _YUAN_SIGN
    written, pending_zero = "", False
    for place in range(len(_SECTIONS) - 1, -1, -1):
        section = whole // _SECTION**place % _SECTION
        if section == 0:
            pending_zero = bool(written)
            continue
        if written and (pending_zero or section < _SECTION // 10):
            written += _ZERO
        written += _section(section) + _SECTIONS[place]
        pending_zero = False
    return written + _YUAN_SIGN


def _section(section: int) -> str:
    written, pending_zero = "", False
    for place in range(len(_PLACES) - 1, -1, -1):
        digit = section // 10**place % 10
        if digit == 0:
            pending_zero = bool(written)
            continue
        written += (_ZERO if pending_zero else "") + _DIGITS[digit] + _PLACES[place]
        pending_zero = False
    return written


def _decimal_part(whole: int, rest: int) -> str:
    jiao, fen = divmod(rest, 10)
    if rest == 0:
        return _EVEN_SIGN
    written = _DIGITS[jiao] + _JIAO_SIGN if jiao else (_ZERO if whole else "")
    return written + (_DIGITS[fen] + _FEN_SIGN if fen else _EVEN_SIGN)
