"""A lab's manager enters a booking for a customer's person from the timeline's form, and the person says yes to it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.checks import content_accessible, fits
from tests.browser.journey import log_in, new_instrument, newly_arrived, reservation_at, state_of
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitors


def test_a_phoned_request_is_entered_and_its_person_says_yes(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Telephone spectrometer")
    lab = newly_arrived(people)
    page = lab.page
    log_in(lab, "lab_manager")
    lab.open(f"/instruments/{instrument}/")
    page.locator(".slot").nth(1).click()
    expect(page.locator("#booking-submit")).to_be_visible()
    expect(page.locator("#booking-for")).to_have_attribute("href", re.compile("from="))
    page.locator("#booking-for").click()
    page.wait_for_url("**/book-for/**")
    content_accessible(page)
    fits(page, 390, 1280)
    page.locator("#whom-q").fill(PERSONAS["researcher"])
    page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(page.locator("a.alternative").first).to_be_visible()
    content_accessible(page)
    fits(page, 390, 1280)
    page.locator("a.alternative").first.click()
    page.wait_for_url("**/book?**")
    expect(page.get_by_text("their rules, their price")).to_be_visible()
    expect(page.get_by_text("The customer has said yes to this time and price")).to_be_visible()
    content_accessible(page)
    fits(page, 390, 1280)
    expect(page.get_by_text("Counts once the customer has said yes")).to_be_visible()
    page.locator("#booking-submit").click()
    page.wait_for_url(re.compile(r"/bookings/\d+/$"))
    pk = reservation_at(page.url)
    expect(page.get_by_role("heading", name="Waits for the customer's yes")).to_be_visible()
    content_accessible(page)
    assert state_of(used, pk) == "requested"

    person = newly_arrived(people)
    log_in(person, "researcher")
    person.open(f"/bookings/{pk}/")
    expect(person.page.get_by_role("heading", name="The lab entered this for you")).to_be_visible()
    content_accessible(person.page)
    fits(person.page, 390, 1280)
    person.page.get_by_role("button", name="Yes, book it").click()
    expect(person.page.get_by_text("said yes here")).to_be_visible()
    assert state_of(used, pk) == "approved"
    assert lab.faults.found == person.faults.found == []
