"""Whole fen: rounding, splitting, reading and writing."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.ledger.rules.money import (
    Rounding,
    amount_in_capitals,
    parse_yuan,
    plain_yuan,
    round_fen,
    split_largest_remainder,
    yuan,
)

FEN = st.integers(min_value=-(10**13), max_value=10**13)
#: The numerals and their test vectors, kept out of the code.
NUMERALS = json.loads(Path(__file__).with_name("capitals.json").read_text(encoding="utf-8"))


def rounded_by_fractions(value: Decimal, mode: Rounding, step: int) -> int:
    """A second implementation that shares nothing with the first."""
    steps = abs(Fraction(value)) / step
    whole = steps.numerator // steps.denominator
    rest = steps - whole
    if mode is Rounding.HALF_UP and rest >= Fraction(1, 2):
        whole += 1
    if mode is Rounding.UP and rest:
        whole += 1
    if mode is Rounding.HALF_EVEN and (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2)):
        whole += 1
    return whole * step * (-1 if value < 0 else 1)


@given(
    st.decimals(min_value=-(10**12), max_value=10**12, places=6),
    st.sampled_from(Rounding),
    st.sampled_from([1, 10, 100]),
)
def test_rounding_agrees_with_an_implementation_in_fractions(value: Decimal, mode: Rounding, step: int) -> None:
    assert round_fen(value, mode, step) == rounded_by_fractions(value, mode, step)
    assert round_fen(Fraction(value), mode, step) == rounded_by_fractions(value, mode, step)


@given(FEN, st.sampled_from([1, 100]))
def test_ties_move_away_from_zero_with_half_up_and_towards_it_with_down(fen: int, step: int) -> None:
    tie = Decimal(fen * step) + Decimal(step) / 2 * (1 if fen >= 0 else -1)
    assert round_fen(tie, Rounding.DOWN, step) == fen * step
    assert round_fen(tie, Rounding.HALF_UP, step) == (fen + (1 if fen >= 0 else -1)) * step


def test_a_careless_decimal_context_of_the_caller_changes_nothing() -> None:
    with localcontext() as context:
        context.prec = 3
        assert round_fen(Decimal("123456789.5"), Rounding.HALF_UP) == 123456790


@pytest.mark.parametrize("value", [0.5, 1, "1"])
def test_only_decimals_are_rounded(value: object) -> None:
    with pytest.raises(TypeError):
        round_fen(value, Rounding.HALF_UP)  # type: ignore[arg-type]


def test_a_rounding_step_below_one_fen_is_refused() -> None:
    with pytest.raises(ValueError, match="step"):
        round_fen(Decimal(1), Rounding.DOWN, 0)


WEIGHTS = st.lists(st.one_of(st.integers(0, 10**6), st.decimals(0, 1, places=4)), min_size=1, max_size=8).filter(any)


@given(FEN, WEIGHTS)
def test_a_split_sums_exactly_and_no_part_is_a_whole_fen_off_its_share(total: int, weights: list[int | Decimal]) -> None:
    parts = split_largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(Fraction(weight) for weight in weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * Fraction(weight) / whole) < 1


@given(st.integers(0, 10**9), WEIGHTS)
def test_a_reversal_splits_as_the_mirror_of_the_original(total: int, weights: list[int | Decimal]) -> None:
    assert split_largest_remainder(-total, weights) == tuple(-part for part in split_largest_remainder(total, weights))


def test_the_missing_fen_goes_to_the_largest_remainder() -> None:
    assert split_largest_remainder(1_000_000, [6000, 3000, 2500]) == (521739, 260870, 217391)


def test_a_tie_of_remainders_goes_to_the_earlier_place() -> None:
    assert split_largest_remainder(1, [1, 1]) == (1, 0)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_weights_that_cannot_share_anything_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split_largest_remainder(100, weights)


def test_float_weights_are_refused() -> None:
    with pytest.raises(TypeError):
        split_largest_remainder(100, [0.5, 0.5])  # type: ignore[list-item]


@given(FEN)
def test_what_is_written_can_be_read_back(fen: int) -> None:
    assert parse_yuan(plain_yuan(fen)) == fen
    assert yuan(fen).replace(",", "") == plain_yuan(fen)


def test_yuan_are_written_with_separators_and_two_decimals() -> None:
    assert [yuan(fen) for fen in (0, 5, 123450, -123456789)] == ["0.00", "0.05", "1,234.50", "-1,234,567.89"]


def test_amounts_are_read_exactly() -> None:
    assert [parse_yuan(text) for text in ("499.99", "0.5", 30000, "-0.01")] == [49999, 50, 3_000_000, -1]


@pytest.mark.parametrize("amount", [499.99, 1.0, True, None, Decimal("1.00")])
def test_what_is_not_text_or_a_whole_number_is_not_an_amount(amount: object) -> None:
    with pytest.raises(TypeError):
        parse_yuan(amount)  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", ["", "1,234.50", "1.234", ".5", "5.", "1e3", "0１", "007", " 1", "--1"])
def test_text_that_is_not_a_plain_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_yuan(amount)


@pytest.mark.parametrize(("amount", "capitals"), NUMERALS["vectors"].items())
def test_capitals_follow_the_vectors_of_financial_papers(amount: str, capitals: str) -> None:
    assert amount_in_capitals(parse_yuan(amount)) == capitals
    assert amount_in_capitals(parse_yuan(amount), currency=True) == NUMERALS["currency"] + capitals


def read_capitals(text: str) -> int:
    """Read capitals back into fen, to check the writer from the other side."""
    digits, places, sections = NUMERALS["digits"], NUMERALS["places"], NUMERALS["sections"]
    fen = section = digit = total = 0
    for sign in text.removeprefix(NUMERALS["minus"]):
        if sign in digits:
            digit = digits.index(sign)
        elif sign in places:
            section, digit = section + digit * places[sign], 0
        elif sign in sections:
            total, section, digit = total + (section + digit) * sections[sign], 0, 0
        elif sign == NUMERALS["yuan"]:
            fen, section, digit = (total + section + digit) * 100, 0, 0
        elif sign in NUMERALS["parts"]:
            fen, digit = fen + digit * NUMERALS["parts"][sign], 0
    return -fen if text.startswith(NUMERALS["minus"]) else fen


@given(st.integers(min_value=-(10**14) + 1, max_value=10**14 - 1))
@settings(max_examples=300)
def test_capitals_can_be_read_back_and_never_repeat_or_end_with_a_zero(fen: int) -> None:
    written = amount_in_capitals(fen)
    assert read_capitals(written) == fen
    zero = NUMERALS["digits"][0]
    assert zero * 2 not in written
    assert fen == 0 or zero + NUMERALS["yuan"] not in written


def test_capitals_end_before_a_trillion_yuan() -> None:
    with pytest.raises(ValueError, match="too large"):
        amount_in_capitals(10**14)
