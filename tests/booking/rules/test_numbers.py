"""References that people read out."""

import pytest

from booking.rules.numbers import format_reference


@pytest.mark.parametrize(
    ("year", "sequence", "written"),
    [(2026, 123, "R2026-000123"), (1000, 1, "R1000-000001"), (9999, 1_234_567, "R9999-1234567")],
)
def test_a_reference_reads_as_year_and_sequence(year, sequence, written):
    assert format_reference(year, sequence) == written


@pytest.mark.parametrize(("year", "sequence"), [(999, 1), (10000, 1), (2026, 0)])
def test_years_and_sequences_out_of_range_are_refused(year, sequence):
    with pytest.raises(ValueError, match="four-digit year"):
        format_reference(year, sequence)
