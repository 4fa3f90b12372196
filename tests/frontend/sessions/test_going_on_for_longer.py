"""The lab lets a running session go on for the customer, from its list of the day."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from booking.models import Reservation
from tests.frontend.acting import words


@pytest.fixture
def running(as_, approved, clock, slot):
    pk = approved(9, 11)
    clock.now = slot(9, 11).starts_at
    as_("wang").post(f"/sessions/{pk}/check-in")
    return pk


def test_the_lab_sees_what_each_end_costs_and_lets_it_go_on(as_, running, clock):
    client = as_("wang")
    assert f"/sessions/{running}/longer/" in client.get("/sessions/").content.decode()
    page = client.get(f"/sessions/{running}/longer/")
    assert "until 12:00 +1 h" in words(page) and "+¥400.00 to pay" in words(page)
    (choice, *_others) = re.findall(r'name="choice" value="([^"]+)"', unescape(page.content.decode()))
    before = Reservation.objects.get().ends_at
    refused = client.post(f"/sessions/{running}/longer/", {"choice": choice, "reason": " "})
    assert refused.status_code == 422 and "Say who of the customer asked for more time" in words(refused)
    until, payable, final = choice.split("|")
    other = client.post(f"/sessions/{running}/longer/", {"choice": f"{until}|1|{final}", "reason": "Lin called"})
    assert other.status_code == 409 and 'value="Lin called"' in other.content.decode()
    assert Reservation.objects.get().ends_at == before
    done = client.post(f"/sessions/{running}/longer/", {"choice": choice, "reason": "Lin called"})
    assert done.status_code == 302 and done.headers["Location"] == f"/sessions/?done={running}#session-{running}"
    assert Reservation.objects.get().ends_at > before and int(payable) > 0
    detail = words(as_("lin").get(f"/bookings/{running}/"))
    assert "Lin called" in detail and "Wang" in detail


@pytest.mark.parametrize(
    "choice",
    [
        "",
        "x",
        "2026-13-01T00:00:00+08:00|1|1",
        "2026-11-25T12:00:00|1|1",
        "|||||",
        "\x00|1|1",
        "9999-12-31T23:59:59-12:00|1|1",
        "0001-01-01T00:00:00+12:00|1|1",
    ],
)
def test_a_choice_that_cannot_be_read_is_asked_again(as_, running, choice):
    response = as_("wang").post(f"/sessions/{running}/longer/", {"choice": choice, "reason": "Lin called"})
    assert response.status_code == 422 and 'value="Lin called"' in response.content.decode()


@pytest.mark.parametrize(("who", "status"), [("lin", 403), ("he", 404), ("wang", 200)])
def test_the_page_is_the_labs(as_, running, who, status):
    assert as_(who).get(f"/sessions/{running}/longer/").status_code == status


def test_a_session_that_does_not_run_cannot_go_on(as_, approved, clock):
    pk = approved(9, 11)
    clock.now += timedelta(minutes=1)
    page = as_("wang").get(f"/sessions/{pk}/longer/")
    assert page.status_code == 200 and "Only a session that runs can go on for longer." in words(page)


def test_a_fault_that_the_lab_writes_for_somebody_begins_with_whose_session_it_is(as_, running, cast):
    reference = Reservation.objects.get().reference
    path = f"/instruments/{cast.xrd.pk}/problem/?session="
    assert f"Session {reference}, Lin:" in words(as_("wang").get(f"{path}{running}"))
    assert reference not in words(as_("he").get(f"{path}{running}"))
    assert as_("wang").get(f"{path}x").status_code == 200
