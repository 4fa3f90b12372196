"""Entering a booking for a customer over the API: the search, the request, and who may not."""

from __future__ import annotations

import pytest

from booking.models import LabEntry, Reservation
from booking.services import transitions
from tests.api.conftest import codes


@pytest.fixture(autouse=True)
def known(cast, booked):
    """Lin asked at the lab before."""
    transitions.cancel(cast.actor("lin"), booked(18, 19), cast.now)


def body(cast, person="lin", **entered):
    return {
        "instrument": cast.xrd.pk,
        "organisation": cast.firm.pk,
        "starts_at": "2026-11-25T09:00:00+08:00",
        "ends_at": "2026-11-25T12:00:00+08:00",
        "service_mode": "self_operated",
        "entered": {"person": cast.users[person].pk, **entered},
    }


def test_the_search_gives_what_the_request_needs(api, cast):
    path = f"instruments/{cast.xrd.pk}/customers/"
    answer = api("wang").post(path, {"q": "Gaoyuan"}, key=None)
    lin = {"person": cast.users["lin"].pk, "name": "Lin", "organisation": cast.firm.pk, "organisation_name": "Gaoyuan Lithium"}
    assert answer.json() == {"results": [lin], "more": False, "organisation": ""}
    assert codes(api("wang").post(path, {"q": "x"}, key=None)) == {"entry.search_short"}
    for who in ("lin", "he", "li"):
        assert api(who).post(path, {"q": "Gaoyuan"}, key=None).status_code == 403
    assert api("wang", "read").post(path, {"q": "Gaoyuan"}, key=None).status_code == 403
    assert api("wang").post("instruments/999999/customers/", {"q": "Gaoyuan"}, key=None).status_code == 404


def test_it_is_entered_once_for_a_key_and_approved_with_the_customers_yes(api, cast):
    sent = body(cast, customer_yes="By mail of Monday")
    first, second = (api("wang").post("reservations/", sent, key="k1") for _twice in range(2))
    assert (first.status_code, second.status_code) == (201, 200) and first.json() == second.json()
    assert first.json()["state"] == "approved" and LabEntry.objects.get().evidence == "By mail of Monday"
    other = api("wang").post("reservations/", body(cast, customer_yes="Another"), key="k1")
    assert 400 <= other.status_code < 500 and LabEntry.objects.count() == 1


def test_without_a_yes_it_waits_for_the_person(api, cast):
    pk = api("wang").post("reservations/", body(cast)).json()["id"]
    assert codes(api("wang").post(f"reservations/{pk}/approve/")) == {"entry.waits_for_customer"}
    assert api("lin").get(f"reservations/{pk}/").json()["figures"]["waits_for_customer"] is True
    assert api("lin").post(f"reservations/{pk}/accept-quote/").status_code == 200
    assert Reservation.objects.get(pk=pk).state == "approved"


def test_others_enter_nothing_and_nobody_by_number_alone(api, cast):
    for who in ("lin", "he", "li"):
        assert api(who).post("reservations/", body(cast, person="zhao")).status_code == 403
    assert codes(api("wang").post("reservations/", body(cast, person="zhao"))) == {"entry.person_unknown"}
    assert api("wang").post("reservations/", body(cast, person="zhao", email="zhao@example.org")).status_code == 201
    for entered in (
        {"person": "x"},
        {"customer_yes": "y"},
        {"person": 1, "force": True},
        {"person": 1, "customer_yes": "y" * 3000},
    ):
        assert api("wang").post("reservations/", body(cast) | {"entered": entered}).status_code == 400
    long = api("wang").post("reservations/", body(cast, customer_yes="y" * 301))
    assert long.status_code == 422 and long.json()["errors"][0]["field"] == "customer_yes"
