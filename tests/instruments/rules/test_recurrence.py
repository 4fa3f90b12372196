"""Recurrences as django-scheduler's rules store them."""

from datetime import date, datetime, time, timedelta
from time import perf_counter

import pytest
from dateutil.rrule import MO, rrule
from hypothesis import given
from hypothesis import strategies as st
from schedule.models import Rule

from config.kernel.errors import Refusal
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import NTHS, Recurrence, format_recurrence, parse_recurrence
from tests.instruments.rules.minute_by_minute import at, occurrence_days

endings = st.one_of(
    st.fixed_dictionaries({}),
    st.fixed_dictionaries({"count": st.integers(1, 40)}),
    st.fixed_dictionaries({"until": st.dates(date(2020, 1, 1), date(2026, 12, 31))}),
)
recurrences = st.one_of(
    st.builds(
        lambda frequency, interval, weekdays, ending: Recurrence(frequency, interval, tuple(weekdays), **ending),
        st.sampled_from(["daily", "weekly"]),
        st.integers(1, 5),
        st.sets(st.integers(0, 6)),
        endings,
    ),
    st.builds(
        lambda interval, days, ending: Recurrence("monthly", interval, month_days=tuple(days), **ending),
        st.integers(1, 5),
        st.sets(st.sampled_from([*range(1, 32), -1]), max_size=4),
        endings,
    ),
    st.builds(
        lambda interval, weekday, nth, ending: Recurrence("monthly", interval, (weekday,), nth=nth, **ending),
        st.integers(1, 5),
        st.integers(0, 6),
        st.sampled_from(NTHS),
        endings,
    ),
    st.builds(lambda interval, ending: Recurrence("yearly", interval, **ending), st.integers(1, 3), endings),
)


@given(recurrences)
def test_what_is_stored_reads_back_as_the_same_recurrence(recurrence):
    assert parse_recurrence(*format_recurrence(recurrence), until=recurrence.until) == recurrence


@given(recurrences, st.dates(date(2020, 1, 1), date(2020, 3, 1)))
def test_django_scheduler_reads_what_we_store_as_we_mean_it(recurrence, first_on):
    """The library's own reading of the stored rule gives our days: nothing of it is dropped silently."""
    first = datetime.combine(first_on, datetime.min.time()) + timedelta(hours=9, minutes=30)
    frequency, params = format_recurrence(recurrence)
    rule = Rule(frequency=frequency, params=params)
    high = first + timedelta(days=1500)
    until = {} if recurrence.until is None else {"until": datetime.combine(recurrence.until, time.max)}
    theirs = rrule(rule.rrule_frequency(), dtstart=first, wkst=MO, **rule.get_params(), **until).between(first, high, inc=True)
    assert list(recurrence.starts_between(first, first, high)) == theirs


hours_of_bounds = st.sampled_from([timedelta(0), timedelta(hours=9, minutes=30)])


@given(recurrences, st.dates(date(2020, 1, 1), date(2020, 3, 1)), st.integers(0, 2400), st.integers(0, 30), hours_of_bounds)
def test_starts_are_those_found_by_walking_every_day(recurrence, first_on, days_later, length, hours):
    first = datetime.combine(first_on, datetime.min.time()) + timedelta(hours=9, minutes=30)
    low = at(2020, 1, 1) + timedelta(days=days_later) + hours
    high = low + timedelta(days=length)
    entry = CalendarEntry(EntryKind.OPENING, first, first + timedelta(hours=1), recurrence)
    walked = [datetime.combine(day, first.time()) for day in occurrence_days(entry, high.date())]
    assert list(recurrence.starts_between(first, low, high)) == [start for start in walked if low <= start <= high]


def test_names_and_numbers_of_weekdays_mean_the_same():
    assert parse_recurrence("WEEKLY", "byweekday:MO,we,4") == parse_recurrence("weekly", " byweekday: 0,2,4 ;interval:1;")


def test_an_empty_text_repeats_every_time():
    assert parse_recurrence("DAILY", "") == Recurrence("daily")


