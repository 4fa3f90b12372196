from __future__ import annotations

from datetime import date

import pytest

from billing.settlement.rules import numbers, period
from billing.settlement.rules.statement import hours


@pytest.mark.parametrize(
    ("day", "last", "following", "before"),
    [
        (date(2026, 11, 30), date(2026, 11, 30), date(2026, 12, 1), date(2026, 10, 1)),
        (date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 1), date(2026, 11, 1)),
        (date(2028, 2, 10), date(2028, 2, 29), date(2028, 3, 1), date(2028, 1, 1)),
        (date(2027, 1, 31), date(2027, 1, 31), date(2027, 2, 1), date(2026, 12, 1)),
    ],
)
def test_months_have_their_ends_and_neighbours(day, last, following, before):
    assert period.first_day(day) == day.replace(day=1)
    assert (period.last_day(day), period.next_month(day), period.previous_month(day)) == (last, following, before)


def test_a_month_is_over_on_the_first_day_of_the_next():
    assert not period.is_over(date(2026, 11, 1), date(2026, 11, 30))
    assert period.is_over(date(2026, 11, 1), date(2026, 12, 1))


def test_numbers_carry_issuer_year_and_place():
    assert numbers.statement_number(2026, 123) == "JS-2026-000123"
    assert numbers.statement_number(2026, 1_234_567) == "JS-2026-1234567"
    assert numbers.series_key(2026) == "JS/2026/S"
    with pytest.raises(ValueError, match="begins with one"):
        numbers.statement_number(2026, 0)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0.00"), (5400, "1.50"), (3000, "0.83"), (3018, "0.84"), (18, "0.01")])
def test_hours_are_shown_with_two_decimals_half_up(seconds, text):
    assert hours(seconds) == text
