"""What a lab's rules would say to somebody, asked over the API."""

from __future__ import annotations

import pytest

from booking.models import Occupancy, Reservation
from booking.services import policies
from booking.services.policies import Scope
from tests.booking.services.test_reservation_flow import ask

TIME = {"starts_at": "2026-11-26T09:00:00+08:00", "ends_at": "2026-11-26T12:00:00+08:00"}
ONCE_A_WEEK = {"subject": "person", "measure": "count", "period": "week", "most": 1, "peak_only": False}


@pytest.fixture
def place(cast):
    return f"instruments/{cast.xrd.pk}/booking-rules/trial/"


@pytest.fixture
def lin(cast):
    return {"person": cast.users["lin"].pk, "organisation": cast.firm.pk}


def codes(answer, name="against") -> list[str]:
    return [one["code"] for one in answer.json()[name]]


def test_a_manager_tries_the_rules_as_a_person_and_as_a_stranger(api, cast, place, lin, slot):
    ask(cast, slot(9, 10))
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 120, "quotas": [ONCE_A_WEEK]}, cast.now)
    wang, written = api("wang"), Reservation.objects.count()
    as_lin = wang.get(place, **TIME, **lin)
    assert codes(as_lin) == ["booking.too_long", "quota.person_count"] and as_lin.json()["allowed"] is False
    assert not as_lin.json()["at_once"] and "1" in as_lin.json()["against"][1]["detail"]
    assert codes(wang.get(place, **TIME)) == ["booking.too_long"], "who has booked nothing has used up no quota"
    short = wang.get(place, **(TIME | {"ends_at": "2026-11-26T11:00:00+08:00"})).json()
    assert short["allowed"] and short["approval_required"] and not short["at_once"]
    assert [one["code"] for one in short["looks_for"]] == ["at_once.nobody"]
    taken = wang.get(place, starts_at="2026-11-25T09:00:00+08:00", ends_at="2026-11-25T10:00:00+08:00")
    assert codes(taken) == ["booking.taken"]
    assert (Reservation.objects.count(), Occupancy.objects.filter(source="hold").count()) == (written, 0)


def test_what_would_count_at_once_is_said(api, cast, place):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": False}, cast.now)
    found = api("wang").get(place, **TIME, kind="owner").json()
    assert found["allowed"] and found["at_once"] and not found["approval_required"]


def test_who_is_named_by_half_or_never_booked_here_is_refused(api, cast, place, lin, slot):
    wang = api("wang")
    assert wang.get(place, **TIME, **lin).status_code == 404
    ask(cast, slot(9, 10))
    assert wang.get(place, **TIME, **lin).status_code == 200
    assert wang.get(place, **TIME, **(lin | {"organisation": cast.other_firm.pk})).status_code == 404
    for name, value in lin.items():
        half = wang.get(place, **TIME, **{name: value})
        assert half.status_code == 422 and half.json()["code"] == "policy.who_incomplete"
    assert wang.get(place, starts_at=TIME["ends_at"], ends_at=TIME["starts_at"]).status_code == 422
    assert wang.get(place).status_code in (400, 422)


def test_others_do_not_try_a_labs_rules(api, place):
    assert [api(name).get(place, **TIME).status_code for name in ("lin", "li", "zhou")] == [403, 403, 403]


def test_anybody_is_tried_by_their_exact_address_for_one_of_their_organisations(api, cast, place, slot):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": [ONCE_A_WEEK]}, cast.now)
    ask(cast, slot(9, 10))
    wang = api("wang", "read")
    found = wang.post(f"{place}by-email/", {**TIME, "email": cast.users["lin"].email}, key=None)
    assert codes(found) == ["quota.person_count"]
    assert found.json()["organisation"] == {"id": cast.firm.pk, "name": cast.firm.name}
    assert [one["id"] for one in found.json()["organisations"]] == [cast.firm.pk]
    he = wang.post(f"{place}by-email/", {**TIME, "email": cast.users["he"].email, "organisation": cast.other_firm.pk}, key=None)
    assert he.json()["allowed"] and "name" not in he.json()
    for body, code in (
        ({"email": "nobody@x.example"}, "policy.email_unknown"),
        ({"email": cast.users["he"].email, "organisation": cast.firm.pk}, "policy.organisation_not_theirs"),
    ):
        refused = wang.post(f"{place}by-email/", {**TIME, **body}, key=None)
        assert refused.status_code == 422 and refused.json()["errors"][0]["code"] == code
    assert [
        api(name).post(f"{place}by-email/", {**TIME, "email": "x"}, key=None).status_code for name in ("lin", "li", "zhou")
    ] == [403] * 3
