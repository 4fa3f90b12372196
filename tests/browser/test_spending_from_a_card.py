"""From a fund card that asks its leader to the lab's approval: two people, two browsers, one of them a phone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.checks import content_accessible, fits
from tests.browser.journey import log_in, newly_arrived, reservation_at, state_of
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors


def test_a_leader_agrees_on_the_phone_and_the_lab_can_approve(people: Visitors, used: Site) -> None:
    leader = newly_arrived(people)
    page = leader.page
    page.set_viewport_size({"width": 390, "height": 800})
    log_in(leader, "group_leader")
    leader.open("/groups/")
    page.get_by_role("link", name="booking to agree to").click()
    expect(page.get_by_role("heading", level=1, name="Spending to agree to")).to_be_visible()
    content_accessible(page)
    fits(page, 390, 1280)
    link = page.locator("section.attention h2 a").first
    address = used.address + str(link.get_attribute("href"))
    pk = reservation_at(address)

    lab = newly_arrived(people)
    log_in(lab, "lab_manager")
    lab.page.goto(address)
    expect(lab.page.get_by_text("Awaiting leader")).to_be_visible()
    expect(lab.page.get_by_role("button", name="Approve and tell the customer")).to_have_count(0)

    page.get_by_role("button", name="Agree to").first.click()
    expect(page.get_by_role("heading", name="Answered last")).to_be_visible()
    lab.page.reload()
    lab.page.get_by_role("button", name="Approve and tell the customer").click()
    expect(lab.page.get_by_text("Awaiting leader")).to_have_count(0)
    assert state_of(used, pk) == "approved"
    assert leader.faults.found == []
    assert lab.faults.found == []
