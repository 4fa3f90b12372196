"""What appears on a page after it has loaded: menus, dialogs, swapped pieces, the second step of a log-in."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from config.demo.accounts import DEMO_PASSWORD
from tests.browser.checks import accessible, content_accessible, fits, rendered
from tests.browser.pages import at, instrument
from tests.browser.visitors import PERSONAS, Visitors


def test_menus_open_close_and_are_accessible(visitors: Visitors) -> None:
    visitor = visitors.get("researcher", "en")
    visitor.open(at("home"))
    page = visitor.page
    menus = page.locator("header details.menu")
    assert menus.count() == 4  # more places, language, theme, the person
    for menu in menus.all():
        menu.locator("summary").click()
        expect(menu.locator(".menu-panel")).to_be_visible()
        accessible(page, within="header")  # what the open menu lies over is out of reach until it closes
        page.keyboard.press("Escape")
        expect(menu.locator(".menu-panel")).to_be_hidden()


def test_the_list_of_shortcuts_opens_and_closes_with_keys(visitors: Visitors) -> None:
    visitor = visitors.get("lab_manager", "en")
    visitor.open(at("home"))
    page = visitor.page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Approvals")
    content_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_language_is_changed_where_one_is(visitors: Visitors) -> None:
    visitor = visitors.fresh("anonymous", "en")
    visitor.open(at("instrument_list", q="X"))
    page = visitor.page
    page.locator("header details.menu").first.locator("summary").click()
    page.locator("button[name=language][value=zh-hans]").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert page.url.endswith(at("instrument_list", q="X"))
    rendered(visitor, "zh-hans")


def test_a_reader_on_another_clock_sees_whose_clock_times_are(visitors: Visitors) -> None:
    """The browser tells its zone with the first page, so that every later one names the zone of each instrument's times."""
    for zone, named in (("Asia/Shanghai", False), ("Asia/Singapore", False), ("Asia/Tokyo", True)):
        visitor = visitors.fresh("researcher", "en", timezone_id=zone)
        visitor.open(at("home"))
        visitor.open(at("reservation_list"))
        labels = visitor.page.locator("main .zone", has_text="UTC+8, Asia/Shanghai")
        assert bool(labels.count()) is named, zone
        rendered(visitor, "en")


def test_what_has_just_been_done_is_said_above_the_tiles_of_the_first_page(visitors: Visitors) -> None:
    """The tiles are drawn over the edge of the head; a note between the two keeps its own room."""
    visitor = visitors.get("researcher", "en")
    visitor.open("/")
    gap = visitor.page.evaluate(
        """() => {
          const tiles = document.querySelector(".after-hero"), note = document.createElement("div");
          note.className = "notes";
          note.textContent = "Saved";
          tiles.before(note);
          return tiles.getBoundingClientRect().top - note.getBoundingClientRect().bottom;
        }"""
    )
    assert gap > 4


def test_the_theme_is_chosen_and_remembered(visitors: Visitors) -> None:
    visitor = visitors.fresh("anonymous", "en")
    visitor.open(at("home"))
    visitor.page.locator("header details.menu").nth(1).locator("summary").click()
    visitor.page.locator("[data-set-theme=dark]").click()
    visitor.open(at("help"))
    rendered(visitor, "en", "dark")


def test_another_week_is_swapped_in_and_gets_the_focus(visitors: Visitors) -> None:
    visitor = visitors.get("researcher", "en")
    with visitors.site.data():
        pk = instrument().pk
    visitor.open(at("instrument_detail", pk))
    page = visitor.page
    before = page.locator("#slots .small").first.inner_text()
    page.get_by_role("link", name="Later").click()
    expect(page.locator("#slots-title")).to_be_focused()
    assert page.locator("#slots .small").first.inner_text() != before
    expect(page).to_have_url(re.compile(rf"/instruments/{pk}/\?.*week="))
    rendered(visitor, "en")
    content_accessible(page)
    page.go_back()
    expect(page.locator("#slots .small").first).to_have_text(before)


def test_search_answers_while_one_types_and_the_address_keeps_it(visitors: Visitors) -> None:
    visitor = visitors.get("anonymous", "en")
    visitor.open(at("instrument_list"))
    page = visitor.page
    page.get_by_role("main").get_by_role("combobox").press_sequentially("diffracto")
    expect(page.locator(".browse-count")).to_contain_text("diffracto")
    expect(page).to_have_url(re.compile("q=diffracto"))
    assert all("diffracto" in name.lower() for name in page.locator(".finds h3").all_inner_texts())
    expect(page.get_by_role("main").get_by_role("combobox")).to_be_focused()
    content_accessible(page)


