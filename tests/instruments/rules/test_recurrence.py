"""Recurrences as django-scheduler's rules store them."""

from datetime import date, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.errors import Refusal
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence, format_recurrence, parse_recurrence
from tests.instruments.rules.minute_by_minute import at, occurrence_days

endings = st.one_of(
    st.fixed_dictionaries({}),
    st.fixed_dictionaries({"count": st.integers(1, 40)}),
    st.fixed_dictionaries({"until": st.dates(date(2020, 1, 1), date(2026, 12, 31))}),
)
recurrences = st.builds(
    lambda frequency, interval, weekdays, ending: Recurrence(frequency, interval, tuple(weekdays), **ending),
    st.sampled_from(["daily", "weekly"]),
    st.integers(1, 5),
    st.sets(st.integers(0, 6)),
    endings,
)


@given(recurrences)
def test_what_is_stored_reads_back_as_the_same_recurrence(recurrence):
    assert parse_recurrence(*format_recurrence(recurrence), until=recurrence.until) == recurrence


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
        ("MONTHLY", "", "recurrence.unsupported_frequency"),
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
    began = perf_counter()
    for _ in range(200):
        starts = Recurrence("daily").starts_between(at(1926, 1, 1, 9), low, low + timedelta(days=2))
        assert list(starts) == [at(2026, 1, 1, 9), at(2026, 1, 2, 9)]
    assert perf_counter() - began < 5
