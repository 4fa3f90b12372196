"""Twenty requests are answered with the keyboard alone within two minutes: one by one, with a reason, with other times, many at once."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from config.kernel.access import Role
from tests.browser import stage
from tests.browser.journey import log_in, newly_arrived
from tests.browser.keyboard import Keyboard
from tests.browser.pages import sent_item
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors

COUNT, SECONDS = 20, 120


def ask_for_many(site: Site) -> list[int]:
    """An hour each, one after the other, soon, of a person who asks for nothing else: the lab lets nobody have more than forty ahead.
    What waited before them in the lab's list is answered with them."""
    now = datetime.now(UTC)
    first = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    with site.data():
        instrument = stage.add_instrument("Much wanted microscope", now)
        researcher = stage.persona("researcher.firm11@demo.jishi.example")
        return [stage.book(researcher, instrument, first + timedelta(hours=hour), 1, now) for hour in range(COUNT)]


def states(site: Site, ids: set[int]) -> Counter[str]:
    from booking.models import Reservation

    with site.data():
        return Counter(Reservation.objects.filter(pk__in=ids).values_list("state", flat=True))


def press_on(page: Page, *keys: str) -> int:
    """Press the keys, then wait until another request is open. The one that was."""
    before = page.locator("#inbox-detail").get_attribute("data-opened")
    assert before
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_function("(before) => document.querySelector('#inbox-detail')?.dataset.opened !== before", arg=before)
    page.wait_for_load_state("domcontentloaded")
    return int(before)


def opened(page: Page) -> str:
    """The request that is open beside the list."""
    return page.locator("#inbox-detail").get_attribute("data-opened") or ""


def waits_on(page: Page, pk: str, chip: str) -> None:
    """It is still in the list, and says what for."""
    expect(page.locator(f'.inbox-list a[data-request="{pk}"]')).to_contain_text(chip)


def test_twenty_requests_are_answered_by_keyboard_in_two_minutes(people: Visitors, used: Site) -> None:
    ids = ask_for_many(used)
    manager = newly_arrived(people)
    log_in(manager, "lab_manager")
    page, keys = manager.page, Keyboard(manager.page)
    manager.open("/approvals/")
    began = time.monotonic()
    answered = {press_on(page, "a") for _each in range(10)}
    expect(page.get_by_role("status").filter(has_text="1 request approved")).to_be_visible()
    press_on(page, "u")
    expect(page.get_by_text("Taken back")).to_be_visible()
    keys.press("r")
    keys.look()
    answered.add(press_on(page, "ArrowDown", "Enter"))
    suggested = opened(page)
    keys.press("s")
    page.wait_for_url("**/suggest?*")
    keys.look()
    keys.press("Enter")
    page.wait_for_url("**/approvals/?selected=*")
    assert opened(page) != suggested, "the next one is open"
    waits_on(page, suggested, "Other times suggested")
    chosen = page.locator("[data-inbox] input[name=chosen]")
    values = [chosen.nth(place).get_attribute("value") for place in range(chosen.count())]
    for place in range(values.index(opened(page)), len(values)):
        if chosen.nth(place).get_attribute("value") not in map(str, ids[-9:]):
            press_on(page, "j")
            continue
        keys.press("x")
        expect(chosen.nth(place)).to_be_checked()
        if page.locator("[data-chosen-count]").text_content() == "9":
            break
        press_on(page, "j")
    keys.press("A")
    expect(page.get_by_text("9 requests approved")).to_be_visible()
    assert time.monotonic() - began < SECONDS
    touched = {*answered, *ids[-9:], int(suggested or 0)}
    assert states(used, touched) == {"approved": 18, "rejected": 1, "requested": len(touched) - 19}
    assert manager.faults.found == []