@pytest.mark.parametrize(
    ("frequency", "params", "code"),
    [
        ("MINUTELY", "", "recurrence.unsupported_frequency"),
        ("MONTHLY", "byweekday:0", "recurrence.nth_and_weekday"),
        ("MONTHLY", "bysetpos:1", "recurrence.nth_and_weekday"),
        ("MONTHLY", "byweekday:0,1;bysetpos:1", "recurrence.nth_and_weekday"),
        ("MONTHLY", "byweekday:0;bysetpos:1;bymonthday:3", "recurrence.nth_and_weekday"),
        ("MONTHLY", "byweekday:0;bysetpos:1,2", "recurrence.malformed"),
        ("MONTHLY", "byweekday:0;bysetpos:-2", "recurrence.unsupported_nth"),
        ("MONTHLY", "byweekday:MO(1)", "recurrence.unsupported_weekday"),
        ("MONTHLY", "bymonthday:0", "recurrence.unsupported_month_day"),
        ("MONTHLY", "bymonthday:32", "recurrence.unsupported_month_day"),
        ("MONTHLY", "bymonthday:-2", "recurrence.unsupported_month_day"),
        ("MONTHLY", "bymonthday:x", "recurrence.malformed"),
        ("MONTHLY", "bymonth:1", "recurrence.unsupported_parameter"),
        ("YEARLY", "bymonth:1", "recurrence.unsupported_parameter"),
        ("YEARLY", "byweekday:0", "recurrence.unsupported_parameter"),
        ("WEEKLY", "bymonthday:1", "recurrence.unsupported_parameter"),
        ("HOURLY", "", "recurrence.unsupported_frequency"),
        ("WEEKLY", "byweekday:MO(1)", "recurrence.unsupported_weekday"),
        ("WEEKLY", "byweekday:7", "recurrence.unsupported_weekday"),
        ("WEEKLY", "byweekday:", "recurrence.unsupported_weekday"),
        ("WEEKLY", "bysetpos:1", "recurrence.unsupported_parameter"),
        ("DAILY", "byhour:9", "recurrence.unsupported_parameter"),
        ("DAILY", "until:20260101", "recurrence.unsupported_parameter"),
        ("DAILY", "nonsense", "recurrence.unsupported_parameter"),
        ("DAILY", "interval", "recurrence.malformed"),
        ("DAILY", "interval:0", "recurrence.malformed"),
        ("DAILY", "interval:-1", "recurrence.malformed"),
        ("DAILY", "interval:1,2", "recurrence.malformed"),
        ("DAILY", "count:x", "recurrence.malformed"),
        ("DAILY", "count:1;count:2", "recurrence.malformed"),
    ],
)
def test_what_is_not_supported_is_refused_and_never_dropped(frequency, params, code):
    with pytest.raises(Refusal) as caught:
        parse_recurrence(frequency, params)
    assert [reason.code for reason in caught.value.reasons] == [code]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"interval": 0}, "recurrence.out_of_range"),
        ({"count": 0}, "recurrence.out_of_range"),
        ({"weekdays": (7,)}, "recurrence.unsupported_weekday"),
        ({"count": 1, "until": date(2026, 1, 1)}, "recurrence.until_and_count"),
        ({"month_days": (1,)}, "recurrence.only_monthly"),
        ({"nth": 1}, "recurrence.only_monthly"),
    ],
)
def test_values_out_of_range_cannot_be_made(values, code):
    with pytest.raises(Refusal) as caught:
        Recurrence("daily", **values)
    (reason,) = caught.value.reasons
    assert reason.code == code
    assert reason.params.get("minimum", 1) == 1


def test_entries_of_a_hundred_years_are_not_walked_through_from_their_beginning():
    low = at(2026, 1, 1)
    last_day = Recurrence("monthly", month_days=(-1,))
    began = perf_counter()
    for _ in range(200):
        starts = Recurrence("daily").starts_between(at(1926, 1, 1, 9), low, low + timedelta(days=2))
        assert list(starts) == [at(2026, 1, 1, 9), at(2026, 1, 2, 9)]
        assert list(last_day.starts_between(at(1926, 1, 1, 9), low, at(2026, 2, 1))) == [at(2026, 1, 31, 9)]
        yearly = Recurrence("yearly").starts_between(at(1928, 2, 29, 9), low, at(2030, 1, 1))
        assert list(yearly) == [at(2028, 2, 29, 9)]
    assert perf_counter() - began < 5


def test_the_last_friday_and_the_thirty_first():
    first = at(2026, 1, 1, 9)
    window = (first, at(2026, 6, 30))
    fridays = Recurrence("monthly", weekdays=(4,), nth=-1).starts_between(first, *window)
    assert [(day.month, day.day) for day in fridays] == [(1, 30), (2, 27), (3, 27), (4, 24), (5, 29), (6, 26)]
    ends = Recurrence("monthly", month_days=(31,)).starts_between(first, *window)
    assert [(day.month, day.day) for day in ends] == [(1, 31), (3, 31), (5, 31)]
    with_leap_day = Recurrence("monthly", month_days=(-1,)).starts_between(at(2028, 1, 1, 9), at(2028, 2, 1), at(2028, 3, 1))
    assert list(with_leap_day) == [at(2028, 2, 29, 9)]
