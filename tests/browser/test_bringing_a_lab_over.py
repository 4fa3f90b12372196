"""A lab manager brings bookings along, mends the list, takes the import back, and looks at the figures of the lab."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.journey import SHANGHAI, log_in, new_instrument, newly_arrived
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitors

SHOWN_WITHIN_MS = 60_000
TODAY = (datetime.now(UTC) + SHANGHAI).date()
NAME = "Brought along balance"


def rows(who: str) -> str:
    ahead, back = TODAY + timedelta(days=20), TODAY - timedelta(days=20)
    return (
        "E-mail,Instrument,Start,End,Evidence\n"
        f"{PERSONAS['researcher']},{NAME},{ahead} 09:00,{ahead} 11:00,\n"
        f"{who},{NAME},{back} 09:00,{back} 12:00,Log book 4\n"
    )


def test_bookings_are_brought_along_and_taken_back_and_the_use_is_looked_at(people: Visitors, used: Site, tmp_path: Path) -> None:
    new_instrument(used, NAME)
    manager = newly_arrived(people)
    page = manager.page
    log_in(manager, "lab_manager")
    wrong, right = tmp_path / "old.csv", tmp_path / "mended.csv"
    wrong.write_text(rows("stranger@example.org"), encoding="utf-8")
    right.write_text(rows(PERSONAS["researcher"]), encoding="utf-8")

    for file in (wrong, right):
        manager.open("/imports/")
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_label("What it holds").select_option("bookings:booking_list")
        page.get_by_role("button", name="Hand over and preview").click()
        if file == wrong:
            expect(page.get_by_text("Nobody has an account with this address")).to_be_visible(timeout=SHOWN_WITHIN_MS)
            expect(page.get_by_role("button", name="Confirm and write")).to_have_count(0)
    expect(page.get_by_text("Becomes past use that is not charged; the customer is asked to agree.")).to_be_visible(
        timeout=SHOWN_WITHIN_MS
    )
    page.get_by_role("button", name="Confirm and write").click()
    expect(page.get_by_text("Written: 2 new, 0 changed.")).to_be_visible(timeout=SHOWN_WITHIN_MS)
    run = page.url

    manager.open("/utilisation/")
    page.get_by_text("Own days", exact=True).click()
    page.get_by_label("First day").fill(str(TODAY - timedelta(days=30)))
    page.get_by_label("Last day").fill(str(TODAY))
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=NAME).click()
    expect(page.get_by_role("heading", level=1, name=NAME)).to_be_visible()
    expect(page.get_by_role("table").get_by_text("09:00")).to_be_visible()
    expect(page.get_by_text("3.0 h", exact=True).first).to_be_visible()

    manager.open(run.removeprefix(manager.site.address))
    page.get_by_text("Take this import back").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("This import was taken back: 2 bookings are cancelled.")).to_be_visible()
    assert manager.faults.found == []
