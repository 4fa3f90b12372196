"""Suggesting other times, and taking one of them with one press."""

from __future__ import annotations

import re

from booking.models import Reservation, ReservationChange
from config.kernel.access import Role
from instruments.models import Membership
from tests.frontend.acting import words


def test_the_nearest_times_are_ticked_and_the_customer_takes_one_with_one_press(as_, ask, slot):
    pk = ask(9, 12)
    lab, customer = as_("wang"), as_("lin")
    page = lab.get(f"/bookings/{pk}/suggest").content.decode()
    values = re.findall(r'name="time" value="([^"]+)" checked', page)
    key = re.search(r'name="key" value="([^"]+)"', page).group(1)
    assert len(values) == 3
    sent = {"key": key, "time": values, "reason": "The operator is away."}
    assert lab.post(f"/bookings/{pk}/suggest", sent).headers["Location"] == "/approvals/"
    assert "Other times suggested" in words(lab.get("/approvals/"))
    shown = customer.get(f"/bookings/{pk}/")
    text, html = words(shown), shown.content.decode()
    assert text.count("Take this time") == 3 and "The operator is away." in text
    form = html[: html.index("Take this time")].rsplit("<form", 1)[1]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    fields.pop("csrfmiddlewaretoken")
    change = ReservationChange.objects.get()
    taken = customer.post(f"/bookings/{pk}/changes/{change.pk}/accept", fields)
    assert taken.status_code == 302
    assert Reservation.objects.get().state == "approved" and Reservation.objects.get().during != slot(9, 12)


def test_what_was_typed_stays_when_it_is_refused(as_, ask):
    pk = ask(9, 12)
    lab = as_("wang")
    for sent, code in (({"reason": "Why"}, "Choose at least one time"), ({"time": "soon", "reason": "Why"}, "Give the time"),
                       ({"time": "0001-01-01T00:00:00+08:00/2026-11-25T09:00:00Z", "reason": "Why"}, "Give the time"),
                       ({"on": "2026-11-25", "from": "13:00", "to": "16:00", "reason": " "}, "Give a reason")):  # fmt: skip
        response = lab.post(f"/bookings/{pk}/suggest", sent)
        assert response.status_code == 422 and code in words(response)
    assert 'value="13:00"' in response.content.decode()
    assert as_("lin").get(f"/bookings/{pk}/suggest").status_code == 403
    assert as_("he").get(f"/bookings/{pk}/suggest").status_code == 404


def test_who_also_administers_the_owner_asks_a_colleague_and_does_not_move_the_request(as_, cast, ask, slot):
    for name, role in (("wang", Role.FIRM_ADMIN), ("li", Role.RESEARCHER)):
        Membership.objects.create(user=cast.users[name], organisation=cast.lab, role=role, created_at=cast.now)
    pk = ask(9, 12, who="li", firm=cast.lab)
    lab = as_("wang")
    page = lab.get(f"/bookings/{pk}/suggest").content.decode()
    values = re.findall(r'name="time" value="([^"]+)" checked', page)
    key = re.search(r'name="key" value="([^"]+)"', page).group(1)
    sent = {"key": key, "time": values[:1], "reason": "The operator is away."}
    assert lab.post(f"/bookings/{pk}/suggest", sent).headers["Location"] == "/approvals/"
    change = ReservationChange.objects.get()
    assert (change.side, change.state, Reservation.objects.get().during) == ("lab", "open", slot(9, 12))
    assert "Take the proposal back" in words(lab.get(f"/bookings/{pk}/"))
    lab.post(f"/bookings/{pk}/changes/{change.pk}/withdraw")
    change.refresh_from_db()
    assert change.state == "withdrawn"
