"""Booking the same once more in three clicks; a time that comes again, from the panel to giving part of it back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.checks import content_accessible, fits
from tests.browser.journey import log_in, new_instrument, newly_arrived, reservation_at, state_of
from tests.browser.keyboard import Keyboard
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors

NAME = "Series spectrometer"


def test_the_same_again_in_three_clicks(people: Visitors, used: Site) -> None:
    visitor = newly_arrived(people)
    page = visitor.page
    log_in(visitor, "researcher")
    page.get_by_role("link", name="My bookings").first.click()
    page.wait_for_url("**/bookings/")
    page.get_by_role("link", name="Book again").first.click()
    expect(page.locator("#booking-submit")).to_be_visible()
    expect(page.get_by_text("Free for the same once more")).to_be_visible()
    page.locator("#booking-submit").click()
    page.wait_for_url(re.compile(r"/bookings/\d+/$"))
    assert state_of(used, reservation_at(page.url)) in {"requested", "approved"}
    expect(page.locator("ol.timeline > li").first).to_be_visible()  # what happened so far
    assert visitor.faults.found == []


def test_a_series_is_asked_for_and_its_end_given_back_with_keys(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, NAME)
    visitor = newly_arrived(people)
    page, keys = visitor.page, Keyboard(visitor.page)
    log_in(visitor, "researcher")
    visitor.open(f"/instruments/{instrument}/")
    page.locator(".slot").nth(1).click()  # the first may begin before it is sent
    keys.go(page.locator("#quote-repeat"), most=60)
    page.wait_for_url("**/series?**")
    expect(page.locator("#series-submit")).to_contain_text("4 times")
    content_accessible(page)
    fits(page, 390, 1280)
    keys.tab_to(page.locator("#pick-2"), most=80)
    page.keyboard.press("Space")
    expect(page.locator("#series-submit")).to_contain_text("3 times")
    expect(page.locator("#pick-2")).to_be_focused()
    keys.go(page.locator("#series-submit"), most=60)
    page.wait_for_url(re.compile(r"/series/\d+/$"))
    expect(page.get_by_text("3 requests sent.").or_(page.get_by_text("3 times booked."))).to_be_visible()
    content_accessible(page)
    fits(page, 390, 1280)

    keys.go(page.get_by_role("link", name="Cancel several"), most=60)
    page.get_by_label("Starting with").select_option("3")
    keys.go(page.locator("#change-look"), most=60)
    expect(page.locator("#change-report")).to_contain_text("Given back in time")
    content_accessible(page)
    fits(page, 390, 1280)
    keys.go(page.locator("#change-submit"), most=60)
    expect(page.get_by_text("2 times given back.")).to_be_visible()
    assert visitor.faults.found == []
