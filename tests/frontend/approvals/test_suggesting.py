"""Suggesting other times, and taking one of them with one press."""

from __future__ import annotations

import re

from django.utils import timezone

from booking.models import Enquiry, Reservation, ReservationChange
from booking.services import enquiries
from config.kernel.access import Role
from instruments.models import Membership, User
from instruments.queries import actor_for
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


def test_a_night_over_midnight_is_suggested_with_its_last_day(as_, cast, ask):
    pk, lab = ask(9, 12), as_("wang")
    night = {"on": "2026-11-26", "from": "22:00", "to": "02:00", "reason": "Free then"}
    assert "after the start" in words(lab.post(f"/bookings/{pk}/suggest", night))
    closed = lab.post(f"/bookings/{pk}/suggest", night | {"to_on": "2026-11-27"})
    assert closed.status_code == 422 and "after the start" not in words(closed)
    assert 'name="to_on" type="date" value="2026-11-27"' in closed.content.decode()


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


def test_from_the_inbox_it_goes_on_with_the_next_request_and_this_one_stays_in_the_list(as_, ask):
    first, second = ask(9, 10), ask(11, 12)
    lab = as_("wang")
    opened = lab.get(f"/approvals/?selected={first}").content.decode()
    place = re.search(rf'href="(/bookings/{first}/suggest\?[^"]+)"', opened).group(1).replace("&amp;", "&")
    page = lab.get(place).content.decode()
    values = re.findall(r'name="time" value="([^"]+)" checked', page)
    key = re.search(r'name="key" value="([^"]+)"', page).group(1)
    sent = {"key": key, "time": values, "reason": "The operator is away."}
    onwards = lab.post(place, sent).headers["Location"]
    assert onwards == f"/approvals/?selected={second}"
    shown = lab.get(onwards)
    assert shown.context["reservation"].pk == second
    chips = {row.reservation.pk: [chip.words for chip in row.chips] for row in shown.context["rows"]}
    assert "Other times suggested" in chips[first] and "Other times suggested" not in chips[second]


def test_a_question_to_the_customer_goes_on_too_and_the_request_says_that_its_answer_is_awaited(as_, ask):
    first, second = ask(9, 10), ask(11, 12)
    lab = as_("wang")
    opened = lab.get(f"/approvals/?selected={first}").content.decode()
    place = re.search(r'href="(/enquiries/new/\?[^"]+)"', opened).group(1).replace("&amp;", "&")
    form = lab.get(place).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(key|organisation)" value="([^"]+)"', form))
    sent = {**hidden, "subject": "Your samples", "text": "Are they dry?"}
    assert lab.post(place, {**sent, "text": ""}).status_code == 422
    onwards = lab.post(place, sent).headers["Location"]
    assert onwards == f"/approvals/?selected={second}"

    def awaited():
        rows = lab.get(onwards).context["rows"]
        return {row.reservation.pk for row in rows for chip in row.chips if chip.words == "Customer's answer awaited"}

    assert awaited() == {first}
    found = lab.get("/api/v1/inbox/").json()["results"]
    assert {each["id"]: each["question_asked"] for each in found} == {first: True, second: False}
    lin, thread = actor_for(User.objects.get(email="lin@example.org")), Enquiry.objects.get().pk
    enquiries.write(lin, thread, "Yes.", (), timezone.now(), idempotency_key="yes")
    assert awaited() == set()


def test_the_last_of_a_page_leads_back_to_the_first_and_a_question_from_elsewhere_to_its_thread(as_, ask):
    ask(9, 10)
    last = ask(11, 12)
    lab = as_("wang")
    opened = lab.get(f"/approvals/?selected={last}").content.decode()
    place = re.search(r'href="(/enquiries/new/\?[^"]+)"', opened).group(1).replace("&amp;", "&")
    form = lab.get(place).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(key|organisation)" value="([^"]+)"', form))
    sent = {**hidden, "subject": "Your samples", "text": "Are they dry?"}
    assert lab.post(place, sent).headers["Location"] == "/approvals/"
    form = lab.get(f"/enquiries/new/?reservation={last}").content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(key|organisation)" value="([^"]+)"', form))
    answer = lab.post(f"/enquiries/new/?reservation={last}", {**hidden, "subject": "Your samples", "text": "And cold?"})
    assert re.fullmatch(r"/enquiries/\d+/", answer.headers["Location"])
