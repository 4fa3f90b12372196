"""Pages of a lab with one manager: who decides about what that manager asks for stands there before it is asked."""

from __future__ import annotations

import pytest
from django.urls import reverse

from booking.models import Reservation
from booking.services import reservations
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from instruments.models import Membership, User
from tests.frontend.acting import query_count, words


@pytest.fixture
def head(cast):
    cast.users["yu"] = User.objects.create(email="yu@example.org", full_name="Yu", password="!", language="en")
    Membership.objects.create(user=cast.users["yu"], organisation=cast.lab, role=Role.FIRM_ADMIN, created_at=cast.now)


def typed(cast):
    time = {"on": "2026-11-25", "from": "09:00", "to": "11:00"}
    return time | {"organisation": str(cast.lab.pk), "service_mode": "assisted"}


def own(cast, slot):
    request = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(9, 11), "assisted")
    return reservations.reserve(cast.actor("wang"), request, cast.now, idempotency_key="k").reservation_id


@pytest.mark.parametrize("with_head", [True, False])
def test_the_booking_form_and_the_rules_say_who_decides(as_, cast, with_head, request):
    said = "have somebody made a manager".casefold()
    if with_head:
        request.getfixturevalue("head")
        said = "the administrators of the institution decide: Yu.".casefold()
    panel = as_("wang").get(reverse("reservation_create", args=[cast.xrd.pk]), typed(cast))
    assert said in words(panel).casefold()
    rules = as_("wang").get(reverse("instrument_policy", args=[cast.xrd.pk]))
    assert said in words(rules).casefold()
    assert "decide: Yu" not in words(as_("lin").get(reverse("reservation_create", args=[cast.xrd.pk]), typed(cast)))


def test_the_administrator_decides_in_the_inbox_and_the_manager_reads_who_does(as_, cast, slot, head):
    pk = own(cast, slot)
    assert "the administrators of the institution decide: Yu." in words(as_("wang").get("/approvals/"))
    client = as_("yu")
    assert "Requests to decide" in words(client.get("/"))
    page = client.get("/approvals/")
    assert page.status_code == 200 and "Wang" in words(page)
    assert client.post(f"/bookings/{pk}/approve", {}).status_code == 302
    assert Reservation.objects.get().state == "approved"
    assert client.get("/approvals/").status_code == 200


@pytest.mark.parametrize("name", ["zhao", "lin", "li"])
def test_the_inbox_is_nobody_elses(as_, head, name):
    assert as_(name).get("/approvals/").status_code == 403


def bar(page) -> str:
    """The main navigation of the page, without the page itself."""
    return page.content.decode().partition("<main")[0]


def test_the_administrators_navigation_leads_to_the_inbox_while_something_waits(as_, cast, slot, ask, head):
    at = 'href="/approvals/"'
    client = as_("yu")
    ask(12, 13)
    before = query_count(client, "/programmes/")
    assert at not in bar(client.get("/bookings/")), "what others ask for is the manager's"
    pk = own(cast, slot)
    assert at in bar(client.get("/bookings/")) and "aria-current" in bar(client.get("/approvals/"))
    assert query_count(client, "/programmes/") == before
    for name in ("zhao", "lin", "li"):
        assert at not in bar(as_(name).get("/bookings/"))
    assert at in bar(as_("wang").get("/bookings/"))
    client.post(f"/bookings/{pk}/approve", {})
    assert at not in bar(client.get("/bookings/"))
