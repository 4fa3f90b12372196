"""Samples from the test item's page to the charge: asked, accepted, received by a scan on a phone, a charge consented, reported, closed."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.journey import log_in, newly_arrived
from tests.browser.pages import sent_item
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors

PHONE: Any = {"width": 390, "height": 844}


def said(page: Page, words: str) -> None:
    expect(page.get_by_text(words)).to_be_visible()


def test_samples_go_from_the_test_item_to_the_charge(people: Visitors, used: Site) -> None:
    from booking.models import Sample, SampleJob

    with used.data():
        item = sent_item()
    customer, lab = newly_arrived(people), newly_arrived(people)
    log_in(customer, "researcher")
    log_in(lab, "lab_manager")
    page, work = customer.page, lab.page

    customer.open(f"/resources/{item}/?samples=2")
    page.get_by_role("link", name="Send samples").click()
    expect(page.get_by_label("Samples", exact=True)).to_have_value("2")
    promise = page.get_by_text("Promised result:")
    expect(promise).to_be_visible()
    page.get_by_label("Your names for the samples").fill("Journey A\nJourney B\nJourney C")
    page.get_by_role("button", name="Ask the lab to test them").click()
    expect(page.get_by_role("link", name="There are 3 names for 2 samples")).to_be_visible()
    page.get_by_label("Samples", exact=True).fill("3")
    expect(page.locator("#sample-quote")).to_contain_text("3 ×")
    arrives = page.get_by_label("They come to the lab on")
    arrives.fill(arrives.get_attribute("min") or "")  # today at the lab, which works on nothing before
    page.get_by_role("button", name="Ask the lab to test them").click()
    said(page, "The lab's days are kept for you")
    with used.data():
        job = SampleJob.objects.latest("pk")
        codes = list(Sample.objects.filter(job=job).order_by("position").values_list("code", flat=True))
    assert (job.state, job.sample_count) == ("asked", 3)
    address = f"/samples/{job.pk}/"

    lab.open("/samples/board/")
    work.get_by_role("row").filter(has_text=job.reference).get_by_role("link").click()
    work.get_by_role("button", name="Accept the job").click()
    said(work, "1 request accepted.")

    customer.open(address)
    page.get_by_role("link", name="Labels").click()
    expect(page.get_by_role("img", name="QR code of sample")).to_have_count(3)
    customer.open(address)
    page.get_by_text("Note a parcel").click()
    page.get_by_label("Courier").fill("SF Express")
    page.get_by_label("Number of the parcel").fill("SF123")
    page.get_by_role("button", name="Note the parcel").click()
    said(page, "The other side has been told.")

    work.set_viewport_size(PHONE)
    for code in codes[:2]:
        lab.open(f"/samples/at/{code}/")
        work.get_by_role("button", name="Received", exact=True).click()
        said(work, "Done:")
        work.get_by_role("button", name="Tested", exact=True).click()
        said(work, "Done:")
    assert work.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    lab.open("/samples/scan/")
    work.get_by_label("Code on the label").fill(codes[2][:-1])
    work.get_by_role("button", name="Find the sample").click()
    said(work, "This is no code of a sample")
    work.get_by_label("Code on the label").fill(codes[2].lower())
    work.get_by_role("button", name="Find the sample").click()
    work.get_by_role("button", name="Received", exact=True).click()
    work.get_by_text("It cannot be tested").click()
    work.get_by_label("Reason; the customer reads it").fill("Dried out.")
    work.get_by_role("button", name="Unfit").click()
    said(work, "Done:")
    work.set_viewport_size({"width": 1280, "height": 900})

    lab.open(address)
    work.get_by_text("Propose a charge").click()
    work.get_by_label("What for; the customer reads it").fill("Dissolved twice")
    work.get_by_label("Amount in yuan").fill("50")
    work.get_by_role("button", name="Ask for the customer's consent").click()
    said(work, "Nothing is charged without a yes.")
    work.get_by_label("The report").set_input_files(
        files=[{"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 r"}]
    )
    work.get_by_role("button", name="Hand in the report").click()
    said(work, "The report is with the customer.")

    customer.open(address)
    page.get_by_role("button", name="Take the report and close").click()
    said(page, "A proposed charge waits for your answer.")
    page.get_by_role("button", name="Agree to ¥50.00").click()
    said(page, "Agreed. The lab has been told.")
    with page.expect_download() as got:
        page.get_by_role("link", name="Read the report: report.pdf").click()
    assert got.value.suggested_filename == "report.pdf"
    page.get_by_role("button", name="Take the report and close").click()
    said(page, "Closed. The charge is made.")
    expect(page.locator("ol.timeline > li").last).to_be_visible()
    with used.data():
        job.refresh_from_db()
        assert job.state == "closed"
        assert job.charge.inputs["samples"] == 2 and job.charge.inputs["extras"] == [
            {"words": "Dissolved twice", "amount_fen": 5_000}
        ]
    for each in (customer, lab):
        assert each.faults.found == []
