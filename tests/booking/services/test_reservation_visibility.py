"""The rule for a reservation in hand and the rule for a query are the same rule."""

from __future__ import annotations

from booking.access import sees_reservation
from booking.models import Reservation
from booking.services import reservations
from booking.services.reservations import ReservationRequest
from booking.services.state_writing import seen_by
from config.kernel.access import NOBODY, visible_to
from config.kernel.errors import NotFound

PEOPLE = ("lin", "zhao", "he", "wang", "li", "chen", "qian", "wu", "zhou", None)


def test_a_reservation_in_hand_is_seen_by_exactly_those_whose_query_finds_it(cast, slot):
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 12), "assisted")
    pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k1").reservation_id
    reservation = Reservation.objects.select_related("instrument").get(pk=pk)
    actors = {name: cast.actor(name) if name else NOBODY for name in PEOPLE}
    by_query = {name: visible_to(Reservation.objects.all(), actor).exists() for name, actor in actors.items()}
    owner_id = reservation.instrument.organisation_id
    by_row = {name: sees_reservation(actor, reservation.organisation_id, owner_id) for name, actor in actors.items()}
    assert by_row == by_query
    assert set(by_row.values()) == {True, False}
    for name, actor in actors.items():
        try:
            found = seen_by(actor, reservation.pk)
        except NotFound:
            found = None
        assert (found is not None) == by_row[name]
