"""The inbox over the API."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from booking.models import Reservation
from tests.api.conftest import codes


def test_what_waits_is_listed_with_what_deserves_a_second_look(api, booked, cast, monkeypatch):
    pk = booked(9, 12)
    monkeypatch.setattr(timezone, "now", lambda: cast.now + timedelta(hours=25))
    (row,) = api("wang", "read").get("inbox/").json()["results"]
    assert (row["id"], row["waits_minutes"], row["promised_minutes"], row["overdue"]) == (pk, 1500, 1440, True)
    assert row["risks"] == ["first_time"] and row["starts_at"] == "2026-11-25T09:00:00+08:00"


def test_many_are_decided_with_one_call_and_each_failure_is_told(api, booked):
    good, done = booked(9, 10), booked(11, 12)
    lab = api("wang", "read", "manage")
    lab.post(f"reservations/{done}/reject/", {"reason": "No."})
    asked = {"reservations": [good, done], "decision": "approve"}
    answer = lab.post("inbox/decisions/", asked, key="k")
    assert answer.status_code == 200 and (answer.json()["done"], answer.json()["failed"]) == (1, 1)
    (first, second) = answer.json()["results"]
    assert first["done"] and second["problems"][0]["code"] == "booking.illegal_transition" and second["status"] == 422
    assert lab.post("inbox/decisions/", asked, key="k").json() == answer.json()
    back = lab.post(f"reservations/{good}/take-back/", key="b")
    assert back.status_code == 200 and back.json() == {"id": good, "state": "requested"}
    assert codes(lab.post(f"reservations/{done}/take-back/", key="c")) == {"decision.told"}


def test_bad_calls_decide_nothing(api, booked):
    pk = booked(9, 10)
    lab = api("wang", "manage")
    for body, code in (
        ({"reservations": [], "decision": "approve"}, "input.min_length"),
        ({"reservations": [pk], "decision": "perhaps"}, "input.invalid_choice"),
        ({"reservations": [pk], "decision": "reject"}, "booking.reason_missing"),
        ({"reservations": [pk], "decision": "approve", "undo": True}, "input.unknown"),
    ):
        assert codes(lab.post("inbox/decisions/", body, key=code)) == {code}
    assert codes(lab.post("inbox/decisions/", {"reservations": [pk], "decision": "approve"}, key=None)) == {
        "idempotency.key_missing"
    }
    assert Reservation.objects.get().state == "requested"
