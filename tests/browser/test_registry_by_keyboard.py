"""The registry's other journeys with keys alone, in Chinese on a phone and in English at a desk: taking in a list, asking for a data set,
following a calendar, finding a time, comparing, and typing what is to be measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.checks import content_accessible, fits, rendered
from tests.browser.journey import new_instrument
from tests.browser.keyboard import Keyboard
from tests.browser.pages import at
from tests.browser.running_site import Site
from tests.browser.stage import BRINE_ITEM
from tests.browser.test_request_a_data_set import data_set, request_of
from tests.browser.test_subscribe import file_of, neighbour, says
from tests.browser.visitors import Visitor, Visitors

SHOWN_WITHIN_MS = 60_000
MEASURED = "brine, Li and Mg, 12 samples"


def manners(turn: int) -> pytest.MarkDecorator:
    """A journey in Chinese on a phone and in English at a desk: ``make test`` goes one of them, in turn, ``make proof`` the other."""
    both = [("zh-hans", 390), ("en", 1280)]
    marks = [[pytest.mark.proof] if place == turn else [] for place in range(2)]
    return pytest.mark.parametrize(
        ("language", "width"), [pytest.param(*one, marks=mark) for one, mark in zip(both, marks, strict=True)]
    )


class Person:
    """Somebody without a mouse. ``settled``: the page that stands there now is whole, accessible and no wider than the window."""

    def __init__(self, visitor: Visitor, language: str, width: int) -> None:
        self.visitor, self.page, self.keys = visitor, visitor.page, Keyboard(visitor.page)
        self._language, self._width = language, width

    def open(self, path: str) -> None:
        self.visitor.open(path)
        self.keys.skip_to_content()

    def settled(self) -> None:
        rendered(self.visitor, self._language)
        content_accessible(self.page)
        fits(self.page, self._width)

    def choose_file(self, target: Locator, file: Path) -> None:
        """The dialog that a key would open is the browser's own."""
        self.keys.tab_to(target)
        target.set_input_files(file)

    def fill(self, target: Locator, text: str) -> None:
        self.keys.tab_to(target)
        self.keys.type(text)


def submit_of(page: Page, action: str) -> Locator:
    return page.locator(f'form[action$="{action}"] button[type=submit]')


@manners(1)
def test_a_list_is_taken_in(people: Visitors, used: Site, tmp_path: Path, language: str, width: int) -> None:
    person = Person(people.fresh("lab_manager", language, width), language, width)
    page, keys = person.page, person.keys
    file = tmp_path / "list.csv"
    file.write_text(f"inner_id,name,class_code\nKB-{width},Keyboard balance {width},0101\n", encoding="utf-8")
    person.open(at("import_list"))
    person.settled()
    person.choose_file(page.locator("[name=file]"), file)
    kind = page.locator("[name=form]")
    keys.tab_to(kind)
    for _ in range(20):
        if kind.input_value() == "instruments:csv":
            break
        keys.press("ArrowDown")
    assert kind.input_value() == "instruments:csv"
    keys.go(page.locator("main form[enctype] button.btn-primary[type=submit]"))
    expect(submit_of(page, "/confirm/")).to_be_visible(timeout=SHOWN_WITHIN_MS)
    person.settled()
    keys.go(submit_of(page, "/confirm/"), most=90)
    expect(page.locator(".note-good[role=status]")).to_be_visible(timeout=SHOWN_WITHIN_MS)
    person.settled()


@manners(0)
def test_a_data_set_is_asked_for_and_approved(people: Visitors, used: Site, language: str, width: int) -> None:
    pk = data_set(used)
    asking = Person(people.fresh("researcher", language, width), language, width)
    page, keys = asking.page, asking.keys
    asking.open(f"/resources/{pk}/")
    asking.settled()
    keys.go(page.locator(f'a[href^="/resources/{pk}/request/"]'))
    page.wait_for_url(f"**/resources/{pk}/request/**")
    keys.skip_to_content()
    asking.fill(page.locator("[name=purpose]"), "To compare adsorbents.")
    keys.tab_to(page.locator("[name=terms_accepted]"))
    keys.press("Space")
    asking.settled()
    keys.go(page.locator("main form button.btn-primary"))
    page.wait_for_url(re.compile(r"/requests/\d+/"))
    asking.settled()

    keeping = Person(people.fresh("lab_manager", language, width), language, width)
    keeping.open(at("resource_inbox"))
    keeping.settled()
    keeping.keys.go(keeping.page.locator(f'main a[href="/requests/{request_of(used, pk).pk}/"]').first)
    keeping.page.wait_for_url(re.compile(r"/requests/\d+/"))
    keeping.keys.skip_to_content()
    keeping.keys.go(submit_of(keeping.page, "/approve/"))
    expect(keeping.page.locator('form[action$="/deliver/"]')).to_be_visible()
    keeping.settled()
    assert request_of(used, pk).state == "approved"


@manners(1)
def test_a_calendar_is_followed(people: Visitors, used: Site, language: str, width: int) -> None:
    instrument = new_instrument(used, f"Followed furnace {width}", step=60)
    person = Person(people.fresh("lab_manager", language, width), language, width)
    page, keys = person.page, person.keys
    with neighbour(says(file_of((10, 12, "Beam time"))), port=used.neighbour_port) as lab:
        person.open(at("instrument_calendars", instrument))
        person.fill(page.locator("[name=address]"), lab.url())
        person.fill(page.locator("[name=title]"), "Lab calendar")
        person.settled()
        keys.go(page.locator("main form button.btn-primary").first)
        card = page.get_by_role("region", name="Lab calendar")
        expect(card).to_contain_text("127.0.0.1", timeout=SHOWN_WITHIN_MS)
        person.settled()
        keys.skip_to_content()
        keys.go(submit_of(page, "/remove/"))
        expect(card).to_have_count(0)
        person.settled()


@manners(0)
def test_a_time_is_found_and_two_instruments_are_compared(people: Visitors, language: str, width: int) -> None:
    person = Person(people.fresh("researcher", language, width), language, width)
    page, keys = person.page, person.keys
    person.open(at("find_a_time"))
    keys.tab_to(page.locator("[name=hours]"))
    keys.press("Control+A")
    keys.type("1")
    keys.press("Enter")
    expect(page.locator(".time-row").first).to_be_visible()
    page.wait_for_url(re.compile(r"hours=1\b"))
    person.settled()

    person.open(at("search", q="microscope"))
    for picked in (1, 2):
        keys.go(page.locator(".find-pick:not([aria-current])").first, most=120)
        expect(page.locator(".find-pick[aria-current]")).to_have_count(picked)
    keys.go(page.locator(".compare-bar .btn-primary"), most=150)
    page.wait_for_url(re.compile(r"/compare/\?ids=\d+,\d+"))
    expect(page.locator(".compare thead th")).to_have_count(2)
    person.settled()


@manners(1)
def test_what_is_measured_is_typed_and_what_can_measure_it_is_opened(people: Visitors, language: str, width: int) -> None:
    person = Person(people.fresh("researcher", language, width), language, width)
    page, keys = person.page, person.keys
    person.open(at("search"))
    person.fill(page.get_by_role("main").get_by_role("combobox"), MEASURED)
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?q=brine"))
    person.settled()
    keys.go(page.locator(".finds h3 a").filter(has_text=BRINE_ITEM), most=150)
    page.wait_for_url(re.compile(r"/resources/\d+/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(BRINE_ITEM)
    person.settled()
