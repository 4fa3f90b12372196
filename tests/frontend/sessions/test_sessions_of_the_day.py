"""The lab's day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.settlement.models import Charge
from booking.models import Reservation, UsageSession
from booking.services import self_service, training, transitions, usage_review
from tests.frontend.acting import query_count, words

DAY = "/sessions/?date=2026-11-25"


@pytest.fixture
def at_start(clock, slot):
    clock.now = slot(9, 12).starts_at
    return clock


def test_a_day_without_sessions_says_so(as_):
    assert "No sessions on this day" in words(as_("wang").get("/sessions/"))


@pytest.mark.parametrize("name", ["lin", "li", "qian"])
def test_only_lab_managers_run_the_day(as_, name):
    assert as_(name).get("/sessions/").status_code == 403


def test_a_visitor_is_led_to_log_in(as_):
    assert as_().get("/sessions/").headers["Location"] == "/accounts/login/?next=/sessions/"


def test_a_day_may_be_named(as_, approved):
    approved(9, 12)
    assert "Gaoyuan Lithium" in words(as_("wang").get(DAY))
    assert "Gaoyuan Lithium" not in words(as_("wang").get("/sessions/"))


@pytest.mark.parametrize("date", ["x", "0000-00-00", "9999-12-31", "9" * 1000, "%00", "%F0%9F%94%AC"])
def test_a_day_that_cannot_be_read_is_today(as_, date):
    response = as_("wang").get(f"/sessions/?date={date}")
    assert response.status_code == 200 and "Today's sessions" in words(response)


def test_a_session_is_checked_in_and_out_and_its_charge_shown(as_, programmes, approved, at_start):
    pk = approved(9, 12, at=None)
    client = as_("wang")
    assert "Check in" in words(client.get("/sessions/"))
    response = client.post(f"/sessions/{pk}/check-in")
    assert response.status_code == 302 and response.headers["Location"] == f"/sessions/?done={pk}#session-{pk}"
    assert "3 h left" in words(client.get("/sessions/")) and Reservation.objects.get().state == "in_use"
    assert "data-focus" in client.get(response.headers["Location"]).content.decode()
    at_start.now += timedelta(hours=3)
    response = client.post(f"/sessions/{pk}/check-out", {"note": "lamp\x00 at 80 % " + "x" * 900, "date": "2026-11-25"})
    assert response.headers["Location"] == f"/sessions/?date=2026-11-25&done={pk}#session-{pk}"
    assert UsageSession.objects.get().note.startswith("lamp at 80 % x")
    text = words(client.get(response.headers["Location"]))
    assert "Checked out. The customer looks at the times now." in text and "To be agreed" in text
    assert not Charge.objects.exists()
    assert as_("lin").post(f"/bookings/{pk}/agree").status_code == 302
    text = words(client.get(response.headers["Location"]))
    assert "Charge ¥1,200.00" in text and "pay now ¥720.00" in text
    assert Charge.objects.count() == 1


def test_who_is_late_is_named_and_may_be_marked_as_not_used(as_, approved, at_start):
    pk = approved(9, 12)
    at_start.now += timedelta(minutes=10)
    text = words(as_("wang").get("/sessions/"))
    assert "10 min late" in text and "Nobody came" not in text
    early = as_("wang").post(f"/sessions/{pk}/not-used")
    assert early.status_code == 422 and "Wait until 30 minutes" in words(early)
    at_start.now += timedelta(minutes=20)
    assert "Nobody came" in words(as_("wang").get("/sessions/"))
    assert as_("wang").post(f"/sessions/{pk}/not-used").status_code == 302
    assert Reservation.objects.get().state == "no_show"


def test_an_overrun_is_named(as_, cast, approved, at_start):
    pk = approved(9, 12)
    transitions.check_in(cast.actor("wang"), pk, at_start.now)
    at_start.now += timedelta(hours=3, minutes=20)
    assert "20 min over the booked end" in words(as_("wang").get("/sessions/"))


def test_too_early_a_check_in_is_refused_at_the_session(as_, approved, at_start):
    pk = approved(9, 12)
    at_start.now -= timedelta(hours=2)
    assert "Check in" not in words(as_("wang").get("/sessions/"))
    response = as_("wang").post(f"/sessions/{pk}/check-in")
    assert response.status_code == 422 and "Too early: one may start 60 minutes before" in words(response)


def test_checking_in_twice_is_answered_and_counts_once(as_, approved, at_start):
    pk = approved(9, 12)
    as_("wang").post(f"/sessions/{pk}/check-in")
    response = as_("wang").post(f"/sessions/{pk}/check-in")
    assert response.status_code == 422 and UsageSession.objects.count() == 1


@pytest.mark.parametrize("action", ["check-in", "check-out", "not-used"])
def test_nobody_else_runs_a_session(as_, approved, at_start, action):
    pk = approved(9, 12)
    assert as_("he").post(f"/sessions/{pk}/{action}").status_code == 404
    assert as_("lin").post(f"/sessions/{pk}/{action}").status_code == 403
    assert as_("wang").post(f"/sessions/999999/{action}").status_code == 404
    assert as_("wang").get(f"/sessions/{pk}/{action}").status_code == 405
    assert as_("wang", enforce_csrf_checks=True).post(f"/sessions/{pk}/{action}").status_code == 403
    assert Reservation.objects.get().state == "approved"


def test_the_day_takes_as_many_queries_for_thirty_as_for_three(as_, cast, approved):
    for hour in (8, 9, 10):
        approved(hour, hour + 1)
    few = query_count(as_("wang"), DAY)
    from booking.models import InstrumentPolicy

    InstrumentPolicy.objects.create(instrument=cast.xrd, granularity_minutes=15, min_minutes=15)
    for quarter in range(27):
        approved(11 + quarter / 4, 11.25 + quarter / 4)
    assert Reservation.objects.count() == 30
    assert query_count(as_("wang"), DAY) == few <= 12


def test_the_lab_agrees_on_the_day_and_stays_there(as_, cast, approved, at_start):
    pk = approved(9, 12, at=None)
    transitions.check_in(cast.actor("wang"), pk, at_start.now)
    at_start.now += timedelta(hours=3)
    self_service.end(cast.actor("lin"), pk, agrees=True, now=at_start.now)
    client = as_("wang")
    assert 'name="from" value="today"' in client.get(DAY).content.decode()
    response = client.post(f"/bookings/{pk}/agree", {"from": "today", "date": "2026-11-25"})
    assert response.headers["Location"] == f"/sessions/?date=2026-11-25&done={pk}#session-{pk}"
    assert Reservation.objects.get().state == "agreed"


def test_who_was_missed_and_has_no_licence_is_asked_about_too(as_, cast, approved, at_start, now):
    approved(9, 12, at=None)
    training.require_licence(cast.actor("wang"), cast.xrd.pk, True, now)
    at_start.now += timedelta(minutes=40)
    transitions.mark_no_shows_due(at_start.now)
    assert "Why may they work without a licence?" in words(as_("wang").get(DAY))


def test_a_session_that_is_over_says_who_has_to_say_something_next(as_, cast, approved, at_start):
    pk = approved(9, 12, at=None)
    transitions.check_in(cast.actor("wang"), pk, at_start.now)
    at_start.now += timedelta(hours=3)
    transitions.check_out(cast.actor("wang"), pk, at_start.now)
    client, waits = as_("wang"), "waits for the customer"
    assert waits in words(client.get(DAY))
    UsageSession.objects.update(lab_agreed_at=at_start.now)
    listed = client.get("/sessions/to-agree/")
    assert waits in words(listed) and "<span>" in listed.content.decode().split('data-label="Used">')[1][:6]
    usage_review.dispute(cast.actor("lin"), pk, "The lamp failed", at_start.now)
    for page in (DAY, "/sessions/to-agree/"):
        assert waits not in words(client.get(page)).replace("the rest waits for the customer.", "")
    assert "waits for the lab" in words(client.get(DAY))
