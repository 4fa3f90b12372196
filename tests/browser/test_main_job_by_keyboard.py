"""The same job once more with the keyboard alone: skip links, Tab, Enter, Space, shortcuts, and the focus always in sight."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import Page, Response, expect

from config.demo.accounts import DEMO_PASSWORD
from tests.browser import stage
from tests.browser.journey import (
    check_pdf,
    check_workbook,
    day_of,
    new_instrument,
    newly_arrived,
    quoted,
    reservation_at,
    state_of,
    statement_totals,
)
from tests.browser.keyboard import Keyboard
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitor, Visitors

NAME = "Keyboard calorimeter"
MONTHS_AGO = 2
"""The journey by mouse settles last month; this one has a month of its own."""


def test_the_whole_job_without_a_mouse(people: Visitors, used: Site, tmp_path: Path) -> None:
    instrument = new_instrument(used, NAME)
    leave_a_session_open(used, instrument)
    researcher, manager, finance, second = (newly_arrived(people) for _ in range(4))

    pk = request_time(researcher)
    assert state_of(used, pk) == "requested"

    approve_and_run(manager, used, pk)
    assert state_of(used, pk) == "completed"
    researcher.page.reload()
    keys = Keyboard(researcher.page)
    keys.skip_to_content()
    keys.go(researcher.page.get_by_role("button", name="Agree: charge it"), most=90)
    expect(researcher.page.get_by_role("heading", name="Charge")).to_be_visible()
    assert state_of(used, pk) == "agreed"
    assert quoted(used, pk).gross == 400_00

    settle(finance, second, used, tmp_path)
    for visitor in (researcher, manager, finance, second):
        assert visitor.faults.found == []


def leave_a_session_open(site: Site, instrument_id: int) -> None:
    """A session of a closed month that stands on no statement."""
    with site.data():
        stage.closed_session(instrument_id, stage.months_ago(datetime.now(UTC), MONTHS_AGO), 7, datetime.now(UTC))


def log_in(visitor: Visitor, persona: str) -> Keyboard:
    page, keys = visitor.page, Keyboard(visitor.page)
    visitor.open("/accounts/login/")
    keys.skip_to_content()
    keys.tab_to(page.get_by_label("Email"))
    keys.type(PERSONAS[persona])
    keys.tab_to(page.get_by_label("Password"))
    keys.type(DEMO_PASSWORD)
    keys.press("Enter")
    page.wait_for_url(visitor.site.address + "/")
    return keys


def _typed(page: Page, keys: Keyboard, text: str) -> None:
    """Type, and wait until the figures beside it are those of all of it: nobody tabs through a piece that is being replaced. On a busy
    machine the keys come apart, and the earlier ones ask too."""

    def is_of_all(response: Response) -> bool:
        sent = response.url + (response.request.post_data or "")
        return "/quotes/preview" in response.url and text in unquote_plus(sent)

    with page.expect_response(is_of_all) as answered:
        keys.type(text)
    answered.value.finished()
    expect(page.locator("#quote.htmx-request, #quote.htmx-swapping, #quote.htmx-settling")).to_have_count(0)
    page.wait_for_timeout(300)  # what was swapped in stands by then


def request_time(visitor: Visitor) -> int:
    """Search, choose the first free time, be told what is wrong, mend it, send; returns the reservation's id."""
    page, keys = visitor.page, log_in(visitor, "researcher")
    keys.press("/")
    keys.look()
    keys.type("keyboard calori")
    keys.press("Enter")
    page.wait_for_url("**/search/?*")
    keys.skip_to_content()
    keys.go(page.get_by_role("link", name=NAME, exact=True), most=150)
    expect(page.get_by_role("heading", level=1, name=NAME)).to_be_visible()

    keys.skip_to_content()
    keys.tab_to(page.locator("#slots a.slot").nth(1))  # the first may begin before it is sent
    with page.expect_response(lambda response: "/quotes/preview" in response.url):
        keys.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "booking-to", "a chosen slot leads on to the form"
    keys.look()
    expect(page.locator("#quote .price-now")).to_be_visible()
    assert "Pay now" in page.locator("#announcements").inner_text() or page.locator("#quote [data-announce]").count()

    purpose = page.get_by_label("Purpose")
    keys.tab_to(purpose)
    _typed(page, keys, "x" * 501)
    keys.go(page.locator("#booking-submit"))
    summary = page.locator("#booking-panel .error-summary")
    expect(summary).to_be_focused()
    expect(purpose).to_have_value("x" * 501)
    keys.go(summary.get_by_role("link").first)
    expect(page.get_by_label("Purpose")).to_be_focused()
    keys.look()
    keys.press("Control+a")
    _typed(page, keys, "Heat capacity of brines")
    keys.go(page.locator("#booking-submit"))
    page.wait_for_url("**/bookings/*/")
    expect(page.get_by_text("Request sent.")).to_be_visible()
    return reservation_at(page.url)


