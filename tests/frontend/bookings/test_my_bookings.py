"""The list of bookings, one booking, cancelling, new figures, the calendar file."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape

import pytest
from icalendar import Calendar

from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.pricing import services as pricing
from billing.settlement.models import Quote
from booking import queries
from booking.models import Reservation
from booking.queries.service_facts import corrections_of
from booking.services import transitions
from config.kernel.errors import Conflict
from tests.billing.settlement.test_once import approved, asking, publish
from tests.billing.settlement.test_once import ask as ask_for
from tests.conftest import PRICE
from tests.frontend.acting import query_count, words


@pytest.fixture
def waiting(cast, programmes, charged, ask):
    """A request of Lin's whose subsidy was used up before the lab approved: new figures wait for her."""
    charged(8, 9)
    pk = ask(9, 12)
    left = Account.objects.get(key__startswith="firm_year:DEMO-QH-V")
    payee = Account.objects.get(key__startswith="awarded:DEMO-QH-V")
    ledger.hold({left.pk: left.left_fen - 100_00}, payee, ledger.Source("test", 1, "used elsewhere"), cast.now)
    with pytest.raises(Conflict):
        transitions.approve(cast.actor("wang"), pk, cast.now)
    return pk


@pytest.mark.parametrize("address", ["/bookings/", "/bookings/1/", "/bookings/1/cancel", "/bookings/1/calendar.ics"])
def test_a_visitor_is_led_to_log_in_and_back(as_, address):
    response = as_().get(address)
    assert response.status_code == 302 and response.headers["Location"] == f"/accounts/login/?next={address}"


def test_the_list_shows_what_is_ahead_what_is_past_and_all(as_, clock, ask, slot):
    ask(9, 12)
    client = as_("lin")
    assert "X-ray diffractometer" in words(client.get("/bookings/"))
    assert "No bookings here" in words(client.get("/bookings/?show=past"))
    clock.now = slot(9, 12).ends_at + timedelta(days=1)
    client = as_("lin")
    assert "Nothing is booked ahead" in words(client.get("/bookings/"))
    for show in ("past", "all"):
        assert "X-ray diffractometer" in words(client.get(f"/bookings/?show={show}"))


def test_the_list_filters_by_state_and_keeps_it_in_the_address(as_, ask, approved):
    ask(9, 10)
    approved(11, 12)
    text = words(as_("lin").get("/bookings/?show=all&state=approved"))
    assert "11:00–12:00" in text and "09:00–10:00" not in text


@pytest.mark.parametrize(
    "query",
    ["show=x", "state=x", "page=0", "page=-1", "page=x", "page=999999", "page=" + "9" * 400, "state=%00", "show=%F0%9F%94%AC"],
)
def test_a_list_that_cannot_be_read_is_the_plain_one(as_, query):
    assert as_("lin").get(f"/bookings/?{query}").status_code == 200


def test_nobody_sees_bookings_of_another_firm(as_, ask):
    pk = ask(9, 12)
    assert "X-ray diffractometer" not in words(as_("he").get("/bookings/?show=all"))
    assert as_("lin").get(f"/bookings/{pk}/").status_code == 200
    for address in ("", "cancel", "calendar.ics"):
        assert as_("he").get(f"/bookings/{pk}/{address}").status_code == 404
    for action in ("cancel", "accept", "approve", "reject"):
        assert as_("he").post(f"/bookings/{pk}/{action}").status_code == 404


@pytest.mark.parametrize("pk", [0, 999999, 10**40])
def test_a_booking_that_is_not_there_is_not_found(as_, pk):
    assert as_("lin").get(f"/bookings/{pk}/").status_code == 404
    assert as_("lin").post(f"/bookings/{pk}/cancel").status_code == 404


def test_the_list_takes_as_many_queries_for_thirty_as_for_three(as_, ask):
    for hour in (8, 9, 10):
        ask(hour, hour + 1)
    few = query_count(as_("lin"), "/bookings/?show=all")
    for day in range(1, 4):
        for hour in range(8, 17):
            ask(hour, hour + 1, day=day)
    assert Reservation.objects.count() == 30
    assert query_count(as_("lin"), "/bookings/?show=all") == few <= 10


def test_one_booking_shows_its_time_figures_steps_and_what_comes_next(as_, programmes, ask):
    text = words(as_("lin").get(f"/bookings/{ask(9, 12, purpose='brine')}/"))
    for part in ("Wed 25 Nov 2026, 09:00–12:00", "Awaiting approval", "brine", "Pay now ¥720.00", "Final cost ¥720.00",
                 "How was this calculated?", "Requested", "The lab approves", "Add to my calendar", "Cancel this booking"):  # fmt: skip
        assert part in text
    assert "Approve and tell the customer" not in text


