"""The lab's timeline: a drag that is refused goes back and says why; the keyboard moves the same booking without one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import FloatRect, Locator, Page, Route, TimeoutError, expect

from tests.browser import stage
from tests.browser.checks import content_accessible, fits
from tests.browser.journey import log_in, newly_arrived
from tests.browser.keyboard import LOOKS, Keyboard
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitors

NAME = "Timeline microscope"
LISTED = "Timeline microscope of the list"
SPARE = "Timeline spare"
SHANGHAI = timedelta(hours=8)
ROW = 16
"""Half the height of a row, in px."""


def sunday(now: datetime) -> datetime:
    """The beginning there, as a clock shows it, of the first Sunday after tomorrow: on Sundays the demo has no bookings."""
    there = (now + SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    return there + timedelta(days=6 - there.weekday())


def two_bookings(site: Site, name: str = NAME) -> tuple[int, str]:
    """From 9 to 11 and from 12 to 14 on a Sunday, there, on an instrument of that name; the first one's id, and the day."""
    now = datetime.now(UTC)
    there = sunday(now)
    with site.data():
        instrument = stage.add_instrument(name, now)
        researcher = stage.persona(PERSONAS["researcher"])
        first, _second = (
            stage.book(researcher, instrument, there - SHANGHAI + timedelta(hours=hour), 2, now) for hour in (9, 12)
        )
    return first, f"{there:%Y-%m-%d}"


def box(entry: Locator) -> tuple[float, float, float]:
    """Where it stands: left, top, and the middle of its height."""
    entry.scroll_into_view_if_needed()
    place = place_of(entry)
    return place["x"], place["y"], place["y"] + place["height"] / 2


def middle_of(entry: Locator) -> float:
    place = place_of(entry)
    return place["y"] + place["height"] / 2


def place_of(entry: Locator) -> FloatRect:
    """Where it stands; a timeline that is being drawn anew has no places for a moment."""
    for _look in range(LOOKS):
        place = entry.bounding_box()
        if place is not None:
            return place
        entry.page.wait_for_timeout(100)
    raise AssertionError(f"{entry} stands nowhere")


def row_of(page: Page, name: str) -> Locator:
    """Where the row of an instrument begins; rows are in the order of names, those of the demo's among them."""
    return page.locator("[data-timeline]").get_by_text(name, exact=True).first


def entry_in(page: Page, name: str, hours: str) -> Locator:
    """What stands in the row of that instrument at those hours, once what was asked for is drawn."""
    page.wait_for_load_state("networkidle")
    entries = page.locator(f'[data-timeline] .ec-event:has(strong)[aria-label^="{hours}"]')
    expect(entries.first).to_be_visible()
    row = middle_of(row_of(page, name))
    found = [one for one in entries.all() if abs(middle_of(one) - row) < ROW]
    assert len(found) == 1, (name, hours, len(found))
    return found[0]


def drag(page: Page, entry: Locator, hours: int, row: Locator | None = None) -> tuple[float, float]:
    """So many hours later, into the row where another one stands; left and top of where it stood before."""
    dialog = page.get_by_role("dialog")
    for _try in range(3):  # a timeline that is drawn anew meanwhile lets go of what is dragged
        page.wait_for_load_state("networkidle")
        # In the middle of the window: at its edge the timeline is scrolled by what is dragged there.
        (row or entry).evaluate("one => one.scrollIntoView({block: 'center'})")
        there = middle_of(row or entry)
        left, top, middle = box(entry)
        page.mouse.move(left + 30, middle)
        page.mouse.down()
        page.mouse.move(left + 30 + 40 * (1 if hours > 0 else -1), middle, steps=4)
        page.mouse.move(left + 30 + hours * 64, there, steps=8)
        page.mouse.up()
        if is_there_soon(dialog):
            break
    return left, top


