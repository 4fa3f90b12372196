"""Missed reservations and lapsed requests: due from a moment on, however late one asks."""

from datetime import UTC, datetime, timedelta

import pytest

from booking.rules.no_show import is_due_expired, is_no_show
from tests.booking.rules.cases import MINUTE, span

TEN = datetime(2026, 5, 5, 2, tzinfo=UTC)
BOOKED = span(TEN, 120)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "missed"),
    [(TEN, False), (TEN + 30 * MINUTE - SECOND, False), (TEN + 30 * MINUTE, True), (TEN + timedelta(days=9), True)],
)
def test_a_reservation_is_missed_once_the_grace_is_over_and_stays_so(now, missed):
    assert is_no_show(BOOKED, None, now, grace_minutes=30) == missed


def test_who_checked_in_has_not_missed_it_even_late():
    assert not is_no_show(BOOKED, TEN + 45 * MINUTE, TEN + 60 * MINUTE, grace_minutes=30)


def test_the_grace_never_outlasts_the_reservation():
    short = span(TEN, 15)
    assert not is_no_show(short, None, TEN + 14 * MINUTE, grace_minutes=30)
    assert is_no_show(short, None, TEN + 15 * MINUTE, grace_minutes=30)


@pytest.mark.parametrize(("now", "due"), [(TEN - SECOND, False), (TEN, True), (TEN + timedelta(days=9), True)])
def test_a_request_lapses_when_its_start_has_come(now, due):
    assert is_due_expired(BOOKED, now) == due
