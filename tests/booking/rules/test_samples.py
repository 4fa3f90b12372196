"""Sample jobs, samples and charges against their tables written out as plain words; codes; promised days against brute force."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules import sample_codes as codes
from booking.rules.sample_days import promise
from booking.rules.samples import (
    ENDED,
    ExtraEvent,
    ExtraState,
    JobEvent,
    JobState,
    Remains,
    SampleState,
    SampleStep,
    events_from,
    next_extra_state,
    next_sample_state,
    next_state,
    require_remains_step,
    steps_from,
    where,
)
from config.kernel.errors import Refusal
from instruments.rules.turnaround import is_workday

FOLLOWED = (SampleState.PREPARED, SampleState.TESTED, SampleState.LOST)
JOB_STEPS = {
    ("asked", "accept"): "accepted",
    ("asked", "refuse"): "refused",
    ("asked", "cancel"): "cancelled",
    ("asked", "lapse"): "cancelled",
    ("accepted", "lapse"): "cancelled",
    ("accepted", "follow"): "preparing",
    ("accepted", "cancel"): "cancelled",
    ("accepted", "fail"): "failed",
    ("accepted", "take_back"): "asked",
    ("refused", "take_back"): "asked",
    ("received", "follow"): "preparing",
    ("received", "cancel"): "cancelled",
    ("received", "fail"): "failed",
    ("preparing", "follow"): "preparing",
    ("preparing", "cancel"): "cancelled",
    ("preparing", "fail"): "failed",
    ("tested", "follow"): "preparing",
    ("tested", "cancel"): "cancelled",
    ("tested", "fail"): "failed",
    ("tested", "report"): "reported",
    ("reported", "report"): "reported",
    ("reported", "object"): "tested",
    ("reported", "close"): "closed",
}
SAMPLE_STEPS = {
    ("expected", "receive"): "received",
    ("expected", "lose"): "lost",
    ("received", "prepare"): "prepared",
    ("received", "test"): "tested",
    ("received", "find_unfit"): "unfit",
    ("received", "lose"): "lost",
    ("received", "take_back"): "expected",
    ("prepared", "test"): "tested",
    ("prepared", "find_unfit"): "unfit",
    ("prepared", "lose"): "lost",
    ("prepared", "take_back"): "received",
    ("tested", "take_back"): "prepared",
    ("unfit", "take_back"): "received",
    ("lost", "take_back"): "expected",
}


def refused(code: str):
    return pytest.raises(Refusal, match=code.replace(".", r"\."))


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("event", JobEvent)
def test_a_job_takes_exactly_the_events_of_the_table(state, event):
    expected = JOB_STEPS.get((state.value, event.value))
    assert (event in events_from(state)) == (expected is not None)
    if expected is not None:
        assert next_state(state, event, FOLLOWED) == expected
        return
    with refused("samples.illegal_step"):
        next_state(state, event, FOLLOWED)


def test_what_has_ended_takes_nothing_any_more():
    assert {"closed", "refused", "cancelled", "failed"} == ENDED


@pytest.mark.parametrize("state", SampleState)
@pytest.mark.parametrize("step", SampleStep)
def test_a_sample_takes_exactly_the_steps_of_the_table(state, step):
    expected = SAMPLE_STEPS.get((state.value, step.value))
    assert (step in steps_from(state)) == (expected is not None)
    if expected is not None:
        assert next_sample_state(state, step) == expected
        return
    with refused("samples.illegal_sample_step"):
        next_sample_state(state, step)


@pytest.mark.parametrize(
    ("samples", "job"),
    [
        ("expected expected", "accepted"),
        ("expected tested", "accepted"),
        ("received tested", "received"),
        ("prepared tested lost", "preparing"),
        ("tested unfit lost", "tested"),
        ("unfit lost", "failed"),
    ],
)
def test_a_job_is_where_its_last_sample_is(samples, job):
    assert where(SampleState(state) for state in samples.split()) == job


@pytest.mark.parametrize("state", ExtraState)
@pytest.mark.parametrize("event", ExtraEvent)
def test_a_charge_is_answered_once(state, event):
    if state is ExtraState.PROPOSED:
        after = {"agree": "agreed", "decline": "declined", "withdraw": "withdrawn"}
        assert next_extra_state(state, event) == after[event.value]
        return
    with refused("samples.extra_answered"):
        next_extra_state(state, event)


def test_what_is_left_goes_away_once_and_only_from_a_lab_that_had_it():
    for before in (Remains.WITH_LAB, Remains.KEPT):
        for after in (Remains.KEPT, Remains.RETURNED, Remains.DISCARDED):
            require_remains_step(before, after, SampleState.TESTED)
    for before in (Remains.RETURNED, Remains.DISCARDED):
        with refused("samples.remains_ended"):
            require_remains_step(before, Remains.KEPT, SampleState.TESTED)
    for state in (SampleState.EXPECTED, SampleState.LOST):
        with refused("samples.remains_not_here"):
            require_remains_step(Remains.WITH_LAB, Remains.DISCARDED, state)


# --- Codes ------------------------------------------------------------------------------------------------------------
bodies = st.lists(st.sampled_from(codes.ALPHABET), min_size=8, max_size=8).map("".join)


@given(bodies, st.integers(0, 8), st.sampled_from(codes.ALPHABET))
def test_one_wrong_character_is_always_found(body, place, other):
    code = codes.with_check(body)
    wrong = code[:place] + other + code[place + 1 :]
    assert codes.read(wrong) == (code if wrong == code else None)


@given(bodies, st.integers(0, 7))
def test_two_characters_that_changed_places_are_always_found(body, place):
    code = codes.with_check(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert codes.read(swapped) == (code if swapped == code else None)


@given(bodies)
def test_a_code_is_read_as_people_type_it(body):
    code = codes.with_check(body)
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code)
    for typed in (code.lower(), codes.shown(code), f" {code[:3]} {code[3:]} ", wide):
        assert codes.read(typed) == code
    assert codes.read(code[:-1]) is codes.read(code + "2") is codes.read("") is codes.read("O" + code[1:]) is None


# --- Promised days ----------------------------------------------------------------------------------------------------
MONDAY = date(2026, 11, 23)
HOLIDAYS = {MONDAY + timedelta(days=offset) for offset in (2, 3, 11)}
MAKE_UP = {MONDAY + timedelta(days=offset) for offset in (5, 13)}


def works(day: date) -> bool:
    return is_workday(day, HOLIDAYS, MAKE_UP)


def one_by_one(arrive_on, turnaround, samples, capacity, taken):
    """Each sample on the first workday that has room for it, counted day by day."""
    earliest, passed = arrive_on, 0
    while passed < turnaround or not works(earliest):
        if passed < turnaround:
            earliest += timedelta(days=1)
            passed += works(earliest)
        else:
            earliest += timedelta(days=1)
    used = dict(taken)
    placed: dict[date, int] = {}
    for _sample in range(samples):
        day = earliest
        while not works(day) or used.get(day, 0) >= capacity:
            day += timedelta(days=1)
        used[day] = used.get(day, 0) + 1
        placed[day] = placed.get(day, 0) + 1
    return tuple(sorted(placed.items()))


@given(
    st.integers(0, 20),
    st.integers(0, 6),
    st.integers(1, 40),
    st.integers(1, 9),
    st.dictionaries(st.integers(0, 40).map(lambda offset: MONDAY + timedelta(days=offset)), st.integers(0, 9)),
)
def test_a_promise_is_the_earliest_that_placing_sample_by_sample_finds(offset, turnaround, samples, capacity, taken):
    arrive_on = MONDAY + timedelta(days=offset)
    found = promise(arrive_on, turnaround, samples, capacity, taken, works)
    expected = one_by_one(arrive_on, turnaround, samples, capacity, taken)
    assert found is not None
    assert (found.days, found.promised_on) == (expected, expected[-1][0])
    assert all(count + taken.get(day, 0) <= capacity for day, count in found.days)


def test_without_a_capacity_one_day_takes_all_and_nothing_is_promised_for_after_a_year():
    found = promise(MONDAY, 1, 400, None, {MONDAY + timedelta(days=1): 500}, works)
    assert found is not None and found.days == ((MONDAY + timedelta(days=1), 400),)
    assert promise(MONDAY, 1, 400, 1, {}, works) is None
