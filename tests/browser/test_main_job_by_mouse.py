"""The platform's whole job with the mouse: find, quote, request, approve, check in and out, settle, download."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import stage
from tests.browser.journey import (
    Figures,
    check_pdf,
    check_workbook,
    day_of,
    log_in,
    new_instrument,
    newly_arrived,
    quoted,
    reservation_at,
    state_of,
    statement_totals,
    yuan,
)
from tests.browser.running_site import Site
from tests.browser.visitors import Visitor, Visitors

NAME = "Mouse spectrometer"


def test_from_finding_an_instrument_to_the_downloaded_statement(people: Visitors, used: Site, tmp_path: Path) -> None:
    new_instrument(used, NAME)
    researcher, manager, finance = (newly_arrived(people) for _ in range(3))

    log_in(researcher, "researcher")
    shown = find_and_request(researcher)
    pk = reservation_at(researcher.page.url)
    assert quoted(used, pk) == shown

    log_in(manager, "lab_manager")
    approve(manager, pk)
    run_the_session(manager, used, pk)
    assert state_of(used, pk) == "completed"
    researcher.page.reload()
    researcher.page.get_by_role("button", name="Agree: charge it").click()
    assert state_of(used, pk) == "agreed"
    assert charged_on_the_day(manager, pk) == (shown.gross, shown.payable_now, shown.final_cost)
    assert quoted(used, pk) == shown

    researcher.page.reload()
    expect(researcher.page.get_by_role("heading", name="Charge")).to_be_visible()
    assert yuan(researcher.page.locator("aside .price-now dd").first.inner_text()) == shown.payable_now

    log_in(finance, "finance")
    issue_and_download(finance, used, tmp_path)
    for visitor in (researcher, manager, finance):
        assert visitor.faults.found == []


def find_and_request(visitor: Visitor) -> Figures:
    """From the home page to the booking's page; returns what the quote said before the request was sent."""
    page = visitor.page
    page.get_by_role("combobox").first.fill("mouse spectro")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    page.get_by_role("link", name=NAME, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=NAME)).to_be_visible()
    expect(page.locator("#quote")).to_contain_text("Choose a day and times")

    with page.expect_response(lambda response: "/quotes/preview" in response.url):
        page.locator("#slots a.slot").nth(1).click()  # the first may begin before it is sent
    expect(page.locator("#quote .price-now")).to_be_visible()
    first = read_quote(page)
    assert first.gross == 400_00, "one hour"

    with page.expect_response(lambda response: "/quotes/preview" in response.url):
        page.locator("#booking-service-mode label").last.click()
    with page.expect_response(lambda response: "/quotes/preview" in response.url):
        make_longer(page)
    expect(page.locator("#quote .num").first).to_contain_text("2")
    figures = read_quote(page)
    assert figures.gross == 800_00, "two hours"
    expect(page.locator("#quote")).to_contain_text("innovation voucher")
    page.get_by_text("How was this calculated?").click()
    expect(page.locator("#quote details[open]")).to_be_visible()
    page.get_by_label("Purpose").fill("Phase analysis of lithium salts")
    page.locator("#booking-submit").click()
    page.wait_for_url("**/bookings/*/")
    expect(page.get_by_text("Request sent.")).to_be_visible()
    return figures


def make_longer(page: Page) -> None:
    """Add an hour to the end that the chosen slot gave, over midnight where it must be."""
    ends = page.locator("#booking-to")
    hour, minute = ends.input_value().split(":")
    later = (int(hour) + 1) % 24
    last_day = page.locator("#booking-to-on")
    if later < int(page.locator("#booking-from").input_value().split(":")[0]) and last_day.count():
        day = datetime.fromisoformat(page.locator("#booking-on").input_value())
        last_day.fill(stage.next_day(day.date()).isoformat())
    ends.fill(f"{later:02d}:{minute}")


def read_quote(page: Page) -> Figures:
    """The live quote's numbers as a person reads them; what is not shown is nought."""
    rows = page.locator("#quote dl.price > div").all()
    texts = [(row.locator("dt").inner_text(), row.locator("dd").inner_text()) for row in rows]

    def total(words: str) -> int:
        return sum(yuan(amount) for label, amount in texts if words in label)

    named = ("Price of the session", "Subsidy, taken off now", "Pay now", "Comes back later", "Final cost")
    figures = Figures(*(total(words) for words in named))
    assert figures.gross == sum(yuan(amount) for label, amount in texts if not any(words in label for words in named))
    assert figures.payable_now == figures.gross - figures.deducted
    assert figures.final_cost == figures.payable_now - figures.refunded
    return figures


def approve(visitor: Visitor, pk: int) -> None:
    page = visitor.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Approvals").click()
    page.locator(f'.inbox-list a[href="?selected={pk}"]').click()
    expect(page.get_by_role("heading", level=2, name=NAME)).to_be_visible()
    page.get_by_role("button", name="Approve and tell the customer").click()
    expect(page.get_by_text("1 request approved.")).to_be_visible()
    assert state_of(visitor.site, pk) == "approved"


def run_the_session(visitor: Visitor, site: Site, pk: int) -> None:
    """Check in and out on the day's page."""
    page = visitor.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Today").click()
    day = day_of(site, pk)
    if page.locator("#session-date").input_value() != day.isoformat():
        page.get_by_role("link", name="The day after").click()
    session = page.locator(f"#session-{pk}")
    session.get_by_role("button", name="Check in").click()
    expect(page.get_by_text("Checked in. The session is running.")).to_be_visible()
    session.get_by_label("Note about the session").fill("Went well.")
    session.get_by_role("button", name="Check out").click()
    expect(page.get_by_text("Checked out. The customer looks at the times now.")).to_be_visible()


def charged_on_the_day(visitor: Visitor, pk: int) -> tuple[int, int, int]:
    """Charge, pay now and final cost as the day's page shows them once both sides have agreed."""
    visitor.page.reload()
    amounts = visitor.page.locator(f"#session-{pk} .session-charge .money")
    charge, now, final = (yuan(amounts.nth(place).inner_text()) for place in range(3))
    return charge, now, final


def issue_and_download(visitor: Visitor, site: Site, folder: Path) -> None:
    """Issue the statement of last month's open sessions, wait for the worker, take both documents."""
    page = visitor.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Finance").click()
    page.get_by_role("combobox", name="Month").select_option(f"{stage.months_ago(datetime.now(UTC), 1):%Y-%m}")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Look and issue").first.click()
    shown = yuan(page.locator("aside .price-now dd").inner_text())
    page.get_by_role("button", name="Issue over").click()
    page.wait_for_url("**/statements/*/")
    number = page.get_by_role("heading", level=1).inner_text()
    pdf, xlsx = page.get_by_role("link", name="PDF"), page.get_by_role("link", name="XLSX")
    expect(pdf).to_be_visible(timeout=60_000)
    known, total, awards = statement_totals(site, int(page.url.rstrip("/").rsplit("/", 1)[1]))
    assert (known, total) == (number, shown)
    for link, name, check in ((pdf, "statement.pdf", None), (xlsx, "statement.xlsx", awards)):
        with page.expect_download() as download:
            link.click()
        path = folder / name
        download.value.save_as(path)
        if check is None:
            check_pdf(path, number, total)
        else:
            check_workbook(path, number, total, check)
