"""Keeping and reporting in a real browser: from the edit to the published page with its difference, a problem by keyboard alone,
and the page on paper.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from config.kernel.time_range import TimeRange
from tests.browser import pages, stage
from tests.browser.checks import content_accessible, fits, guarded
from tests.browser.pages import at
from tests.browser.visitors import Visitors

OWN_WORDS = "Finds phases of salts in brine, and how much of each."


def under_review() -> int:
    """A published instrument of the lab whose changes are looked at, without an open change."""
    from instruments.models import Instrument

    lab = stage.persona(pages.PERSONAS["reviewed_lab"])
    rows = Instrument.objects.filter(organisation_id__in=lab.organisations(), published=True, changes__isnull=True)
    return int(rows.earliest("pk").pk)


def test_an_edit_is_handed_in_compared_and_published(people: Visitors) -> None:
    lab, operator = people.get("reviewed_lab", "en"), people.get("operator", "en")
    with people.site.data():
        pk = under_review()
    guarded(lab.open(at("instrument_edit", pk)))
    page = lab.page
    expect(page.get_by_label("HS code")).to_be_hidden()
    page.get_by_label("Supervised by customs").select_option("yes")
    expect(page.get_by_label("HS code")).to_be_visible()
    page.get_by_label("Supervised by customs").select_option("")
    field = page.get_by_label("Main functions")
    field.fill(OWN_WORDS)
    expect(page.locator("#id_functions + .counter")).to_have_text(f"{len(OWN_WORDS)} / 900")
    page.evaluate("scrollTo(0, 0)")  # a field that has scrolled half under the header is no small target
    content_accessible(page)
    fits(page, 390, 320)
    page.get_by_role("button", name="Save and look at the differences").click()
    page.wait_for_url(re.compile("/reviews/"))
    expect(page.locator("ins")).to_contain_text("Finds phases")
    page.get_by_role("button", name="Hand in").click()
    expect(page.locator("main")).to_contain_text("Waiting for review")
    change = page.url
    operator.page.goto(change)
    seen = operator.page
    expect(seen.locator("ins")).to_contain_text("Finds phases")
    content_accessible(seen)
    seen.get_by_role("button", name="Refuse and tell the owner").click()
    expect(seen.locator("#id_reason_problem")).to_contain_text("Give a reason")
    expect(seen.locator(".error-summary")).to_be_focused()
    seen.get_by_role("button", name="Accept and publish the change").click()
    seen.wait_for_url("**/reviews/")
    visitor = people.get("anonymous", "en")
    visitor.open(at("instrument_detail", pk))
    expect(visitor.page.locator("#ability")).to_contain_text(OWN_WORDS)


def tab_to(page: Page, name: str, limit: int = 60) -> None:
    """Press Tab until the control of that name has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        label = page.evaluate(
            "() => { const e = document.activeElement; return (e.labels && e.labels[0] ? e.labels[0].innerText : e.innerText) || '' }"
        )
        if name in label:
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_a_problem_is_reported_and_answered_by_keyboard_alone(people: Visitors) -> None:
    with people.site.data():
        pk = pages.instrument().pk
    visitor = people.get("researcher", "en")
    visitor.open(at("instrument_detail", pk))
    page = visitor.page
    tab_to(page, "Ratings")
    page.keyboard.press("Enter")  # a link within the page: the next Tab goes on from there
    tab_to(page, "Report a problem", 20)
    page.keyboard.press("Enter")
    page.wait_for_url("**/problem/")
    tab_to(page, "What is wrong?")
    page.keyboard.type("The pump is loud.")
    tab_to(page, "Tell the lab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{at('instrument_detail', pk)}")
    expect(page.locator("main")).to_contain_text("The lab has been told")
    expect(page.locator("main")).to_contain_text("The pump is loud.")
    lab = people.get("lab_manager", "en")
    lab.open(at("problem_list"))
    desk = lab.page
    tab_to(desk, "Seen, we look into it")
    desk.keyboard.press("Enter")
    expect(desk.locator("main")).to_contain_text("The person who reported it has been told.")


def test_grey_time_opens_its_reason_with_the_keyboard(people: Visitors) -> None:
    with people.site.data():
        from booking.services import maintenance

        now = datetime.now(UTC)
        pk = stage.add_instrument("Microscope under maintenance", now).pk
        noon = now.replace(hour=4, minute=0, second=0, microsecond=0) + timedelta(days=2)
        maintenance.block(
            stage.persona(pages.PERSONAS["lab_manager"]), pk, TimeRange(noon, noon + timedelta(hours=3)), "Pump", now
        )
    visitor = people.get("anonymous", "en")
    visitor.open(at("instrument_detail", pk))
    page = visitor.page
    grey = page.locator(".why").first
    grey.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(grey.locator("p")).to_be_visible()
    assert len(grey.locator("p").inner_text()) > 15


def test_the_page_prints_on_paper_with_its_code(people: Visitors) -> None:
    with people.site.data():
        pk = pages.rich_instrument()
    visitor = people.get("anonymous", "en")
    visitor.open(at("instrument_detail", pk))
    page = visitor.page
    page.emulate_media(media="print")
    for hidden in (".site-head", ".jumps", ".booking-side", ".site-foot"):
        expect(page.locator(hidden).first).to_be_hidden()
    for shown in ("#ability", "#price-title", "#documents", ".qr", ".print-only"):
        expect(page.locator(shown).first).to_be_visible()
    printed = page.pdf(format="A4", print_background=False)
    assert printed.startswith(b"%PDF-")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 8
