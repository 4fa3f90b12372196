"""Far more booked than used: off until points are set for it, and then once for the same time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.models import CreditEvent, Reservation
from booking.rules.credit import Scope, document_of, policy_from
from booking.services import credit, reservations, self_service, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Refusal

HOUR = timedelta(hours=1)
POINTS = {"left_early": 3, "late": 2}


def used(cast, slot, *, points, hours, late=timedelta(), **more):
    """Three hours that Lin booked and of which she used so many."""
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "points": points, **more}, cast.now)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 12), "self_operated")
    pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    begun = Reservation.objects.get().starts_at + late
    self_service.start(cast.actor("lin"), pk, [], begun)
    self_service.end(cast.actor("lin"), pk, agrees=False, now=begun + hours * HOUR)
    return {one.kind: one.lab_points for one in CreditEvent.objects.all()}


def test_it_is_off_until_points_are_set_for_it(cast, slot):
    assert used(cast, slot, points=POINTS, hours=1) == {"left_early": -3}


@pytest.mark.parametrize(("hours", "found"), [
    (1, {"booked_over": -8}),  # 200 % over
    (1.9, {"booked_over": -8}),  # 66 minutes, 57.9 % over
    (2, {"left_early": -3}),  # an hour, but 50 % over: not more than that
    (2.5, {}),
])  # fmt: skip
def test_it_takes_the_percentage_and_the_gap_and_stands_for_leaving_early(cast, slot, hours, found):
    assert used(cast, slot, points=POINTS | {"booked_over": 8}, hours=hours) == found


def test_the_lab_sets_both(cast, slot):
    assert used(cast, slot, points={"booked_over": 8}, hours=2, over_percent=40, over_gap_minutes=61) == {}


def test_coming_late_is_the_same_time_once_more(cast, slot):
    assert used(cast, slot, points=POINTS | {"booked_over": 8}, hours=1, late=HOUR / 4 + HOUR / 60) == {"booked_over": -8}


@pytest.mark.parametrize(
    ("name", "value"), [("over_percent", 0), ("over_percent", 1001), ("over_gap_minutes", 0), ("over_percent", "x")]
)
def test_what_is_no_percentage_or_gap_is_refused_at_its_field(name, value):
    with pytest.raises(Refusal) as refused:
        policy_from({"start_points": 100, name: value}, Scope.LAB)
    assert [(one.code, one.field) for one in refused.value.reasons] == [("credit.number_out_of_range", name)]


def test_what_is_stored_is_what_was_understood():
    given = {"start_points": 100, "points": {"booked_over": 8}, "over_percent": 40, "over_gap_minutes": 90}
    policy = policy_from(given, Scope.LAB)
    assert policy_from(document_of(policy), Scope.LAB) == policy and document_of(policy)["over_percent"] == 40
    assert "over_percent" not in document_of(policy_from({"start_points": 100}, Scope.LAB))