def test_a_charged_booking_shows_booked_actual_and_billable_time(as_, programmes, charged):
    text = words(as_("lin").get(f"/bookings/{charged(9, 12)}/"))
    for part in (
        "Booked",
        "Actual",
        "Billable 3 h",
        "Charge agreed",
        "Pay now ¥720.00",
        "Checked out",
        "Usage agreed and charged",
    ):
        assert part in text
    assert "Cancel this booking" not in text


def test_the_lab_sees_whom_to_ask_and_may_decide(as_, ask):
    text = words(as_("wang").get(f"/bookings/{ask(9, 12)}/"))
    assert "lin@example.org" in text and "Approve and tell the customer" in text


def test_officials_read_and_decide_nothing(as_, ask):
    text = words(as_("wu").get(f"/bookings/{ask(9, 12)}/"))
    assert "Awaiting approval" in text
    assert "Approve and tell" not in text and "Cancel this booking" not in text and "lin@example.org" not in text


def test_cancelling_shows_its_effect_first_and_then_gives_the_time_back(as_, programmes, approved):
    pk = approved(9, 12)
    client = as_("lin")
    page = words(client.get(f"/bookings/{pk}/cancel"))
    assert "The subsidy of ¥480.00 that is held" in page and "¥0.00" in page and "later than the lab asks for" not in page
    assert client.post(f"/bookings/{pk}/cancel", {"reason": "sample broke"}).status_code == 302
    assert Reservation.objects.get().state == "cancelled"
    assert "sample broke" in words(client.get(f"/bookings/{pk}/"))


def test_a_late_cancellation_is_called_late(as_, clock, approved, slot):
    pk = approved(9, 12)
    clock.now = slot(9, 12).starts_at - timedelta(hours=2)
    assert "later than the lab asks for (24 h before the start)" in words(as_("lin").get(f"/bookings/{pk}/cancel"))


def test_what_has_begun_cannot_be_cancelled_by_the_customer(as_, clock, approved, slot):
    pk = approved(9, 12)
    clock.now = slot(9, 12).starts_at
    response = as_("lin").post(f"/bookings/{pk}/cancel")
    assert response.status_code == 422 and "The booked time has begun" in words(response)
    assert "cannot be cancelled any more" in words(response)


def test_the_lab_cancels_with_a_reason_only(as_, approved):
    pk = approved(9, 12)
    client = as_("wang")
    refused = client.post(f"/bookings/{pk}/cancel", {"reason": "  "})
    assert refused.status_code == 422 and "Give a reason" in words(refused)
    assert client.post(f"/bookings/{pk}/cancel", {"reason": "lamp\x00 failed " + "x" * 2000}).status_code == 302


def test_a_colleague_who_does_not_administer_cannot_cancel(as_, cast, ask, now):
    from instruments.models import Membership, User

    cast.users["mei"] = User.objects.create(email="mei@example.org", language="en")
    Membership.objects.create(user=cast.users["mei"], organisation=cast.firm, role="researcher", created_at=now)
    pk = ask(9, 12)
    assert "Cancel this booking" not in words(as_("mei").get(f"/bookings/{pk}/"))
    assert as_("mei").post(f"/bookings/{pk}/cancel").status_code == 403
    assert as_("zhao").post(f"/bookings/{pk}/cancel").status_code == 302


def test_new_figures_stand_beside_the_old_ones_until_they_are_accepted(as_, waiting):
    client = as_("lin")
    text = words(client.get(f"/bookings/{waiting}/"))
    assert "As requested Now" in text and "Pay now ¥720.00 ¥1,100.00" in text and "Accept: pay ¥1,100.00 now" in text
    assert "New figures" in words(client.get("/bookings/"))
    other = {"expected_payable_now_fen": "72000", "expected_final_cost_fen": "72000"}
    differs = client.post(f"/bookings/{waiting}/accept", other)
    assert differs.status_code == 409 and "to pay now ¥1,100.00" in words(differs)
    page = differs.content.decode()
    seen = dict(re.findall(r'name="(expected_payable_now_fen|expected_final_cost_fen)" value="(\d+)"', page))
    assert seen["expected_payable_now_fen"] == "110000" and len(seen) == 2
    assert client.post(f"/bookings/{waiting}/accept", seen).status_code == 302
    assert Quote.objects.filter(reservation_id=waiting).latest("revision").accepted_at is not None
    assert as_("wang").post(f"/bookings/{waiting}/approve").status_code == 302


