"""What the events of another calendar take, minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from booking.rules.subscribed import EVERY, LONGEST_WAIT, free_pieces, next_due, numbered
from config.kernel.time_range import TimeRange

START = datetime(2026, 11, 24, tzinfo=UTC)


def stretch(first: int, last: int) -> TimeRange:
    return TimeRange(START + timedelta(minutes=first), START + timedelta(minutes=last))


RANGES = st.tuples(st.integers(0, 58), st.integers(1, 20)).map(lambda pair: stretch(pair[0], pair[0] + pair[1]))
EVENTS = st.lists(st.tuples(RANGES, st.sampled_from("abc")), max_size=8)


def minutes(ranges: list[TimeRange]) -> set[int]:
    found: set[int] = set()
    for each in ranges:
        first, last = ((moment - START).total_seconds() // 60 for moment in (each.starts_at, each.ends_at))
        found |= set(range(int(first), int(last)))
    return found


@given(EVENTS, st.lists(RANGES, max_size=6))
def test_pieces_are_all_of_the_events_time_that_is_free_and_share_none(events, taken):
    pieces = [during for during, _ in free_pieces(events, taken)]
    assert minutes(pieces) == minutes([during for during, _ in events]) - minutes(taken)
    assert all(before.ends_at <= after.starts_at for before, after in pairwise(pieces))


@given(EVENTS, st.lists(RANGES, max_size=6))
def test_the_order_of_the_file_does_not_matter_and_each_piece_is_of_its_event(events, taken):
    pieces = free_pieces(events, taken)
    assert pieces == free_pieces(reversed(events), taken)
    assert all(any(during.contains(piece) and title == name for during, name in events) for piece, title in pieces)


def test_an_event_around_a_booking_keeps_both_sides():
    assert free_pieces([(stretch(0, 60), "x")], [stretch(20, 30)]) == [(stretch(0, 20), "x"), (stretch(30, 60), "x")]


def test_after_faults_the_next_attempt_comes_later_and_later_and_within_a_day():
    waits = [next_due(START, failures) - START for failures in range(40)]
    assert waits[0] == EVERY and waits[1] == 2 * EVERY and max(waits) == LONGEST_WAIT
    assert all(before <= after for before, after in pairwise(waits))


def test_a_piece_that_stays_keeps_its_number_and_one_that_changes_takes_that_of_what_gives_way():
    first, second = stretch(0, 20), stretch(30, 60)
    assert numbered([first, second], {}) == {first: 1, second: 2}
    longer = stretch(30, 90)
    assert numbered([first, longer], {first: 1, second: 2}) == {first: 1, longer: 2}
    assert numbered([stretch(0, 60)], {first: 1, second: 2}) == {stretch(0, 60): 1}
    assert numbered([stretch(70, 80)], {first: 1}, used={1, 2}) == {stretch(70, 80): 1}
    assert numbered([first, second], {first: 1}, used={2, 3}) == {first: 1, second: 4}, "what is over keeps its number"


@given(st.sets(RANGES, max_size=6), st.sets(RANGES, max_size=6), st.sets(st.integers(1, 9), max_size=4))
def test_no_number_is_given_twice(before, after, over):
    standing = numbered(before, {}, over)
    numbers = numbered(after, standing, over)
    assert numbers.keys() == after and len({*numbers.values()} | over) == len(numbers) + len(over)
    assert all(numbers[piece] == standing[piece] for piece in before & after)
