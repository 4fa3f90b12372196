"""Several sessions arranged together: everybody is served where that can be, against trying every way there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from booking.rules.assistance import Helper
from booking.rules.assisting_together import Session, arranged, one_by_one
from config.kernel.time_range import TimeRange

MORNING = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
WEEK = TimeRange(MORNING - timedelta(days=2), MORNING + timedelta(days=5))


def span(first: float, last: float) -> TimeRange:
    return TimeRange(MORNING + timedelta(hours=first), MORNING + timedelta(hours=last))


def helper(pk: int, *busy: TimeRange, minutes: int = 0, works: tuple[TimeRange, ...] | None = None) -> Helper:
    return Helper(pk, 100 + pk, 200 + pk, works=works, busy=busy, week_minutes=minutes)


def session(first: float, last: float, *helpers: Helper, buffer: float = 0, kept_id: int | None = None) -> Session:
    return Session(span(first, last), span(first, last + buffer), WEEK, helpers, kept_id)


def test_who_can_do_the_other_session_alone_is_left_for_it():
    a, b = helper(1), helper(2, minutes=600)
    assert arranged([session(9, 11, a, b), session(10, 12, a)]) == [2, 1]
    assert arranged([session(9, 11, a, b), session(11, 12, a)]) == [1, 1]  # one after the other, A does both
    assert arranged([session(9, 11, a, b, buffer=0.25), session(11, 12, a)]) == [2, 1]  # not with a buffer between
    assert arranged([session(9, 11, a), session(10, 12, a)]) is None
    assert arranged([]) == [] and arranged([session(9, 10)]) is None


def test_of_the_ways_that_serve_all_the_first_in_turn_is_taken():
    a, b, c = helper(1, minutes=60), helper(2, minutes=90), helper(3, minutes=300)
    assert arranged([session(9, 10, a, b, c), session(11, 12, a, b, c), session(13, 14, a, b, c)]) == [1, 2, 1]
    assert arranged([session(9, 10, a, b, c, kept_id=3), session(9, 10, a, b, c)]) == [3, 1]
    assert arranged([session(9, 10, helper(1, span(9.5, 9.75)), b), session(9, 10, b, c)]) == [2, 3]


PEOPLE = st.integers(1, 4)
SPANS = st.tuples(st.integers(0, 8), st.integers(1, 5)).map(lambda one: span(one[0], one[0] + one[1]))


@st.composite
def rounds(draw) -> list[Session]:
    busy = {pk: tuple(draw(st.lists(SPANS, max_size=1))) for pk in range(1, 5)}
    works = {pk: draw(st.none() | st.just((span(0, 7),))) for pk in range(1, 5)}
    found = []
    for _place in range(draw(st.integers(0, 5))):
        during, named = draw(SPANS), sorted(draw(st.sets(PEOPLE, max_size=4)))
        helpers = tuple(helper(pk, *busy[pk], minutes=draw(st.sampled_from((0, 60))), works=works[pk]) for pk in named)
        found.append(
            Session(during, during.widened(timedelta(0), timedelta(minutes=draw(st.sampled_from((0, 30))))), WEEK, helpers)
        )
    return found


def serves(sessions: list[Session], way: tuple[Helper, ...]) -> bool:
    places = list(zip(sessions, way, strict=True))
    alone = all(one.can(place.during, place.occupied) for place, one in places)
    return alone and not any(
        one.id == other.id and place.occupied.overlaps(beside.occupied)
        for index, (place, one) in enumerate(places)
        for beside, other in places[:index]
    )


@given(rounds())
def test_all_are_served_exactly_where_some_way_serves_all(sessions):
    ways = [way for way in product(*(one.helpers for one in sessions)) if serves(sessions, way)]
    found = arranged(sessions)
    assert (found is None) == (not ways)
    assert found is None or found in [[one.id for one in way] for way in ways]


def test_one_after_the_other_each_is_given_to_somebody_and_earlier_ones_make_room():
    a, b = helper(1), helper(2, minutes=600)
    assert one_by_one([session(9, 11, a, b), session(10, 12, a), session(11, 12, a, b)]) == [2, 1, 2]
    assert one_by_one([session(9, 11, a), session(10, 12, a), session(11, 12, a)]) == [1, None, 1]
    assert one_by_one([session(hour, hour + 1, a, helper(2)) for hour in range(4)]) == [1, 2, 1, 2]
    assert one_by_one([]) == []


@given(rounds())
def test_a_handful_all_at_once_is_served_where_it_can_be_and_nobody_is_in_two_places(sessions):
    found = one_by_one(sessions)
    served = [(one, pk) for one, pk in zip(sessions, found, strict=True) if pk is not None]
    way = tuple(next(who for who in one.helpers if who.id == pk) for one, pk in served)
    assert serves([one for one, _pk in served], way)
    if all(one.occupied.overlaps(other.occupied) for one in sessions for other in sessions) and arranged(sessions) is not None:
        assert None not in found
