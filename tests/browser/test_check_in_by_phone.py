"""At the instrument with a phone, from the code to the agreed use; and what does not add up, settled by keyboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import expect

from tests.browser import stage
from tests.browser.journey import log_in, new_instrument, newly_arrived, state_of
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitors

PHONE: Any = {"width": 390, "height": 844}


def due_now(site: Site, name: str) -> tuple[int, int, str]:
    """A booking of the personas' firm that began with the hour, on an instrument with a code: (instrument, reservation, code)."""
    from booking.services import check_in_points, transitions
    from instruments.models import Instrument

    pk = new_instrument(site, name)
    with site.data():
        manager, researcher = stage.persona(PERSONAS["lab_manager"]), stage.persona(PERSONAS["researcher"])
        now = datetime.now(UTC)
        point = check_in_points.set_ticks(manager, pk, ["Gloves on", "Shutter closed"], now)
        hour = now.replace(minute=0, second=0, microsecond=0)
        instrument = Instrument.objects.get(pk=pk)
        reservation = stage.book(researcher, instrument, hour, 2, hour - timedelta(days=1))
        transitions.approve(manager, reservation, hour - timedelta(hours=20))
        return pk, reservation, point.code


def test_a_researcher_starts_goes_on_reports_and_ends_on_a_phone_and_the_lab_agrees(people: Visitors, used: Site) -> None:
    from booking.models import Reservation
    from instruments.models import InstrumentProblem

    instrument, reservation, code = due_now(used, "Phone journey microscope")
    visitor = newly_arrived(people)
    visitor.page.set_viewport_size(PHONE)
    log_in(visitor, "researcher")
    page = visitor.page
    visitor.open(f"/here/at/{code}/")
    expect(page.get_by_role("heading", name="It is your time")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_label("Gloves on").check()
    page.get_by_label("Shutter closed").check()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="Your session is running")).to_be_visible()
    assert state_of(used, reservation) == "in_use"

    with used.data():
        booked_until = Reservation.objects.get(pk=reservation).ends_at
    longer = page.get_by_role("button", name="until").first
    expect(longer).to_contain_text("to pay")
    longer.click()
    expect(page.get_by_text("The session goes on for longer.")).to_be_visible()
    with used.data():
        assert Reservation.objects.get(pk=reservation).ends_at == booked_until + timedelta(minutes=30)

    page.get_by_text("Report a fault").click()
    page.get_by_label("What is wrong?").fill("The lamp flickers.")
    page.get_by_role("button", name="Tell the lab").click()
    expect(page.get_by_text("The lab has been told.")).to_be_visible()
    with used.data():
        assert InstrumentProblem.objects.filter(instrument_id=instrument, text="The lamp flickers.").count() == 1

    page.get_by_role("button", name="End the session").click()
    expect(page.get_by_text("You have agreed.")).to_be_visible()
    assert state_of(used, reservation) == "completed"

    manager = newly_arrived(people)
    log_in(manager, "lab_manager")
    manager.open("/sessions/to-agree/")
    row = manager.page.get_by_role("row").filter(has_text="Phone journey microscope")
    row.get_by_role("button", name="Agree: charge it").click()
    expect(manager.page.get_by_text("Agreed. The charge is made.")).to_be_visible()
    assert state_of(used, reservation) == "agreed"
    for each in (visitor, manager):
        assert each.faults.found == []


def two_odd_runs(site: Site, name: str) -> tuple[int, int]:
    """A run that began long before a booking that is over, and one behind it without any: (instrument, reservation)."""
    from booking.rules.device_runs import EventKind
    from booking.services import device_events, device_keys, transitions
    from booking.services.device_events import Batch, Told
    from instruments.models import Instrument

    pk = new_instrument(site, name)
    with site.data():
        manager, researcher = stage.persona(PERSONAS["lab_manager"]), stage.persona(PERSONAS["researcher"])
        now = datetime.now(UTC)
        start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
        instrument = Instrument.objects.get(pk=pk)
        reservation = stage.book(researcher, instrument, start, 2, start - timedelta(days=1))
        transitions.approve(manager, reservation, start - timedelta(hours=20))
        transitions.check_in(manager, reservation, start)
        transitions.check_out(manager, reservation, start + timedelta(hours=2))
        key = device_keys.issue(manager, instrument.organisation_id, pk, name, now)[0]
        spans = (
            (start - timedelta(hours=2), start + timedelta(hours=2)),
            (start + timedelta(hours=2, minutes=30), start + timedelta(hours=3)),
        )
        told = tuple(
            Told(f"{kind}-{place}", kind, moment)
            for place, span in enumerate(spans)
            for kind, moment in zip((EventKind.START, EventKind.STOP), span, strict=True)
        )
        device_events.receive(key, Batch(now, told), now)
        return pk, reservation


def test_problems_are_settled_by_keyboard_alone(people: Visitors, used: Site) -> None:
    from booking.models import DeviceRun

    instrument, reservation = two_odd_runs(used, "Odd oven")
    visitor = newly_arrived(people)
    log_in(visitor, "lab_manager")
    page = visitor.page
    with used.data():
        first = DeviceRun.objects.filter(instrument_id=instrument).earliest("starts_at")
    visitor.open(f"/sessions/problems/?selected={first.pk}")
    expect(page.locator("#opened-title")).to_have_text("Odd oven")
    page.keyboard.press("a")  # the booking that it overlaps is chosen
    expect(page.get_by_text("Attached.")).to_be_visible()
    expect(page.locator("#opened-title")).to_have_text("Odd oven")  # and the next one is open
    page.keyboard.press("i")
    reason = page.get_by_label("Reason", exact=True)
    for _ in range(12):
        if reason.evaluate("field => field === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(reason).to_be_focused()
    page.keyboard.type("Service engineer")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ignored.")).to_be_visible()
    with used.data():
        runs = list(DeviceRun.objects.filter(instrument_id=instrument).order_by("starts_at"))
        assert [(run.state, run.reservation_id) for run in runs] == [("attached", reservation), ("ignored", None)]
    assert visitor.faults.found == []
