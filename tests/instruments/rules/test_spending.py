"""Which card pays which session, who spends on which day, and the edge of a threshold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.time_range import TimeRange
from instruments.rules.spending import CardTerms, asks_the_leader, card_faults, days_of, is_in_house, spends_on

ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(2026, 3, 1), date(2026, 6, 30)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def card(**more):
    return CardTerms(**({"number": "C", "organisation_id": 1, "valid_from": FIRST, "valid_until": LAST, "closed": False,
                         "group_closed": False} | more))  # fmt: skip


def codes(terms, customer=1, first=FIRST, last=LAST):
    return [reason.code for reason in card_faults(terms, customer, first, last)]


@given(DAYS, DAYS)
def test_a_card_pays_exactly_the_sessions_within_its_days(one, other):
    first, last = sorted((one, other))
    assert (codes(card(), first=first, last=last) == []) is (first >= FIRST and last <= LAST)


@pytest.mark.parametrize(
    ("terms", "customer", "expected"),
    [
        (card(), 2, ["card.other_organisation"]),
        (card(closed=True), 1, ["card.closed"]),
        (card(group_closed=True), 1, ["card.group_closed"]),
        (card(closed=True, group_closed=True), 1, ["card.closed"]),
    ],
)
def test_what_stands_against_a_card_is_named(terms, customer, expected):
    assert codes(terms, customer) == expected


def test_a_session_that_ends_at_midnight_ends_the_day_before():
    start = datetime(2026, 6, 30, 14, tzinfo=UTC)  # 22:00
    assert days_of(TimeRange(start, start + timedelta(hours=2)), ZONE) == (LAST, LAST)
    assert days_of(TimeRange(start, start + timedelta(hours=2, minutes=1)), ZONE) == (LAST, date(2026, 7, 1))


@given(DAYS, DAYS, st.none() | DAYS)
def test_a_member_spends_from_the_first_to_the_last_day(day, from_on, until_on):
    assert spends_on(day, from_on, until_on) is (from_on <= day and (until_on is None or day <= until_on))


@pytest.mark.parametrize(
    ("amount", "threshold", "own", "asked"),
    [(500, 500, False, False), (501, 500, False, True), (1, 0, False, True), (0, 0, False, False), (501, 500, True, False),
     (10**12, None, False, False)],
)  # fmt: skip
def test_the_leader_is_asked_above_the_threshold(amount, threshold, own, asked):
    assert asks_the_leader(amount, threshold, own=own) is asked


def test_in_house_is_who_uses_an_instrument_of_its_own():
    assert is_in_house(3, 3)
    assert not is_in_house(3, 4)
