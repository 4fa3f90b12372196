"""Size classes of firms at and beside every threshold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.rules.firm_size import SizeClass, size_class

MILLION_YUAN = 100_000_000
ORDER = [SizeClass.MICRO, SizeClass.SMALL, SizeClass.MEDIUM, SizeClass.LARGE]


@pytest.mark.parametrize(
    ("staff", "revenue_fen", "expected"),
    [
        (0, 0, "micro"),
        (19, 3 * MILLION_YUAN, "micro"),
        (20, 3 * MILLION_YUAN - 1, "micro"),
        (20, 3 * MILLION_YUAN, "small"),
        (299, 20 * MILLION_YUAN, "small"),
        (300, 20 * MILLION_YUAN - 1, "small"),
        (300, 20 * MILLION_YUAN, "medium"),
        (999, 400 * MILLION_YUAN, "medium"),
        (1000, 400 * MILLION_YUAN - 1, "medium"),
        (1000, 400 * MILLION_YUAN, "large"),
        (5000, 1, "micro"),
        (5, 900 * MILLION_YUAN, "micro"),
    ],
)
def test_one_failing_item_drops_a_firm_to_the_class_below(staff, revenue_fen, expected):
    assert size_class(staff, revenue_fen) == expected


@given(st.integers(0, 2000), st.integers(0, 500 * MILLION_YUAN), st.integers(0, 100), st.integers(0, MILLION_YUAN))
def test_growing_never_makes_a_firm_smaller(staff, revenue_fen, more_staff, more_revenue):
    grown = size_class(staff + more_staff, revenue_fen + more_revenue)
    assert ORDER.index(grown) >= ORDER.index(size_class(staff, revenue_fen))


@pytest.mark.parametrize(("staff", "revenue_fen"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(staff, revenue_fen):
    with pytest.raises(ValueError, match="not negative"):
        size_class(staff, revenue_fen)
