"""Booking the same once more."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from booking.models import Reservation
from booking.services import policies
from booking.services.policies import Scope
from tests.frontend.acting import query_count, words


def led_to(client, pk) -> dict[str, str]:
    """The form's values to which "Book again" leads."""
    response = client.get(f"/bookings/{pk}/again")
    assert response.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


@pytest.fixture
def before(ask):
    """Wednesday 25 November, 9 to 12."""
    return ask(9, 12, purpose="lithium salts", research_project="QH-2026-7")


def test_the_form_comes_filled_in_a_week_later_at_the_same_hour(as_, cast, before):
    values = led_to(as_("lin"), before)
    assert (values["on"], values["from"], values["to"]) == ("2026-12-02", "09:00", "12:00")
    assert (values["purpose"], values["research_project"]) == ("lithium salts", "QH-2026-7")
    assert (values["organisation"], values["service_mode"]) == (str(cast.firm.pk), "self_operated")


def test_three_clicks_lead_from_the_list_to_a_request(as_, before):
    lin = as_("lin")
    assert f'href="/bookings/{before}/again"' in lin.get("/bookings/").content.decode()
    page = lin.get(f"/bookings/{before}/again", follow=True)
    assert "Free for the same once more" in words(page) and "Pay now" in words(page)
    form = page.context["panel"].form
    rows = page.context["panel"].quote.rows
    sent = {
        "key": page.context["panel"].key, "organisation": form.organisation, "on": form.on, "from": form.from_time,
        "to": form.to_time, "service_mode": form.service_mode, "purpose": form.purpose, "research_project": form.research_project,
        "expected_payable_now_fen": rows.payable_now_fen, "expected_final_cost_fen": rows.final_cost_fen,
    }  # fmt: skip
    assert lin.post(f"/instruments/{page.context['panel'].instrument.pk}/book", sent).status_code == 302
    made = Reservation.objects.latest("pk")
    assert made.starts_at - Reservation.objects.get(pk=before).starts_at == timedelta(days=7)
    assert made.purpose == "lithium salts"


def test_a_usual_time_that_is_taken_is_passed_over(as_, ask, before):
    ask(10, 11, day=7, who="he")
    assert led_to(as_("lin"), before)["on"] == "2026-12-09"


def test_without_a_usual_time_it_is_the_earliest_and_without_any_it_is_said(as_, cast, before):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"horizon_days": 3}, cast.now)
    values = led_to(as_("lin"), before)
    assert (values["on"], values["from"], values["to"]) == ("2026-11-23", "11:00", "14:00")  # after two hours' notice
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 60}, cast.now)
    page = as_("lin").get(f"/bookings/{before}/again", follow=True)
    assert "No time of this length is free for you" in words(page)


def test_who_cannot_book_for_the_customer_is_told_so(as_, before):
    assert as_("wang").get(f"/bookings/{before}/again").status_code == 403
    assert as_("he").get(f"/bookings/{before}/again").status_code == 404
    assert f"/bookings/{before}/again" not in as_("wang").get(f"/bookings/{before}/").content.decode()


def test_a_foreign_booking_in_the_address_of_an_instrument_shows_nothing(as_, cast, before):
    assert "same once more" not in words(as_("he").get(f"/instruments/{cast.xrd.pk}/?again={before}"))
    assert as_("lin").get(f"/instruments/{cast.xrd.pk}/?again=x").status_code == 200


def test_the_form_is_filled_from_the_last_booking_of_this_instrument(as_, cast, before):
    text = as_("lin").get(f"/instruments/{cast.xrd.pk}/").content.decode()
    assert 'value="lithium salts"' in text and 'value="QH-2026-7"' in text


def test_looking_for_times_costs_the_same_however_many_there_are(as_, cast, ask, before):
    address = f"/instruments/{cast.xrd.pk}/?again={before}"
    few = query_count(as_("lin"), address)
    for week in range(1, 5):
        ask(10, 11, day=7 * week, who="he")
    assert query_count(as_("lin"), address) == few
