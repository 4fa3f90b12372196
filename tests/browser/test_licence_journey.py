"""From "how do I get to use it myself?" to a licence in a real browser: enrol, come, pass, and the page says one can book."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from tests.browser import stage
from tests.browser.checks import content_accessible, fits, guarded
from tests.browser.pages import at
from tests.browser.visitors import PERSONAS, Visitors

NAME = "Licensed nanoindenter"


def taught_instrument() -> tuple[int, int]:
    """An instrument of the lab that needs a licence, and its course's next date."""
    from django.utils import timezone

    from booking.services import training
    from booking.services.training import CourseFields
    from config.kernel.time_range import TimeRange

    now, manager = timezone.now(), stage.persona(PERSONAS["lab_manager"])
    instrument = stage.add_instrument(NAME, now)
    fields = CourseFields("Indenting alone", "self", validity_months=12, instrument_ids=(instrument.pk,), require=True)
    course = training.create_course(manager, instrument.organisation_id, fields, now)
    starts_at = now + timedelta(hours=2)
    during = TimeRange(starts_at, starts_at + timedelta(hours=1))
    return instrument.pk, training.plan_session(manager, course.pk, during, "Room 7", 2, now).pk


def test_a_researcher_enrols_passes_and_may_book_alone(people: Visitors) -> None:
    with people.site.data():
        instrument, session = taught_instrument()
    researcher, lab = people.get("researcher", "en"), people.get("lab_manager", "en")
    guarded(researcher.open(at("instrument_detail", instrument)))
    page = researcher.page
    expect(page.locator("main")).to_contain_text("Who works alone here needs a licence.")
    page.get_by_role("link", name="How do I get to use it myself?").first.click()
    page.wait_for_url("**/licence/")
    content_accessible(page)
    fits(page, 390, 320)
    page.get_by_role("button", name=re.compile("Enrol")).click()
    expect(page.locator("main")).to_contain_text("You have a place.")
    expect(page.locator("main")).to_contain_text("1 place left")

    desk = lab.page
    lab.open(at("course_session", session))
    expect(desk.get_by_role("button", name=re.compile("Came"))).to_have_count(0)  # it has not begun
    with people.site.data():
        from booking.models import CourseSession

        row = CourseSession.objects.get(pk=session)
        CourseSession.objects.filter(pk=session).update(starts_at=row.starts_at - timedelta(hours=3))
    desk.reload()
    content_accessible(desk)
    fits(desk, 390, 320)
    desk.get_by_role("button", name=re.compile("^Came")).click()
    desk.get_by_label("Points of 100").fill("85")
    desk.get_by_role("button", name=re.compile("Enter the result")).click()
    expect(desk.locator("main")).to_contain_text("85/100")

    researcher.open(at("instrument_detail", instrument))
    expect(page.locator("main")).to_contain_text("You can book it yourself.")
    content_accessible(page)
    researcher.open(at("my_record"))
    expect(page.get_by_role("row", name=re.compile(NAME))).to_contain_text("Holds")
    content_accessible(page)
    lab.open(at("licence_list"))
    expect(desk.get_by_role("row", name=re.compile(NAME))).to_contain_text("Holds")
