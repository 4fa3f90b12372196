"""A licence that is valid when somebody books and has ended when they come: who is told before, and what each page says to do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from booking.models import Licence, LicenceGap, Reservation
from booking.services import changes, check_in_points, licences, policies
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from config.kernel.models import AuditEntry
from instruments.models import Notice
from tests.frontend.acting import words

MINUTE = timedelta(minutes=1)


@pytest.fixture
def licence(cast, now):
    """Lin's for the lab's instruments, all of which ask for one."""
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"licence_needed": True}, now)
    return Licence.objects.create(
        organisation=cast.lab, person=cast.users["lin"], level="self", origin="manual", granted_at=now, granted_by=cast.users["wang"],
        changed_at=now,
    )  # fmt: skip


@pytest.fixture
def booked(licence, approved):
    """Wednesday from nine to eleven."""
    return Reservation.objects.get(pk=approved(9, 11))


def ends(licence, at):
    """The lab's list says another day than the one that held when the booking was made."""
    Licence.objects.filter(pk=licence.pk).update(valid_until=at)


def told(event):
    return Notice.objects.filter(event=event)


def test_both_are_told_ahead_and_their_pages_say_what_to_do(cast, as_, licence, booked, clock):
    assert "No licence at that time" not in words(as_("lin").get(f"/bookings/{booked.pk}/"))
    ends(licence, booked.starts_at - MINUTE)
    assert licences.tell_gaps_due(clock.now) == 1
    assert [notice.user.email for notice in told("licence.gap")] == ["lin@example.org"]
    assert [notice.user.email for notice in told("lab.licence_gap")] == ["wang@example.org"]
    said = words(as_("lin").get("/notices/"))
    assert "you will hold no licence. Renew it before, book it assisted, or cancel: check-in is refused." in said
    own = as_("lin").get(f"/bookings/{booked.pk}/")
    assert "Renew it before, or book another way of service." in words(own)
    assert f"/instruments/{cast.xrd.pk}/licence/" in own.content.decode()
    assert "Check-in needs a reason from you." in words(as_("wang").get(f"/bookings/{booked.pk}/"))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            "This person holds no licence for the instrument now. Assist them, or give a reason to let them work all the same",
        ),
        ("zh-hans", "该用户目前没有这台仪器的上机资格。请协助其使用；如仍需放行，请填写原因"),
    ],
)
def test_at_the_desk_the_refusal_says_what_to_do_and_a_reason_goes_on(cast, as_, licence, booked, clock, language, sentence):
    """It ends after the booked start and before the person comes."""
    ends(licence, booked.starts_at + 5 * MINUTE)
    clock.now = booked.starts_at + 10 * MINUTE
    desk = as_("wang")
    desk.cookies["django_language"] = language
    assert f'id="override-{booked.pk}"' in desk.get("/sessions/").content.decode()
    refused = desk.post(f"/sessions/{booked.pk}/check-in", {"override_reason": " "})
    assert refused.status_code == 422 and sentence in words(refused)
    assert f'id="override-{booked.pk}"' in refused.content.decode()
    assert Reservation.objects.get().state == "approved"
    assert desk.post(f"/sessions/{booked.pk}/check-in", {"override_reason": "I stand beside her"}).status_code == 302
    assert Reservation.objects.get().state == "in_use"
    assert AuditEntry.objects.get(action="licence.override").reason == "I stand beside her"


def test_in_time_nobody_is_asked_for_a_reason(as_, licence, booked, clock):
    ends(licence, booked.starts_at + 5 * MINUTE)
    clock.now = booked.starts_at
    desk = as_("wang")
    assert "override_reason" not in desk.get("/sessions/").content.decode()
    assert desk.post(f"/sessions/{booked.pk}/check-in").status_code == 302
    assert Reservation.objects.get().state == "in_use"


def test_the_phone_says_so_before_one_starts_and_the_page_that_was_open_is_refused(cast, as_, licence, booked, clock):
    clock.now = booked.starts_at
    point = check_in_points.ensure(cast.actor("wang"), cast.xrd.pk, clock.now)
    phone = as_("lin")
    address = phone.get(f"/here/at/{point.code}/").headers["Location"]
    before = phone.get(address)
    assert 'action="/here/start"' in before.content.decode()
    ends(licence, booked.starts_at + MINUTE)
    clock.now += 2 * MINUTE
    page = phone.get(address)
    assert 'action="/here/start"' not in page.content.decode()
    assert "You hold no licence for this session now" in words(page)
    assert "Ask the lab's staff to assist or to check in, or renew the licence." in words(page)
    assert f"/instruments/{cast.xrd.pk}/licence/" in page.content.decode()
    proof = re.search(r"s=([^&]+)", address)[1].replace("%3A", ":")
    refused = phone.post("/here/start", {"s": proof, "reservation": booked.pk})
    assert refused.status_code == 422 and "For next time, renew the licence on the page of the instrument." in words(refused)
    assert Reservation.objects.get().state == "approved"


def test_who_loses_it_again_is_told_again(cast, licence, booked, now):
    wang = cast.actor("wang")
    for times in (1, 2):
        licences.suspend(wang, licence.pk, "Leaked helium", now)
        assert (licences.tell_gaps_due(now), licences.tell_gaps_due(now)) == (1, 0)
        assert told("licence.gap").count() == times and told("licence.gap").filter(needs_action=True).count() == 1
        licences.restore(wang, licence.pk, now)
        assert not told("licence.gap").filter(needs_action=True).exists() and not LicenceGap.objects.exists()


def test_who_books_an_earlier_time_need_not_renew_any_more(cast, licence, booked, slot, now):
    ends(licence, booked.starts_at - 30 * MINUTE)
    licences.tell_gaps_due(now)
    changes.change(cast.actor("lin"), ChangeRequest(booked.pk, slot(8, 9), "It ends"), now, idempotency_key="earlier")
    changed = Reservation.objects.get()
    changes.accept(cast.actor("wang"), changed.changes.get(state="open").pk, now)
    assert licences.tell_gaps_due(now) == 0
    assert not told("licence.gap").filter(needs_action=True).exists()
