"""References that people read out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.numbers import format_reference, parse_reference


def test_a_reference_reads_as_year_and_sequence():
    assert format_reference(2026, 123) == "R2026-000123"


@given(st.integers(1000, 9999), st.integers(1, 10**9))
def test_every_reference_reads_back(year, sequence):
    reference = format_reference(year, sequence)
    assert parse_reference(reference) == (year, sequence)
    assert parse_reference(f" {reference.lower()} ") == (year, sequence)


@given(st.from_regex(r"\AR?[0-9]{3,5}-?[0-9]{4,8}\Z"))
def test_whatever_reads_as_a_reference_is_written_the_same(text):
    try:
        year, sequence = parse_reference(text)
    except ValueError:
        return
    assert format_reference(year, sequence) == text


@pytest.mark.parametrize("text", ["", "R2026-123", "R2026-000000", "R0999-000001", "R2026-0000001", "X2026-000001"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="not a reservation reference"):
        parse_reference(text)


@pytest.mark.parametrize(("year", "sequence"), [(999, 1), (10000, 1), (2026, 0)])
def test_years_and_sequences_out_of_range_are_refused(year, sequence):
    with pytest.raises(ValueError, match="four-digit year"):
        format_reference(year, sequence)
