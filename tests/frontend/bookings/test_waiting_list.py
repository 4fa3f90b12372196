"""The time that somebody waited for: seen with its price before it is taken, and bookable with a card where one is needed."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from booking.models import Reservation, WaitEntry
from booking.services import waiting
from booking.services.waiting import Wish
from instruments.services import research_groups
from tests.frontend.acting import words
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


def test_without_an_offer_there_is_nothing_to_book(as_, cast, slot):
    waiting.join(cast.actor("lin"), Wish(cast.xrd.pk, cast.firm.pk, slot(9, 11), 120, "self_operated"), cast.now)
    page = as_("lin").get(reverse("wait_list"))
    assert "See the price and book it" not in words(page)