def say_yes(dialog: Locator, reason: str) -> None:
    """The lab says that the customer has agreed, and why it is moved."""
    dialog.get_by_role("textbox", name="Reason").fill(reason)
    dialog.get_by_label("The customer has agreed already").check()
    dialog.get_by_role("button", name="Move or ask").click()


def is_there_soon(dialog: Locator) -> bool:
    try:
        dialog.wait_for(timeout=3_000)
    except TimeoutError:
        return False
    return True


def test_the_list_of_a_week_is_read_day_by_day_also_on_a_phone(people: Visitors, used: Site) -> None:
    _pk, day = two_bookings(used, LISTED)
    monday = datetime.fromisoformat(day) - timedelta(days=6)
    manager = newly_arrived(people)
    log_in(manager, "lab_manager")
    page = manager.page
    manager.open(f"/timeline/?date={monday:%Y-%m-%d}&span=week")
    row = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=LISTED, exact=True)).first
    days = row.locator(".listed-days > li")
    expect(days).to_have_count(7)
    expect(days.last.locator("h4 time")).to_have_attribute("datetime", day)
    for hours in ("09:00–11:00", "12:00–14:00"):
        expect(days.last).to_contain_text(hours)
    expect(days.last.get_by_role("link", name=re.compile("Move to"))).to_have_count(2)
    expect(days.first).to_contain_text("Nothing on this day.")
    content_accessible(page)
    fits(page, 390, 320)


