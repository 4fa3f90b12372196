"""The kernel's ranges, against sets of minutes."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.time_range import TimeRange, merge, subtract

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def minutes(start: int, end: int) -> TimeRange:
    return TimeRange(EPOCH + timedelta(minutes=start), EPOCH + timedelta(minutes=end))


def as_set(ranges: list[TimeRange]) -> set[int]:
    return {
        minute
        for one in ranges
        for minute in range(int((one.starts_at - EPOCH).total_seconds()) // 60, (one.ends_at - EPOCH).seconds // 60)
    }


some_range = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: minutes(pair[0], sum(pair)))
some_ranges = st.lists(some_range, max_size=8)


def is_sorted_and_apart(ranges: list[TimeRange]) -> bool:
    return all(one.ends_at < other.starts_at for one, other in pairwise(ranges))


@given(some_ranges)
def test_merging_keeps_every_minute_and_leaves_nothing_touching(ranges):
    merged = merge(ranges)
    assert as_set(merged) == as_set(ranges)
    assert is_sorted_and_apart(merged)


@given(some_ranges, some_ranges)
def test_subtracting_leaves_exactly_the_minutes_not_taken(ranges, taken):
    left = subtract(ranges, taken)
    assert as_set(left) == as_set(ranges) - as_set(taken)
    assert is_sorted_and_apart(left)


@given(some_ranges)
def test_merging_twice_changes_nothing(ranges):
    assert merge(merge(ranges)) == merge(ranges)


@given(some_range, some_range)
def test_overlap_containment_and_intersection_agree_with_sets_of_minutes(one, other):
    first, second = as_set([one]), as_set([other])
    common = one.intersect(other)
    assert one.overlaps(other) == bool(first & second)
    assert one.contains(other) == (second <= first)
    assert as_set([common] if common else []) == first & second


def test_touching_ranges_do_not_overlap_but_merge():
    assert not minutes(0, 10).overlaps(minutes(10, 20))
    assert minutes(0, 10).intersect(minutes(10, 20)) is None
    assert merge([minutes(10, 20), minutes(0, 10)]) == [minutes(0, 20)]


def test_the_oracle_of_these_tests_sees_a_lost_minute():
    assert as_set([minutes(0, 9)]) != as_set([minutes(0, 10)])


@pytest.mark.parametrize("length", [0, -1])
def test_an_empty_or_reversed_range_cannot_be_made(length):
    with pytest.raises(ValueError, match="end after"):
        minutes(5, 5 + length)


def test_a_naive_end_cannot_be_used():
    with pytest.raises(ValueError, match="aware"):
        TimeRange(datetime(2026, 1, 1), EPOCH)


def test_instants_of_any_offset_are_kept_in_utc():
    east = timezone(timedelta(hours=8))
    assert TimeRange(datetime(2026, 1, 1, 8, tzinfo=east), datetime(2026, 1, 1, 9, tzinfo=east)) == minutes(0, 60)


def test_widening_moves_each_end_outwards():
    assert minutes(10, 20).widened(timedelta(minutes=3), timedelta(minutes=5)) == minutes(7, 25)
