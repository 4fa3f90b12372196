"""Entering a booking for a customer by the pages: from the form to the search and back, and the person's yes."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote

import pytest
from django.core import signing

from booking.models import LabEntry, Reservation
from booking.services import policies, transitions
from frontend import whom
from instruments.models import Membership
from tests.frontend.acting import words
from tests.spending import build_spenders

TIME = "on=2026-11-25&from=09:00&to=12:00"


@pytest.fixture(autouse=True)
def known(cast, ask):
    """Lin asked at the lab before."""
    transitions.cancel(cast.actor("lin"), ask(18, 19, 6), cast.now)


def place(cast):
    return f"/instruments/{cast.xrd.pk}"


def found(as_, cast, text="lin", who="wang", query=TIME):
    """The addresses of the form for everybody who was found."""
    page = as_(who).post(f"{place(cast)}/book-for/?{query}", {"q": text})
    assert page.status_code == 200
    return [unescape(one) for one in re.findall(r'class="btn btn-block alternative" href="([^"]+)"', page.content.decode())]


def typed(page, **more):
    """What the form on the page sends."""
    html = page.content.decode()
    form = html[html.index('id="booking-form"') :]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form[: form.index("</form>")]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and (('type="radio"' not in tag and 'type="checkbox"' not in tag) or "checked" in tag):
            sent[name.group(1)] = unescape(value.group(1)) if value else ""
    sent.pop("csrfmiddlewaretoken", None)
    return sent | more


def test_the_labs_managers_are_led_from_the_form_to_the_search_with_the_time(as_, cast):
    form = as_("wang").get(f"{place(cast)}/book?{TIME}")
    link = unescape(re.search(r'id="booking-for" href="([^"]+)"', form.content.decode()).group(1))
    search = as_("wang").get(link)
    assert "2026-11-25 09:00 – 12:00" in words(search)
    (address,) = found(as_, cast)
    page = as_("wang").get(address)
    assert "Gaoyuan Lithium: their rules, their price." in words(page) and 'value="09:00"' in page.content.decode()
    assert "Enter the booking" in words(page)
    for who in ("lin", "li"):
        assert 'id="booking-for"' not in as_(who).get(f"{place(cast)}/book?{TIME}").content.decode()


@pytest.mark.parametrize(("who", "status"), [("lin", 403), ("li", 403), ("he", 403), ("", 302)])
def test_the_search_is_for_the_labs_managers(as_, cast, who, status):
    assert as_(who).get(f"{place(cast)}/book-for/").status_code == status
    assert as_(who).post(f"{place(cast)}/book-for/", {"q": "lin"}).status_code == status


def test_with_the_yes_it_is_booked_at_once_and_pressed_twice_once(as_, cast):
    wang = as_("wang")
    sent = typed(wang.get(found(as_, cast)[0]), has_yes="on", customer_yes="Lin on the telephone")
    done = wang.post(f"{place(cast)}/book", sent, follow=True)
    assert "Booked." in words(done) and "Lin on the telephone" in words(done) and "Wang for Lin" in words(done)
    again = wang.post(f"{place(cast)}/book", sent, follow=True)
    assert again.status_code == 200 and LabEntry.objects.count() == 1
    assert Reservation.objects.get(entry__isnull=False).state == "approved"


def test_a_yes_of_which_nothing_is_said_is_refused_and_what_was_typed_stays(as_, cast):
    wang = as_("wang")
    sent = typed(wang.get(found(as_, cast)[0]), has_yes="on", customer_yes=" ", purpose="Brine")
    refused = wang.post(f"{place(cast)}/book", sent)
    assert refused.status_code == 422 and "Write how the customer said yes" in words(refused)
    assert 'value="Brine"' in refused.content.decode() and 'name="has_yes" value="on" checked' in refused.content.decode()
    assert not LabEntry.objects.exists()


def test_without_it_the_person_says_yes_on_the_page(as_, cast):
    wang = as_("wang")
    done = wang.post(f"{place(cast)}/book", typed(wang.get(found(as_, cast)[0])), follow=True)
    assert "The person is asked to say yes" in words(done) and "Waits for the customer's yes" in words(done)
    pk = LabEntry.objects.get().reservation_id
    assert "Yes, book it" not in words(done) and "Approve and tell the customer" not in words(done)
    assert "It counts once the customer has said yes" in words(wang.get(f"/approvals/?selected={pk}"))
    wang.post(f"/bookings/{pk}/approve")
    assert Reservation.objects.get(pk=pk).state == "requested"
    lin = as_("lin")
    page = lin.get(f"/bookings/{pk}/")
    assert "The lab entered this for you" in words(page) and "Yes, book it" in words(page)
    fields = dict(re.findall(r'name="(expected_[a-z_]+)" value="(\d+)"', page.content.decode()))
    assert len(fields) == 2
    assert "The customer says yes, and it counts" in words(page) and "The lab approves" not in words(page)
    assert lin.get("/bookings/").status_code == lin.get(f"/bookings/{pk}/move").status_code == 200
    lin.post(f"/bookings/{pk}/accept", fields)
    assert Reservation.objects.get(pk=pk).state == "approved"
    assert "Lin said yes here." in words(lin.get(f"/bookings/{pk}/"))


def test_the_labs_rules_are_passed_over_with_a_reason(as_, cast):
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"max_minutes": 60}, cast.now)
    wang = as_("wang")
    page = wang.get(found(as_, cast)[0])
    assert "You manage this lab: you may book all the same." in words(page)
    sent = typed(page, has_yes="on", customer_yes="By mail")
    assert wang.post(f"{place(cast)}/book", sent).status_code == 422
    wang.post(f"{place(cast)}/book", sent | {"override_reason": "Beam time was lost"})
    made = Reservation.objects.get(entry__isnull=False)
    assert made.transitions.get(action="request").passed_over == ["booking.too_long"]


def test_a_link_of_another_manager_or_a_made_up_one_leads_to_the_search_again(as_, cast):
    address = found(as_, cast)[0]
    token = re.search(r"whom=([^&]+)", address).group(1)
    for query in (f"{TIME}&whom={token}x", f"{TIME}&whom=5"):
        back = as_("wang").get(f"{place(cast)}/book?{query}", follow=True)
        assert "Search for the person again." in words(back) and "2026-11-25 09:00" in words(back)
    posted = as_("lin").post(f"{place(cast)}/book", {"whom": token, "on": "2026-11-25"})
    assert posted.status_code == 302 and "/book-for/" in posted["Location"]
    assert not LabEntry.objects.exists()


def test_the_address_stands_in_no_link_and_cards_of_other_firms_are_not_shown(as_, cast):
    (address,) = found(as_, cast, "zhao@example.org")
    (token,) = re.findall(r"whom=([^&]+)", address)
    said = signing.loads(unquote(token), salt=whom._SALT)
    assert all(isinstance(each, int) for each in said), "whoever reads the address, or a log of it, learns no name"
    page = as_("wang").get(address)
    assert "zhao@example.org" in words(page) and "booking-card" not in page.content.decode()
    build_spenders(cast)
    (own,) = found(as_, cast, "ma@example")
    assert 'id="booking-card"' in as_("wang").get(own).content.decode()


def test_a_link_ends_with_the_signers_role_and_takes_any_name(as_, cast):
    cast.users["zhao"].full_name = "\u0f40" * 100
    cast.users["zhao"].save()
    (address,) = found(as_, cast, "zhao@example.org")
    wang = as_("wang")
    assert wang.get(address).status_code == 200
    Membership.objects.filter(user=cast.users["wang"]).delete()
    assert wang.get(address).status_code != 200, "who manages the lab no more reads nobody's price"


def test_the_search_says_what_to_do_where_nobody_is_found(as_, cast):
    def said(text):
        return words(as_("wang").post(f"{place(cast)}/book-for/", {"q": text}))

    assert "Nobody found." in said("Nobody at all")
    assert "Lianhe Materials is here" in said("Lianhe Materials") and "He " not in said("Lianhe Materials")
    assert "Type at least 2 characters" in said("x")


def test_a_taken_time_offers_others_with_one_press_for_the_same_person(as_, cast, approved):
    approved(9, 12, who="he")
    wang = as_("wang")
    page = wang.get(found(as_, cast)[0])
    refused = wang.post(f"{place(cast)}/book", typed(page, has_yes="on", customer_yes="By mail", expected_payable_now_fen="1",
                                                      expected_final_cost_fen="1"))  # fmt: skip
    assert refused.status_code == 409
    html = refused.content.decode()
    start = html.index('class="btn btn-block alternative"')
    part = html[html.rindex("<form", 0, start) : start]
    sent = {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', part)}
    assert sent["customer_yes"] == "By mail" and sent["whom"]
    wang.post(f"{place(cast)}/book", sent)
    assert Reservation.objects.get(entry__isnull=False).requested_by == cast.users["lin"]
