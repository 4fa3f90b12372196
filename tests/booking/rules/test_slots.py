"""Free time, day lists and alternatives, against brute force over minutes."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.grid import is_on_grid
from booking.rules.policy import BookingPolicy, broken_rules
from booking.rules.slots import day_slots, free_ranges, nearest_alternatives
from config.kernel.time_range import TimeRange, merge
from instruments.rules.wall_time import local_day
from tests.booking.rules.cases import MINUTE, PLAIN, places_and_times, policies, policy, span
from tests.instruments.rules.minute_by_minute import LONDON, LORD_HOWE, NEW_YORK, SHANGHAI

NOON = datetime(2026, 5, 5, 4, tzinfo=UTC)
YESTERDAY = NOON - timedelta(days=1)
FIVE = timedelta(minutes=5)


@st.composite
def situations(draw):
    """(zone, day, now, opened, busy): opening hours and occupancies on five-minute points within two days."""
    zone, day, now = draw(places_and_times())
    base = datetime.combine(day, time.min, tzinfo=UTC) - timedelta(days=1)
    now = base + (now - base) // FIVE * FIVE
    lengths = st.tuples(st.integers(0, 570), st.integers(1, 200))
    opened = draw(st.lists(lengths, min_size=1, max_size=4))
    busy = draw(st.lists(st.tuples(st.integers(0, 570), st.integers(1, 30)), max_size=5))

    def ranges(pairs):
        return [TimeRange(base + start * FIVE, base + (start + length) * FIVE) for start, length in pairs]

    return zone, day, now, merge(ranges(opened)), ranges(busy)


def fits(candidate: TimeRange, opened, busy, rules: BookingPolicy, now: datetime) -> bool:
    """Open throughout, its buffers clear of every occupancy, and not before the notice has passed: step by step."""

    before, after = rules.buffer_before_minutes * MINUTE, rules.buffer_after_minutes * MINUTE
    return (
        candidate.starts_at >= now + rules.notice_minutes * MINUTE
        and steps_of((candidate,)) <= steps_of(tuple(opened))
        and not steps_of((candidate.widened(before, after),)) & steps_of(tuple(busy))
    )


@lru_cache(maxsize=1000)
def steps_of(ranges: tuple[TimeRange, ...]) -> frozenset[datetime]:
    """The five-minute steps of ranges that start and end on them."""
    return frozenset(one.starts_at + n * FIVE for one in ranges for n in range((one.ends_at - one.starts_at) // FIVE))


@settings(max_examples=150, deadline=None)
@given(policies(), situations(), st.data())
def test_a_range_lies_in_free_time_exactly_when_every_minute_of_it_and_its_buffers_may_be_had(rules, situation, data):
    _, _, now, opened, busy = situation
    free = free_ranges(opened, busy, rules, now)
    edges = [edge for one in (*opened, *busy, *free) for edge in (one.starts_at, one.ends_at)]
    for _ in range(8):
        edge = data.draw(st.sampled_from(edges))
        start = edge - edge.minute % 5 * MINUTE + data.draw(st.integers(-8, 8)) * FIVE
        candidate = span(start, 5 * data.draw(st.integers(1, 30)))
        assert any(one.contains(candidate) for one in free) == fits(candidate, opened, busy, rules, now)


@settings(max_examples=100, deadline=None)
@given(policies(), situations())
def test_free_ranges_are_sorted_and_apart(rules, situation):
    _, _, now, opened, busy = situation
    free = free_ranges(opened, busy, rules, now)
    assert all(one.ends_at < other.starts_at for one, other in pairwise(free))


def test_the_oracle_of_these_tests_sees_a_missing_buffer():
    rules = policy(buffer_before_minutes=10)
    opened, busy = [span(NOON, 240)], [span(NOON, 60)]
    candidate = span(NOON + timedelta(minutes=60), 60)
    assert fits(candidate, opened, busy, PLAIN, YESTERDAY)
    assert not fits(candidate, opened, busy, rules, YESTERDAY)


def test_buffers_keep_away_from_others_but_may_reach_outside_opening_hours():
    rules = policy(buffer_before_minutes=10, buffer_after_minutes=20)
    opened = [span(NOON, 240)]
    assert free_ranges(opened, [], rules, YESTERDAY) == opened
    assert free_ranges(opened, [span(NOON + 60 * MINUTE, 30)], rules, YESTERDAY) == [
        span(NOON, 40),
        TimeRange(NOON + 100 * MINUTE, NOON + 240 * MINUTE),
    ]


def test_an_occupancy_outside_opening_hours_still_keeps_the_buffer_away():
    rules = policy(buffer_before_minutes=10)
    assert free_ranges([span(NOON, 60)], [span(NOON - 30 * MINUTE, 30)], rules, YESTERDAY) == [span(NOON + 10 * MINUTE, 50)]


def _covers_the_day(rules, situation, row_minutes):
    zone, day, now, opened, busy = situation
    free = free_ranges(opened, busy, rules, now)
    slots = day_slots(free, rules, zone, day, now, open_ranges=opened, row_minutes=row_minutes)
    whole = local_day(day, zone)
    assert slots[0].range.starts_at == whole.starts_at
    assert slots[-1].range.ends_at == whole.ends_at
    assert all(one.range.ends_at == other.range.starts_at for one, other in pairwise(slots))
    for slot in slots:
        assert is_on_grid(slot.range.starts_at, zone, row_minutes or rules.granularity_minutes)
        assert slot.free == (slot.why == "")
        assert slot.free == is_free_by_hand(slot.range, opened, busy, rules, zone, now)
        assert (slot.why == "booking.closed") == (not any(one.contains(slot.range) for one in opened))
        if slot.why == "booking.taken":
            assert not fits(slot.range, opened, busy, rules, now)


@settings(max_examples=25, deadline=None)
@given(policies(), situations(), st.sampled_from([None, 30, 60]))
def test_a_day_list_covers_the_local_day_without_a_hole_and_says_why_a_row_is_not_free(rules, situation, row_minutes):
    _covers_the_day(rules, situation, row_minutes)


@pytest.mark.proof
@settings(max_examples=300, deadline=None)
@given(policies(), situations(), st.sampled_from([None, 30, 60]))
def test_many_day_lists_cover_their_local_day(rules, situation, row_minutes):
    _covers_the_day(rules, situation, row_minutes)


def is_free_by_hand(row: TimeRange, opened, busy, rules: BookingPolicy, zone, now: datetime) -> bool:
    """Whether the row may be had, starts within the horizon, and lies with room for a reservation in free time."""
    days_ahead = (row.starts_at.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days_ahead > rules.horizon_days or not fits(row, opened, busy, rules, now):
        return False
    start, end = row.starts_at, row.ends_at
    while fits(TimeRange(start - FIVE, row.ends_at), opened, busy, rules, now):
        start -= FIVE
    while fits(TimeRange(row.starts_at, end + FIVE), opened, busy, rules, now):
        end += FIVE
    points = [
        start + n * FIVE
        for n in range((end - start) // FIVE + 1)
        if is_on_grid(start + n * FIVE, zone, rules.granularity_minutes)
    ]
    return len(points) > 1 and (points[-1] - points[0]) / MINUTE >= rules.min_minutes


def why_at(slots, zone) -> dict[str, str]:
    return {slot.range.starts_at.astimezone(zone).strftime("%H:%M"): slot.why for slot in slots}


def test_each_row_says_why_it_cannot_be_had():
    rules = policy(min_minutes=60, notice_minutes=60, horizon_days=0)
    morning = datetime(2026, 5, 5, 1, tzinfo=UTC)
    opened = [span(morning, 495)]
    busy = [span(morning + 300 * MINUTE, 60), span(morning + 405 * MINUTE, 30)]
    free = free_ranges(opened, busy, rules, morning + 60 * MINUTE)
    slots = day_slots(free, rules, SHANGHAI, date(2026, 5, 5), morning + 60 * MINUTE, open_ranges=opened, row_minutes=15)
    why = why_at(slots, SHANGHAI)
    assert why["08:45"] == "booking.closed"
    assert why["09:45"] == "booking.in_the_past"
    assert why["10:00"] == why["10:45"] == "booking.too_soon"
    assert why["11:00"] == why["13:45"] == ""
    assert why["14:00"] == "booking.taken"
    assert why["15:00"] == why["15:30"] == "booking.gap_too_short"
    assert why["16:15"] == why["17:00"] == ""
    assert why["17:15"] == "booking.closed"
    tomorrow = [span(morning + timedelta(days=1), 60)]
    later = day_slots(tomorrow, rules, SHANGHAI, date(2026, 5, 6), morning, open_ranges=tomorrow, row_minutes=60)
    assert why_at(later, SHANGHAI)["09:00"] == "booking.beyond_horizon"


def test_days_with_clock_changes_have_as_many_rows_as_hours():
    def rows(zone, day):
        return day_slots([], PLAIN, zone, day, YESTERDAY, open_ranges=[], row_minutes=60)

    assert len(rows(NEW_YORK, date(2026, 3, 8))) == 23
    assert len(rows(NEW_YORK, date(2026, 11, 1))) == 25
    assert len(rows(SHANGHAI, date(1986, 5, 4))) == 23
    assert len(rows(LONDON, date(2026, 10, 25))) == 25
    half_hour_gap = rows(LORD_HOWE, date(2026, 10, 4))
    assert [slot.range.seconds for slot in half_hour_gap if slot.range.seconds != 3600] == [5400]


def all_fits(duration: timedelta, free, rules: BookingPolicy, zone, now: datetime) -> list[TimeRange]:
    """Every start on a whole five minutes, tried one by one."""
    found = []
    for one in free:
        start = one.starts_at - one.starts_at.minute % 5 * MINUTE
        while start + duration <= one.ends_at:
            candidate = TimeRange(start, start + duration)
            if one.contains(candidate) and not broken_rules(rules, candidate, zone, now):
                found.append(candidate)
            start += FIVE
    return found


@settings(max_examples=60, deadline=None)
@given(policies(), situations(), st.integers(0, 570), st.integers(1, 24), st.integers(1, 4))
def test_alternatives_are_the_nearest_of_all_that_fit(rules, situation, start, steps, count):
    zone, day, now, opened, busy = situation
    duration = steps * FIVE if steps > 12 else rules.shortest_on_grid_minutes * MINUTE
    requested = TimeRange(
        datetime.combine(day, time.min, tzinfo=UTC) + (start - 288) * FIVE,
        datetime.combine(day, time.min, tzinfo=UTC) + (start - 288) * FIVE + duration,
    )
    free = free_ranges(opened, busy, rules, now)
    everything = all_fits(duration, free, rules, zone, now)
    nearest = sorted(everything, key=lambda one: (abs(one.starts_at - requested.starts_at), one.starts_at))
    assert nearest_alternatives(requested, free, rules, zone, now, count) == nearest[:count]


def test_alternatives_far_away_are_found_too():
    rules = policy(horizon_days=90)
    far = [span(NOON + timedelta(days=60), 60)]
    found = nearest_alternatives(span(NOON, 60), far, rules, SHANGHAI, YESTERDAY)
    assert found == far


def test_a_near_gap_that_is_too_short_does_not_hide_a_far_one_that_fits():
    rules = policy(horizon_days=90)
    free = [span(NOON, 30), span(NOON + timedelta(days=60), 60)]
    assert nearest_alternatives(span(NOON, 60), free, rules, SHANGHAI, YESTERDAY) == free[1:]


def test_of_two_equally_near_alternatives_the_earlier_comes_first():
    opened = [span(NOON, 240)]
    free = free_ranges(opened, [span(NOON + 60 * MINUTE, 120)], PLAIN, YESTERDAY)
    requested = span(NOON + 90 * MINUTE, 60)
    found = nearest_alternatives(requested, free, PLAIN, SHANGHAI, YESTERDAY, count=2)
    assert found == [span(NOON, 60), span(NOON + 180 * MINUTE, 60)]


def test_nothing_is_offered_when_nothing_is_free_or_the_length_itself_breaks_a_rule():
    free = [span(NOON, 600)]
    assert nearest_alternatives(span(NOON, 60), [], PLAIN, SHANGHAI, YESTERDAY) == []
    assert nearest_alternatives(span(NOON, 300), free, PLAIN, SHANGHAI, YESTERDAY) == []


def test_free_time_that_begins_where_the_horizon_ends_is_not_offered():
    rules = policy(horizon_days=0)
    tomorrow = [span(local_day(date(2026, 5, 6), SHANGHAI).starts_at, 120)]
    for now, offered in [(NOON, []), (NOON + timedelta(days=1) - timedelta(hours=12), [tomorrow[0].starts_at])]:
        found = nearest_alternatives(span(NOON, 120), tomorrow, rules, SHANGHAI, now)
        assert [one.starts_at for one in found] == offered
