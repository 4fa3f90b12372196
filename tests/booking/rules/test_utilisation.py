"""Use of open time, week by week, against counting minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.utilisation import WeekUse, last_weeks, utilisation
from config.kernel.time_range import TimeRange

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
STEP = timedelta(minutes=30)
START = datetime(2026, 11, 1, tzinfo=UTC)


def ranges():
    half_hours = st.tuples(st.integers(0, 1200), st.integers(1, 60))
    return st.lists(
        half_hours.map(lambda pair: TimeRange(START + STEP * pair[0], START + STEP * (pair[0] + pair[1]))), max_size=12
    )


def counted(week, spans):
    """Half hours of the week that lie in any of the spans, in seconds."""
    moment, found = week.starts_at, 0
    while moment < week.ends_at:
        found += any(span.starts_at <= moment < span.ends_at for span in spans)
        moment += STEP
    return found * int(STEP.total_seconds())


@settings(max_examples=40, deadline=None)
@given(ranges(), ranges())
def test_the_figures_are_those_of_counting(opened, used):
    weeks = last_weeks(SHANGHAI, NOW, 3)
    for week, found in zip(weeks, utilisation(weeks, SHANGHAI, opened, used), strict=True):
        assert (found.open_seconds, found.used_seconds) == (counted(week, opened), counted(week, used))


def test_weeks_are_local_over_and_without_a_hole():
    weeks = last_weeks(SHANGHAI, NOW, 12)
    assert len(weeks) == 12
    assert weeks[-1].ends_at == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert all(one.ends_at == other.starts_at for one, other in pairwise(weeks))
    assert {week.starts_at.astimezone(SHANGHAI).weekday() for week in weeks} == {0}


def test_a_week_of_changing_clocks_has_its_own_length():
    berlin = ZoneInfo("Europe/Berlin")
    weeks = last_weeks(berlin, datetime(2026, 11, 4, tzinfo=UTC), 2)
    assert [week.seconds // 3600 for week in weeks] == [169, 168]


@pytest.mark.parametrize(("opened", "used", "percent"), [(0, 0, None), (0, 5, None), (200, 99, 50), (100, 150, 150), (3, 2, 67)])
def test_a_share_is_rounded_as_the_lab_s_figures_are_and_not_invented(opened, used, percent):
    assert WeekUse(NOW.date(), opened, used).percent == percent
