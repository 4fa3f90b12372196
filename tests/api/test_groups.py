"""Several instruments at once over the API."""

from __future__ import annotations

import pytest

from billing.settlement.extra_models import SessionExtra
from booking.models import Reservation
from tests.billing.settlement.test_chosen_addons import publish_with_addons
from tests.concurrency.world import add_instrument

PLACE = "reservation-groups"


@pytest.fixture
def body(cast):
    """The diffractometer from nine to eleven, then a microscope until noon."""
    sem = add_instrument(cast, "Electron microscope")
    times = [(cast.xrd.pk, "09:00", "11:00"), (sem.pk, "11:00", "12:00")]
    places = [
        {"instrument": pk, "starts_at": f"2026-11-25T{first}:00+08:00", "ends_at": f"2026-11-25T{last}:00+08:00",
         "service_mode": "self_operated"}
        for pk, first, last in times
    ]  # fmt: skip
    return {"organisation": cast.firm.pk, "places": places, "purpose": "lithium salts"}


def with_figures(body, report) -> dict:
    names = ("payable_now_fen", "final_cost_fen")
    places = [
        {**place, "expected": {name: row["figures"][name] for name in names}}
        for place, row in zip(body["places"], report["places"], strict=True)
    ]
    return {**body, "places": places}


def test_two_instruments_are_looked_at_and_asked_for_together(api, body, programmes):
    lin = api("lin")
    report = lin.post(f"{PLACE}/report/", body, key=None).json()
    assert report["possible"] and report["total"]["gross_fen"] == 1200_00
    made = lin.post(f"{PLACE}/", with_figures(body, report), key="g")
    assert made.status_code == 201 and made["Location"] == made.json()["url"]
    assert lin.post(f"{PLACE}/", with_figures(body, report), key="g")["Idempotent-Replayed"] == "true"
    assert lin.get(f"{PLACE}/{made.json()['id']}/").json() == made.json()
    assert [one["state"] for one in made.json()["reservations"]] == ["requested", "requested"]
    assert api("he").get(f"{PLACE}/{made.json()['id']}/").status_code == 404


def test_each_instrument_says_that_nobody_could_decide_about_it(api, cast, body):
    report = api("wang").post(f"{PLACE}/report/", body | {"organisation": cast.lab.pk}, key=None).json()
    assert not report["possible"]
    assert [[one["code"] for one in row["reasons"]] for row in report["places"]] == [["booking.nobody_decides"]] * 2


def test_none_is_booked_when_one_is_gone(api, cast, body, programmes):
    lin = api("lin")
    report = lin.post(f"{PLACE}/report/", body, key=None).json()
    assert api("he").post("reservations/", {**body["places"][1], "organisation": cast.other_firm.pk}).status_code == 201
    refused = lin.post(f"{PLACE}/", with_figures(body, report))
    assert refused.status_code == 409 and refused.json()["instrument"] == body["places"][1]["instrument"]
    assert [error["code"] for error in refused.json()["errors"]] == ["together.not_all", "booking.taken"]
    assert Reservation.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status"), [("one", 400), ("twice", 422), ("unknown", 404), ("stranger", 403), ("extra", 400)]
)
def test_bad_input_is_told_as_such(api, body, change, status):
    first = body["places"][0]
    wrong = {
        "one": {"places": [first]},
        "twice": {"places": [first, first]},
        "unknown": {"places": [first, {**first, "instrument": 2**40}]},
        "stranger": {"organisation": 2**40},
        "extra": {"places": [first, {**first, "x": 1}]},
    }[change]
    assert api("lin").post(f"{PLACE}/report/", body | wrong, key=None).status_code == status


def test_each_place_chooses_its_own_add_ons(api, cast, body, programmes):
    publish_with_addons(cast)
    lin = api("lin")
    body["places"][0]["addons"] = [{"addon": "cell", "quantity": 2}]
    report = lin.post(f"{PLACE}/report/", body, key=None).json()
    assert [place["addons_fen"] for place in report["places"]] == [3000, 0] and report["addons_fen"] == 3000
    assert [[one["addon"] for one in place["addons"]] for place in report["places"]] == [["cell"], []]
    asked = with_figures(body, report)
    asked["places"][0]["expected_addons_fen"] = 2999
    assert lin.post(f"{PLACE}/", asked, key="o").status_code == 409 and not Reservation.objects.exists()
    asked["places"][0]["expected_addons_fen"] = 3000
    assert lin.post(f"{PLACE}/", asked, key="g").status_code == 201
    (extra,) = SessionExtra.objects.all()
    assert (extra.reservation.instrument_id, extra.quantity) == (cast.xrd.pk, 2)
