"""Checking in, missed reservations and lapsed requests: due from a moment on, however late one asks."""

from datetime import UTC, datetime, timedelta

import pytest

from booking.rules.attendance import arrival, check_in_opens_at, grace_ends_at, is_due_expired, is_due_missed, may_check_in
from tests.booking.rules.cases import MINUTE, span

TEN = datetime(2026, 5, 5, 2, tzinfo=UTC)
BOOKED = span(TEN, 120)
SECOND = timedelta(seconds=1)
NINE_DAYS = timedelta(days=9)


@pytest.mark.parametrize(
    ("now", "may"),
    [
        (TEN - 60 * MINUTE - SECOND, False),
        (TEN - 60 * MINUTE, True),
        (TEN, True),
        (BOOKED.ends_at - SECOND, True),
        (BOOKED.ends_at, False),
    ],
)
def test_check_in_is_open_from_an_hour_before_the_start_until_the_end(now, may):
    assert may_check_in(BOOKED, now) == may
    assert may_check_in(BOOKED, now) == (check_in_opens_at(BOOKED) <= now < BOOKED.ends_at)


@pytest.mark.parametrize("grace_minutes", [0, 30, 119])
def test_the_grace_is_counted_from_the_start(grace_minutes):
    assert grace_ends_at(BOOKED, grace_minutes) == TEN + grace_minutes * MINUTE


def test_the_grace_never_outlasts_the_reservation():
    assert grace_ends_at(span(TEN, 15), grace_minutes=30) == TEN + 15 * MINUTE


@pytest.mark.parametrize(
    ("now", "missed"),
    [(TEN + 30 * MINUTE - SECOND, False), (TEN + 30 * MINUTE, True), (BOOKED.ends_at, True), (TEN + NINE_DAYS, True)],
)
def test_time_alone_marks_a_reservation_as_missed_after_the_grace_so_that_others_can_have_the_time(now, missed):
    assert is_due_missed(BOOKED, 30, now) == missed


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (TEN - 31 * MINUTE, "too_early"),
        (TEN - 30 * MINUTE, "early"),
        (TEN - SECOND, "early"),
        (TEN, "in_time"),
        (BOOKED.ends_at - SECOND, "in_time"),
        (BOOKED.ends_at, "over"),
    ],
)
def test_who_comes_is_told_what_the_clock_says(now, found):
    assert arrival(BOOKED, now, early_minutes=30) == found


@pytest.mark.parametrize(("now", "due"), [(TEN - SECOND, False), (TEN, True), (TEN + NINE_DAYS, True)])
def test_a_request_lapses_when_its_start_has_come(now, due):
    assert is_due_expired(BOOKED, now) == due
