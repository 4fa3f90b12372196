"""Use, its review, devices and close-out over the API."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from booking.models import DeviceEvent, DeviceRun, Licence, Reservation, UsageSession
from booking.services import check_in_points, device_keys, policies, reservations, transitions
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from config.kernel.models import AuditEntry
from instruments.models import Instrument

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock(monkeypatch, now):
    """What the API takes for now; the cast's time until it is set."""
    from django.utils import timezone

    class Clock:
        at = now

    monkeypatch.setattr(timezone, "now", lambda: Clock.at)
    return Clock


@pytest.fixture
def booked(cast, slot, clock):
    during = slot(9, 11)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "assisted")
    pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    return Reservation.objects.get(pk=pk)


def read(cast, name, instrument=None):
    """The proof that somebody has just read the code at an instrument."""
    at = timezone.now()
    point = check_in_points.ensure(cast.actor("wang"), (instrument or cast.xrd).pk, at)
    return check_in_points.read_code(cast.actor(name), point.code, at)


def test_the_code_at_the_instrument_is_needed_to_start_and_is_asked_for_over_the_api_too(api, cast, booked, clock):
    path, clock.at = f"reservations/{booked.pk}/start/", booked.starts_at
    other = Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name="Twin", service_modes=["assisted"],
        created_at=cast.now, updated_at=cast.now,
    )  # fmt: skip
    for sent in ({}, {"proof": ""}, {"proof": "x"}, {"proof": read(cast, "zhao")}):
        refused = api("lin").post(path, sent)
        assert refused.status_code == 422
        assert [(one["code"], one["field"]) for one in refused.json()["errors"]] == [("check_in.scan_again", "proof")]
    assert api("lin").post(path, {"proof": read(cast, "lin", other)}).status_code == 404
    assert Reservation.objects.get().state == "approved"
    point = check_in_points.ensure(cast.actor("wang"), cast.xrd.pk, clock.at)
    assert api("lin").post("check-in-proofs/", {"code": "x"}).status_code == 404
    told = api("lin").post("check-in-proofs/", {"code": point.code}).json()
    assert (told["instrument"], told["good_until"]) == (cast.xrd.pk, "2026-11-25T09:15:00+08:00")
    clock.at += 15 * MINUTE
    assert api("lin").post(path, {"proof": told["proof"]}).status_code == 422
    clock.at -= MINUTE
    assert api("lin").post(path, {"proof": told["proof"]}).json()["state"] == "in_use"


def test_who_operates_from_elsewhere_starts_without_a_code_and_the_lab_checks_in_without_one(api, cast, booked, clock, slot):
    clock.at = booked.starts_at
    Reservation.objects.filter(pk=booked.pk).update(service_mode="remote")
    assert api("lin").post(f"reservations/{booked.pk}/start/").json()["state"] == "in_use"
    Reservation.objects.filter(pk=booked.pk).update(service_mode="assisted", state="approved")
    UsageSession.objects.all().delete()
    assert api("wang").post(f"reservations/{booked.pk}/check-in/").json()["state"] == "in_use"


def test_a_session_from_the_start_to_the_agreed_use(api, cast, booked, clock):
    path = f"reservations/{booked.pk}/"
    assert api("lin").client.get(f"/api/v1/{path}usage/").status_code == 404
    clock.at = booked.starts_at
    assert api("lin").post(f"{path}start/", {"proof": read(cast, "lin")}).json()["state"] == "in_use"
    clock.at = booked.ends_at - 10 * MINUTE
    longer = {"ends_at": (booked.ends_at + 60 * MINUTE).isoformat()}
    assert api("lin").post(f"{path}extend/", longer).status_code == 200
    refused = api("lin").post(f"{path}extend/", longer)
    assert refused.status_code == 422 and refused.json()["code"] == "booking.extension_not_later"
    further = {"ends_at": (booked.ends_at + 120 * MINUTE).isoformat(), "reason": "Lin called"}
    assert api("lin").post(f"{path}extend-for-customer/", further).status_code == 403
    blank = api("wang").post(f"{path}extend-for-customer/", further | {"reason": " "})
    assert blank.status_code == 400 and "reason" in blank.content.decode()
    seen = further | {"expected": {"payable_now_fen": 1, "final_cost_fen": 1}}
    assert api("wang").post(f"{path}extend-for-customer/", seen).json()["code"] == "billing.figures_differ"
    clock.at = booked.ends_at + 60 * MINUTE
    assert api("lin").post(f"{path}end/", {"agrees": True}).json()["state"] == "completed"
    usage = api("lin").client.get(f"/api/v1/{path}usage/").json()
    assert (usage["outcome"], usage["billable_minutes"], usage["billable_rule"]) == ("normal", 180, "booked")
    assert (usage["started_by"], usage["lab_agreed_at"], usage["adjustment"]) == ("phone", None, None)
    assert api("wang").send("put", f"{path}close-out/", json.dumps({"retests": 1}).encode()).json()["retests"] == 1
    assert api("wang").post(f"{path}confirm-usage/").json()["state"] == "agreed"


def test_a_wish_is_refused_disputed_and_decided(api, cast, booked, clock):
    path = f"reservations/{booked.pk}/"
    transitions.check_in(cast.actor("wang"), booked.pk, booked.starts_at)
    transitions.check_out(cast.actor("wang"), booked.pk, booked.ends_at)
    half = {"starts_at": booked.starts_at.isoformat(), "reason": "because"}
    assert api("lin").post(f"{path}adjust/", half).json()["code"] == "booking.range_invalid"
    assert api("lin").post(f"{path}adjust/", {"reason": "It failed."}).json()["state"] == "adjusting"
    assert api("wang").post(f"{path}refuse-adjustment/", {"answer": "No."}).json()["state"] == "adjustment_refused"
    assert api("lin").post(f"{path}dispute/", {"reason": "Yes."}).json()["state"] == "disputed"
    own = api("wang").post(f"{path}decide/", {"decision": "nothing", "reason": "because"})
    assert own.status_code == 422 and own.json()["code"] == "usage.second_person"
    assert api("li").post(f"{path}decide/", {"decision": "nothing", "reason": "It was down."}).json()["state"] == "agreed"
    usage = api("lin").client.get(f"/api/v1/{path}usage/").json()
    assert (usage["billable"], usage["billable_minutes"], usage["agreed_how"]) == (None, 0, "decision")
    assert usage["dispute"]["decision_reason"] == "It was down."


