"""The grid of wall time, against every minute of days on which clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.grid import grid_point_from, grid_point_until, grid_points, is_on_grid
from config.kernel.time_range import TimeRange
from tests.booking.rules.cases import MINUTE, span
from tests.instruments.rules.minute_by_minute import DAYS, LONDON, LORD_HOWE, Clock

STEPS = [1, 5, 15, 30, 45, 60, 90, 240, 1440]
CLOCKS = {place: Clock(*place) for place in DAYS}


def shown_on_grid(clock: Clock, step: int) -> list[datetime]:
    return [minute for minute, wall in zip(clock.minutes, clock.walls, strict=True) if (wall.hour * 60 + wall.minute) % step == 0]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(DAYS), st.sampled_from(STEPS), st.integers(-1500, 1500), st.integers(1, 2000))
def test_grid_points_are_the_minutes_whose_wall_time_is_a_whole_number_of_steps_from_midnight(place, step, start, length):
    middle = datetime.combine(place[1], time.min, tzinfo=UTC)
    within = span(middle + start * MINUTE, length)
    expected = [point for point in shown_on_grid(CLOCKS[place], step) if within.starts_at <= point < within.ends_at]
    assert list(grid_points(within, place[0], step)) == expected
    assert all(is_on_grid(point, place[0], step) for point in expected)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(DAYS), st.sampled_from(STEPS), st.integers(-900, 900), st.integers(0, 59))
def test_the_points_beside_an_instant_are_the_nearest_on_each_side(place, step, minutes, seconds):
    instant = datetime.combine(place[1], time(12), tzinfo=UTC) + minutes * MINUTE + timedelta(seconds=seconds)
    on_grid = shown_on_grid(CLOCKS[place], step)
    assert grid_point_from(instant, place[0], step) == min(point for point in on_grid if point >= instant)
    assert grid_point_until(instant, place[0], step) == max(point for point in on_grid if point <= instant)


def test_a_repeated_hour_has_its_points_twice_and_a_point_in_the_gap_is_missing():
    fold = TimeRange(datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC))
    assert len(list(grid_points(fold, LONDON, 60))) == 3
    gap = TimeRange(datetime(2026, 10, 3, 14, tzinfo=UTC), datetime(2026, 10, 3, 17, tzinfo=UTC))
    assert [point.astimezone(LORD_HOWE).hour for point in grid_points(gap, LORD_HOWE, 60)] == [1, 3]


def test_seconds_are_never_on_the_grid():
    assert is_on_grid(datetime(2026, 1, 1, tzinfo=UTC), LONDON, 1)
    assert not is_on_grid(datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC), LONDON, 1)
    assert not is_on_grid(datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), LONDON, 1)


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"])
def test_zones_with_midnight_changes_or_odd_offsets_have_a_grid_too(zone):
    some_zone = ZoneInfo(zone)
    for start in (datetime(2011, 12, 29, tzinfo=UTC), datetime(2006, 10, 28, tzinfo=UTC), datetime(2017, 10, 14, tzinfo=UTC)):
        within = span(start, 4 * 1440)
        minutes = [start + n * MINUTE for n in range(4 * 1440)]
        assert list(grid_points(within, some_zone, 60)) == [one for one in minutes if is_on_grid(one, some_zone, 60)]