def test_accepting_when_nothing_waits_is_refused(as_, ask):
    response = as_("lin").post(f"/bookings/{ask(9, 12)}/accept")
    assert response.status_code == 422 and "There are no new figures to accept" in words(response)


def test_the_lab_cannot_accept_for_the_customer(as_, waiting):
    response = as_("wang").post(f"/bookings/{waiting}/accept")
    assert response.status_code == 403
    assert Quote.objects.filter(reservation_id=waiting).latest("revision").accepted_at is None


@pytest.mark.parametrize("action", ["cancel", "accept", "approve", "reject"])
def test_without_our_token_nothing_is_done(as_, ask, action):
    pk = ask(9, 12)
    who = "wang" if action in ("approve", "reject") else "lin"
    assert as_(who, enforce_csrf_checks=True).post(f"/bookings/{pk}/{action}", {"reason": "x"}).status_code == 403
    assert Reservation.objects.get().state == "requested"


@pytest.mark.parametrize("action", ["accept", "approve", "reject"])
def test_what_changes_something_is_not_done_by_a_link(as_, ask, action):
    assert as_("wang").get(f"/bookings/{ask(9, 12)}/{action}").status_code == 405


def test_the_calendar_file_can_be_read_by_calendars(as_, approved, cast, slot):
    cast.xrd.name = "X;ray, \u0f56\u0f7c\u0f51\r\nATTENDEE:x"
    cast.xrd.save()
    pk = approved(9, 12)
    response = as_("lin").get(f"/bookings/{pk}/calendar.ics")
    assert response.headers["Content-Type"].startswith("text/calendar")
    assert response.headers["Cache-Control"] == "private, no-store"
    (event,) = Calendar.from_ical(response.content).walk("VEVENT")
    assert event.decoded("dtstart") == slot(9, 12).starts_at and event.decoded("dtend") == slot(9, 12).ends_at
    assert event["status"] == "CONFIRMED" and "attendee" not in event
    assert event["uid"] == f"{Reservation.objects.get().reference}@127.0.0.1" and event["sequence"] == 1


