"""What people read when the world is not as their page thought: each answer says what happened and what to do next.

| what happened | tested here | and below the pages |
|---|---|---|
| a slot just taken, and what else there is | `..._just_taken_names_...` | services/test_reservation_flow, concurrency/test_slot_stampede |
| approval from a stale page | `..._grown_old_...`, `..._other_tab_...` | inbox/test_decisions, concurrency/test_approval_races |
| a page that shows another instrument | `..._that_shows_another_instrument_...` | booking/services/test_other_instrument |
| an expired hold | `..._expired_hold_books_while_...` | booking/services/test_holds_and_waiting |
| a quota that is reached | `..._quota_that_is_reached_...` | rules/test_quota, samples/test_quotas, concurrency/test_quota_race |
| a licence that ended since | `..._licence_that_ended_since_...` | booking/licences/test_licences |
| a clock set back | `..._clock_that_was_set_back_...` | booking/usage/test_devices |
| a form sent twice | `..._sent_twice_books_once_...` | concurrency/test_idempotency |
| two tabs | `..._two_tabs_...` | concurrency/test_slot_stampede |
| a session over midnight | `..._over_midnight_...` | booking/rules/test_usage |
| a session across closing time | `..._across_closing_...` | booking/rules/test_usage |
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from booking.models import InstrumentPolicy, Licence, Occupancy, Reservation, UsageSession
from booking.services import licences, policies, transitions
from booking.services.policies import Scope
from tests.booking.finding.labs import labs  # noqa: F401
from tests.frontend.acting import HOUR, twin, words

__all__ = ["twin"]


@pytest.fixture
def address(cast):
    return f"/instruments/{cast.xrd.pk}/book"


def rules(cast, **said):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), said, cast.now)


def test_a_slot_that_was_just_taken_names_what_is_free_instead(as_, address, form, ask, programmes):
    sent = form(9, 11)
    ask(9, 11, who="he")
    answer = as_("lin").post(address, sent)
    text = words(answer)
    assert answer.status_code == 409 and "taken" in text
    assert "11:00" in text, "the nearest free time of the same length"
    assert Reservation.objects.count() == 1


def test_a_slot_that_was_just_taken_names_an_equal_instrument_that_is_free(as_, address, form, ask, programmes, labs):  # noqa: F811
    other = labs.add("Twin")
    sent = form(9, 11)
    ask(9, 11, who="he")
    answer = as_("lin").post(address, sent)
    assert answer.status_code == 409 and "An equal instrument is free: Twin" in words(answer)
    assert re.search(rf'href="/instruments/{other.pk}[^"]*on=2026-11-', answer.content.decode())


def test_a_page_that_has_grown_old_approves_nothing(as_, ask, slot, cast):
    pk = ask(9, 11)
    old = slot(13, 15)
    seen = {"seen_starts_at": old.starts_at.isoformat(), "seen_ends_at": old.ends_at.isoformat()}
    answer = as_("wang").post(f"/bookings/{pk}/approve", seen)
    assert answer.status_code == 409 and Reservation.objects.get().state == "requested"
    assert "changed this reservation just now" in words(answer)


def test_where_the_chosen_instrument_is_gone_nothing_moves_on_the_old_one(as_, approved, slot, cast, twin):
    pk, other = approved(9, 11), twin()
    sent = {"on": "2026-11-25", "from": "13:00", "to": "15:00", "reason": "So", "agreed": "yes", "instrument": str(other.pk)}
    key = {"key": "0b0c0d0e-0000-4000-8000-000000000009"}
    type(other).objects.filter(pk=other.pk).update(status="retired")
    assert as_("wang").post(f"/bookings/{pk}/move", sent | key).status_code == 422
    assert Reservation.objects.get().starts_at == slot(9, 11).starts_at
    control = as_("wang").post(f"/bookings/{pk}/move", sent | key | {"instrument": str(cast.xrd.pk)})
    assert control.status_code == 302 and Reservation.objects.get().starts_at == slot(13, 15).starts_at


def test_a_page_that_shows_another_instrument_moves_nothing_and_says_so(as_, approved, slot, cast, twin):
    """The lab moved it to the twin meanwhile; who still reads the old page and accepts nothing loses nothing."""
    pk, other = approved(9, 11), twin()
    moved = {"on": "2026-11-25", "from": "09:00", "to": "11:00", "instrument": str(other.pk), "reason": "So", "agreed": "yes"}
    key = {"key": "0b0c0d0e-0000-4000-8000-000000000001"}
    assert as_("wang").post(f"/bookings/{pk}/move", moved | key).status_code == 302
    assert Reservation.objects.get().instrument == other
    again = as_("wang").post(f"/bookings/{pk}/move", moved | {"key": "0b0c0d0e-0000-4000-8000-000000000002"})
    assert again.status_code == 422 and "This is the time it has already" in words(again)
    back = moved | {"instrument": str(cast.xrd.pk), "key": "0b0c0d0e-0000-4000-8000-000000000003"}
    foreign = as_("lin").post(f"/bookings/{pk}/move", back)
    assert foreign.status_code == 422 and Reservation.objects.get().instrument == other, (
        "a customer does not choose the instrument"
    )


def test_a_request_that_a_colleague_answered_in_the_other_tab_says_so(as_, ask, cast):
    pk = ask(9, 11)
    transitions.reject(cast.actor("wang"), pk, cast.now, "Closed")
    answer = as_("wang").post(f"/bookings/{pk}/approve")
    assert answer.status_code == 422 and "Reload" in words(answer)


def test_an_expired_hold_books_while_the_time_is_free_and_says_when_it_is_not(as_, address, form, ask, cast, clock, programmes):
    lin, time = as_("lin"), {"on": "2026-11-25", "from": "09:00", "to": "11:00"}
    lin.post(f"/instruments/{cast.xrd.pk}/hold", time)
    clock.now += timedelta(minutes=9)
    assert lin.post(address, form(9, 11)).status_code == 302
    Occupancy.objects.filter(source="hold").delete()
    lin.post(f"/instruments/{cast.xrd.pk}/hold", time | {"from": "13:00", "to": "15:00"})
    clock.now += timedelta(minutes=9)
    late = form(13, 15)
    ask(13, 15, who="he", at=clock.now)
    answer = lin.post(address, late)
    assert answer.status_code == 409 and "taken" in words(answer)


def test_a_quota_that_is_reached_says_what_is_left_and_when_there_is_more(as_, address, form, cast, programmes):
    quota = {"subject": "person", "measure": "minutes", "period": "week", "most": 150, "peak_only": False}
    rules(cast, quotas=[quota])
    lin = as_("lin")
    assert lin.post(address, form(9, 11)).status_code == 302
    answer = lin.post(address, form(13, 15))
    text = words(answer)
    assert answer.status_code == 422
    said = ("at most 2 h 30 min here", "you have 2 h and 30 min are left", "Book less, or from")
    assert [part for part in said if part not in text] == []


def test_a_licence_that_ended_since_the_booking_is_refused_at_check_in_with_what_to_do(as_, approved, cast, clock):
    rules(cast, licence_needed=True)
    licence = Licence.objects.create(
        organisation=cast.lab, person=cast.users["lin"], level="self", origin="manual", granted_at=cast.now,
        granted_by=cast.users["wang"], changed_at=cast.now,
    )  # fmt: skip
    pk = approved(9, 11)
    licences.suspend(cast.actor("wang"), licence.pk, "Leaked helium", cast.now)
    assert "licence" in words(as_("lin").get(f"/bookings/{pk}/"))
    clock.now = Reservation.objects.get(pk=pk).starts_at
    answer = as_("wang").post(f"/sessions/{pk}/check-in")
    assert answer.status_code == 422 and "licence" in words(answer) and not UsageSession.objects.exists()


def test_a_clock_that_was_set_back_ends_no_session_before_it_began(as_, approved, cast, clock):
    pk = approved(9, 11)
    starts_at = Reservation.objects.get(pk=pk).starts_at
    transitions.check_in(cast.actor("wang"), pk, starts_at)
    clock.now = starts_at - HOUR
    answer = as_("wang").post(f"/sessions/{pk}/check-out")
    assert answer.status_code == 422 and "a clock was set back" in words(answer)
    assert Reservation.objects.get(pk=pk).state == "in_use" and UsageSession.objects.get().actual_ends_at is None
    clock.now = starts_at + HOUR
    assert as_("wang").post(f"/sessions/{pk}/check-out").status_code == 302


def test_a_form_that_is_sent_twice_books_once_and_answers_the_same(as_, address, form, programmes):
    lin, sent = as_("lin"), form(9, 11)
    assert lin.post(address, sent)["Location"] == lin.post(address, sent)["Location"]
    assert Reservation.objects.count() == 1


def test_two_tabs_with_the_same_time_book_it_once_and_the_second_is_told(as_, address, form, programmes):
    lin, first, second = as_("lin"), form(9, 11), form(9, 11)
    assert first["key"] != second["key"]
    assert lin.post(address, first).status_code == 302
    answer = lin.post(address, second)
    assert answer.status_code == 409 and "taken" in words(answer) and Reservation.objects.count() == 1


def test_a_session_over_midnight_is_shown_with_both_days_and_counts_once(cast, as_, approved, slot):
    from tests.booking.finding.labs import Labs

    always = Labs(cast).add("Always", opens=0, closes=24, weekdays=(0, 1, 2, 3, 4, 5, 6))
    pk = approved(22, 26, instrument=always)
    during = Reservation.objects.get(pk=pk).during
    transitions.check_in(cast.actor("wang"), pk, during.starts_at)
    transitions.check_out(cast.actor("wang"), pk, during.ends_at)
    assert UsageSession.objects.get().billable_minutes == 240
    text = words(as_("lin").get(f"/bookings/{pk}/"))
    assert "22:00" in text and "02:00" in text


def test_a_time_across_closing_is_refused_with_the_hours_and_overtime_is_no_fault_of_the_calendar(
    as_, address, form, approved, cast, programmes
):
    answer = as_("lin").post(address, form(16, 19) | {"to": "22:30"})
    assert answer.status_code == 422 and "outside the instrument's opening hours" in words(answer)
    pk = approved(16, 18)
    ends_at = Reservation.objects.get(pk=pk).ends_at
    transitions.check_in(cast.actor("wang"), pk, ends_at - 2 * HOUR)
    transitions.check_out(cast.actor("wang"), pk, ends_at + 6 * HOUR)
    session = UsageSession.objects.get()
    assert session.actual_ends_at == ends_at + 6 * HOUR and session.overrun_minutes > 0


def test_the_same_time_asked_for_in_two_tabs_leads_to_the_first_request(as_, cast, form, programmes):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    lin, address = as_("lin"), f"/instruments/{cast.xrd.pk}/book"
    tabs = form(9, 11), form(9, 11)
    assert lin.post(address, tabs[0]).status_code == 302
    answer = lin.post(address, tabs[1])
    first = Reservation.objects.get()
    assert answer.status_code == 409
    assert first.reference in words(answer) and f'href="/bookings/{first.pk}/">Look at your request' in answer.content.decode()


def test_who_retires_an_instrument_that_is_booked_is_led_to_what_is_booked(as_, cast, ask):
    ask(9, 11)
    wang, address = as_("wang"), f"/instruments/{cast.xrd.pk}/edit/"
    page = wang.get(address)
    sent = {bound.html_name: bound.value() for bound in page.context["form"] if bound.value() not in (None, False)}
    answer = wang.post(address, sent | {"status": "retired"})
    assert answer.status_code == 422
    assert (
        "1 bookings or requests ahead" in words(answer)
        and f'href="/instruments/{cast.xrd.pk}/maintenance/"' in answer.content.decode()
    )