def approve_and_run(visitor: Visitor, site: Site, pk: int) -> None:
    """``g a`` to the inbox, ``a`` approves, ``g t`` to the day, check in and out."""
    page, keys = visitor.page, log_in(visitor, "lab_manager")
    keys.press("g", "a")
    page.wait_for_url("**/approvals/")
    keys.skip_to_content()
    keys.go(page.locator(f'.inbox-list a[href="?selected={pk}"]'), most=90)
    page.wait_for_url(f"**/approvals/?selected={pk}")
    expect(page.get_by_role("heading", level=2, name=NAME)).to_be_visible()
    keys.press("a")
    expect(page.get_by_text("1 request approved.")).to_be_visible()
    assert state_of(site, pk) == "approved"

    keys.press("g", "t")
    page.wait_for_url("**/sessions/")
    keys.skip_to_content()
    if page.locator("#session-date").input_value() != day_of(site, pk).isoformat():
        keys.go(page.get_by_role("link", name="The day after"))
        page.wait_for_url("**/sessions/?date=*")
        keys.skip_to_content()
    keys.go(page.locator(f"#session-{pk}").get_by_role("button", name="Check in"), most=90, key="Space")
    expect(page.get_by_text("Checked in. The session is running.")).to_be_visible()
    expect(page.locator(f"#session-{pk} .session-state")).to_be_focused()
    assert state_of(site, pk) == "in_use"

    keys.tab_to(page.locator(f"#note-{pk}"), most=90)
    keys.type("Went well.")
    keys.go(page.locator(f"#session-{pk}").get_by_role("button", name="Check out"), key="Space")
    expect(page.get_by_text("Checked out. The customer looks at the times now.")).to_be_visible()
    expect(page.locator(f"#session-{pk} .session-charge")).to_be_focused()


def go_on_as_second(visitor: Visitor, address: str) -> tuple[Page, Keyboard]:
    """Another person of the same finance opens what was proposed and stands at its content."""
    keys = log_in(visitor, "second_finance")
    visitor.page.goto(address)
    keys.skip_to_content()
    return visitor.page, keys


def settle(visitor: Visitor, second: Visitor, site: Site, folder: Path) -> None:
    """``g f`` to finance, choose the month, look, issue (or propose, where that takes two people), download both documents."""
    page, keys = visitor.page, log_in(visitor, "finance")
    keys.press("g", "f")
    page.wait_for_url("**/finance/")
    keys.skip_to_content()
    keys.tab_to(page.get_by_role("combobox", name="Month"))
    month = stage.months_ago(datetime.now(UTC), MONTHS_AGO)
    while page.get_by_role("combobox", name="Month").input_value() != f"{month:%Y-%m}":
        before = page.get_by_role("combobox", name="Month").input_value()
        keys.press("ArrowDown")
        assert page.get_by_role("combobox", name="Month").input_value() != before, f"{month:%Y-%m} is not offered"
    keys.go(page.get_by_role("button", name="Show"))
    page.wait_for_url(f"**/finance/?month={month:%Y-%m}")
    keys.skip_to_content()
    keys.go(page.get_by_role("link", name="Look and issue").first, most=120)
    page.wait_for_url("**/finance/issue?*")
    keys.skip_to_content()
    if page.get_by_role("button", name="Propose over").count():  # the demo issued so much by hand in the last days
        keys.go(page.get_by_role("button", name="Propose over"))
        page.wait_for_url("**/statements/proposals/*/")
        page, keys = go_on_as_second(second, page.url)
    keys.go(page.get_by_role("button", name="Issue over"))
    page.wait_for_url("**/statements/*/")
    number = page.get_by_role("heading", level=1).inner_text()
    pdf, xlsx = page.get_by_role("link", name="PDF"), page.get_by_role("link", name="XLSX")
    expect(pdf).to_be_visible(timeout=60_000)
    known, total, awards = statement_totals(site, int(page.url.rstrip("/").rsplit("/", 1)[1]))
    assert known == number
    keys.skip_to_content()
    for link, name in ((pdf, "statement.pdf"), (xlsx, "statement.xlsx")):
        with page.expect_download() as download:
            keys.go(link)
        download.value.save_as(folder / name)
    check_pdf(folder / "statement.pdf", number, total)
    check_workbook(folder / "statement.xlsx", number, total, awards)


def test_a_focus_that_cannot_be_seen_is_found(people: Visitors) -> None:
    """The control: without our focus style, or behind something, looking fails."""
    visitor = newly_arrived(people)
    visitor.open("/accounts/login/")
    keys = Keyboard(visitor.page)
    keys.press("Tab", "Tab")
    keys.look()
    visitor.page.evaluate(
        "() => { document.activeElement.style.outline = 'none'; document.activeElement.style.boxShadow = 'none'; }"
    )
    with pytest.raises(AssertionError, match="cannot be seen"):
        keys.look()
