"""Letting a colleague book in one's name, and the booking form that then asks in whose name."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.pricing import services as pricing
from booking.models import BookingConsent, Reservation
from booking.queries import consents as queries
from booking.services import consents, transitions
from config.kernel.access import Role
from frontend.views.colleagues import MOST_FOUND, PER_PAGE
from instruments.models import Membership, User
from tests.conftest import PRICE
from tests.frontend.acting import words


@pytest.fixture
def mei(cast):
    user = User.objects.create(email="mei@example.org", full_name="Mei", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now)
    cast.users["mei"] = user
    return user


@pytest.fixture
def agreed(as_, cast, mei):
    typed = {"taker": f"{cast.firm.pk}:{cast.users['lin'].pk}", "until_on": "2026-12-31"}
    done = as_("mei").post("/colleagues/", typed, follow=True)
    assert "Lin may book in your name. Both of you have been told." in words(done)
    return BookingConsent.objects.get()


def test_who_has_agreed_stands_on_both_pages_and_either_ends_it(as_, agreed):
    assert "Lin" in words(as_("mei").get("/colleagues/")) and "until" in words(as_("mei").get("/colleagues/"))
    assert "Mei" in words(as_("lin").get("/colleagues/"))
    assert "Nobody yet." in words(as_("zhao").get("/colleagues/"))
    assert as_("zhao").post(f"/colleagues/{agreed.pk}/end").status_code == 404
    assert "Ended." in words(as_("lin").post(f"/colleagues/{agreed.pk}/end", follow=True))
    late = as_("mei").post(f"/colleagues/{agreed.pk}/end")
    assert late.status_code >= 400 and "ended already" in words(late)


@pytest.mark.parametrize(
    ("taker", "until_on"), [("", "2026-12-31"), ("9:9", "2026-12-31"), ("{ok}", "2020-01-01"), ("{ok}", "x")]
)
def test_what_cannot_be_is_refused_and_stays_as_typed(as_, cast, mei, taker, until_on):
    typed = {"taker": taker.replace("{ok}", f"{cast.firm.pk}:{cast.users['lin'].pk}"), "until_on": until_on}
    refused = as_("mei").post("/colleagues/", typed)
    assert 400 <= refused.status_code < 500 and f'value="{until_on}"' in refused.content.decode()
    assert not BookingConsent.objects.exists()


def test_the_form_asks_in_whose_name_only_where_somebody_agreed(as_, cast, agreed, form):
    address = f"/instruments/{cast.xrd.pk}/?on=2026-11-25&from=09:00&to=12:00"
    assert "In the name of" not in words(as_("zhao").get(address))
    page = as_("lin").get(f"{address}&for_person={agreed.giver_id}")
    assert re.search(rf'<option value="{agreed.giver_id}" selected>Mei', page.content.decode())
    client = as_("lin")
    typed = form(9, 12) | {"for_person": str(agreed.giver_id)}
    client.post(f"/instruments/{cast.xrd.pk}/book", typed)
    reservation = Reservation.objects.get()
    assert (reservation.requested_by, reservation.booked_by) == (agreed.giver, cast.users["lin"])
    for who in ("lin", "mei", "wang"):
        assert "Lin for Mei" in words(as_(who).get(f"/bookings/{reservation.pk}/"))


@pytest.mark.parametrize("typed", ["x", "999999"])
def test_a_name_that_nobody_agreed_to_books_nothing(as_, cast, mei, form, typed):
    refused = as_("lin").post(f"/instruments/{cast.xrd.pk}/book", form(9, 12) | {"for_person": typed})
    assert 400 <= refused.status_code < 500 and "has not agreed" in words(refused)
    assert not Reservation.objects.exists()


def test_in_a_colleagues_name_neither_a_series_nor_several_instruments_are_offered(as_, cast, agreed):
    address = f"/quotes/preview?instrument={cast.xrd.pk}&organisation={cast.firm.pk}&on=2026-11-25&from=09:00&to=12:00"
    own = as_("lin").get(address, headers={"HX-Request": "true"}).content.decode()
    theirs = as_("lin").get(f"{address}&for_person={agreed.giver_id}", headers={"HX-Request": "true"})
    assert 'id="quote-repeat"' in own and 'id="quote-repeat"' not in theirs.content.decode()
    assert "one time is booked at once" in words(theirs)


@pytest.mark.parametrize("for_colleague", [True, False])
def test_a_card_that_cannot_be_chosen_is_said_and_nothing_typed_is_lost(as_, cast, agreed, form, for_colleague):
    typed = form(9, 12) | {
        "fund_card": "999",
        "for_person": str(agreed.giver_id) if for_colleague else "",
        "purpose": "Phase analysis",
    }
    refused = as_("lin").post(f"/instruments/{cast.xrd.pk}/book", typed)
    assert refused.status_code == 422 and "Choose a fund card." in words(refused) and "Phase analysis" in refused.content.decode()


def test_who_may_not_take_a_fee_on_any_more_reads_why_in_place_of_the_form(as_, cast, agreed, form, clock):
    fees = {"fees": {"late_cancel": {"share": "0.5"}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | fees, cast.now.date(), cast.now, cast.now.date())
    as_("lin").post(f"/instruments/{cast.xrd.pk}/book", form(9, 12) | {"for_person": str(agreed.giver_id)})
    reservation = Reservation.objects.get()
    transitions.approve(cast.actor("wang"), reservation.pk, cast.now)
    consents.end(cast.actor("mei"), agreed.pk, cast.now)
    address = f"/bookings/{reservation.pk}/cancel"
    assert 'name="expected_fee_fen"' in as_("lin").get(address).content.decode()  # still free
    clock.now = reservation.starts_at - timedelta(hours=1)
    page = as_("lin").get(address)
    assert "Mei no longer lets you book in their name" in words(page)
    assert "expected_fee_fen" not in page.content.decode()
    assert 'name="expected_fee_fen"' in as_("mei").get(address).content.decode()


@pytest.fixture
def many(cast):
    """Thirty more researchers of Lin's firm, one of them in a second role."""
    people = User.objects.bulk_create(
        User(email=f"p{number:02}@lab.example", full_name=f"Person {number:02}", password="!", language="en")
        for number in range(30)
    )
    Membership.objects.bulk_create(
        Membership(user=one, organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now) for one in people
    )
    Membership.objects.create(user=people[7], organisation=cast.firm, role=Role.FIRM_ADMIN, created_at=cast.now)
    return people