def test_a_refused_drag_goes_back_and_the_keyboard_moves_it_also_to_another_instrument(people: Visitors, used: Site) -> None:
    pk, day = two_bookings(used)
    with used.data():
        spare = stage.add_instrument(SPARE, datetime.now(UTC)).pk
    manager = newly_arrived(people)
    log_in(manager, "lab_manager")
    page, keys = manager.page, Keyboard(manager.page)
    lost_next: list[bool] = []
    sent: list[str] = []

    def perhaps_lost(route: Route) -> None:
        if not lost_next:
            return route.continue_()
        lost_next.clear()
        sent.append(route.request.headers["idempotency-key"])
        return route.abort()

    page.route("**/changes/", perhaps_lost)  # early: what is sent as one begins to listen may pass by
    manager.open(f"/timeline/?date={day}")
    mine = entry_in(page, NAME, "09:00")
    named = mine.get_attribute("aria-label") or ""
    assert named.startswith("09:00–11:00")
    dialog = page.get_by_role("dialog")
    stood_at, _top = drag(page, mine, 2)
    expect(dialog.get_by_label("From")).to_have_value(f"{day}T11:00")
    say_yes(dialog, "The operator is away.")
    expect(dialog.get_by_role("alert")).to_contain_text("taken")
    expect(mine).to_have_attribute("aria-label", named)
    assert abs(box(mine)[0] - stood_at) < 3, "what is refused stands where it stood"
    page.keyboard.press("Escape")
    mine.focus()
    keys.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Move to…").focus()
    keys.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Reason")).to_have_value("")
    expect(dialog.get_by_label("The customer has agreed already")).not_to_be_checked()
    dialog.get_by_label("From").fill(f"{day}T14:00")
    dialog.get_by_label("Until").fill(f"{day}T16:00")
    dialog.get_by_label("Instrument").select_option(str(spare))
    expect(dialog.get_by_role("row", name="Final cost").get_by_role("cell").last).to_contain_text("¥")
    dialog.get_by_role("textbox", name="Reason").fill("Agreed on the phone.")
    dialog.get_by_label("The customer has agreed already").check()
    lost_next.append(True)
    keys.press("Tab", "Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("could not be reached")
    with page.expect_request("**/changes/") as again:
        dialog.get_by_role("button", name="Move or ask").press("Enter")
    assert [again.value.headers["idempotency-key"]] == sent, "what was perhaps done is not done twice"
    expect(page.locator('[data-timeline] .ec-event[aria-label^="14:00–16:00"]').last).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with used.data():
        from booking.models import Reservation

        moved = Reservation.objects.get(pk=pk)
        assert (f"{moved.starts_at + SHANGHAI:%H:%M}", moved.instrument_id) == ("14:00", spare)
    drag_to_the_other_row(page, day, pk, used)


def drag_to_the_other_row(page: Page, day: str, pk: int, used: Site) -> None:
    """By the mouse from the spare's row back to the first instrument's: refused where somebody is at that time, made beside it."""
    with used.data():
        from booking.models import Reservation
        from instruments.models import Instrument

        first = Instrument.objects.get(name=NAME).pk
    mine, other = entry_in(page, SPARE, "14:00–16:00"), row_of(page, NAME)
    dialog = page.get_by_role("dialog")
    left, top = drag(page, mine, -2, other)
    expect(dialog.get_by_label("From")).to_have_value(f"{day}T12:00")
    expect(dialog.get_by_label("Instrument")).to_have_value(str(first))
    say_yes(dialog, "The spare is lent out.")
    expect(dialog.get_by_role("alert")).to_contain_text("taken")
    back = box(mine)
    assert abs(back[0] - left) < 3 and abs(back[1] - top) < 3, "what is refused is in its row and at its time again"
    page.keyboard.press("Escape")
    drag(page, mine, 0, other)
    expect(dialog.get_by_label("From")).to_have_value(f"{day}T14:00")
    expect(dialog.get_by_label("Instrument")).to_have_value(str(first))
    say_yes(dialog, "The spare is lent out.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    with used.data():
        moved = Reservation.objects.get(pk=pk)
        assert (f"{moved.starts_at + SHANGHAI:%H:%M}", moved.instrument_id) == ("14:00", first)


def test_free_time_is_asked_for_on_the_clock_of_its_instrument_and_news_wait_for_an_open_dialog(
    people: Visitors, used: Site
) -> None:
    now = datetime.now(UTC)
    there = sunday(now)
    day = f"{there:%Y-%m-%d}"
    with used.data():
        instrument = stage.add_instrument("West of the others", now)
        here = instrument.site
        instrument.site = type(here).objects.create(
            organisation_id=here.organisation_id, name="West", region_code=here.region_code, time_zone="Asia/Urumqi"
        )
        instrument.save()
        stage.book(stage.persona(PERSONAS["researcher"]), instrument, there - SHANGHAI + timedelta(hours=15), 1, now)
    manager = newly_arrived(people)
    log_in(manager, "lab_manager")
    page = manager.page
    page.clock.install()
    manager.open(f"/timeline/?date={day}")
    mine = page.locator('[data-timeline] .ec-event:has(strong)[aria-label^="15:00–16:00"]').last
    expect(mine).to_be_visible()
    mine.scroll_into_view_if_needed()
    place = place_of(mine)
    middle, hour = place["y"] + place["height"] / 2, place["width"]
    page.mouse.move(place["x"] + 1.1 * hour, middle)
    page.mouse.down()
    page.mouse.move(place["x"] + 1.5 * hour, middle, steps=4)
    page.mouse.move(place["x"] + 1.9 * hour, middle, steps=4)
    page.mouse.up()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{day} 14:00 – {day} 15:00")
    address = dialog.locator("[data-act=stop]").get_attribute("href") or ""
    assert f"starts_local={day}T14%3A00" in address and f"ends_local={day}T15%3A00" in address
    page.keyboard.press("Escape")

    held = []
    page.route("**/api/v1/timeline/**", lambda route: held.append(route))
    page.clock.run_for(21_000)
    page.wait_for_timeout(300)
    (route,) = held
    mine.evaluate("one => one.dataset.marked = '1'")
    mine.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    answer = route.fetch(headers={**route.request.headers, "if-none-match": ""})
    route.fulfill(response=answer)
    page.wait_for_timeout(300)
    expect(mine).to_have_attribute("data-marked", "1")
