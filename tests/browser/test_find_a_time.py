"""From "what, how long, between which days" to a booking, with the mouse and with keys alone; and a mail where nothing is free."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.browser.checks import content_accessible, fits
from tests.browser.journey import log_in, newly_arrived, quoted, reservation_at, state_of, yuan
from tests.browser.keyboard import Keyboard
from tests.browser.pages import at
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors

#: By what will happen: the lab approves, or the time counts at once.
BOOKS = re.compile("(Book|Request) this time")


def test_a_time_is_found_compared_by_cost_and_booked(people: Visitors, used: Site) -> None:
    visitor = newly_arrived(people)
    page = visitor.page
    log_in(visitor, "researcher")
    page.get_by_role("link", name="Or find a time").click()
    expect(page.get_by_role("heading", level=1, name="Find a time")).to_be_visible()
    page.get_by_label("How long (hours)").fill("3")
    cheapest = page.get_by_role("link", name="Lowest final cost")
    with page.expect_response(lambda response: "sort=cost" in response.url and "hours=3" in response.url):
        cheapest.click()  # the hours that were typed a moment ago come along
    expect(cheapest).to_have_attribute("aria-current", "true")
    expect(page.get_by_label("How long (hours)")).to_have_value("3")
    costs = [yuan(text) for text in page.locator(".time-final dd").all_inner_texts()]
    assert len(costs) > 5
    assert costs == sorted(costs)
    content_accessible(page)
    fits(page, 390, 1280)

    row = page.locator(".time-row", has=page.get_by_role("link", name=BOOKS)).first
    shown = [yuan(text) for text in row.locator("dd").all_inner_texts()]
    row.get_by_role("link", name=BOOKS).click()
    page.get_by_label("Purpose").fill("Found by time")
    page.locator("#booking-submit").click()
    page.wait_for_url("**/bookings/*/")
    pk = reservation_at(page.url)
    figures = quoted(used, pk)
    assert shown == [figures.gross, figures.payable_now, figures.final_cost]
    assert state_of(used, pk) in {"requested", "approved"}
    assert visitor.faults.found == []


def test_an_order_that_is_chosen_while_a_change_is_on_its_way_has_both(people: Visitors) -> None:
    page = newly_arrived(people).page
    page.goto(people.site.address + at("find_a_time"))
    held: list[Route] = []
    page.route(re.compile("hours=3(?!.*sort=cost)"), lambda route: held.append(route))
    hours = page.get_by_label("How long (hours)")
    with page.expect_request(re.compile("hours=3")):
        hours.fill("3")
        hours.press("Tab")
    cheapest = page.get_by_role("link", name="Lowest final cost")
    with page.expect_response(lambda response: "sort=cost" in response.url and "hours=3" in response.url):
        cheapest.click()
    expect(cheapest).to_have_attribute("aria-current", "true")
    assert held and "with 3 h free" in page.locator("#times").inner_text()


def test_the_same_without_a_mouse(people: Visitors, used: Site) -> None:
    visitor = newly_arrived(people)
    page, keys = visitor.page, Keyboard(visitor.page)
    log_in(visitor, "researcher")
    keys.press("g", "n")
    page.wait_for_url("**/find-a-time/")
    keys.skip_to_content()
    keys.tab_to(page.get_by_label("How long (hours)"))
    page.keyboard.press("Control+A")
    keys.type("1.5")
    keys.press("Enter")
    expect(page.locator(".browse-count")).to_contain_text("1 h 30 min free")
    keys.go(page.get_by_role("link", name=BOOKS).first, most=90)
    expect(page.locator("#booking-submit")).to_be_visible()
    keys.go(page.locator("#booking-submit"), most=60)
    page.wait_for_url("**/bookings/*/")
    assert state_of(used, reservation_at(page.url)) in {"requested", "approved"}
    assert visitor.faults.found == []


def test_nothing_free_shows_ways_out_and_keeps_the_wish(people: Visitors, used: Site) -> None:
    visitor = newly_arrived(people)
    page = visitor.page
    log_in(visitor, "researcher")
    visitor.open("/find-a-time/?hours=20&region_code=632700&class_code=01")
    expect(page.get_by_role("heading", name="Nothing is free like this")).to_be_visible()
    content_accessible(page)
    page.get_by_role("button", name="Tell me when one becomes free").click()
    expect(page.get_by_text("You will get a mail when such a time becomes free.")).to_be_visible()
    content_accessible(page)
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("heading", name="You wait for nothing")).to_be_visible()
    assert visitor.faults.found == []


def test_a_sentence_leads_to_a_priced_time(people: Visitors) -> None:
    """From the one box on the first page to the booking form, with what was typed carried all the way."""
    visitor = newly_arrived(people)
    page = visitor.page
    log_in(visitor, "researcher")
    box = page.get_by_role("main").get_by_role("combobox")
    box.fill("diffractometer, 3 hours, next week, near Xining")
    box.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?q=diffractometer"))
    expect(page.locator(".find-card", has_text="final cost for you").first).to_be_visible()
    expect(page.locator(".find-offer").first).to_contain_text("Next free")
    content_accessible(page)
    fits(page, 390, 1280)
    page.locator(".to-times").get_by_role("link", name="Find a time").click()
    page.wait_for_url(re.compile(r"/find-a-time/\?q=diffractometer&hours=3&from=.*&region_code=630100"))
    expect(page.get_by_label("How long (hours)")).to_have_value("3")
    page.get_by_role("link", name=BOOKS).first.click()
    expect(page.locator("#booking-submit")).to_be_visible()
    assert visitor.faults.found == []
