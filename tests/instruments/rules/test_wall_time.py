"""Wall times and instants, through gaps and folds."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.rules.wall_time import end_instant, instants_showing, local_day, start_instant, to_wall
from tests.instruments.rules.minute_by_minute import DAYS, FOLDS, GAPS, LONDON, LORD_HOWE, NEW_YORK, PLAIN_DAYS, Clock, at


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "day"), DAYS, ids=str)
def test_every_wall_time_of_the_day_means_what_a_clock_on_the_wall_shows(zone, day):
    clock = Clock(zone, day, days=2)
    midnight = datetime.combine(day, time.min)
    for minute in range(24 * 60):
        wall = midnight + timedelta(minutes=minute)
        assert list(instants_showing(wall, zone)) == clock.shown(wall)
        assert start_instant(wall, zone) == clock.start(wall)
        assert end_instant(wall, zone) == clock.end(wall)


@pytest.mark.parametrize(("zone", "day"), DAYS, ids=str)
def test_the_local_day_has_the_minutes_that_the_clock_shows_for_it(zone, day):
    clock = Clock(zone, day, days=2)
    shown = [minute for minute, wall in zip(clock.minutes, clock.walls, strict=True) if wall.date() == day]
    whole = local_day(day, zone)
    assert whole.starts_at == shown[0]
    assert whole.seconds == 60 * len(shown)


def test_days_with_a_gap_are_shorter_and_days_with_a_fold_longer():
    assert {local_day(day, zone).seconds for zone, day in GAPS} == {23 * 3600, 23 * 3600 + 1800}
    assert {local_day(day, zone).seconds for zone, day in FOLDS} == {25 * 3600, 24 * 3600 + 1800}
    assert {local_day(day, zone).seconds for zone, day in PLAIN_DAYS} == {24 * 3600}


def test_a_wall_time_in_the_gap_shifts_forward_by_the_gap():
    assert start_instant(at(2026, 3, 8, 2, 30), NEW_YORK) == utc(2026, 3, 8, 7, 30)
    assert to_wall(utc(2026, 3, 8, 7, 30), NEW_YORK) == at(2026, 3, 8, 3, 30)
    assert to_wall(start_instant(at(2026, 10, 4, 2, 10), LORD_HOWE), LORD_HOWE) == at(2026, 10, 4, 2, 40)


def test_in_the_fold_a_start_is_the_first_pass_and_an_end_the_last():
    assert start_instant(at(2026, 10, 25, 1, 30), LONDON) == utc(2026, 10, 25, 0, 30)
    assert end_instant(at(2026, 10, 25, 1, 30), LONDON) == utc(2026, 10, 25, 1, 30)


def test_an_end_at_which_the_fold_only_begins_does_not_swallow_it():
    assert end_instant(at(2026, 10, 25, 1, 0), LONDON) == utc(2026, 10, 25, 0, 0)


def test_a_day_that_a_zone_never_had_is_refused():
    with pytest.raises(ValueError, match="end after"):
        local_day(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))


@given(st.sampled_from(DAYS), st.integers(-3000, 3000))
def test_an_instant_is_among_those_that_show_its_wall_time(place, minutes):
    zone, day = place
    instant = datetime.combine(day, time.min, tzinfo=UTC) + timedelta(minutes=minutes)
    assert instant in instants_showing(to_wall(instant, zone), zone)
