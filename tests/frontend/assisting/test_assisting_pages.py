"""Who assists, by page and by API: named, given hours and absences, shown where the lab looks, changed, and seen by the person."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from booking.models import Assistant, Occupancy, Reservation
from booking.services import assistants, reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.services import tokens
from instruments.models import Membership, User
from tests.frontend.acting import query_count

FAR = 7  # Wednesday 2 December


@pytest.fixture
def people(cast, programmes):
    for name in ("hu", "ma"):
        cast.users[name] = User.objects.create(email=f"{name}@example.org", full_name=name.title(), password="!", language="en")
        Membership.objects.create(user=cast.users[name], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    return cast.users


def booked(cast, slot, first, last, mode="assisted"):
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(first, last, FAR), mode, "lithium salts")
    return reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=str(uuid4())).reservation_id


def test_a_manager_names_people_by_page_and_the_lab_sees_and_changes_who_assists(cast, people, slot, as_):
    wang, hu, lin = as_("wang"), as_("hu"), as_("lin")
    page = reverse("instrument_assistants", args=[cast.xrd.pk])
    assert page in wang.get(reverse("instrument_hours", args=[cast.xrd.pk])).content.decode()
    assert "Nobody is named" in wang.get(page).content.decode()
    assert "You are not named" in hu.get(reverse("assisting")).content.decode()
    for typed, status in (({"person": people["lin"].pk}, 422), ({"person": "x"}, 422), ({}, 422)):
        assert wang.post(page, typed).status_code == status
    for name in ("hu", "ma"):
        assert wang.post(page, {"person": people[name].pk}).status_code == 302
    one, other = (Assistant.objects.get(person=people[name]) for name in ("hu", "ma"))
    detail = reverse("assistant_detail", args=[one.pk])
    assert lin.get(page).status_code == 403 and lin.get(detail).status_code == 404
    # The person keeps their own week; what cannot be is said at the form, with what was typed.
    week = {"action": "hours", "day_2_0_opens": "08:00"}
    names = [field.html_name for _day, pairs in hu.get(detail).context["week_form"].days() for pair in pairs for field in pair]
    opens, closes = names[8], names[9]  # Wednesday's first window
    answer = hu.post(detail, {"action": "hours", opens: "08:00"})
    assert answer.status_code == 422 and 'value="08:00"' in answer.content.decode()
    assert hu.post(detail, week | {opens: "08:00", closes: "18:00"}).status_code == 302
    assert "Wed 08:00–18:00" in wang.get(page).content.decode()

    pk = booked(cast, slot, 9, 11)
    transitions.approve(cast.actor("wang"), pk, cast.now)
    shown = reverse("reservation_detail", args=[pk])
    assert "Hu assists" in lin.get(shown).content.decode() and "assist-title" not in lin.get(shown).content.decode()
    assert "assist-title" in wang.get(shown).content.decode()
    mine = hu.get(reverse("assisting")).content.decode()
    assert Reservation.objects.get(pk=pk).reference in mine and "lithium salts" in mine and shown not in mine
    assert shown in wang.get(detail).content.decode()  # who manages may open it
    # Away over a session: refused, with its number; beside it kept, and taken back.
    local = {"action": "absence", "starts_local": "2026-12-02T10:00", "ends_local": "2026-12-02T12:00", "note": "dentist"}
    answer = hu.post(detail, local)
    assert answer.status_code == 409 and Reservation.objects.get(pk=pk).reference in answer.content.decode()
    assert 'value="dentist"' in answer.content.decode()
    assert hu.post(detail, local | {"ends_local": "2026-12-02T10:00"}).status_code == 422
    assert hu.post(detail, local | {"starts_local": "2026-12-02T11:00"}).status_code == 302
    away = Occupancy.objects.get(source="absence")
    assert "dentist" in wang.get(detail).content.decode()
    # The request that the lab looks at, the day, and giving it to somebody else.
    waiting = booked(cast, slot, 11, 12)
    inbox = wang.get(reverse("approval_inbox")).content.decode()
    assert "Ma assists" in inbox
    assert wang.post(reverse("reservation_approve", args=[waiting]), {"assistant": one.pk}).status_code == 409  # away
    assert hu.post(reverse("assistant_absence_remove", args=[one.pk, away.pk])).status_code == 302
    wang.post(reverse("reservation_approve", args=[waiting]), {"assistant": one.pk})
    assert Reservation.objects.get(pk=waiting).state == "approved"
    give = reverse("reservation_assistant", args=[pk])
    refused = wang.post(give, {"assistant": ""})
    assert refused.status_code == 422 and "Choose somebody who may assist" in refused.content.decode()
    assert wang.post(give, {"assistant": other.pk}).status_code == 302
    day = wang.get(reverse("sessions_today"), {"date": "2026-12-02"}).content.decode()
    assert "Ma assists" in day and "Hu assists" in day
    assert "Ma assists" in wang.get(reverse("lab_timeline"), {"date": "2026-12-02"}).content.decode()
    remove = reverse("instrument_assistant_remove", args=[cast.xrd.pk, other.pk])
    refused = wang.post(remove)
    assert refused.status_code == 409 and Reservation.objects.get(pk=pk).reference in refused.content.decode()
    wang.post(give, {"assistant": one.pk})
    assert wang.post(remove).status_code == 302
    # Pages cost the same however many sessions there are.
    before = query_count(wang, detail), query_count(wang, page), query_count(wang, reverse("sessions_today") + "?date=2026-12-02")
    for first in (13, 14, 15):
        transitions.approve(cast.actor("wang"), booked(cast, slot, first, first + 1), cast.now)
    assert (
        query_count(wang, detail),
        query_count(wang, page),
        query_count(wang, reverse("sessions_today") + "?date=2026-12-02"),
    ) == before


def test_the_booking_form_says_that_nobody_can_assist_with_times_at_which_somebody_can(cast, people, slot, as_):
    hu = assistants.name(cast.actor("wang"), cast.xrd.pk, people["hu"].pk, cast.now).assistant
    assistants.add_absence(cast.actor("wang"), hu.pk, slot(9, 12, FAR), "fair", cast.now)
    form = {
        "organisation": cast.firm.pk, "on": "2026-12-02", "from": "09:00", "to": "11:00", "to_on": "", "service_mode": "assisted",
        "purpose": "", "instrument": cast.xrd.pk,
    }  # fmt: skip
    lin = as_("lin")
    quote = lin.get(reverse("quote_preview"), form, headers={"HX-Request": "true"}).content.decode()
    assert "Nobody of the lab can assist" in quote and "quote-other-1" in quote
    alone = lin.get(reverse("quote_preview"), form | {"service_mode": "self_operated"}, headers={"HX-Request": "true"})
    assert "Nobody of the lab can assist" not in alone.content.decode()


def test_the_api_keeps_who_assists_and_gives_sessions(cast, people, slot, client, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: cast.now)
    keys = {name: tokens.issue(cast.actor(name), "t", ["read", "manage"], cast.now) for name in ("wang", "hu", "he")}

    def call(method, path, body=None, who="wang", status=200):
        headers = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": str(uuid4())}
        extra = {"data": body, "content_type": "application/json"} if body is not None else {}
        answer = getattr(client, method)(f"/api/v1/{path}", headers=headers, **extra)
        assert answer.status_code == status, answer.content
        return answer.json()

    pk = cast.xrd.pk
    assert call("get", f"instruments/{pk}/assistants/")["assistants"] == []
    named = call("post", f"instruments/{pk}/assistants/", {"person": people["hu"].pk})
    (hu,) = [one["assistant"] for one in named["assistants"]]
    assert people["ma"].pk in [one["person"] for one in named["candidates"]]
    assert (
        call("post", f"instruments/{pk}/assistants/", {"person": people["lin"].pk}, status=422)["errors"][0]["field"] == "person"
    )
    week = [{"weekday": 2, "opens": "08:00", "closes": "18:00"}]
    assert call("put", f"assistants/{hu}/hours/", {"windows": week})["windows"] == week
    call("put", f"assistants/{hu}/hours/", {"windows": [{"weekday": 7, "opens": "08:00", "closes": "18:00"}]}, status=400)
    call("get", f"assistants/{hu}/", who="he", status=404)
    session = booked(cast, slot, 9, 11)
    far = datetime(2026, 12, 2, 2, tzinfo=UTC).isoformat()
    clash = {"starts_at": far, "ends_at": datetime(2026, 12, 2, 4, tzinfo=UTC).isoformat()}
    call("post", f"assistants/{hu}/absences/", clash, status=409)
    call("post", f"assistants/{hu}/absences/", clash | {"ends_at": far}, status=422)
    away = call("post", f"assistants/{hu}/absences/", clash | {"starts_at": "2026-12-02T11:00:00+08:00"})["absences"]
    slots = call("get", f"instruments/{pk}/slots/?from=2026-12-02&days=1&service_mode=assisted")
    assert [one["starts_at"][11:16] for one in slots["days"][0]["slots"] if one["free"]][:3] == ["08:00", "08:30", "12:00"]
    call("post", f"assistants/{hu}/absences/remove/", {"absence": away[0]["id"]})
    call("post", f"assistants/{hu}/absences/remove/", {"absence": away[0]["id"]}, status=404)
    assert call("get", "assisting/", who="hu")["sessions"][0]["reservation"] == session
    call("get", "assisting/", status=404)
    Occupancy.objects.filter(source="assistance").delete()
    (alone,) = call("get", "assisting/nobody/")["results"]
    assert (alone["reservation"], alone["assistant"], alone["name"]) == (session, hu, "Hu")
    pair = {"reservation": session, "assistant": hu}
    call("post", "assisting/nobody/", {"give": [pair | {"reservation": 999999}]}, status=404)
    call("post", "assisting/nobody/", {"give": []}, status=422)
    call("post", "assisting/nobody/", {"give": [pair]}, who="hu", status=403)
    assert call("post", "assisting/nobody/", {"give": [pair]}) == {"given": 1}
    assert call("get", "assisting/nobody/")["results"] == []
    (ma,) = [
        one["assistant"]
        for one in call("post", f"instruments/{pk}/assistants/", {"person": people["ma"].pk})["assistants"]
        if one["name"] == "Ma"
    ]
    assert call("post", f"reservations/{session}/assistant/", {"assistant": ma})["name"] == "Ma"
    call("post", f"reservations/{session}/approve/", {"assistant": hu})
    assert Occupancy.objects.get(source="assistance").calendar.assistant.pk == hu
    call("post", f"instruments/{pk}/assistants/remove/", {"assistant": hu}, status=409)
    call("post", f"instruments/{pk}/assistants/remove/", {"assistant": ma})