def test_a_device_tells_with_its_key_alone_and_gets_each_events_fate(api, cast, booked, clock):
    made = api("wang").post("device-keys/", {"organisation": cast.lab.pk, "instrument": cast.xrd.pk, "name": "PC"})
    assert made.status_code == 201 and made.json()["key"].startswith("jishi_dev_")
    key = {"Authorization": f"Bearer {made.json()['key']}", "Accept-Language": "en"}
    clock.at = booked.ends_at
    events = [
        {"id": "1", "kind": "start", "at": booked.starts_at.isoformat()},
        {"id": "2", "kind": "counter", "at": booked.starts_at.isoformat(), "value": "12.5"},
        {"id": "3", "kind": "stop", "at": booked.ends_at.isoformat()},
        {"id": "4", "kind": "stop", "at": (booked.ends_at + timedelta(days=9)).isoformat()},
    ]
    body = json.dumps({"sent_at": clock.at.isoformat(), "events": events}).encode()
    answer = api().send("post", "device-events/", body, **key)
    assert [one["result"] for one in answer.json()["events"]] == ["stored", "stored", "stored", "refused"]
    assert answer.json()["events"][3]["detail"].startswith("The event lies in the future")
    assert [one["result"] for one in api().send("post", "device-events/", body, **key).json()["events"]][:3] == ["repeated"] * 3
    assert DeviceEvent.objects.count() == 3 and Reservation.objects.get().state == "completed"
    wrong = json.dumps({"sent_at": clock.at.isoformat(), "events": [], "surprise": 1}).encode()
    assert api().send("post", "device-events/", wrong, **key).status_code == 400
    assert api("wang").post(f"device-keys/{made.json()['id']}/revoke/").json()["revoked_at"]
    assert api().send("post", "device-events/", body, **key).status_code == 401
    assert api("wang").send("post", "device-events/", body).status_code == 401


def test_a_problem_is_written_down_over_the_api(api, cast, slot, clock):
    key = device_keys.issue(cast.actor("wang"), cast.lab.pk, None, "Campus", cast.now)[1]
    during = slot(13, 15)
    clock.at = during.ends_at + MINUTE
    told = [
        {"id": kind, "kind": kind, "at": at.isoformat(), "instrument": cast.xrd.pk}
        for kind, at in (("start", during.starts_at), ("stop", during.ends_at))
    ]
    body = json.dumps({"sent_at": clock.at.isoformat(), "events": told}).encode()
    assert api().send("post", "device-events/", body, Authorization=f"Bearer {key}").status_code == 200
    (problem,) = api("wang").client.get("/api/v1/usage-problems/").json()["results"]
    assert problem["problem"] == "no_reservation"
    assert api("lin").client.get("/api/v1/usage-problems/").json()["results"] == []
    entry = {
        "organisation": cast.firm.pk, "person": cast.users["lin"].pk, "starts_at": during.starts_at.isoformat(),
        "ends_at": during.ends_at.isoformat(), "service_mode": "assisted", "evidence": "log", "reason": "by phone",
    }  # fmt: skip
    done = api("wang").post(f"usage-problems/{problem['id']}/enter/", entry).json()
    assert (done["state"], DeviceRun.objects.get().reservation_id) == ("entered", done["reservation"])
    usage = api("lin").client.get(f"/api/v1/reservations/{done['reservation']}/usage/").json()
    assert (usage["late_entered"], usage["state"], usage["evidence"]) == (True, "completed", "log")


def test_a_licence_that_ended_on_the_way_is_refused_by_name_and_the_lab_goes_on_with_a_reason(api, cast, booked, clock, now):
    """It holds when the booking is made and at its start, and ends before the person comes."""
    Reservation.objects.filter(pk=booked.pk).update(service_mode="self_operated")
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"licence_needed": True}, now)
    Licence.objects.create(
        organisation=cast.lab, person=cast.users["lin"], level="self", origin="manual", granted_at=now, granted_by=cast.users["wang"],
        changed_at=now, valid_until=booked.starts_at + MINUTE,
    )  # fmt: skip
    clock.at = booked.starts_at + 2 * MINUTE
    path = f"reservations/{booked.pk}/"
    own = api("lin").post(f"{path}start/", {"proof": read(cast, "lin")})
    assert own.status_code == 422 and own.json()["code"] == "licence.needed_to_start"
    assert "renew the licence on the page of the instrument" in own.content.decode()
    for said in ({}, {"override_reason": " "}):
        refused = api("wang").post(f"{path}check-in/", said)
        assert refused.status_code == 422
        assert [(one["code"], one["field"]) for one in refused.json()["errors"]] == [
            ("licence.check_in_refused", "override_reason")
        ]
    assert Reservation.objects.get(pk=booked.pk).state == "approved"
    assert api("wang").post(f"{path}check-in/", {"override_reason": "x" * 501}).status_code in {400, 422}
    assert api("wang").post(f"{path}check-in/", {"override_reason": "I stand beside her"}).json()["state"] == "in_use"
    assert AuditEntry.objects.get(action="licence.override").reason == "I stand beside her"
