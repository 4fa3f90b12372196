"""The inbox over the API."""

from __future__ import annotations

import json
from datetime import timedelta

from django.utils import timezone

from booking.models import InstrumentPolicy, Reservation, ReservationTransition
from config.kernel.access import Role
from instruments.models import Membership, Notice, User
from tests.api.conftest import codes


def test_what_waits_is_listed_with_what_deserves_a_second_look(api, booked, cast, monkeypatch):
    pk = booked(9, 12)
    monkeypatch.setattr(timezone, "now", lambda: cast.now + timedelta(hours=25))
    (row,) = api("wang", "read").get("inbox/").json()["results"]
    assert (row["id"], row["waits_minutes"], row["promised_minutes"], row["overdue"]) == (pk, 1500, 1440, True)
    assert [row[name] for name in ("series", "ordinal", "planned", "group")] == [None] * 4
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


def test_rivals_are_declined_where_requests_compete_and_elsewhere_only_where_that_is_said(api, booked, asked, cast):
    policy = InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)

    def two(first: int) -> tuple[int, int]:
        rival = api("he").post("reservations/", asked(first, first + 2, organisation=cast.other_firm.pk)).json()["id"]
        return booked(first, first + 1), rival

    lab = api("wang", "read", "manage")
    (competes, one), (waits, two_), (many, three), (blocks, four), (said, five) = (two(hour) for hour in (8, 10, 12, 14, 16))
    assert lab.post(f"reservations/{competes}/approve/").json()["declined"] == [one]
    assert lab.post(f"reservations/{waits}/approve/", {"rivals": "keep"}).json()["declined"] == []
    together = {"reservations": [many], "decision": "approve"}
    (result,) = lab.post("inbox/decisions/", together, key="m").json()["results"]
    assert result["declined"] == [three] and lab.post("inbox/decisions/", together, key="m").json()["results"] == [result]
    policy.pending_blocks = True
    policy.save()
    assert lab.post(f"reservations/{blocks}/approve/").json()["declined"] == []
    assert lab.post(f"reservations/{said}/approve/", {"rivals": "decline"}).json()["declined"] == [five]
    assert codes(lab.post(f"reservations/{two_}/approve/", {"rivals": "perhaps"})) == {"input.invalid_choice"}
    states = dict(Reservation.objects.values_list("pk", "state"))
    assert [states[pk] for pk in (one, two_, three, four, five)] == ["rejected", "requested", "rejected", "requested", "rejected"]


def test_who_would_be_declined_with_many_is_told_before(api, booked, asked, cast):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    rival = api("he").post("reservations/", asked(8, 10, organisation=cast.other_firm.pk)).json()["id"]
    first, second = booked(8, 9), booked(9, 10)
    lab = api("wang", "read")
    (row,) = lab.post("inbox/rivals/", {"reservations": [first, second]}, key=None).json()
    assert row["reservation"] == first and [one["id"] for one in row["rivals"]] == [rival], "named once, with the first"
    assert row["rivals"][0]["starts_at"] == "2026-11-25T08:00:00+08:00"
    assert lab.post("inbox/rivals/", {"reservations": [first, second, rival]}, key=None).json() == []
    assert api("he").post("inbox/rivals/", {"reservations": [first]}, key=None).status_code == 403
    assert codes(lab.post("inbox/rivals/", {"reservations": []}, key=None)) == {"input.min_length"}
    assert set(Reservation.objects.values_list("state", flat=True)) == {"requested"}


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


def test_a_single_decision_can_be_taken_back_where_that_is_asked_for(api, booked):
    kept, undone = booked(9, 10), booked(11, 12)
    lab = api("wang", "read", "manage")
    assert lab.post(f"reservations/{undone}/approve/", {"undo": True}, key="a").json()["state"] == "approved"
    assert not Notice.objects.filter(event="reservation.approved").exists()
    assert lab.post(f"reservations/{undone}/take-back/", key="b").json()["state"] == "requested"
    assert lab.post(f"reservations/{undone}/reject/", {"reason": "No.", "undo": True}, key="c").json()["state"] == "rejected"
    assert lab.post(f"reservations/{undone}/take-back/", key="d").json()["state"] == "requested"
    lab.post(f"reservations/{kept}/approve/", key="e")
    assert Notice.objects.filter(event="reservation.approved").count() == 1
    assert codes(lab.post(f"reservations/{kept}/take-back/", key="f")) == {"decision.told"}


def test_ready_sentences_are_kept_offered_and_used(api, booked, cast):
    address, pk = f"organisations/{cast.lab.pk}/reject-reasons/", booked(9, 10)
    lab = api("wang", "read", "manage")
    assert lab.get(address).json()["own"] == [] and len(lab.get(address).json()["offered"]) == 5
    sentences = [{"text": "Lampe kaputt.", "text_en": "The lamp broke."}, {"text": ""}]
    kept = lab.send("PUT", address, json.dumps({"sentences": sentences}).encode()).json()
    (own,) = kept["own"]
    assert kept["offered"] == [{"choice": own["choice"], "text": "Lampe kaputt."}] and own["text_en"] == "The lamp broke."
    assert codes(lab.post(f"reservations/{pk}/reject/", {"choice": "own:999999"}, key="x")) == {"decision.reason_unknown"}
    assert lab.post(f"reservations/{pk}/reject/", {"choice": own["choice"], "reason": "Try Friday."}, key="y").status_code == 200
    assert ReservationTransition.objects.get(action="reject").reason.endswith("Try Friday.")
    assert api("lin").get(address).status_code == 403 and api("li").get(address).status_code == 403


def test_a_deputy_is_named_and_ended(api, cast):
    tang = User.objects.create(email="tang@example.org", full_name="Tang", password="!", language="en")
    Membership.objects.create(user=tang, organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    address, lab = f"organisations/{cast.lab.pk}/deputies/", api("wang", "read", "manage")
    assert lab.get(address).json() == {"coming": [], "colleagues": [{"id": tang.pk, "name": "Tang"}]}
    asked = {"deputy": tang.pk, "first_on": "2026-11-24", "last_on": "2026-11-26", "also_manager": False}
    made = lab.post(address, asked, key="d")
    assert made.status_code == 201 and made.json()["starts_at"] == "2026-11-24T00:00:00+08:00"
    assert lab.post(address, asked, key="d").json() == made.json() and len(lab.get(address).json()["coming"]) == 1
    assert codes(lab.post(address, asked, key="e")) == {"deputy.overlaps"}
    ended = lab.post(f"deputies/{made.json()['id']}/end/", key="f")
    assert ended.status_code == 200 and ended.json()["ended"] and lab.get(address).json()["coming"] == []
    assert api("lin").post(f"deputies/{made.json()['id']}/end/", key="g").status_code == 404
