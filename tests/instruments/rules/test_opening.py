"""Opening hours against a minute-by-minute oracle, and in examples one can check by hand."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel.time_range import TimeRange
from instruments.rules.opening import CalendarEntry, EntryKind, MovedOccurrence, expand, open_ranges
from instruments.rules.recurrence import Recurrence
from instruments.rules.wall_time import local_day, start_instant, to_wall
from tests.instruments.rules.minute_by_minute import (
    DAYS,
    LONDON,
    LORD_HOWE,
    MINUTE,
    NEW_YORK,
    SHANGHAI,
    as_minutes,
    at,
    clock_of,
    open_minutes,
)

WEEKDAYS = (0, 1, 2, 3, 4)


def opening(start: datetime, end: datetime, recurrence: Recurrence | None = None, **more) -> CalendarEntry:
    return CalendarEntry(EntryKind.OPENING, start, end, recurrence, **more)


def closure(start: datetime, end: datetime, recurrence: Recurrence | None = None, **more) -> CalendarEntry:
    return CalendarEntry(EntryKind.CLOSURE, start, end, recurrence, **more)


def walls(ranges: list[TimeRange], zone) -> list[tuple[datetime, datetime]]:
    return [(to_wall(one.starts_at, zone), to_wall(one.ends_at, zone)) for one in ranges]


def around(day: date, days: int = 1) -> TimeRange:
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    return TimeRange(noon - timedelta(days=days), noon + timedelta(days=days))


repeats = st.builds(
    lambda frequency, interval, weekdays, count: Recurrence(frequency, interval, tuple(weekdays), None, count),
    st.sampled_from(["daily", "weekly"]),
    st.integers(1, 2),
    st.sets(st.integers(0, 6)),
    st.none() | st.sampled_from([1, 3, 401]),
)


@st.composite
def places_with_entries(draw):
    """A place and day, entries whose windows often end at or near its clock change, and a window of about a day."""
    zone, day = draw(st.sampled_from(DAYS))
    quarter_hours = st.integers(0, 12) | st.integers(0, 95)

    def wall(on: date) -> datetime:
        return datetime.combine(on, time.min) + draw(quarter_hours) * timedelta(minutes=15)

    entries = []
    for _ in range(draw(st.integers(1, 4))):
        first_on = day - draw(st.sampled_from([0, 1, 2, 7, 400])) * timedelta(days=1)
        start = wall(first_on)
        length = draw(st.sampled_from([15, 30, 60, 90, 480, 1440, 2000])) * MINUTE
        recurrence = draw(st.none() | repeats)
        days_near = st.sampled_from([day - timedelta(days=1), day, day + timedelta(days=1)])
        moved_to = wall(draw(days_near))
        entries.append(
            CalendarEntry(
                draw(st.sampled_from([EntryKind.OPENING, EntryKind.OPENING, EntryKind.CLOSURE])),
                start,
                start + length,
                recurrence,
                frozenset(draw(st.sets(days_near, max_size=1))),
                draw(st.sampled_from([(), (MovedOccurrence(draw(days_near), moved_to, moved_to + length),)])),
            )
        )
    starts_at = datetime.combine(day, time.min, tzinfo=UTC) + draw(st.integers(-24, 12)) * timedelta(hours=1)
    window = TimeRange(starts_at, starts_at + draw(st.integers(1, 30)) * timedelta(hours=1))
    return (zone, day), entries, window


@settings(max_examples=250, deadline=None)
@given(places_with_entries())
def test_open_ranges_are_exactly_the_minutes_that_a_walk_along_the_wall_clock_finds(case):
    place, entries, window = case
    found = open_ranges(entries, place[0], window)
    assert as_minutes(found) == open_minutes(entries, clock_of(*place), window)
    assert all(one.ends_at < other.starts_at for one, other in pairwise(found))


def test_the_oracle_notices_when_wall_time_is_taken_for_utc():
    entry = opening(at(2026, 3, 7, 9), at(2026, 3, 7, 10), Recurrence("daily"))
    place = (NEW_YORK, date(2026, 3, 8))
    window = local_day(*reversed(place))
    assert as_minutes(open_ranges([entry], NEW_YORK, window)) == open_minutes([entry], clock_of(*place), window)
    day_later_in_utc = start_instant(entry.starts_local, NEW_YORK) + timedelta(days=1)
    in_utc = [TimeRange(day_later_in_utc, day_later_in_utc + timedelta(hours=1))]
    assert as_minutes(in_utc) != open_minutes([entry], clock_of(*place), window)


def test_an_instrument_without_any_opening_is_closed():
    assert open_ranges([], SHANGHAI, around(date(2026, 5, 1))) == []
    only_closed = closure(at(2026, 5, 1, 9), at(2026, 5, 1, 10))
    assert open_ranges([only_closed], SHANGHAI, around(date(2026, 5, 1))) == []


def test_nine_stays_nine_through_a_clock_change():
    entry = opening(at(2026, 3, 2, 9), at(2026, 3, 2, 17), Recurrence("daily"))
    found = open_ranges([entry], NEW_YORK, around(date(2026, 3, 8), 3))
    assert {(start.time(), end.time()) for start, end in walls(found[1:-1], NEW_YORK)} == {(time(9), time(17))}
    assert {one.seconds for one in found[1:-1]} == {8 * 3600}


def test_an_opening_over_the_gap_loses_the_missing_hour():
    entry = opening(at(2026, 3, 8, 0), at(2026, 3, 8, 6))
    assert [one.seconds for one in expand(entry, NEW_YORK, around(date(2026, 3, 8)))] == [5 * 3600]


def test_an_opening_from_within_the_gap_starts_shifted_and_one_swallowed_by_it_is_left_out():
    shifted = opening(at(2026, 3, 8, 2, 30), at(2026, 3, 8, 5))
    swallowed = [opening(at(2026, 3, 8, 2, 30), at(2026, 3, 8, 3, end)) for end in (15, 30)]
    window = around(date(2026, 3, 8))
    assert walls(expand(shifted, NEW_YORK, window), NEW_YORK) == [(at(2026, 3, 8, 3, 30), at(2026, 3, 8, 5))]
    assert [expand(entry, NEW_YORK, window) for entry in swallowed] == [[], []]


def test_an_opening_from_the_repeated_half_hour_covers_both_passes():
    entry = opening(at(2026, 10, 25, 1, 30), at(2026, 10, 25, 3))
    assert [one.seconds for one in expand(entry, LONDON, around(date(2026, 10, 25)))] == [int(2.5 * 3600)]
    half = opening(at(2026, 4, 5, 1, 30), at(2026, 4, 5, 2, 30))
    assert [one.seconds for one in expand(half, LORD_HOWE, around(date(2026, 4, 5)))] == [int(1.5 * 3600)]


def test_in_china_clocks_changed_from_1986_to_1991():
    entry = opening(at(1986, 5, 1, 0), at(1986, 5, 1, 8), Recurrence("daily"))
    lengths = {
        day: as_minutes(expand(entry, SHANGHAI, local_day(day, SHANGHAI)))
        for day in (date(1986, 5, 3), date(1986, 5, 4), date(1986, 9, 14))
    }
    assert [len(minutes) for minutes in lengths.values()] == [480, 420, 540]


def test_overnight_windows_reach_over_midnight_year_end_and_leap_day():
    entry = opening(at(2023, 12, 1, 22), at(2023, 12, 2, 6), Recurrence("daily"))
    for day in (date(2024, 1, 1), date(2024, 2, 29)):
        found = walls(open_ranges([entry], SHANGHAI, local_day(day, SHANGHAI)), SHANGHAI)
        midnight = datetime.combine(day, time.min)
        assert found == [
            (midnight, midnight + timedelta(hours=6)),
            (midnight + timedelta(hours=22), midnight + timedelta(hours=24)),
        ]


def test_a_closure_wins_over_any_opening():
    entries = [
        opening(at(2026, 5, 4, 8), at(2026, 5, 4, 18), Recurrence("weekly", weekdays=WEEKDAYS)),
        opening(at(2026, 5, 5, 8), at(2026, 5, 5, 20)),
        closure(at(2026, 5, 5, 12), at(2026, 5, 5, 13)),
    ]
    found = walls(open_ranges(entries, SHANGHAI, local_day(date(2026, 5, 5), SHANGHAI)), SHANGHAI)
    assert [(start.hour, end.hour) for start, end in found] == [(8, 12), (13, 20)]


def test_a_cancelled_day_is_closed_and_a_moved_one_open_at_its_new_time_only():
    entry = opening(
        at(2026, 5, 4, 8),
        at(2026, 5, 4, 18),
        Recurrence("weekly", weekdays=WEEKDAYS),
        cancelled=frozenset({date(2026, 5, 5)}),
        moved=(MovedOccurrence(date(2026, 5, 6), at(2026, 5, 9, 10), at(2026, 5, 9, 12)),),
    )
    week = TimeRange(local_day(date(2026, 5, 4), SHANGHAI).starts_at, local_day(date(2026, 5, 10), SHANGHAI).ends_at)
    found = walls(open_ranges([entry], SHANGHAI, week), SHANGHAI)
    assert [(start.day, start.hour) for start, _ in found] == [(4, 8), (7, 8), (8, 8), (9, 10)]


def test_a_closure_of_months_that_began_long_before_the_window_still_closes():
    entries = [
        opening(at(2020, 1, 1, 0), at(2020, 1, 2, 0), Recurrence("daily")),
        closure(at(2026, 1, 1, 0), at(2026, 6, 1, 0)),
    ]
    assert open_ranges(entries, SHANGHAI, around(date(2026, 5, 1))) == []
    assert open_ranges(entries, SHANGHAI, around(date(2026, 7, 1))) == [around(date(2026, 7, 1))]


@pytest.mark.parametrize("make", [opening, lambda start, end: MovedOccurrence(date(2026, 1, 1), start, end)])
def test_an_entry_in_anything_but_wall_time_or_without_length_cannot_be_made(make):
    start = at(2026, 1, 1, 9)
    with pytest.raises(ValueError, match="naive"):
        make(start.replace(tzinfo=UTC), start + MINUTE)
    with pytest.raises(ValueError, match="naive"):
        make(start, start.replace(tzinfo=UTC) + MINUTE)
    with pytest.raises(ValueError, match="end after"):
        make(start, start)
