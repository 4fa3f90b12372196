"""From a question to a signed commission sheet, by three people in three browsers; every page on the way is accessible."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.checks import content_accessible, fits
from tests.browser.journey import RATE_YUAN, log_in, new_instrument, newly_arrived, yuan
from tests.browser.running_site import Site
from tests.browser.visitors import Visitor, Visitors

INSTRUMENT = "Microscope that is asked about"
PDF_PATIENCE = 60_000


def looked_at(page: Page) -> None:
    content_accessible(page)
    fits(page, 390)


def test_a_question_becomes_a_quotation_and_a_sheet_that_both_sides_sign(people: Visitors, used: Site, tmp_path: Path) -> None:
    pk = new_instrument(used, INSTRUMENT)
    researcher, manager, administrator = (newly_arrived(people) for _ in range(3))
    log_in(researcher, "researcher")
    thread = ask(researcher, pk, tmp_path)

    log_in(manager, "lab_manager")
    total = quote(manager, thread)
    assert total == 3 * RATE_YUAN * 100 + 150_00

    sheet = accept(researcher, thread, total)
    fill_in(researcher)
    issue_and_sign(manager, sheet)

    log_in(administrator, "firm_admin")
    page = administrator.page
    administrator.open(sheet)
    page.get_by_role("button", name="Sign for my side").click()
    expect(page.get_by_role("main")).to_contain_text("Signed by both sides")
    looked_at(page)
    signed_pdf(page, tmp_path)
    for visitor in (researcher, manager, administrator):
        assert visitor.faults.found == []


def ask(visitor: Visitor, instrument_id: int, folder: Path) -> str:
    """The address of the thread."""
    page = visitor.page
    visitor.open(f"/instruments/{instrument_id}/")
    page.get_by_role("link", name="Ask the lab").click()
    expect(page.get_by_role("main")).to_contain_text("within 1 working day")
    looked_at(page)
    page.get_by_role("button", name="Ask the lab").click()
    expect(page.locator(".error-summary")).to_be_focused()
    page.get_by_label("What is it about?").fill("Wet salts")
    page.get_by_label("Your question").fill("Can it measure wet salts?")
    samples = folder / "samples.csv"
    samples.write_text("sample,water\nQ-1,20\n")
    page.locator("input[type=file]").set_input_files(samples)
    page.get_by_role("button", name="Ask the lab").click()
    expect(page.get_by_role("main")).to_contain_text("Waiting for the lab")
    looked_at(page)
    return page.url.removeprefix(visitor.site.address)


def quote(visitor: Visitor, thread: str) -> int:
    """Answer with a quotation; its total in fen."""
    page = visitor.page
    visitor.open("/enquiries/inbox/")
    looked_at(page)
    page.locator(f'a[href="{thread}"]').click()
    with page.expect_download() as loading:
        page.get_by_role("link", name="samples.csv").click()
    assert "Q-1,20" in loading.value.path().read_text()
    page.get_by_role("link", name="Write a quotation").click()
    looked_at(page)
    page.get_by_label("Quantity").nth(0).fill("3")
    page.get_by_label("Line 2: what").select_option(label="Something else")
    page.get_by_label("Description").nth(1).fill("Report")
    page.get_by_label("Quantity").nth(1).fill("1")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator(".error-summary")).to_contain_text("there is no published price for this")
    page.get_by_label("Unit price (yuan)").nth(1).fill("150")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("heading", name="Quotation, not sent yet")).to_be_visible()
    looked_at(page)
    page.get_by_role("button", name="Send to the customer").click()
    expect(page.get_by_role("heading", name=re.compile(r"Quotation BJ-\d{4}-\d{6}"))).to_be_visible()
    return yuan(page.locator("tfoot").inner_text())


def accept(visitor: Visitor, thread: str, total: int) -> str:
    """The address of the commission sheet."""
    page = visitor.page
    visitor.open(thread)
    expect(page.get_by_role("main")).to_contain_text("Answered")
    page.get_by_role("link", name=re.compile("BJ-")).first.click()
    expect(page.get_by_role("button", name=f"Accept for ¥{total / 100:,.2f}")).to_be_visible()
    looked_at(page)
    page.get_by_role("button", name=f"Accept for ¥{total / 100:,.2f}").click()
    expect(page.get_by_role("heading", name="Commission sheet, not issued yet")).to_be_visible()
    return page.url.removeprefix(visitor.site.address)


def fill_in(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Fill in").click()
    looked_at(page)
    page.get_by_label("The lab disposes of what is left").check()
    page.get_by_label("Test report on paper, sealed").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text("The lab disposes of what is left")


def issue_and_sign(visitor: Visitor, sheet: str) -> None:
    page = visitor.page
    visitor.open(sheet)
    page.get_by_role("button", name="Issue for signing").click()
    expect(page.get_by_role("heading", name=re.compile(r"Commission sheet WT-\d{4}-\d{6}"))).to_be_visible()
    page.get_by_role("button", name="Sign for my side").click()
    expect(page.get_by_role("main")).to_contain_text("Signed for your side.")
    looked_at(page)


def signed_pdf(page: Page, folder: Path) -> None:
    """The worker makes it; the page looks again by itself."""
    link = page.get_by_role("link", name="Signed sheet as PDF")
    expect(link).to_be_visible(timeout=PDF_PATIENCE)
    with page.expect_download() as loading:
        link.click()
    path = folder / "signed.pdf"
    loading.value.save_as(path)
    program = shutil.which("pdftotext")
    assert program, "pdftotext is missing (Debian: apt-get install poppler-utils)"
    text = subprocess.run([program, str(path), "-"], capture_output=True, check=True, text=True).stdout
    assert "WT-" in text and "1,350.00" in text
