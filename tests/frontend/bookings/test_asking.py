"""Sending the booking form."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlparse
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from billing.settlement.services import quotes
from booking.models import InstrumentPolicy, Reservation
from booking.policy_wording import RULE_NAMES
from booking.rules.standing import OVERRIDABLE
from booking.services import policies
from booking.services.policies import Scope
from frontend.presenters.policy import passed_over_words
from tests.frontend.acting import FRAGMENT, words
from tests.heads import with_head


@pytest.fixture
def address(cast):
    return f"/instruments/{cast.xrd.pk}/book"


def test_a_request_is_made_and_its_page_says_what_comes_next(as_, address, form, programmes):
    client = as_("lin")
    response = client.post(address, form())
    reservation = Reservation.objects.get()
    assert (response.status_code, response.headers["Location"]) == (302, f"/bookings/{reservation.pk}/")
    assert (reservation.state, reservation.purpose) == ("requested", "lithium salts")
    text = words(client.get(response.headers["Location"]))
    assert "Request sent." in text and "The lab has been told and answers" in text


def test_without_approval_it_is_booked_at_once(as_, address, form, cast):
    InstrumentPolicy.objects.create(instrument=cast.xrd, approval_required=False)
    as_("lin").post(address, form())
    assert Reservation.objects.get().state == "approved"


def test_for_htmx_the_answer_is_a_redirect_of_the_whole_page(as_, address, form):
    response = as_("lin").post(address, form(), headers=FRAGMENT)
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == f"/bookings/{Reservation.objects.get().pk}/"


def test_the_form_sent_twice_books_once(as_, address, form):
    sent = form()
    first, second = as_("lin").post(address, sent), as_("lin").post(address, sent)
    assert first.headers["Location"] == second.headers["Location"]
    assert Reservation.objects.count() == 1


def test_the_same_form_with_another_time_is_not_the_same_booking(as_, address, form):
    sent = form()
    as_("lin").post(address, sent)
    response = as_("lin").post(address, form(14, 16, key=sent["key"]))
    assert response.status_code == 422 and "With this form you booked something already" in words(response)


def test_every_broken_rule_is_listed_and_what_was_typed_is_kept(as_, address, form):
    sent = form(purpose="brine & salts") | {"from": "21:07", "to": "21:16"}
    response = as_("lin").post(address, sent)
    text = words(response)
    assert response.status_code == 422 and not Reservation.objects.exists()
    for words_of_rule in (
        "too short",
        "Start on the 30-minute grid",
        "End on the 30-minute grid",
        "outside the instrument's opening hours",
    ):
        assert words_of_rule in text
    html = response.content.decode()
    assert 'value="21:07"' in html and 'value="brine &amp; salts"' in html and 'href="#booking-from"' in html


def test_a_manager_books_in_spite_of_the_labs_rules_with_a_reason_that_the_history_tells(
    as_, address, form, cast, slot, programmes
):
    with_head(cast)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 120}, cast.now)
    figures = quotes.preview(cast.actor("wang"), cast.xrd.pk, cast.lab.pk, slot(9, 12), cast.now).assessment
    sent = form(
        organisation=cast.lab.pk,
        expected_payable_now_fen=figures.payable_now_fen,
        expected_final_cost_fen=figures.final_cost_fen,
    )
    wang, hint = as_("wang"), "you may book all the same"
    refused = wang.post(address, sent)
    assert refused.status_code == 422 and 'name="override_reason"' in refused.content.decode()
    assert hint in words(wang.get(address, sent)) and hint not in words(wang.get(address, sent | {"to": "11:00"}))
    closed = words(wang.get(address, sent | {"from": "19:00", "to": "23:00"}))
    assert "outside the instrument's opening hours" in closed and hint not in closed
    quote = {"instrument": cast.xrd.pk, **sent}
    looks = [wang.get(reverse("quote_preview"), quote | {"override_reason": why}, headers=FRAGMENT) for why in ("", "Lost")]
    assert [hint in words(look) for look in looks] == [True, False]
    live = re.search(r'id="quote" [^>]*hx-params="([^"]+)"', wang.get(address, sent).content.decode())
    assert live and live[1].startswith("not ") and "override_reason" not in live[1], "what is typed there changes what is said"
    mine = words(as_("lin").get(address, form()))
    assert "too long" in mine and hint not in mine and "In spite of the lab" not in mine
    assert as_("lin").post(address, form(override_reason="Please")).status_code == 403
    made = wang.post(address, sent | {"override_reason": "Beam time was lost", "key": str(uuid4())}, follow=True)
    assert Reservation.objects.get().organisation == cast.lab
    assert "Beam time was lost (passed over: longest booking)" in words(made)


def test_every_rule_that_may_be_passed_over_has_a_name():
    assert {*OVERRIDABLE, "quota", "measure"} == set(RULE_NAMES)
    said = "Closed [booking.too_long]"
    assert passed_over_words(said, None) == said, "what somebody typed is never taken for a list of rules"
    with translation.override("en"):
        words_of_it = passed_over_words(said, ["booking.off_grid", "booking.end_off_grid", "quota.person_minutes"])
    assert words_of_it == f"{said} (passed over: steps of time, quota)"


def test_the_refused_form_is_a_fragment_for_htmx(as_, address, form):
    response = as_("lin").post(address, form() | {"from": "21:07"}, headers=FRAGMENT)
    assert response.status_code == 422
    assert response.content.decode().lstrip().startswith("<section") and "<html" not in response.content.decode()


def test_a_taken_time_is_answered_with_others_that_one_press_books(as_, address, form, approved):
    approved(9, 11)
    client = as_("lin")
    response = client.post(address, form(10, 12))
    text = words(response)
    assert response.status_code == 409
    assert "was just taken" in text and "Free instead: request with one press" in text and "pay now ¥800.00" in text
    buttons = [
        piece.split("</form>")[0]
        for piece in response.content.decode().split("<form ")[1:]
        if "btn-block alternative" in piece.split("</form>")[0]
    ]
    assert len(buttons) == 3
    pressed = dict(_hidden(buttons[0]))
    assert pressed["from"] == "11:00" and pressed["to"] == "13:00"
    assert client.post(address, pressed).status_code == 302
    assert Reservation.objects.filter(state="requested").count() == 1


def _hidden(html: str) -> list[tuple[str, str]]:
    import re

    return re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)


def test_other_figures_than_those_seen_are_shown_before_anything_is_booked(as_, address, form):
    response = as_("lin").post(address, form(expected_payable_now_fen=1, expected_final_cost_fen=1))
    assert response.status_code == 409 and not Reservation.objects.exists()
    assert "The figures have changed since you looked" in words(response)
    assert 'name="expected_payable_now_fen" value="120000"' in response.content.decode()


def test_figures_that_were_not_seen_are_shown_before_anything_is_booked(as_, address, form):
    response = as_("lin").post(address, form(expected_payable_now_fen=None))
    assert response.status_code == 422 and not Reservation.objects.exists()
    assert "Nothing is booked yet: here is what it costs" in words(response)


@pytest.mark.parametrize(
    "changes",
    [
        {"on": "0000-00-00"},
        {"on": "9" * 1000},
        {"from": "\U0001f52c"},
        {"to": "09:00"},
        {"service_mode": "x" * 1000},
        {"service_mode": ""},
        {"service_mode": "remote"},
        {"organisation": ""},
        {"organisation": "x"},
        {"purpose": "x" * 1000},
        {"purpose": "a\x00b"},
        {"research_project": "\u202eabc"},
        {"research_project": "x" * 1000},
        {"key": ""},
        {"key": "\x00"},
        {"key": "x" * 1000},
        {"expected_payable_now_fen": "9" * 400},
        {"expected_final_cost_fen": "-1"},
        {"to_on": "never"},
    ],
)
def test_what_cannot_be_accepted_is_refused_with_a_sentence(as_, address, form, changes):
    response = as_("lin").post(address, form() | changes)
    assert response.status_code == 422 and not Reservation.objects.exists()
    assert "Nothing is booked yet" in words(response)
    assert "booking." not in words(response).replace("booking. ", "")


@pytest.mark.parametrize("purpose", ["\U0001f52c", "\u0f56\u0f7c\u0f51", "=cmd()", "<b>x</b>", "x" * 500, ""])
def test_any_script_may_be_typed(as_, address, form, purpose):
    assert as_("lin").post(address, form(purpose=purpose)).status_code == 302
    assert Reservation.objects.get().purpose == purpose


@pytest.mark.parametrize("organisation", [0, 999999, 10**14, 10**30])
def test_nobody_books_for_an_organisation_that_is_not_theirs(as_, address, form, organisation):
    response = as_("lin").post(address, form() | {"organisation": organisation})
    assert response.status_code in (403, 422) and not Reservation.objects.exists()


def test_nobody_books_for_a_foreign_firm(as_, address, form, cast):
    response = as_("lin").post(address, form() | {"organisation": cast.other_firm.pk})
    assert response.status_code == 403 and "You cannot book for this organisation" in words(response)


@pytest.mark.parametrize("pk", [999999, 10**30])
def test_an_instrument_that_is_not_there_is_not_found(as_, form, pk):
    assert as_("lin").post(f"/instruments/{pk}/book", form()).status_code == 404
    assert as_("lin").get(f"/instruments/{pk}/book").status_code == 404


def test_after_an_expired_login_the_form_comes_back_with_what_was_typed(as_, address, form):
    response = as_().post(address, form(purpose="brine", research_project="2026 salts"))
    assert response.status_code == 302 and not Reservation.objects.exists()
    target = urlparse(response.headers["Location"])
    assert target.path == "/accounts/login/"
    back = parse_qs(target.query)["next"][0]
    html = as_("lin").get(back).content.decode()
    for value in ('value="2026-11-25"', 'value="09:00"', 'value="brine"', 'value="2026 salts"'):
        assert value in html


def test_after_an_expired_login_htmx_is_sent_to_the_login_as_a_whole(as_, address, form):
    response = as_().post(address, form(), headers=FRAGMENT)
    assert response.status_code == 204 and response.headers["HX-Redirect"].startswith("/accounts/login/?next=")


def test_a_form_without_our_token_is_refused(as_, address, form):
    assert as_("lin", enforce_csrf_checks=True).post(address, form()).status_code == 403
    assert not Reservation.objects.exists()


def test_the_form_may_stand_on_a_page_of_its_own(as_, address):
    response = as_("lin").get(address + "?on=2026-11-25&from=09:00&to=12:00")
    assert response.status_code == 200 and 'value="09:00"' in response.content.decode()


def test_the_last_booking_fills_in_the_project(as_, address, ask):
    ask(9, 10, research_project="2026 salts")
    assert 'value="2026 salts"' in as_("lin").get(address).content.decode()
    assert 'value="2026 salts"' not in as_("he").get(address).content.decode()


def test_other_methods_are_not_allowed(as_, address):
    client: Client = as_("lin")
    assert client.put(address).status_code == 405 and client.delete(address).status_code == 405
