"""A lab manager takes in a list: hands it over, watches it being read, looks at the preview, confirms, downloads the report."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.journey import log_in, newly_arrived
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors

SHOWN_WITHIN_MS = 60_000
LIST = "inner_id,name,class_code,region_code\nBR-1,Browser balance,0101,\nBR-2,Browser oven,0101,{region}\n"


def test_a_list_is_mended_previewed_confirmed_and_its_report_downloaded(people: Visitors, used: Site, tmp_path: Path) -> None:
    manager = newly_arrived(people)
    page = manager.page
    log_in(manager, "lab_manager")
    manager.open("/instruments/")
    expect(page.locator("meter")).to_be_visible()
    page.get_by_role("link", name="Take in a list").click()

    wrong, right = tmp_path / "list.csv", tmp_path / "mended.csv"
    wrong.write_text(LIST.format(region="639999"), encoding="utf-8")
    right.write_text(LIST.format(region="630104"), encoding="utf-8")
    page.get_by_label("File", exact=True).set_input_files(wrong)
    page.get_by_label("What it holds").select_option("instruments:csv")
    page.get_by_role("button", name="Hand over and preview").click()
    expect(page.get_by_text("There is no division 639999")).to_be_visible(timeout=SHOWN_WITHIN_MS)
    expect(page.get_by_role("button", name="Confirm and write")).to_have_count(0)
    with page.expect_download() as refused:
        page.get_by_role("link", name="Refused rows as CSV").click()
    assert "BR-2" in Path(refused.value.path()).read_text(encoding="utf-8")

    page.get_by_role("link", name="Take in a list").click()
    page.get_by_label("File", exact=True).set_input_files(right)
    page.get_by_label("What it holds").select_option("instruments:csv")
    page.get_by_role("button", name="Hand over and preview").click()
    expect(page.get_by_role("row", name="Browser balance")).to_be_visible(timeout=SHOWN_WITHIN_MS)
    page.get_by_role("button", name="Confirm and write").click()
    expect(page.get_by_text("Written: 2 new, 0 changed.")).to_be_visible(timeout=SHOWN_WITHIN_MS)
    with page.expect_download() as report:
        page.get_by_role("link", name="Report as CSV").click()
    assert len(Path(report.value.path()).read_text(encoding="utf-8").splitlines()) == 3

    page.get_by_role("link", name="Browser oven").click()
    expect(page.get_by_role("heading", level=1, name="Browser oven")).to_be_visible()
    visitor = newly_arrived(people)
    visitor.open(page.url.removeprefix(visitor.site.address))
    assert "application/ld+json" in visitor.page.content()
    for one in (manager, visitor):
        assert one.faults.found == []
