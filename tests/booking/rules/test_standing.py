"""Rules about who asks: each is broken by one request and kept by the nearest that its reason allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from booking.rules.quota import Booked, Measure, Period, Quota, Subject
from booking.rules.standing import Asked, Standing, looks_at, may_be_overridden, reasons_against
from booking.rules.week_time import WeekTime
from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange
from tests.booking.rules.cases import MINUTE, policy
from tests.instruments.rules.minute_by_minute import SHANGHAI

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
NIGHT = WeekTime((1, 2, 3, 4, 5, 6, 7), 20 * 60, 8 * 60)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def booked(starts: str, minutes: int, person: int = 1, instrument: int = 100) -> Booked:
    return Booked(TimeRange(wall(starts), wall(starts) + minutes * MINUTE), person, 10, instrument, "0103")


def asked(starts: str, minutes: int = 60, audience: str = "firm", mode: str = "self_operated") -> Asked:
    return Asked(booked(starts, minutes), audience, mode, SHANGHAI, NOW)


def codes(rules, request: Asked, *others: Booked, licences=(), measures=()) -> list[str]:
    return [one.code for one in reasons_against(rules, request, Standing(others, frozenset(licences), measures))]


def test_a_policy_that_says_nothing_about_people_refuses_nobody():
    assert codes(policy(), asked("2026-11-25T22:00", 600), booked("2026-11-25T10:00", 600)) == []
    assert looks_at(policy(), asked("2026-11-25T22:00")) is None


def test_firms_may_book_less_far_ahead_where_the_lab_says_so():
    rules = policy(horizon_days=30, horizons=(("firm", 2),))
    assert codes(rules, asked("2026-11-25T23:30", 30)) == []
    assert codes(rules, asked("2026-11-26T00:00")) == ["booking.beyond_horizon"]
    assert codes(rules, asked("2026-11-26T00:00", audience="academic")) == []


def test_between_two_bookings_of_one_person_there_is_time_for_others():
    rules = policy(cool_off_minutes=120)
    before = booked("2026-11-25T09:00", 60)
    assert codes(rules, asked("2026-11-25T11:30"), before) == ["booking.cool_off"]
    assert codes(rules, asked("2026-11-25T12:00"), before) == []
    assert codes(rules, asked("2026-11-25T11:30"), booked("2026-11-25T09:00", 60, person=2)) == []
    assert codes(rules, asked("2026-11-25T11:30"), booked("2026-11-25T09:00", 60, instrument=101)) == []
    assert codes(rules, asked("2026-11-25T07:30"), before) == ["booking.cool_off"]


def test_operating_it_oneself_needs_a_licence():
    rules = policy(licence_needed=True)
    assert codes(rules, asked("2026-11-25T10:00")) == ["booking.licence_needed"]
    assert codes(rules, asked("2026-11-25T10:00"), licences=["assisted"]) == ["booking.licence_needed"]
    assert codes(rules, asked("2026-11-25T10:00"), licences=["self"]) == []
    assert codes(rules, asked("2026-11-25T10:00", mode="assisted")) == []


def test_the_night_needs_a_licence_of_its_own():
    rules = policy(licensed_times=(NIGHT,))
    assert codes(rules, asked("2026-11-25T19:00", 60)) == []
    assert codes(rules, asked("2026-11-25T19:30", 60), licences=["self"]) == ["booking.off_hours_licence"]
    assert codes(rules, asked("2026-11-25T19:30", 60), licences=["off_hours"]) == []


def test_in_unlimited_times_quotas_and_cool_off_do_not_count():
    quota = Quota(Subject.PERSON, Measure.COUNT, Period.WEEK, 1)
    rules = policy(quotas=(quota,), cool_off_minutes=600, unlimited=(NIGHT,))
    before = booked("2026-11-25T18:00", 60)
    assert codes(rules, asked("2026-11-25T19:00"), before) == ["quota.person_count", "booking.cool_off"]
    assert codes(rules, asked("2026-11-25T20:00"), before) == []


def test_measures_stand_before_the_rules():
    banned = Reason("measure.cannot_book", {"until_at": "2026-12-01T00:00:00+08:00"})
    assert codes(policy(), asked("2026-11-25T10:00"), measures=[banned]) == ["measure.cannot_book"]


@pytest.mark.parametrize("period", Period)
def test_what_is_looked_at_holds_every_booking_that_counts(period):
    rules = policy(quotas=(Quota(Subject.PERSON, Measure.COUNT, period, 1),))
    request = asked("2026-11-25T10:00")
    span = looks_at(rules, request)
    assert span is not None
    for days in range(-400, 400, 3):
        other = Booked(TimeRange(NOW + timedelta(days=days), NOW + timedelta(days=days, hours=1)), 1, 10, 100, "0103")
        if codes(rules, request, other):
            assert span.starts_at <= other.during.starts_at < span.ends_at


def test_the_lab_overrides_its_own_rules_and_never_the_past_or_the_calendar():
    assert all(may_be_overridden(Reason(code)) for code in ("booking.too_soon", "quota.person_count", "booking.licence_needed"))
    assert not any(
        may_be_overridden(Reason(code))
        for code in ("booking.in_the_past", "booking.closed_because", "booking.instrument_unavailable")
    )