def test_cancelling_late_shows_the_fee_first_and_a_page_that_showed_less_asks_again(as_, clock, cast, now, approved, slot):
    fees = {"fees": {"late_cancel": {"share": "0.5"}, "no_show": {"share": "1"}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | fees, now.date(), now, now.date())
    pk = approved(9, 12)
    before = words(as_("lin").get(f"/bookings/{pk}/cancel"))
    assert "Cancelling is free until" in before and ", then it costs ¥600.00" in before
    clock.now = slot(9, 12).starts_at - timedelta(hours=2)
    client = as_("lin")
    page = words(client.get(f"/bookings/{pk}/cancel"))
    assert "Fee for cancelling now: ¥600.00" in page and "never subsidised" in page and "Cancel and pay ¥600.00" in page
    refused = client.post(f"/bookings/{pk}/cancel", {"reason": "sample broke", "expected_fee_fen": "0"})
    assert refused.status_code == 409 and "costs ¥600.00 now" in words(refused) and "sample broke" in words(refused)
    assert Reservation.objects.get().state == "approved"
    done = client.post(f"/bookings/{pk}/cancel", {"expected_fee_fen": "60000"}, follow=True)
    assert "Cancelled for a fee of ¥600.00" in words(done) and "Fee for the unused time" in words(done)


def test_the_booking_form_and_the_price_say_what_unused_time_costs(as_, cast, now, slot):
    fees = {"fees": {"late_cancel": {"share": "0.5", "at_most": "90"}, "no_show": {"share": "1"}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | fees, now.date(), now, now.date())
    text = words(as_("lin").get(f"/instruments/{cast.xrd.pk}/?on=2026-11-25&from=09:00&to=12:00"))
    assert "Cancelling is free until" in text and "then it costs ¥90.00" in text and "Not coming costs ¥1,200.00." in text
    assert "Given back later than the lab asks for: 50% of the price. At most ¥90.00." in text


def test_the_lab_waives_a_fee_on_the_bookings_page_and_what_was_typed_wrongly_stays(as_, cast, clock, approved, slot):
    schedule = PRICE | {"fees": {"late_cancel": {"share": "0.5"}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, schedule, date(2026, 11, 23), cast.now, date(2026, 11, 23))
    pk = approved(9, 12)
    clock.now = slot(9, 12).starts_at - timedelta(hours=2)
    as_("lin").post(f"/bookings/{pk}/cancel", {"expected_fee_fen": "60000"})
    assert "Waive the fee" not in words(as_("lin").get(f"/bookings/{pk}/"))
    assert "Waive the fee" in words(as_("wang").get(f"/bookings/{pk}/"))
    refused = as_("wang").post(f"/bookings/{pk}/fee/waive", {"amount": "9999", "reason": "Was ill"})
    assert refused.status_code == 422 and "up to what is left of the fee" in words(refused)
    assert 'value="9999"' in refused.content.decode() and "Was ill" in words(refused)
    as_("wang").post(f"/bookings/{pk}/fee/waive", {"amount": "600", "reason": "Was ill"})
    assert "Waived by the lab: Was ill" in words(as_("lin").get(f"/bookings/{pk}/"))


def facts_form(response) -> dict[str, str]:
    """What the form that corrects the facts of the service carries hidden."""
    form = response.content.decode().partition('id="facts"')[2].partition("</form>")[0]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form)}


def test_what_a_booking_is_for_is_seen_and_corrected_on_its_page_and_the_history_says_by_whom(as_, cast, programmes, ask):
    pk = ask(9, 12)
    client = as_("lin")
    page = client.get(f"/bookings/{pk}/")
    text = words(page)
    assert "What it is for Technical development as usual for the customer" in text, text
    assert "not said; the national record is given this" in text
    typed = facts_form(page) | {"purpose": "Brine", "research_project": "", "service_direction": "", "fund_source": "2"}
    text = words(client.post(f"/bookings/{pk}/facts", typed, follow=True))
    assert "Kept. The history says what was there before." in text
    assert "What it is for was corrected" in text and re.search(
        r"Purpose: [^;]+ → Brine; Who pays the project: not said → ", text
    )
    stale = client.post(f"/bookings/{pk}/facts", typed | {"purpose": "<b>Other"})
    assert stale.status_code == 409 and "Somebody else changed this reservation" in words(stale)
    assert 'value="&lt;b&gt;Other"' in stale.content.decode(), "what was typed is kept"
    wrong = client.post(f"/bookings/{pk}/facts", facts_form(client.get(f"/bookings/{pk}/")) | {"fund_source": "99"})
    assert wrong.status_code == 422
    as_("wang").post(f"/bookings/{pk}/facts", facts_form(as_("wang").get(f"/bookings/{pk}/")) | {"purpose": "Salt"})
    assert re.search(r"Purpose: Brine → Salt", words(client.get(f"/bookings/{pk}/")))
    assert "Nothing was changed." in words(client.post(f"/bookings/{pk}/facts", {"purpose": "Salt"}, follow=True))


def test_what_money_is_held_by_is_shown_and_not_asked_any_more(as_, cast, programmes, ask):
    pk = ask(9, 12)
    transitions.approve(cast.actor("wang"), pk, cast.now)
    page = as_("lin").get(f"/bookings/{pk}/")
    html = page.content.decode()
    assert "money is held by them" in words(page) and 'id="facts-source"' in html
    assert 'id="facts-project"' not in html and 'id="facts-direction"' not in html
    refused = as_("lin").post(f"/bookings/{pk}/facts", facts_form(page) | {"research_project": "Another"})
    assert refused.status_code == 422 and "cancel the booking and book again" in words(refused)


def test_a_project_that_costs_more_is_kept_with_a_second_press_that_says_the_figures(as_, cast, slot):
    publish(cast, asking("DEMO-QH-ONCE"))
    approved(cast, slot(9, 11), "2026-ZJ-8")
    pk = ask_for(cast, slot(13, 15), "2026-ZJ-9")
    client = as_("lin")
    typed = {"research_project": "2026-ZJ-8"}
    asked = client.post(f"/bookings/{pk}/facts", facts_form(client.get(f"/bookings/{pk}/")) | typed)
    assert asked.status_code == 409 and re.search(r"Keep it: pay ¥[0-9.,]+ now, final cost ¥", words(asked))
    assert Reservation.objects.get(pk=pk).research_project == "2026-ZJ-9"
    client.post(f"/bookings/{pk}/facts", facts_form(asked) | typed)
    assert Reservation.objects.get(pk=pk).research_project == "2026-ZJ-8"


def test_a_booking_without_corrections_costs_no_query_for_them(as_, cast, programmes, ask, django_assert_num_queries):
    pk = ask(9, 12)
    row = queries.reservation_detail(cast.actor("lin")).get(pk=pk)
    with django_assert_num_queries(0):
        assert corrections_of(row) == {}