def test_the_key_for_the_chosen_names_who_is_declined_with_them_and_a_second_press_is_final(people: Visitors, used: Site) -> None:
    from booking.services import policies
    from booking.services.policies import Scope

    now = datetime.now(UTC)
    first = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=60)
    with used.data():
        instrument = stage.add_instrument("Contested microscope", now)
        manager_of_it = stage.persona("lab@demo.jishi.example")
        here = Scope(instrument.organisation_id, instrument_id=instrument.pk)
        policies.say(manager_of_it, here, {"pending_blocks": False, "approval_required": True}, now)
        wanted = stage.book(stage.persona("researcher.firm11@demo.jishi.example"), instrument, first, 2, now)
        rival = stage.book(stage.persona("researcher@demo.jishi.example"), instrument, first + timedelta(minutes=30), 1, now)
    manager = newly_arrived(people)
    log_in(manager, "lab_manager")
    page = manager.page
    manager.open(f"/approvals/?selected={wanted}")
    page.keyboard.press("x")
    expect(page.locator(f"#choose-{wanted}")).to_be_checked()
    page.keyboard.press("A")
    expect(page.locator("#naming")).to_be_focused()
    expect(page.locator("#naming")).to_contain_text("1 other wants the same time")
    assert states(used, {wanted, rival}) == {"requested": 2}
    page.keyboard.press("A")
    expect(page.get_by_text("1 request approved. 1 request declined.")).to_be_visible()
    assert states(used, {wanted, rival}) == {"approved": 1, "rejected": 1}
    assert manager.faults.found == []


def test_a_question_to_the_customer_leads_on_to_the_next_request_and_the_one_asked_about_goes_on_waiting(
    people: Visitors, used: Site
) -> None:
    now = datetime.now(UTC)
    first = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=90)
    with used.data():
        instrument = stage.add_instrument("Questioned microscope", now)
        researcher = stage.persona("researcher.firm11@demo.jishi.example")
        asked, following = (stage.book(researcher, instrument, first + timedelta(hours=hour), 1, now) for hour in range(2))
    manager = newly_arrived(people)
    log_in(manager, "lab_manager")
    page, keys = manager.page, Keyboard(manager.page)
    manager.open(f"/approvals/?selected={asked}")
    keys.press("q")
    page.wait_for_url("**/enquiries/new/**")
    keys.look()
    page.keyboard.type("Is the sample dry?")
    keys.press("Tab", "Tab", "Enter")
    page.wait_for_url("**/approvals/?selected=*")
    assert opened(page) == str(following)
    waits_on(page, str(asked), "Customer's answer awaited")
    assert states(used, {asked, following}) == {"requested": 2}
    assert manager.faults.found == []


def test_sample_jobs_are_answered_with_the_same_keys(people: Visitors, used: Site) -> None:
    from booking.models import SampleJob
    from booking.services import sample_jobs

    now = datetime.now(UTC)
    with used.data():
        researcher, item = stage.persona("researcher.firm11@demo.jishi.example"), sent_item()
        (customer,) = researcher.organisations(Role.RESEARCHER)
        wishes = [sample_jobs.Wish(item, customer, 1, now.date() + timedelta(days=3), note=f"Keys {place}") for place in range(4)]
        asked = [sample_jobs.ask(researcher, wish, now, idempotency_key=f"keys-{wish.note}").pk for wish in wishes]
    manager = newly_arrived(people)
    log_in(manager, "lab_manager")
    page, keys = manager.page, Keyboard(manager.page)
    manager.open(f"/approvals/samples/?selected={asked[0]}")
    assert press_on(page, "a") == asked[0] and opened(page) == str(asked[1])
    expect(page.get_by_role("status").filter(has_text="1 request accepted")).to_be_visible()
    press_on(page, "u")
    expect(page.get_by_text("Taken back")).to_be_visible()
    assert opened(page) == str(asked[0])
    keys.press("s")
    expect(page.locator("#promised_on")).to_be_focused()
    page.locator("#promised_on").blur()
    keys.press("r")
    keys.look()
    assert press_on(page, "ArrowDown", "Enter") == asked[0]
    for place in (1, 2):
        keys.press("x")
        expect(page.locator(f"#choose-{asked[place]}")).to_be_checked()
        press_on(page, "j")
    keys.press("A")
    expect(page.get_by_text("2 requests accepted")).to_be_visible()
    with used.data():
        states = [SampleJob.objects.get(pk=pk).state for pk in asked]
    assert states == ["refused", "accepted", "accepted", "asked"]
    assert manager.faults.found == []
