"""Promised answers in working days, against a walk from minute to minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.rules import statutory_holidays
from instruments.rules.answer_time import MINUTES_A_DAY, due_at, waiting, worked_minutes
from instruments.rules.turnaround import is_workday

XINING = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = XINING) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("asked", "workdays", "due"),
    [
        ("2026-11-23 09:00", 1, "2026-11-24 09:00"),
        ("2026-11-27 15:30", 1, "2026-11-30 15:30"),  # over the weekend
        ("2026-11-28 10:00", 1, "2026-12-01 00:00"),  # asked on a Saturday: all of Monday
        ("2026-09-30 10:00", 1, "2026-10-08 10:00"),  # over the week of the National Day
        ("2026-10-09 16:00", 1, "2026-10-10 16:00"),  # a Saturday that is worked
        ("2026-11-23 09:00", 5, "2026-11-30 09:00"),
    ],
)
def test_an_answer_is_due_so_many_working_days_later_at_the_same_time(asked, workdays, due):
    assert due_at(at(asked), workdays, XINING) == at(due)


def test_another_country_has_weekends_and_none_of_these_holidays():
    assert due_at(at("2026-09-30 10:00", BERLIN), 1, BERLIN) == at("2026-10-01 10:00", BERLIN)


def test_the_night_on_which_the_clock_goes_back_has_no_working_time_and_the_hour_is_not_lost():
    asked = at("2026-10-23 12:00", BERLIN)
    assert due_at(asked, 1, BERLIN) == at("2026-10-26 12:00", BERLIN)
    assert worked_minutes(asked, at("2026-10-26 12:00", BERLIN), BERLIN) == MINUTES_A_DAY


def by_minutes(since: datetime, until: datetime, zone: ZoneInfo) -> int:
    """Every whole minute of a working day counts one."""
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    holidays = statutory_holidays.holidays_between(first, last)
    make_up = statutory_holidays.makeup_days_between(first, last)
    moment, found = since, 0
    while moment < until:
        found += is_workday(moment.astimezone(zone).date(), holidays, make_up)
        moment += timedelta(minutes=1)
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 360 * 24 * 60 - 1), st.integers(0, 4 * 24 * 60))
def test_working_time_is_what_a_walk_over_the_minutes_counts(first, length):
    since = datetime(2025, 12, 31, 16, tzinfo=UTC) + timedelta(minutes=first)
    until = since + timedelta(minutes=length)
    assert worked_minutes(since, until, XINING) == by_minutes(since, until, XINING)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 330 * 24 * 60), st.integers(1, 10))
def test_a_promise_is_used_up_exactly_when_it_is_due(first, workdays):
    since = datetime(2025, 12, 31, 16, tzinfo=UTC) + timedelta(minutes=first)
    due = due_at(since, workdays, XINING)
    found = waiting(since, due, XINING, due)
    assert found.age_minutes == found.promise_minutes == workdays * MINUTES_A_DAY and found.overdue
    assert not waiting(since, due, XINING, due - timedelta(minutes=1)).overdue


def test_nothing_has_passed_before_it_began():
    assert worked_minutes(at("2026-11-24 09:00"), at("2026-11-23 09:00"), XINING) == 0
