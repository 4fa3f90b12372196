"""Times that come again on the wall clock, and moving many of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.series import MOST, Clock, Scope, SeriesRule
from booking.rules.series_shift import Shift
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import to_wall

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
NINE = datetime(2027, 3, 16, 9)  # a Tuesday


def rule(starts: datetime = NINE, hours: float = 3, **more) -> SeriesRule:
    return SeriesRule(starts, starts + timedelta(hours=hours), **({"count": 3} | more))


def code(refused) -> str:
    return refused.value.reasons[0].code


def test_nine_o_clock_stays_nine_o_clock_when_clocks_change():
    found = rule().occurrences(BERLIN)
    assert [one.during.starts_at.hour for one in found] == [8, 8, 7]
    assert {to_wall(one.during.starts_at, BERLIN).time() for one in found} == {NINE.time()}
    assert {one.clock for one in found} == {Clock.PLAIN}


def test_a_time_that_clocks_jump_over_or_show_twice_is_said():
    gap = rule(datetime(2027, 3, 21, 2, 30), hours=1).occurrences(BERLIN)
    assert [(one.clock, one.during is None) for one in gap] == [("plain", False), ("gap", True), ("plain", False)]
    fold = rule(datetime(2027, 10, 24, 2, 30), hours=1).occurrences(BERLIN)
    assert [one.clock for one in fold] == ["plain", "fold", "plain"]
    assert fold[1].during == TimeRange(datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 2, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"count": None}, "series.no_end"),
        ({"count": MOST + 1}, "series.too_many"),
        ({"count": None, "until": date(2027, 3, 1)}, "series.until_before_start"),
        ({"interval": 99}, "series.interval"),
        ({"hours": 0}, "booking.range_invalid"),
        ({"hours": 24 * 40}, "booking.range_too_long"),
        ({"frequency": "monthly"}, "recurrence.unsupported_frequency"),
        ({"until": date(2027, 4, 1)}, "recurrence.until_and_count"),
        ({"weekdays": (7,)}, "recurrence.unsupported_weekday"),
    ],
)
def test_what_is_no_series_is_refused(more, refusal):
    with pytest.raises(Refusal) as refused:
        rule(**more)
    assert code(refused) == refusal


def test_an_end_far_away_and_days_without_a_time_are_refused():
    with pytest.raises(Refusal) as refused:
        rule(frequency="daily", count=None, until=date(2027, 6, 1)).occurrences(SHANGHAI)
    assert code(refused) == "series.too_many"
    with pytest.raises(Refusal) as refused:
        rule(weekdays=(0,), count=None, until=date(2027, 3, 17)).occurrences(SHANGHAI)
    assert code(refused) == "series.none"


RULES = st.builds(
    lambda frequency, interval, weekdays, count, hours: SeriesRule(
        NINE, NINE + timedelta(hours=hours), frequency, interval, weekdays if frequency == "weekly" else (), count
    ),
    st.sampled_from(["weekly", "daily"]),
    st.integers(1, 6),
    st.sets(st.integers(0, 6)).map(tuple),
    st.integers(1, MOST),
    st.integers(1, 30),
)


@given(RULES, st.sampled_from([BERLIN, SHANGHAI]))
def test_a_rule_is_read_back_as_it_was_written_and_means_as_many_times(one, zone):
    assert SeriesRule.read(one.document()) == one
    found = one.occurrences(zone)
    assert [each.ordinal for each in found] == list(range(1, one.count + 1))
    assert all(later.starts > earlier.starts for earlier, later in pairwise(found))
    assert all(to_wall(each.during.starts_at, zone) == each.starts for each in found if each.during)
    assert all(to_wall(each.during.ends_at, zone) == each.ends for each in found if each.during)


@given(RULES, st.integers(-300, 300), st.integers(-10, 10))
def test_moved_times_need_no_place_that_another_has_not_left_yet(one, hours, longer):
    times = [each.during for each in one.occurrences(SHANGHAI)]
    old = times[0]
    starts = to_wall(old.starts_at, SHANGHAI) + timedelta(hours=hours)
    ends = to_wall(old.ends_at, SHANGHAI) + timedelta(hours=hours + longer)
    if ends <= starts or (not hours and not longer):
        return
    shift = Shift.between(old, starts, ends, SHANGHAI)
    new = [shift.applied(each, SHANGHAI)[0] for each in times]
    if any(a.overlaps(b) for a, b in pairwise(new)) or any(a.overlaps(b) for a, b in pairwise(times)):
        return
    places = list(range(len(times)))
    taken = dict(enumerate(times))
    for place in reversed(places) if shift.last_first else places:
        assert not any(new[place].overlaps(other) for key, other in taken.items() if key != place)
        taken[place] = new[place]


def test_a_shift_refuses_the_same_time_and_keeps_the_wall_clock():
    times = [each.during for each in rule().occurrences(BERLIN)]
    with pytest.raises(Refusal) as refused:
        Shift.between(times[0], NINE, NINE + timedelta(hours=3), BERLIN)
    assert code(refused) == "change.same_time"
    shift = Shift.between(times[0], NINE + timedelta(days=1), NINE + timedelta(days=1, hours=2), BERLIN)
    moved = [shift.applied(each, BERLIN)[0] for each in times]
    assert [to_wall(each.starts_at, BERLIN).isoformat() for each in moved] == [
        "2027-03-17T09:00:00",
        "2027-03-24T09:00:00",
        "2027-03-31T09:00:00",
    ]
    with pytest.raises(Refusal) as refused:
        Shift.between(times[0], NINE, NINE + timedelta(days=93), BERLIN)
    assert code(refused) == "booking.range_too_long"
    assert {each.duration for each in moved} == {timedelta(hours=2)}


def test_scopes_say_which_times_are_meant():
    assert [Scope.THIS.covers(each, 2) for each in (1, 2, 3)] == [False, True, False]
    assert [Scope.FOLLOWING.covers(each, 2) for each in (1, 2, 3)] == [False, True, True]
    assert all(Scope.ALL.covers(each, 2) for each in (1, 2, 3))