def test_every_fold_of_a_calculation_is_accessible(visitors: Visitors) -> None:
    visitor = visitors.get("firm_admin", "en", 390)
    with visitors.site.data():
        path = at("instrument_detail", instrument().pk, on=tomorrow(), from_="09:00", to="12:00", service_mode="self_operated")
    visitor.open(path)
    page = visitor.page
    folds = page.locator("#quote details")
    assert folds.count() >= 2
    for fold in folds.all():
        fold.locator("summary").click()
    expect(page.locator("#quote details[open]")).to_have_count(folds.count())
    content_accessible(page)
    fits(page, 320)


def tomorrow() -> str:
    from datetime import timedelta

    from django.utils import timezone

    return (timezone.localtime() + timedelta(days=2)).date().isoformat()


def test_a_second_factor_is_asked_for_after_the_password(visitors: Visitors) -> None:
    visitor = visitors.fresh("anonymous", "en")
    visitor.open(at("account_login"))
    page = visitor.page
    log_in_with_password(page)
    page.wait_for_url("**/accounts/2fa/authenticate/")
    rendered(visitor, "en")
    content_accessible(page)
    page.get_by_role("main").get_by_role("textbox").first.fill("000000")
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("main")).to_contain_text("Incorrect code")
    visitor.open(at("token_list"))
    assert page.url.startswith(visitor.site.address + "/accounts/"), "half logged in is not logged in"


def log_in_with_password(page: Page) -> None:
    page.get_by_label("Email").fill(PERSONAS["second_factor"])
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


@pytest.mark.parametrize(
    ("persona", "width", "parts"), [("operator", 1440, ".site-nav li"), ("anonymous", 390, ".site-tools .btn")]
)
def test_the_bar_is_one_line_also_with_the_longest_words(visitors: Visitors, persona: str, width: int, parts: str) -> None:
    visitor = visitors.fresh(persona, "en", width)
    visitor.open(at("help"))
    lines = "(found) => [new Set(found.map((one) => one.offsetTop)).size, Math.max(...found.map((one) => one.offsetHeight))]"
    rows, height = visitor.page.locator(parts).evaluate_all(lines)
    assert rows == 1 and height <= 44
    fits(visitor.page, width, 320)


def test_what_has_the_focus_stays_in_view_when_the_figures_around_it_are_replaced(visitors: Visitors) -> None:
    visitor = visitors.fresh("researcher", "en", 1280)
    page = visitor.page
    with visitor.site.data():
        pk = instrument().pk
    visitor.open(at("instrument_detail", pk))
    page.locator("#slots a.slot").nth(1).click()
    working = page.locator("#quote-working")
    expect(working).to_be_visible()
    for from_top in (100, 300, 600):
        working.focus()
        working.evaluate(f"(one) => window.scrollBy(0, one.getBoundingClientRect().top - {from_top})")
        with page.expect_response(lambda response: "/quotes/preview" in response.url) as answered:
            page.locator("#booking-form").evaluate("(form) => form.dispatchEvent(new Event('input', {bubbles: true}))")
        answered.value.finished()
        expect(page.locator("#quote.htmx-request, #quote.htmx-swapping, #quote.htmx-settling")).to_have_count(0)
        assert abs(working.evaluate("(one) => one.getBoundingClientRect().top") - from_top) < 2, "the page has jumped"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_when_the_opened_form_has_kept_its_time(visitors: Visitors, width: int, language: str) -> None:
    visitor = visitors.fresh("researcher", language, width)
    page = visitor.page
    with visitor.site.data():
        path = at("instrument_detail", instrument().pk, on=tomorrow(), from_="15:00", to="16:00", service_mode="self_operated")
    waiting: list[Route] = []
    page.route("**/hold", lambda route: waiting.append(route), times=1)
    with page.expect_request("**/hold"):
        visitor.open(path)
    places = """() => ["hold", "quote-working", "booking-submit"].flatMap((id) => {
        const panel = document.getElementById("booking-panel").getBoundingClientRect()
        const one = document.getElementById(id).getBoundingClientRect()
        return [one.top - panel.top, one.height]
    })"""
    before = page.evaluate(places)
    waiting[0].continue_()
    expect(page.locator("#hold-let-go")).to_be_visible()
    assert page.evaluate(places) == pytest.approx(before, abs=1)
    page.locator("#hold-let-go").click()
    expect(page.locator("#hold-keep")).to_be_visible()
