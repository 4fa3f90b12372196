"""Stretches of the week on the wall clock, against a look at every minute."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.week_time import DAY_MINUTES, WeekTime, lies_within, minutes_within, parts_within
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from tests.booking.rules.cases import MINUTE, places_and_times
from tests.instruments.rules.minute_by_minute import SHANGHAI

WEEKEND = WeekTime((6, 7))
NIGHT = WeekTime((1, 2, 3, 4, 5), 22 * 60, 6 * 60)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@st.composite
def week_times(draw) -> WeekTime:
    weekdays = tuple(sorted(draw(st.sets(st.integers(1, 7), min_size=1))))
    return WeekTime(weekdays, 15 * draw(st.integers(0, 95)), 15 * draw(st.integers(1, 96)))


def holds(one: WeekTime, wall: datetime) -> bool:
    """Whether the wall clock shows a time of it, in the plainest way."""
    minute = wall.hour * 60 + wall.minute
    if one.from_minute < one.until_minute:
        return wall.isoweekday() in one.weekdays and one.from_minute <= minute < one.until_minute
    yesterday = (wall - timedelta(days=1)).isoweekday()
    return (wall.isoweekday() in one.weekdays and minute >= one.from_minute) or (
        yesterday in one.weekdays and minute < one.until_minute
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(week_times(), min_size=1, max_size=3), st.integers(0, 20_000), st.integers(1, 300))
def test_the_minutes_within_are_those_that_a_clock_in_china_shows(times, first, length):
    span = TimeRange(at("2026-11-01T00:00") + first * MINUTE, at("2026-11-01T00:00") + (first + length) * MINUTE)
    walls = [(span.starts_at + minute * MINUTE).astimezone(SHANGHAI) for minute in range(length)]
    assert minutes_within(times, span, SHANGHAI) == sum(any(holds(one, wall) for one in times) for wall in walls)


@settings(max_examples=60, deadline=None)
@given(places_and_times(), week_times(), st.integers(1, 3000))
def test_the_parts_lie_in_the_span_and_do_not_touch_even_where_clocks_change(place, one, length):
    zone, _day, now = place
    span = TimeRange(now, now + length * MINUTE)
    parts = parts_within([one], span, zone)
    assert all(span.contains(part) for part in parts)
    assert all(earlier.ends_at < later.starts_at for earlier, later in itertools.pairwise(parts))


def test_a_night_reaches_into_the_next_morning():
    friday_night = TimeRange(at("2026-11-27T23:00"), at("2026-11-28T05:00"))
    assert lies_within([NIGHT], friday_night, SHANGHAI)
    saturday_night = TimeRange(at("2026-11-28T23:00"), at("2026-11-29T01:00"))
    assert parts_within([NIGHT], saturday_night, SHANGHAI) == []
    assert lies_within([WEEKEND], saturday_night, SHANGHAI)


def test_what_reaches_beyond_does_not_lie_within():
    assert not lies_within([WEEKEND], TimeRange(at("2026-11-27T23:00"), at("2026-11-28T05:00")), SHANGHAI)
    assert not lies_within([], TimeRange(at("2026-11-28T01:00"), at("2026-11-28T05:00")), SHANGHAI)


@pytest.mark.parametrize(
    "wrong", [((), 0, 60), ((0,), 0, 60), ((1, 1), 0, 60), ((1,), -1, 60), ((1,), 0, DAY_MINUTES + 1), ((1,), 0, 0)]
)
def test_what_is_no_time_of_the_week_is_refused(wrong):
    with pytest.raises(Refusal):
        WeekTime(*wrong)
