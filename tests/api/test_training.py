"""Courses, licences and credit over the API: from enrolling to a licence, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.models import CourseSession, Licence

pytestmark = pytest.mark.django_db


def course_of(api, cast):
    body = {"organisation": cast.lab.pk, "title": "Alone", "level": "self", "instruments": [cast.xrd.pk], "require": True}
    made = api("wang").post("courses/", body)
    assert made.status_code == 201, made.data
    return made.data["id"]


def test_from_a_course_to_a_licence(cast, api):
    course = course_of(api, cast)
    times = {"starts_at": "2099-12-01T14:00:00+08:00", "ends_at": "2099-12-01T16:00:00+08:00", "place": "Room 1", "places": 1}
    session = api("wang").post(f"courses/{course}/sessions/", times).data["id"]
    way = api("lin").get(f"instruments/{cast.xrd.pk}/licence/").data
    assert (way["needed"], way["levels"], way["courses"][0]["sessions"][0]["places"]) == (True, [], 1)
    mine = api("lin").post(f"course-sessions/{session}/enrol/").data
    assert mine["state"] == "enrolled"
    assert api("he").post(f"course-sessions/{session}/enrol/").data["state"] == "waiting"
    CourseSession.objects.filter(pk=session).update(starts_at=cast.now - timedelta(days=2))
    assert api("wang", "book").post(f"enrolments/{mine['id']}/attendance/", {"was_there": True}).status_code == 403
    assert api("wang").post(f"enrolments/{mine['id']}/attendance/", {"was_there": True}).data["state"] == "attended"
    done = api("wang").post(f"enrolments/{mine['id']}/result/", {"score": 90})
    assert (done.data["state"], done.data["score"]) == ("passed", 90)
    assert api("lin").get(f"instruments/{cast.xrd.pk}/licence/").data["levels"] == ["assisted", "self"]
    (licence,) = api("lin").get("licences/").data["results"]
    assert (licence["state"], licence["level"], licence["origin"]) == ("valid", "self", "course")
    assert api("he").get("licences/").data["results"] == []


def test_unknown_fields_and_foreign_things_are_refused(cast, api):
    course = course_of(api, cast)
    assert api("wang").post(f"courses/{course}/sessions/", {"where": "x"}).status_code == 400
    assert api("lin").post("courses/", {"organisation": cast.lab.pk, "title": "A", "level": "self"}).status_code == 403
    backwards = {"starts_at": "2099-12-01T14:00:00+08:00", "ends_at": "2099-12-01T13:00:00+08:00", "place": "x", "places": 1}
    assert api("wang").post(f"courses/{course}/sessions/", backwards).status_code == 422


def test_the_labs_word_and_its_rules(cast, api):
    grant = {"instrument": cast.xrd.pk, "email": "lin@example.org", "level": "self", "reference": "Seen"}
    licence = api("wang").post("licences/", grant).data["id"]
    assert api("wang").post(f"licences/{licence}/suspend/", {}).status_code == 422
    assert api("wang").post(f"licences/{licence}/suspend/", {"reason": "Leak"}).data["state"] == "suspended"
    assert Licence.objects.get().reason == "Leak"
    bad = api("wang").client.put(f"/api/v1/credit-rules/{cast.lab.pk}/", {"document": {"start_points": 0}}, format="json")
    assert bad.status_code == 422
    note = {"organisation": cast.lab.pk, "email": "lin@example.org", "points": -3, "note": "Spill"}
    event = api("wang").post("credit-events/", note).data["id"]
    assert api("lin").post(f"credit-events/{event}/appeal/", {"text": "No"}).status_code == 201
    assert api("lin").post(f"credit-events/{event}/appeal/", {"text": "No"}).status_code == 409
    entry = {"organisation": cast.lab.pk, "verdict": "deny", "reason": "Bill", "email": "lin@example.org"}
    assert api("wang").post("access-list/", entry).status_code == 201
    assert [one["reason"] for one in api("lin").get("access-list/").data["results"]] == ["Bill"]