def test_of_many_colleagues_a_part_of_the_name_or_of_the_mail_finds_one(as_, cast, mei, many):
    page = as_("mei").get("/colleagues/").content.decode()
    assert page.count('<option value="') == 1 + MOST_FOUND and "Only the first 20 are offered" in page
    for text in ("erson 07", "P07@LAB"):
        found = as_("mei").get("/colleagues/", {"q": text}).content.decode()
        assert re.findall(r'<option value="(.+?)"', found) == [f"{cast.firm.pk}:{many[7].pk}"]
    assert "found by this" in words(as_("mei").get("/colleagues/?q=Ma"))  # of another organisation
    typed = {"taker": f"{cast.firm.pk}:{many[29].pk}", "until_on": "2026-12-31", "q": "Person 29"}
    as_("mei").post("/colleagues/", typed)
    assert BookingConsent.objects.get().taker == many[29]


def test_colleagues_are_found_with_one_query_however_many_organisations(cast, mei, many):
    Membership.objects.create(user=mei, organisation=cast.other_firm, role=Role.RESEARCHER, created_at=cast.now)
    actor = cast.actor("mei")
    with CaptureQueriesContext(connection) as asked:
        found = [(row.organisation.name, str(row.user)) for row in queries.colleagues_found(actor)]
    assert len(asked) == 1 and len(found) == len(set(found)) > len(many)


def test_who_has_let_many_book_reads_them_page_by_page(as_, cast, mei, many):
    BookingConsent.objects.bulk_create(
        BookingConsent(organisation=cast.firm, giver=mei, taker=one, until_on="2026-12-31", given_at=cast.now) for one in many
    )
    first, second = (as_("mei").get(f"/colleagues/?given={number}") for number in (1, 2))
    assert "Person 00" in words(first) and "?given=2" in first.content.decode()
    assert [row.taker.full_name for row in second.context["given"]] == [f"Person {number}" for number in range(PER_PAGE, 30)]
