"""A lab follows its own calendar, sees what it does to bookings, and hands in a file of closures."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import vobject
from django.utils import timezone
from playwright.sync_api import Page, expect

from booking.rules.calendar_text import CalendarEvent, calendar_text
from tests.browser import stage
from tests.browser.checks import content_accessible, fits
from tests.browser.journey import new_instrument
from tests.browser.pages import at
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors
from tests.kernel.services.neighbour import neighbour, says

PATIENCE_MS = 30_000


def file_of(*events: tuple[int, int, str], days: int = 4) -> bytes:
    """A calendar with events at hours of a day to come in Shanghai."""
    day = datetime.combine(timezone.localtime().date() + timedelta(days=days), time(0)) - timedelta(hours=8)
    midnight = day.replace(tzinfo=UTC)
    return calendar_text(
        CalendarEvent(
            f"{title}@lab.example", midnight + timedelta(hours=first), midnight + timedelta(hours=last), title, midnight
        )
        for first, last, title in events
    )


def hours_taken(page: Page, instrument: int, days: int = 4) -> str:
    """What is taken by the instrument's public calendar, as hours in Shanghai; what went is told there as cancelled."""
    found = vobject.readOne(page.request.get(page.url.split("/instruments/")[0] + at("instrument_busy", instrument)).text())
    shift = timedelta(hours=8)
    taken = (one for one in found.contents.get("vevent", []) if one.status.value != "CANCELLED")
    rows = [(one.dtstart.value + shift, one.dtend.value + shift) for one in taken]
    return " ".join(f"{first:%H}-{last:%H}" for first, last in sorted(rows))


def test_a_lab_subscribes_to_its_own_calendar(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Subscribed spectrometer", step=60)
    with used.data():
        from instruments.models import Instrument

        begins = datetime.combine(timezone.localtime().date() + timedelta(days=4), time(11)) - timedelta(hours=8)
        stage.book(
            stage.persona("researcher@demo.jishi.example"),
            Instrument.objects.get(pk=instrument),
            begins.replace(tzinfo=UTC),
            2,
            datetime.now(UTC),
        )
    visitor = people.get("lab_manager", "en")
    page = visitor.page
    visitor.open(at("instrument_hours", instrument))
    page.get_by_role("link", name="The lab's other calendars").click()
    expect(page.get_by_role("heading", name="No calendar is followed")).to_be_visible()

    page.get_by_label("Address of the calendar").fill("http://192.168.0.8/lab.ics")
    page.get_by_label("Name", exact=True).fill("Lab calendar")
    page.get_by_role("button", name="Follow it").click()
    expect(page.locator(".error-summary")).to_contain_text("192.168.0.8 lies on a private network")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Lab calendar")
    content_accessible(page)

    with neighbour(says(file_of((10, 12, "Beam time"), (15, 17, "Visit"))), port=used.neighbour_port) as lab:
        page.get_by_label("Address of the calendar").fill(lab.url())
        page.get_by_role("button", name="Follow it").click()
        card = page.get_by_role("region", name="Lab calendar")
        expect(card).to_contain_text("Up to date", timeout=PATIENCE_MS)
        expect(card).to_contain_text("127.0.0.1")
        overlap = page.get_by_role("region", name="Wanted twice")
        page.reload()
        expect(overlap).to_contain_text("Beam time")
        assert hours_taken(page, instrument) == "10-11 11-13 15-17"
        content_accessible(page)
        fits(page, 390, 1440)

        chinese = people.get("lab_manager", "zh-hans")
        chinese.open(at("instrument_calendars", instrument))
        expect(chinese.page.get_by_role("region", name="Lab calendar")).to_contain_text("\u5df2\u662f\u6700\u65b0")

        lab.reply = says(b"<html>moved</html>")
        page.get_by_role("button", name="Read it now").click()
        expect(card).to_contain_text("This is no calendar file", timeout=PATIENCE_MS)
        assert hours_taken(page, instrument) == "10-11 11-13 15-17"

    page.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Paused")
    assert hours_taken(page, instrument) == "11-13"
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="No calendar is followed")).to_be_visible()
    assert visitor.faults.found == []


def test_a_lab_closes_two_instruments_from_a_file(people: Visitors, used: Site, tmp_path: Path) -> None:
    instrument, other = (new_instrument(used, name, step=60) for name in ("Closing chamber", "Companion column"))
    visitor = people.get("lab_manager", "en")
    page = visitor.page
    visitor.open(at("instrument_closure_import", instrument))
    file = tmp_path / "lab.ics"
    file.write_bytes(b"no calendar at all")
    page.get_by_label("Calendar file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator(".error-summary")).to_contain_text("This is no calendar file")
    file.write_bytes(file_of((8, 12, "Maintenance"), (13, 13, "Reminder")))
    page.get_by_label("Calendar file").set_input_files(file)
    page.get_by_label("Companion column").check()
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("row").filter(has_text="Maintenance")).to_contain_text("Will be closed")
    expect(page.get_by_role("row").filter(has_text="Reminder")).to_contain_text("No length")
    content_accessible(page)
    fits(page, 390, 1440)
    page.get_by_role("button", name="Save 1 change").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The closures are saved")
    for each in (instrument, other):
        visitor.open(at("instrument_hours", each))
        expect(page.get_by_role("complementary")).to_contain_text("Maintenance")
    assert visitor.faults.found == []


def test_a_person_takes_their_bookings_along(people: Visitors, used: Site) -> None:
    visitor = people.get("researcher", "en")
    page = visitor.page
    visitor.open(at("reservation_list"))
    page.get_by_role("link", name="See them in your own calendar program").click()
    page.get_by_role("link", name="New link").first.click()
    page.get_by_label("Name", exact=True).fill("Phone")
    page.get_by_role("button", name="Create").click()
    address = page.get_by_label("Calendar link").input_value()
    content_accessible(page)
    fits(page, 390, 1440)
    found = vobject.readOne(page.request.get(address).text())
    assert found.x_wr_calname.value == "Phone" and found.contents["vevent"]
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Revoke Phone").click()
    expect(page.get_by_role("row").filter(has_text="Phone")).to_contain_text("Revoked")
    assert page.request.get(address).status == 404
    assert visitor.faults.found == []
    log = used.log.read_text(errors="replace")
    assert address.rsplit("/", 1)[1].removesuffix(".ics") not in log
