"""The lab's inbox."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from psycopg.types.range import TimestamptzRange

from booking.models import InstrumentPolicy, Occupancy, Reservation, ReservationTransition
from booking.services import changes, transitions
from instruments.models import Membership
from tests.frontend.acting import query_count, words


def test_an_empty_inbox_is_done(as_):
    assert "All done" in words(as_("wang").get("/approvals/"))


@pytest.mark.parametrize("name", ["lin", "qian", "zhou"])
def test_only_lab_managers_have_an_inbox(as_, name):
    assert as_(name).get("/approvals/").status_code == 403


def test_a_visitor_is_led_to_log_in(as_):
    assert as_().get("/approvals/").headers["Location"] == "/accounts/login/?next=/approvals/"


def test_a_request_says_who_what_when_and_what_it_costs(as_, programmes, ask, clock):
    ask(9, 12, purpose="brine")
    clock.now += timedelta(hours=5)
    text = words(as_("wang").get("/approvals/"))
    for part in ("Gaoyuan Lithium", "X-ray diffractometer", "Wed 25 Nov 2026, 09:00–12:00", "waits 5 h", "First time here", "brine",
                 "lin@example.org", "Pay now ¥720.00", "The instrument's day", "this request"):  # fmt: skip
        assert part in text


def test_chips_warn_of_rivals_and_of_firms_that_are_not_verified(as_, cast, ask):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    ask(9, 12)
    client = as_("wang")
    text = words(client.get("/approvals/"))
    assert "Others want this time" not in text and "Not verified" not in text
    cast.other_firm.status = "claimed"
    cast.other_firm.save()
    other = ask(10, 12, who="he")
    text = words(client.get(f"/approvals/?selected={other}"))
    assert "Others want this time" in text and "Not verified" in text
    assert "09:00–12:00 Gaoyuan Lithium same time" in text


def test_a_known_customer_is_not_called_new(as_, charged, ask):
    charged(8, 9)
    ask(9, 12)
    assert "First time here" not in words(as_("wang").get("/approvals/"))


@pytest.mark.parametrize(("source", "name"), [("maintenance", "Maintenance"), ("subscribed", "Another calendar")])
def test_what_the_lab_takes_itself_stands_in_the_day(as_, cast, ask, slot, source, name):
    ask(9, 12)
    blocked = slot(14, 16)
    during = TimestamptzRange(blocked.starts_at, blocked.ends_at)
    Occupancy.objects.create(calendar_id=cast.xrd.calendar_id, during=during, source=source, blocking=True)
    assert f"14:00–16:00 the lab {name}" in words(as_("wang").get("/approvals/"))


def test_approving_goes_on_to_the_next_request(as_, ask):
    first, second = ask(9, 10), ask(11, 12)
    client = as_("wang")
    html = client.get("/approvals/").content.decode()
    assert 'data-key="a"' in html and f'data-step="{second}" data-key="j"' in html
    response = client.post(f"/bookings/{first}/approve", {"next_id": second})
    assert (response.status_code, response.headers["Location"]) == (302, f"/approvals/?selected={second}")
    assert Reservation.objects.get(pk=first).state == "approved"
    assert "1 request approved. It is told in 10 seconds." in words(client.get(response.headers["Location"]))


def test_rejecting_takes_a_ready_sentence_and_own_words(as_, ask):
    pk = ask(9, 10)
    as_("wang").post(f"/bookings/{pk}/reject", {"template": "operator", "reason": "Try Friday.\x00"})
    reason = ReservationTransition.objects.get(action="reject").reason
    assert reason == "The operator is not available then; please choose another time. Try Friday."


def test_rejecting_without_a_reason_is_refused_beside_the_request(as_, ask):
    pk = ask(9, 10)
    response = as_("wang").post(f"/bookings/{pk}/reject", {"template": "", "reason": " "})
    assert response.status_code == 422 and "Give a reason" in words(response) and "X-ray diffractometer" in words(response)
    assert Reservation.objects.get().state == "requested"


def test_from_its_own_page_a_request_is_decided_there(as_, ask):
    pk = ask(9, 10)
    response = as_("wang").post(f"/bookings/{pk}/reject", {"from": "detail"})
    assert response.status_code == 422 and "What happened and what comes next" in words(response)
    assert as_("wang").post(f"/bookings/{pk}/approve", {"from": "detail"}).headers["Location"] == f"/bookings/{pk}/"


def test_a_time_that_somebody_else_got_is_a_conflict_shown_in_the_inbox(as_, cast, ask):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    first, second = ask(9, 12), ask(10, 12, who="he")
    transitions.approve(cast.actor("wang"), first, cast.now)
    response = as_("wang").post(f"/bookings/{second}/approve")
    assert response.status_code == 409 and "was just taken" in words(response)
    assert Reservation.objects.get(pk=second).state == "requested"


def test_approving_twice_is_answered_and_changes_nothing(as_, approved):
    response = as_("wang").post(f"/bookings/{approved(9, 12)}/approve")
    assert response.status_code == 422 and "cannot be done any more" in words(response)
    assert ReservationTransition.objects.filter(action="approve").count() == 1


def test_nobody_approves_the_own_request(as_, cast, ask, now):
    Membership.objects.create(user=cast.users["wang"], organisation=cast.firm, role="researcher", created_at=now)
    pk = ask(9, 12, who="wang")
    client = as_("wang")
    page = client.get("/approvals/")
    assert "a colleague has to decide" in words(page) and 'data-key="a"' not in page.content.decode()
    response = client.post(f"/bookings/{pk}/approve")
    assert response.status_code == 422 and "You cannot approve your own request" in words(response)


def test_a_customer_cannot_approve(as_, ask):
    pk = ask(9, 12)
    assert as_("lin").post(f"/bookings/{pk}/approve").status_code == 403
    assert Reservation.objects.get().state == "requested"


@pytest.mark.parametrize("selected", ["x", "0", "999999", "9" * 50, "%00", "%F0%9F%94%AC"])
def test_an_unknown_selection_opens_the_first(as_, ask, selected):
    ask(9, 12)
    response = as_("wang").get(f"/approvals/?selected={selected}")
    assert response.status_code == 200 and "Approve and tell the customer" in words(response)


def test_a_bad_next_request_leads_to_the_inbox(as_, ask):
    response = as_("wang").post(f"/bookings/{ask(9, 12)}/approve", {"next_id": "https://elsewhere.example"})
    assert response.headers["Location"] == "/approvals/"


def test_the_inbox_takes_as_many_queries_for_thirty_as_for_three(as_, ask):
    for hour in (8, 9, 10):
        ask(hour, hour + 1)
    few = query_count(as_("wang"), "/approvals/")
    for day in range(1, 4):
        for hour in range(8, 17):
            ask(hour, hour + 1, day=day)
    assert query_count(as_("wang"), "/approvals/") == few <= 16


@pytest.mark.parametrize("path", ["/approvals/", "/bookings/{pk}"])
def test_a_time_that_was_moved_since_the_page_was_shown_is_not_approved(as_, cast, ask, slot, path):
    pk, client = ask(9, 12), as_("wang")
    page = client.get(path.format(pk=pk), follow=True).content.decode()
    seen = dict(re.findall(r'name="(seen_(?:starts|ends)_at)" value="([^"]+)"', page))
    wish = changes.ChangeRequest(pk, slot(14, 17))
    changes.change(cast.actor("lin"), wish, cast.now, idempotency_key="moved")
    response = client.post(f"/bookings/{pk}/approve", seen)
    assert response.status_code == 409 and "changed this reservation just now" in words(response)
    assert Reservation.objects.get(pk=pk).state == "requested"
