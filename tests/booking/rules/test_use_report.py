"""Periods, figures and hours of use, against counting every quarter of an hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.use_figures import Figures, Story, Use, figures_of, middle, percent, together
from booking.rules.use_hours import by_hour, table
from booking.rules.use_period import Period, Span, asked_period, own_period, period_of, windows
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange, merge

SHANGHAI = ZoneInfo("Asia/Shanghai")
STEP = timedelta(minutes=15)
QUARTER = int(STEP.total_seconds())


def hours(first, count, base=datetime(2026, 11, 2, tzinfo=UTC)):
    return TimeRange(base + timedelta(hours=first), base + timedelta(hours=first + count))


# --- Periods ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("span", "day", "first", "last"),
    [
        (Span.MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        (Span.QUARTER, date(2026, 11, 26), date(2026, 10, 1), date(2026, 12, 31)),
        (Span.YEAR, date(2026, 11, 26), date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_day_names_the_calendar_period_around_it(span, day, first, last):
    assert period_of(span, day) == Period(span, first, last)


@given(st.sampled_from([Span.MONTH, Span.QUARTER, Span.YEAR]), st.dates(date(2001, 1, 1), date(2098, 12, 31)))
@settings(max_examples=60, deadline=None)
def test_periods_follow_each_other_without_a_hole(span, day):
    period = period_of(span, day)
    assert period.first_on <= day <= period.last_on
    assert period.before.last_on + timedelta(days=1) == period.first_on
    assert period.after.before == period


def test_own_days_have_as_many_days_before_them():
    own = own_period(date(2026, 3, 3), date(2026, 3, 9))
    assert (own.before.first_on, own.before.last_on) == (date(2026, 2, 24), date(2026, 3, 2))
    assert own.after.before == own


def test_own_days_are_bounded_and_in_order():
    for first, last, code in [
        (date(2026, 3, 3), date(2026, 3, 2), "utilisation.days_reversed"),
        (date(2026, 1, 1), date(2027, 1, 2), "utilisation.too_many_days"),
        (date(1999, 1, 1), date(1999, 1, 2), "utilisation.year"),
    ]:
        with pytest.raises(Refusal) as refused:
            own_period(first, last)
        assert [reason.code for reason in refused.value.reasons] == [code]
    assert own_period(date(2028, 1, 1), date(2028, 12, 31)).days == 366


def test_own_days_need_both_ends_and_other_periods_none():
    with pytest.raises(Refusal) as refused:
        asked_period(Span.OWN, None, None, date(2026, 1, 1), date(2026, 1, 1))
    assert [reason.field for reason in refused.value.reasons] == ["first_on"]
    assert asked_period(Span.MONTH, None, None, None, date(2026, 11, 26)).first_on == date(2026, 11, 1)


def test_a_period_that_runs_is_compared_with_as_much_of_the_one_before():
    noon = datetime(2026, 11, 26, 4, tzinfo=UTC)  # 12:00 in Shanghai
    found = windows(period_of(Span.MONTH, date(2026, 11, 1)), SHANGHAI, noon)
    assert found.current == TimeRange(datetime(2026, 10, 31, 16, tzinfo=UTC), noon)
    assert found.before == TimeRange(datetime(2026, 9, 30, 16, tzinfo=UTC), datetime(2026, 10, 26, 4, tzinfo=UTC))


def test_a_longer_month_that_runs_is_compared_with_all_of_the_shorter_one():
    found = windows(period_of(Span.MONTH, date(2026, 3, 1)), SHANGHAI, datetime(2026, 3, 30, 4, tzinfo=UTC))
    assert found.before.ends_at == datetime(2026, 2, 28, 16, tzinfo=UTC)


def test_nothing_has_passed_of_a_period_to_come():
    found = windows(period_of(Span.MONTH, date(2026, 12, 1)), SHANGHAI, datetime(2026, 11, 26, tzinfo=UTC))
    assert found.current is None


# --- Figures ----------------------------------------------------------------------------------------------------------
def spans(most=10):
    pairs = st.tuples(st.integers(0, 300), st.integers(1, 40))
    base = datetime(2026, 11, 2, tzinfo=UTC)
    return st.lists(pairs.map(lambda pair: TimeRange(base + STEP * pair[0], base + STEP * sum(pair))), max_size=most)


def counted(window, test):
    moment, found = window.starts_at, 0
    while moment < window.ends_at:
        found += bool(test(moment))
        moment += STEP
    return found * QUARTER


def holds(ranges):
    return lambda moment: any(one.starts_at <= moment < one.ends_at for one in ranges)


@settings(max_examples=40, deadline=None)
@given(spans(), spans(), spans(6), st.lists(st.booleans(), min_size=6, max_size=6), st.integers(0, 3), st.integers(0, 3))
def test_the_figures_are_those_of_counting(offered, booked, measured, outside, before, after):
    window = hours(10, 48)
    uses = [
        Use(one, one.widened(before * STEP, after * STEP), external) for one, external in zip(measured, outside, strict=False)
    ]
    found = figures_of(Story(offered, booked, (), uses), window)
    open_at, booked_at, used_at = holds(offered), holds(booked), holds(measured)
    assert found.offered_seconds == counted(window, open_at)
    assert found.booked_seconds == counted(window, booked_at)
    assert found.used_seconds == counted(window, used_at)
    assert found.beside_seconds == counted(window, lambda moment: used_at(moment) and not open_at(moment))
    assert found.effective_seconds == counted(window, holds([use.needed for use in uses]))
    assert found.external_seconds == counted(window, holds([use.needed for use in uses if use.external]))
    assert found.external_seconds <= found.effective_seconds >= found.used_seconds


def test_effective_hours_hold_what_came_before_and_after_the_measuring():
    use = Use(hours(10, 2), hours(9.5, 3), external=True)
    inside = Use(hours(20, 1), hours(20, 1), external=False)
    found = figures_of(Story([hours(0, 24)], [hours(10, 2), hours(20, 1)], (), [use, inside]), hours(0, 24))
    assert (found.used_seconds, found.effective_seconds, found.external_seconds) == (3 * 3600, 4 * 3600, 3 * 3600)
    assert (found.external_percent, found.used_percent, found.booked_percent) == (75, 13, 13)


def test_the_share_of_others_is_nothing_while_nothing_was_used():
    assert (Figures().external_percent, Figures().used_percent, Figures().missed_percent) == (0, None, None)


def test_what_nobody_came_to_is_booked_and_not_used():
    found = figures_of(Story([hours(0, 24)], [hours(10, 2), hours(12, 2)], [hours(10, 2)]), hours(0, 24))
    assert (found.missed, found.missed_seconds, found.bookings, found.missed_percent) == (1, 2 * 3600, 2, 50)


def test_sums_of_instruments_add_every_figure():
    one = figures_of(Story([hours(0, 24)], [hours(1, 1)], [], [Use(hours(1, 1), hours(1, 1), True)]), hours(0, 24))
    assert together([one, one]).effective_seconds == 2 * one.effective_seconds
    assert together([]) == Figures()


def test_the_median_lies_in_the_middle_and_percents_are_rounded_half_up():
    assert (middle([]), middle([5]), middle([9, 1, 4]), middle([1, 4])) == (None, 5, 4, 2)
    assert (percent(1, 200), percent(1, 201), percent(3, 0)) == (1, 0, None)


# --- Hours ------------------------------------------------------------------------------------------------------------
ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def brute_force(ranges, zone):
    """Quarters of an hour by the wall clock, one at a time."""
    counts = [0] * 168
    for one in ranges:
        moment = one.starts_at
        while moment < one.ends_at:
            wall = moment.astimezone(zone)
            counts[wall.weekday() * 24 + wall.hour] += QUARTER
            moment += STEP
    return counts


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from([datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 4, 3, tzinfo=UTC)]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300)), max_size=4),
)
def test_hours_are_those_of_counting_also_where_the_clock_is_changed(zone_name, base, pairs):
    ranges = merge(TimeRange(base + STEP * start, base + STEP * (start + length)) for start, length in pairs)
    zone = ZoneInfo(zone_name)
    assert by_hour(ranges, zone) == brute_force(ranges, zone)


def test_an_hour_that_comes_twice_counts_twice_and_one_left_out_not_at_all():
    new_york = ZoneInfo("America/New_York")
    autumn = TimeRange(datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC))  # 25 hours of a Sunday
    spring = TimeRange(datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC))  # 23 hours of a Sunday
    assert by_hour([autumn], new_york)[6 * 24 + 1] == 7200
    assert by_hour([spring], new_york)[6 * 24 + 2] == 0


def test_the_table_adds_instruments_and_has_no_share_where_nothing_was_offered():
    opened = by_hour([hours(0, 2)], SHANGHAI)  # Monday 08:00 to 10:00 in Shanghai
    used = by_hour([hours(1, 2)], SHANGHAI)
    cells = table([opened, opened], [used, [0] * 168])
    assert [cells[0][hour].percent for hour in (8, 9, 10)] == [0, 50, None]
    assert cells[0][10].used_seconds == 3600
    assert len(cells) == 7 and all(len(row) == 24 for row in cells)
    assert table([], [])[0][0].offered_seconds == 0
