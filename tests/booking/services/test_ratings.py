"""Ratings: only after an agreed session, once, by the customer's people; answered by the lab, hidden by the operator."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking import record_queries
from booking.models import Occupancy, OccupancySource, Reservation, SessionRating
from booking.services import context as booking_context
from booking.services import ratings, reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import NOBODY
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from tests.agreeing import check_out_agreed

pytestmark = pytest.mark.django_db

STATES = ("requested", "approved", "in_use", "agreed", "rejected", "cancelled")


@pytest.fixture
def at(cast, slot, now):
    """``at("agreed")``: a reservation of Lin's firm in that state."""

    def reach(state, first=9):
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(first, first + 2), "self_operated")
        pk = reservations.reserve(cast.actor("lin"), request, now, idempotency_key=f"{state}-{first}").reservation_id
        wang, starts_at = cast.actor("wang"), slot(first, first + 2).starts_at
        if state == "rejected":
            transitions.reject(wang, pk, now, "No.")
        if state == "cancelled":
            transitions.cancel(cast.actor("lin"), pk, now)
        if state in {"approved", "in_use", "agreed"}:
            transitions.approve(wang, pk, now)
        if state in {"in_use", "agreed"}:
            transitions.check_in(wang, pk, starts_at)
        if state == "agreed":
            check_out_agreed(wang, pk, starts_at + timedelta(hours=2))
        return pk

    return reach


@pytest.fixture
def rated(cast, at, now):
    return ratings.rate(cast.actor("lin"), at("agreed"), 4, " Good data. ", now)


@pytest.mark.parametrize("state", STATES)
def test_a_session_is_rated_once_its_use_is_agreed_and_not_before(cast, at, now, state):
    pk = at(state)
    reservation = Reservation.objects.get(pk=pk)
    assert record_queries.may_rate(cast.actor("lin"), reservation, None) is (state == "agreed")
    if state == "agreed":
        assert ratings.rate(cast.actor("zhao"), pk, 5, "", now).stars == 5
    else:
        with pytest.raises(Refusal, match=r"rating\.not_agreed"):
            ratings.rate(cast.actor("lin"), pk, 5, "", now)


def test_once_and_in_the_scale(cast, at, rated, now):
    with pytest.raises(Conflict, match=r"rating\.rated_already"):
        ratings.rate(cast.actor("zhao"), rated.reservation_id, 1, "", now)
    other = at("agreed", 13)
    for stars in (0, 6, -1):
        with pytest.raises(Refusal, match=r"rating\.stars"):
            ratings.rate(cast.actor("lin"), other, stars, "", now)
    with pytest.raises(Refusal, match=r"name\.direction_control"):
        ratings.rate(cast.actor("lin"), other, 3, "turn\u202earound", now)


def test_only_the_customers_people_rate(cast, at, now):
    pk = at("agreed")
    for person, error in (("wang", Forbidden), ("li", Forbidden), ("wu", Forbidden), ("he", NotFound), ("zhou", NotFound)):
        with pytest.raises(error):
            ratings.rate(cast.actor(person), pk, 5, "", now)


def test_the_lab_answers_once(cast, rated, now):
    for person in ("lin", "li", "zhou"):
        with pytest.raises(Forbidden):
            ratings.answer(cast.actor(person), rated.pk, "Thank you", now)
    with pytest.raises(Refusal, match=r"rating\.text_missing"):
        ratings.answer(cast.actor("wang"), rated.pk, " ", now)
    assert ratings.answer(cast.actor("wang"), rated.pk, "Thank you", now).answer == "Thank you"
    with pytest.raises(Conflict, match=r"rating\.answered_already"):
        ratings.answer(cast.actor("wang"), rated.pk, "And again", now)


def test_a_hidden_rating_is_read_by_both_sides_and_counts_for_nobody(cast, at, rated, now):
    ratings.rate(cast.actor("lin"), at("agreed", 13), 2, "Long queue", now)
    with pytest.raises(Forbidden):
        ratings.hide(cast.actor("wang"), rated.pk, "We do not like it", now)
    ratings.hide(cast.actor("zhou"), rated.pk, "Names a person.", now)
    with pytest.raises(Conflict, match=r"rating\.hidden_already"):
        ratings.hide(cast.actor("zhou"), rated.pk, "Again", now)
    public = record_queries.ratings_of(NOBODY, cast.xrd)
    assert (public.count, public.average, [one.comment for one in public.newest]) == (1, 2.0, ["Long queue"])
    assert len(record_queries.ratings_of(cast.actor("he"), cast.xrd).newest) == 1
    for person in ("lin", "wang", "zhou", "wu"):
        found = record_queries.ratings_of(cast.actor(person), cast.xrd)
        assert (found.count, found.average, len(found.newest)) == (1, 2.0, 2)


def test_ratings_of_an_unpublished_instrument_are_not_public(cast, rated):
    cast.xrd.published = False
    cast.xrd.save()
    assert record_queries.ratings_of(NOBODY, cast.xrd).count == 0


def test_the_database_knows_the_scale(rated):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        SessionRating.objects.filter(pk=rated.pk).update(stars=6)


def test_use_is_what_was_used_of_the_last_weeks(cast, at, now, slot):
    at("agreed")
    context = booking_context.load(NOBODY, cast.xrd.pk, lock=False)
    assert all(week.used_seconds == 0 for week in record_queries.use_of(context, now))
    found = record_queries.use_of(context, now + timedelta(days=7))
    assert [week.used_seconds for week in found] == [0] * 11 + [2 * 3600]
    assert {week.open_seconds for week in found} == {7 * 12 * 3600}
    assert found[-1].percent == 2


def test_what_was_under_maintenance_was_not_offered(cast, at, now, slot):
    at("agreed")
    away = slot(14, 20)
    Occupancy.objects.create(
        calendar_id=cast.xrd.calendar_id, during=(away.starts_at, away.ends_at), source=OccupancySource.MAINTENANCE
    )
    context = booking_context.load(NOBODY, cast.xrd.pk, lock=False)
    found = record_queries.use_of(context, now + timedelta(days=7))
    assert found[-1].open_seconds == (7 * 12 - 6) * 3600
    assert found[-2].open_seconds == 7 * 12 * 3600
