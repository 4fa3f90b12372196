"""From single events to runs, and from runs to reservations."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.device_clock import corrected, is_suspicious, skew
from booking.rules.device_runs import Booked, DeviceEvent, EventKind, Match, ProblemKind, Run, match, runs_of
from booking.rules.states import ReservationState
from tests.booking.rules.cases import MINUTE, span

TEN = datetime(2026, 5, 5, 2, tzinfo=UTC)
EARLY = timedelta(minutes=60)
KINDS = list(EventKind)


def event(key: int, kind: str, minutes: int) -> DeviceEvent:
    return DeviceEvent(key, EventKind(kind), TEN + minutes * MINUTE)


def booked(pk: int, start: int, length: int, state: str = "approved") -> Booked:
    return Booked(pk, span(TEN + start * MINUTE, length), ReservationState(state))


def ran(start: int, end: int | None, heard: int | None = None) -> Run:
    ends_at = None if end is None else TEN + end * MINUTE
    return Run(TEN + start * MINUTE, ends_at, TEN + (heard if heard is not None else end or start) * MINUTE, started=True)


def told(runs: list[Run]) -> list[tuple[int, int | None]]:
    return [((run.starts_at - TEN) // MINUTE, (run.ends_at - TEN) // MINUTE if run.ends_at else None) for run in runs]


def test_a_start_and_a_stop_are_a_run_whatever_order_they_came_in():
    events = [event(3, "stop", 60), event(2, "heartbeat", 30), event(1, "start", 0)]
    (run,) = runs_of(events)
    assert (told([run]), run.keys, run.started) == ([(0, 60)], [1, 2, 3], True)


def test_a_second_start_without_a_stop_begins_another_run_and_the_first_has_no_end():
    runs = runs_of([event(1, "start", 0), event(2, "heartbeat", 20), event(3, "start", 40), event(4, "stop", 60)])
    assert told(runs) == [(0, None), (40, 60)]
    assert runs[0].heard_at == TEN + 20 * MINUTE


def test_a_stop_without_a_start_is_a_run_that_nobody_started():
    (run,) = runs_of([event(1, "stop", 10)])
    assert (run.started, told([run])) == (False, [(10, 10)])


def test_a_stop_and_the_next_start_at_the_same_moment_are_two_runs():
    assert told(runs_of([event(1, "start", 0), event(2, "stop", 30), event(3, "start", 31)])) == [(0, 30), (31, None)]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 600)), max_size=30), st.randoms())
def test_every_event_stands_in_one_run_and_the_order_of_arrival_does_not_matter(raw, dice):
    events = [DeviceEvent(place, kind, TEN + minutes * MINUTE) for place, (kind, minutes) in enumerate(raw)]
    runs = runs_of(events)
    assert sorted(key for run in runs for key in run.keys) == list(range(len(events)))
    assert all(run.ends_at is None or run.starts_at <= run.ends_at for run in runs)
    assert all(one.heard_at <= other.starts_at for one, other in itertools.pairwise(runs))
    shuffled = list(events)
    dice.shuffle(shuffled)
    assert runs_of(shuffled) == runs


@pytest.mark.parametrize(
    ("run", "rows", "found"),
    [
        (ran(0, 60), [booked(1, 0, 60)], Match(1)),
        (ran(-30, 55), [booked(1, 0, 60)], Match(1)),
        (ran(10, 70), [booked(1, 0, 60), booked(2, 70, 60)], Match(1)),
        (ran(-50, -30), [booked(1, 0, 60)], Match(1)),
        (ran(-50, None), [booked(1, 0, 60)], Match(1)),
        (ran(0, 60), [], Match(None, ProblemKind.NO_RESERVATION)),
        (ran(200, 260), [booked(1, 0, 60)], Match(None, ProblemKind.NO_RESERVATION)),
        (ran(0, 120), [booked(1, 0, 60), booked(2, 60, 60)], Match(None, ProblemKind.OVERLAPS_TWO)),
        (ran(-90, 60), [booked(1, 0, 60)], Match(1, ProblemKind.OUTSIDE)),
        (ran(0, 121), [booked(1, 0, 60)], Match(1, ProblemKind.LONG_OVER)),
        (ran(0, 120), [booked(1, 0, 60)], Match(1)),
        (ran(10, 50), [booked(1, 0, 60, "no_show")], Match(1, ProblemKind.MISSED)),
    ],
)
def test_a_run_is_the_use_of_what_it_shares_enough_time_with(run, rows, found):
    assert match(run, rows, EARLY, TEN + 300 * MINUTE if run.ends_at else TEN - 20 * MINUTE) == found


@pytest.mark.parametrize(
    ("state", "problem"),
    [("approved", ProblemKind.NO_START), ("no_show", ProblemKind.MISSED), ("in_use", None), ("completed", None)],
)
def test_what_nobody_started_begins_no_reservation_and_is_evidence_for_one_that_runs(state, problem):
    run = Run(TEN, None, TEN, started=False)
    assert match(run, [booked(1, 0, 60, state)], EARLY, TEN) == Match(1, problem)


def test_a_run_without_a_stop_is_a_problem_once_it_is_silent_and_its_booked_time_is_over():
    rows = [booked(1, 0, 60)]
    run = ran(0, None, heard=30)
    assert match(run, rows, EARLY, TEN + 70 * MINUTE) == Match(1)
    assert match(run, rows, EARLY, TEN + 75 * MINUTE) == Match(1, ProblemKind.NO_STOP)
    assert match(ran(0, None, heard=74), rows, EARLY, TEN + 75 * MINUTE) == Match(1)


@given(st.integers(-300, 300), st.integers(1, 300), st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 6)), max_size=4))
def test_no_run_belongs_to_a_reservation_it_has_nothing_to_do_with(start, length, raw):
    rows = [booked(place, hour * 60, hours * 60) for place, (hour, hours) in enumerate(raw)]
    run = ran(start, start + length)
    found = match(run, rows, EARLY, TEN + timedelta(days=2))
    if found.reservation_id is None:
        assert found.problem in {ProblemKind.NO_RESERVATION, ProblemKind.OVERLAPS_TWO}
        return
    one = rows[found.reservation_id]
    assert run.during().overlaps(one.during) or one.during.starts_at - EARLY <= run.starts_at < one.during.starts_at


def test_the_clock_of_a_device_is_measured_by_what_it_took_for_now_and_small_differences_stay():
    assert skew(TEN, TEN + 8 * MINUTE) == 8 * MINUTE
    assert corrected(TEN, 2 * MINUTE) == TEN
    assert corrected(TEN, -8 * MINUTE) == TEN - 8 * MINUTE
    assert not is_suspicious(10 * MINUTE)
    assert is_suspicious(-11 * MINUTE)
