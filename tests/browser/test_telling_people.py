"""A customer hears of the lab's answer at the bell, chooses how to be told, and the lab sees what was sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from django.utils import timezone
from playwright.sync_api import expect

from tests.browser import stage
from tests.browser.checks import accessible, content_accessible, fits
from tests.browser.journey import new_instrument
from tests.browser.pages import at
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitors

PATIENCE_MS = 30_000


def book_and_approve(site: Site, instrument: int) -> str:
    """The researcher asks, the lab approves; the reference."""
    from booking.models import Reservation
    from booking.services import transitions
    from instruments.models import Instrument

    with site.data():
        begins = datetime.combine(timezone.localtime().date() + timedelta(days=6), time(10)) - timedelta(hours=8)
        now = datetime.now(UTC)
        stage.book(
            stage.persona(PERSONAS["researcher"]), Instrument.objects.get(pk=instrument), begins.replace(tzinfo=UTC), 2, now
        )
        made = Reservation.objects.filter(instrument_id=instrument).latest("pk")
        if made.state == "requested":
            transitions.approve(stage.persona(PERSONAS["lab_manager"]), made.pk, now)
        return made.reference


def test_an_answer_is_heard_at_the_bell_and_how_one_is_told_is_chosen(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Talking tensiometer", step=60)
    visitor = people.get("researcher", "en")
    page = visitor.page
    visitor.open(at("help"))
    bell = page.locator("#bell")
    before = bell.get_attribute("hx-get")
    reference = book_and_approve(used, instrument)

    page.evaluate("htmx.trigger(document.querySelector('[data-bell]'), 'refresh')")  # what happens every 30 seconds
    expect(bell).not_to_have_attribute("hx-get", before or "")
    expect(bell).to_contain_text("unread")
    accessible(page)
    bell.click()
    row = page.get_by_role("listitem").filter(has_text=reference)
    expect(row).to_contain_text("is approved")
    expect(row).to_contain_text("New")
    content_accessible(page)
    fits(page, 390, 1440)
    row.get_by_role("button", name=re.compile("Read")).click()
    expect(page.get_by_role("listitem").filter(has_text=reference)).not_to_contain_text("New ·")
    page.get_by_role("listitem").filter(has_text=reference).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Talking tensiometer")

    page.get_by_role("link", name=re.compile("Notices")).click()
    page.get_by_role("link", name="How I am told").first.click()
    page.get_by_label("Gathered, once a day").check()
    quiet_from, quiet_until = (
        f"{(timezone.localtime() + timedelta(hours=hours)):%H:%M}" for hours in (8, 12)
    )  # not now: the mail goes out
    page.get_by_label("Quiet from").fill(quiet_from)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error-summary")).to_contain_text("both ends of the quiet hours")
    expect(page.get_by_label("Quiet from")).to_have_value(quiet_from)
    content_accessible(page)
    page.get_by_label("Quiet until").fill(quiet_until)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This is how you are told from now on")).to_be_visible()
    content_accessible(page)
    fits(page, 390, 1440)

    chinese = people.get("researcher", "zh-hans")
    for address in (at("notice_list"), at("notice_settings")):
        chinese.open(address)
        content_accessible(chinese.page)

    lab = people.get("lab_manager", "en")
    lab.open(at("mail_log", q=PERSONAS["researcher"]))
    sent = lab.page.get_by_role("row").filter(has_text=reference).filter(has_text="Reservation approved")
    expect(sent).to_be_visible()
    for _ in range(20):
        if "Sent" in (sent.text_content() or ""):
            break
        lab.page.wait_for_timeout(1000)
        lab.page.reload()
    expect(sent).to_contain_text("Sent")
    content_accessible(lab.page)
    assert visitor.faults.found == [] and lab.faults.found == []


def test_a_webhook_is_set_up_and_its_secret_is_shown_once(people: Visitors, used: Site) -> None:
    visitor = people.get("firm_admin", "en")
    page = visitor.page
    with used.data():
        organisation = min(stage.persona(PERSONAS["firm_admin"]).organisations())
    visitor.open(at("webhook_list", organisation))
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Address").fill("https://192.168.1.4/hook")
    page.get_by_label("Reservation approved").check()
    page.get_by_role("button", name="Create").click()
    expect(page.locator(".error-summary")).to_contain_text("private network")
    expect(page.get_by_label("Address")).to_have_value("https://192.168.1.4/hook")
    content_accessible(page)
    page.get_by_label("Address").fill("https://lims.gaoyuan.example/hook")
    page.get_by_role("button", name="Create").click()
    secret = page.get_by_label("Secret").input_value()
    assert secret.startswith("whsec_")
    content_accessible(page)
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    assert secret not in page.content()
    page.get_by_label("Switched on").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    content_accessible(page)
    fits(page, 390, 1440)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    assert visitor.faults.found == []
