"""The usual time of somebody who books again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from booking.rules.again import usual_times
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import to_wall

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def test_the_hour_on_the_wall_stays_when_clocks_change_and_so_does_the_length():
    last = TimeRange(at("2027-03-16 09:00"), at("2027-03-16 12:00"))
    found = list(usual_times(last, BERLIN, at("2027-03-17 08:00"), weeks=2))
    assert [to_wall(one.starts_at, BERLIN).isoformat() for one in found] == ["2027-03-23T09:00:00", "2027-03-30T09:00:00"]
    assert {one.duration for one in found} == {timedelta(hours=3)}


def test_a_time_that_clocks_jump_over_is_left_out():
    last = TimeRange(at("2027-03-21 02:30"), at("2027-03-21 04:00"))
    assert [to_wall(one.starts_at, BERLIN).day for one in usual_times(last, BERLIN, last.ends_at, weeks=2)] == [4]


@given(days=st.integers(-400, 60), hours=st.integers(1, 30), weeks=st.integers(1, 10))
def test_every_usual_time_lies_ahead_on_the_same_weekday_a_week_apart(days, hours, weeks):
    now = at("2026-11-23 09:00")
    last = TimeRange(now + timedelta(days=days), now + timedelta(days=days, hours=hours))
    found = list(usual_times(last, BERLIN, now, weeks=weeks))
    assert weeks <= len(found) <= weeks + 1
    assert all(one.starts_at > max(now, last.starts_at) for one in found)
    walls = [to_wall(one.starts_at, BERLIN) for one in found]
    assert {(wall.weekday(), wall.time()) for wall in walls} == {(walls[0].weekday(), to_wall(last.starts_at, BERLIN).time())}
    assert all(later - earlier == timedelta(weeks=1) for earlier, later in pairwise(walls))
    assert walls[0] - to_wall(max(now, last.starts_at), BERLIN) <= timedelta(weeks=1)
