"""The time that somebody waited for: seen with its price before it is taken, and bookable with a card where one is needed."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from booking.models import Reservation, WaitEntry
from booking.services import policies, waiting
from booking.services.policies import Scope
from booking.services.waiting import Wish
from instruments.services import research_groups
from tests.frontend.acting import query_count, words
from tests.spending import build_spenders

MINUTE = timedelta(minutes=1)


@pytest.fixture
def offered(cast, slot):
    """``offered("lin", firm)``: an entry of that person with 9 to 11 on offer."""

    def make(who: str, customer) -> WaitEntry:
        wish = Wish(cast.xrd.pk, customer.pk, slot(9, 11), 120, "self_operated")
        entry = waiting.join(cast.actor(who), wish, cast.now)
        assert waiting.offer_free_time(cast.now) == 1
        return entry

    return make


def booking_page(client) -> str:
    """The address behind the offer."""
    page = client.get(reverse("wait_list")).content.decode()
    found = re.search(r'<a class="btn btn-primary" href="([^"]*/book\?[^"]*)"', page)
    assert found, page
    return unescape(found[1])


def test_what_is_offered_shows_its_price_before_it_is_taken_and_is_taken_wherever_it_is_booked(
    as_, cast, offered, form, programmes
):
    entry, lin = offered("lin", cast.firm), as_("lin")
    address = booking_page(lin)
    page = lin.get(address)
    assert page.status_code == 200
    assert "Pay now" in words(page) and "09:00–11:00" in words(page)
    assert lin.post(address.split("?")[0], form(9, 11)).status_code == 302
    entry.refresh_from_db()
    assert (entry.state, entry.reservation_id) == ("taken", Reservation.objects.get().pk)


def test_who_has_to_pay_from_a_card_can_take_an_offer_too(as_, cast, offered, form, programmes):
    spenders = build_spenders(cast)
    research_groups.set_card_needed(cast.actor("li"), cast.lab.pk, True, cast.now)
    entry, ma = offered("ma", cast.lab), as_("ma")
    at_once = ma.post(reverse("wait_accept", args=[entry.pk]))
    assert at_once.status_code == 422 and not Reservation.objects.exists()
    address = booking_page(ma)
    assert f'<option value="{spenders.card.pk}"' in ma.get(address).content.decode()
    seen = {"expected_payable_now_fen": 400_00, "expected_final_cost_fen": 400_00}
    sent = form(9, 11, organisation=cast.lab.pk, fund_card=spenders.card.pk, **seen)
    assert ma.post(address.split("?")[0], sent).status_code == 302
    entry.refresh_from_db()
    assert (entry.state, Reservation.objects.get().fund_card_id) == ("taken", spenders.card.pk)


def test_one_press_takes_an_offer_from_a_card_for_the_figures_that_stood_beside_it(as_, cast, offered, programmes):
    spenders = build_spenders(cast)
    research_groups.set_card_needed(cast.actor("li"), cast.lab.pk, True, cast.now)
    entry, ma = offered("ma", cast.lab), as_("ma")
    page = ma.get(reverse("wait_list")).content.decode()
    assert f'<option value="{spenders.card.pk}"' in page and 'name="expected_payable_now_fen" value="40000"' in page
    take = reverse("wait_accept", args=[entry.pk])
    card, seen = {"fund_card": spenders.card.pk}, {"expected_payable_now_fen": 400_00, "expected_final_cost_fen": 400_00}
    assert ma.post(take, card | {"expected_payable_now_fen": 1, "expected_final_cost_fen": 1}).status_code == 409
    assert ma.post(take, seen | {"fund_card": 999_999}).status_code == 422
    assert not Reservation.objects.exists()
    assert ma.post(take, card | seen).status_code == 302
    entry.refresh_from_db()
    assert (entry.state, Reservation.objects.get().fund_card_id) == ("taken", spenders.card.pk)


def test_who_spends_from_no_card_takes_an_offer_with_one_press(as_, cast, offered, programmes):
    entry, lin = offered("lin", cast.firm), as_("lin")
    page = lin.get(reverse("wait_list")).content.decode()
    assert 'name="fund_card"' not in page and reverse("wait_accept", args=[entry.pk]) in page
    assert lin.post(reverse("wait_accept", args=[entry.pk])).status_code == 302


def test_without_an_offer_there_is_nothing_to_book(as_, cast, slot):
    waiting.join(cast.actor("lin"), Wish(cast.xrd.pk, cast.firm.pk, slot(9, 11), 120, "self_operated"), cast.now)
    page = as_("lin").get(reverse("wait_list"))
    assert "See the price and book it" not in words(page)


# --- Exactly one time -------------------------------------------------------------------------------------------------
def wait_link(page: str, near: str) -> str:
    """The address behind the first link to the waiting list after ``near``."""
    found = re.search(r'href="(/instruments/\d+/wait\?[^"]*)"', page[page.index(near) :])
    assert found, page
    return unescape(found[1])


def fields_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input class="form-control" id="wait-[a-z]+" name="([a-z_]+)"[^>]*value="([^"]*)"', page))


def test_a_taken_stretch_of_the_week_is_waited_for_exactly(as_, ask, cast, programmes, slot):
    ask(9, 12, who="he")
    lin = as_("lin")
    page = lin.get(f"/instruments/{cast.xrd.pk}", {"week": "2026-11-25"}, follow=True).content.decode()
    form = lin.get(wait_link(page, "Taken")).content.decode()
    typed = fields_of(form)
    whole = {"first_on": "2026-11-25", "from": "09:00", "last_on": "2026-11-25", "to": "12:00", "hours": "3"}
    assert typed == whole
    sent = typed | {"organisation": str(cast.firm.pk), "service_mode": "self_operated"}
    assert lin.post(reverse("wait_join", args=[cast.xrd.pk]), sent).status_code == 302
    entry = WaitEntry.objects.get()
    assert (entry.first_at, entry.last_at, entry.minutes) == (slot(9, 12).starts_at, slot(9, 12).ends_at, 180)


def test_a_visitor_is_offered_no_waiting(as_, ask, cast, programmes):
    ask(9, 12, who="he")
    assert "/wait" not in as_().get(f"/instruments/{cast.xrd.pk}", {"week": "2026-11-25"}, follow=True).content.decode()


def test_a_time_that_is_longer_than_the_lab_allows_is_waited_for_within_it(as_, ask, cast, programmes):
    ask(8, 14, who="he")
    ask(14, 20, who="he")
    lin = as_("lin")
    page = lin.get(f"/instruments/{cast.xrd.pk}", {"week": "2026-11-25"}, follow=True).content.decode()
    assert "Wait for a time within it" in page and "Wait for exactly this time" not in page
    assert fields_of(lin.get(wait_link(page, "Taken")).content.decode())["hours"] == "8"


def test_what_was_just_taken_can_be_waited_for(as_, ask, form, cast, programmes):
    sent = form(9, 11)
    ask(9, 11, who="he")
    lin = as_("lin")
    answer = lin.post(f"/instruments/{cast.xrd.pk}/book", sent)
    assert answer.status_code == 409
    typed = fields_of(lin.get(wait_link(answer.content.decode(), 'id="booking-wait"')).content.decode())
    assert (typed["from"], typed["to"], typed["hours"]) == ("09:00", "11:00", "2")
    chosen = {"on": "2026-11-25", "from": "09:00", "to": "11:00"}
    quote = lin.get(f"/instruments/{cast.xrd.pk}", chosen, follow=True).content.decode()
    assert wait_link(quote, 'id="quote-wait"') and 'id="booking-wait"' not in quote


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"from": "9 o'clock"}, "time"),
        ({"from": "12:00", "to": "09:00"}, "end"),
        ({"to": "11:00"}, "Wait for"),
        ({"hours": "1.1"}, "Wait for"),
    ],
)
def test_a_time_that_makes_no_sense_is_said_and_kept_as_typed(as_, cast, changes, said):
    typed = {"first_on": "2026-11-25", "from": "09:00", "last_on": "2026-11-25", "to": "12:00", "hours": "3"} | changes
    answer = as_("lin").post(reverse("wait_join", args=[cast.xrd.pk]), typed | {"organisation": str(cast.firm.pk)})
    assert answer.status_code == 422 and not WaitEntry.objects.exists()
    assert fields_of(answer.content.decode()) == {name: value.replace("'", "&#x27;") for name, value in typed.items()}


@pytest.mark.parametrize(
    "query", ["?start=x&end=y", "?start=2026-11-25T09:00:00Z", "?start=0001-01-01T00:00:00Z&end=9999-01-01T00:00:00Z"]
)
def test_a_time_in_the_address_that_cannot_be_read_begins_as_without_one(as_, cast, query):
    page = as_("lin").get(reverse("wait_join", args=[cast.xrd.pk]) + query).content.decode()
    assert fields_of(page)["hours"] == "3" and fields_of(page)["from"] == ""


# --- For what the person asked for last ---------------------------------------------------------------------------------
LAST = {"research_project": "Cells of tomorrow", "service_direction": "research", "fund_source": "3", "purpose": "lithium salts"}


def test_one_press_books_with_the_facts_that_were_given_last(as_, cast, offered, ask, programmes):
    ask(15, 16, **LAST)
    entry = offered("lin", cast.firm)
    address = booking_page(as_("lin"))
    assert "Cells+of+tomorrow" in address and "fund_source=3" in address
    assert as_("lin").post(reverse("wait_accept", args=[entry.pk])).status_code == 302
    booked = Reservation.objects.get(pk=WaitEntry.objects.get().reservation_id)
    assert {name: getattr(booked, name) for name in LAST} == LAST


def test_what_another_organisation_was_booked_for_is_not_taken_along(as_, cast, offered, ask, programmes):
    ask(15, 16, **LAST)
    Reservation.objects.update(organisation=cast.other_firm)
    entry = offered("lin", cast.firm)
    assert as_("lin").post(reverse("wait_accept", args=[entry.pk])).status_code == 302
    assert Reservation.objects.get(pk=WaitEntry.objects.get(pk=entry.pk).reservation_id).research_project == ""


def test_the_list_takes_as_many_queries_for_three_offers_as_for_one(as_, cast, slot, twin, programmes):
    lin = as_("lin")

    def one_more(instrument, day: int) -> int:
        during = slot(9, 11, day)
        waiting.join(cast.actor("lin"), Wish(instrument.pk, cast.firm.pk, during, 120, "self_operated"), cast.now)
        assert waiting.offer_free_time(cast.now) == 1
        return query_count(lin, reverse("wait_list"))

    assert one_more(cast.xrd, 0) == one_more(twin(), 1) == one_more(twin(), 2)


# --- By what will happen ------------------------------------------------------------------------------------------------
def say(cast, **rules):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), rules, cast.now)


def only_cheap(yuan: int) -> dict:
    return {"approval_required": True, "auto_approval": {"who": "anybody", "most_fen": yuan * 100}}


@pytest.mark.parametrize(
    ("rules", "books"),
    [
        ({"approval_required": True}, False),
        ({"approval_required": False}, True),
        (only_cheap(1), False),
        (only_cheap(100_000), True),
    ],
)
def test_the_buttons_and_the_answer_say_what_will_happen(as_, cast, offered, programmes, rules, books):
    say(cast, **rules)
    entry, lin = offered("lin", cast.firm), as_("lin")
    page = words(lin.get(reverse("wait_list")))
    assert ("See the price and book it" in page) is books and ("See the price and request it" in page) is not books
    assert ("Book this time" in page) is books and ("Request this time" in page) is not books
    answer = words(lin.post(reverse("wait_accept", args=[entry.pk]), follow=True))
    assert ("Booked: the time is yours." in answer) is books and ("Request sent: the time is yours once" in answer) is not books
    assert (Reservation.objects.get().state == "approved") is books
