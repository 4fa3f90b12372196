"""A voucher from its announcement to a booking: a firm tests itself and applies, one officer reviews, another one issues, and the firm
books with it; on a phone in Chinese, at a desk in English, and the firm's part with keys alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import stage, stage_money
from tests.browser.checks import content_accessible, fits, rendered
from tests.browser.journey import new_instrument, quoted, reservation_at, yuan
from tests.browser.keyboard import Keyboard
from tests.browser.pages import at
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitor, Visitors
from tests.conftest import voucher_document

CODE = "DEMO-YOUTH-VOUCHER"
FACE_FEN = 3_000_00
HOUR_FEN = 400_00
NOTICE = "面向西宁市的企业；随申请附检测方案。"


@dataclass(frozen=True)
class Look:
    """How a journey is looked at, and whose it is: each has a firm of its own, which has no voucher yet."""

    language: str
    width: int
    firm: str

    @property
    def email(self) -> str:
        return f"firm-admin.{self.firm}@demo.jishi.example"


PHONE, DESK = Look("zh-hans", 390, "firm4"), Look("en", 1280, "firm5")
KEYS = Look("en", 1280, "firm6")


@dataclass(frozen=True)
class Offer:
    """What there is to apply for and to book with it."""

    announcement: int
    instrument: int
    name: str


@dataclass
class Window:
    """Somebody's page, looked at on the way."""

    visitor: Visitor
    look: Look

    @property
    def page(self) -> Page:
        return self.visitor.page

    def open(self, path: str) -> None:
        self.visitor.open(path)
        self.settled()

    def settled(self) -> None:
        rendered(self.visitor, self.look.language)
        content_accessible(self.page)
        fits(self.page, self.look.width)

    def press(self, target: Locator) -> None:
        """Leads on to another page, which is looked at."""
        with self.page.expect_navigation():
            target.click()
        self.settled()


@pytest.fixture
def windows(people: Visitors) -> Iterator[Any]:
    """``windows(look, email)``: somebody who is logged in; afterwards nothing went wrong in any of their pages."""
    opened: list[Window] = []

    def make(look: Look, email: str) -> Window:
        visitor = people.fresh("anonymous", look.language, look.width, timezone_id="Asia/Shanghai")
        visitor.context.add_cookies([people.site.session_cookie(email)])
        opened.append(Window(visitor, look))
        return opened[-1]

    yield make
    for each in opened:
        assert each.visitor.faults.found == []


def offer(site: Site, look: Look) -> Offer:
    """An announcement of a programme that only vouchers open, and an instrument, for one journey."""
    from billing.subsidy import services
    from billing.subsidy.models import Programme
    from billing.vouchers.rules.terms import Area, Terms
    from billing.vouchers.services import announcing
    from config.demo.programmes import lasting

    name = f"Voucher viscometer {look.firm}"
    instrument = new_instrument(site, name)
    now = datetime.now(UTC)
    today = (now + timedelta(hours=8)).date()
    with site.data():
        officer, second = (stage.persona(PERSONAS[each]) for each in ("programme_officer", "second_officer"))
        if not Programme.objects.filter(code=CODE).exists():
            document = lasting(voucher_document(CODE), today)
            document |= {"name": {"zh": "青年科研创新券", "en": "Young researchers' voucher"}}
            services.publish_version(second, services.draft_version(officer, document, now), now)
        title, closes, last = f"青年科研创新券 {look.firm}", today + timedelta(days=30), today + timedelta(days=200)
        areas = (Area("", "6301", 500_000_00), Area("", "63", 200_000_00))
        terms = Terms("voucher", title, f"Young {look.firm}", NOTICE, today, closes, None, 5_000_00, 180, last, areas)
        made = announcing.draft(officer, CODE, terms, now)
        announcing.publish(second, made.pk, now)
    return Offer(made.pk, instrument, name)


def purse_of(site: Site, pk: int) -> tuple[int, int, int]:
    """Left, held and spent on a voucher, in fen."""
    from billing.vouchers.models import Voucher

    with site.data():
        account = Voucher.objects.select_related("account").get(pk=pk).account
        return account.left_fen, account.held_fen, account.posted_fen


def application_of(site: Site, offered: Offer) -> Any:
    from billing.vouchers.models import VoucherApplication

    with site.data():
        return VoucherApplication.objects.select_related("voucher").get(announcement=offered.announcement)


def main_of(page: Page) -> Locator:
    return page.get_by_role("main")


@pytest.mark.parametrize("look", [PHONE, DESK], ids=["phone", "desk"])
def test_a_firm_applies_two_officers_issue_and_the_firm_books_with_it(
    windows: Any, used: Site, tmp_path: Path, look: Look
) -> None:
    offered = offer(used, look)
    firm = windows(look, look.email)
    try_the_self_test(firm)
    apply(firm, offered, tmp_path)
    row = application_of(used, offered)
    assert (row.state, row.asked_fen) == ("applied", FACE_FEN)

    reviewer, issuer = (windows(look, PERSONAS[each]) for each in ("programme_officer", "second_officer"))
    review(reviewer, row.pk)
    assert application_of(used, offered).state == "reviewed"
    issue(issuer, row.pk)
    row = application_of(used, offered)
    assert row.state == "issued" and row.decided_by_id != row.reviewed_by_id
    voucher = row.voucher
    assert purse_of(used, voucher.pk) == (FACE_FEN, 0, 0)

    in_the_wallet(firm, voucher)
    part = look_at_the_quote(firm, offered)
    reservation = request(firm)
    assert quoted(used, reservation).deducted >= part
    approve(windows(look, PERSONAS["lab_manager"]), reservation)
    assert purse_of(used, voucher.pk) == (FACE_FEN - part, part, 0)
    kept_in_the_wallet(firm, voucher, part)


def try_the_self_test(window: Window) -> None:
    """The public page says what would pay for somebody like them, and what a wrong answer is."""
    page = window.page
    window.open(at("eligibility"))
    page.locator("[name=amount_yuan]").fill("0")
    window.press(main_of(page).locator("button[type=submit]"))
    expect(page.locator(".error-summary")).to_be_focused()
    page.locator("[name=amount_yuan]").fill("30000")
    page.locator("[name=staff]").fill("12")
    page.locator("[name=revenue_yuan]").fill("1000000")
    window.press(main_of(page).locator("button[type=submit]"))
    expect(main_of(page).locator("[data-focus]")).to_be_focused()
    expect(page.locator("#programme-DEMO-QH-V")).to_be_visible()
    of_vouchers = page.locator("main section section, main .stack > section").filter(has=page.locator(f"#programme-{CODE}"))
    expect(of_vouchers.locator("a[href='/vouchers/']")).to_be_visible()


def apply(window: Window, offered: Offer, folder: Path) -> None:
    """From the list of what is announced to what was handed in; what is left out is said first and nothing typed is lost."""
    page = window.page
    window.open(at("announcement_list"))
    window.press(page.locator(f"a[href='{at('announcement_detail', offered.announcement)}']"))
    expect(main_of(page)).to_contain_text(NOTICE)
    window.press(main_of(page).locator("a[href$='/apply/']"))
    page.locator("[name=quota]").select_option(index=1)
    page.locator("[name=asked_yuan]").fill("3000")
    page.locator("[name=purpose]").fill("正极材料的粘度")
    window.press(main_of(page).locator("form button[type=submit]"))
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("[name=purpose]")).to_have_value("正极材料的粘度")
    paper = folder / "plan.pdf"
    paper.write_bytes(stage_money.PDF)
    page.locator("[name=file]").set_input_files(paper)
    window.press(main_of(page).locator("form button[type=submit]"))
    page.wait_for_url(re.compile(r"/vouchers/applications/\d+/$"))
    expect(main_of(page)).to_contain_text("¥3,000.00")


def review(window: Window, application: int) -> None:
    """Who reviews finds it in the list, reads the paper, recommends, and cannot issue."""
    page = window.page
    window.open(at("application_list"))
    window.press(page.locator(f"a[href='{at('application_detail', application)}']"))
    with page.expect_download() as loading:
        page.locator("a[href$='/evidence/']").click()
    assert loading.value.path().read_bytes() == stage_money.PDF
    form = page.locator("form[action$='/review/']")
    expect(form.locator("[name=recommended_yuan]")).to_have_value("3000.00")
    form.locator("[name=note]").fill("材料齐全")
    window.press(form.locator("button[type=submit]"))
    expect(page.locator("form[action$='/issue/']")).to_have_count(0)
    expect(page.locator("#issue-title")).to_be_visible()


def issue(window: Window, application: int) -> None:
    page = window.page
    window.open(at("application_detail", application))
    window.press(page.locator("form[action$='/issue/'] button[type=submit]"))
    expect(main_of(page).locator("a[href^='/vouchers/']").filter(has_text=CODE)).to_be_visible()


def in_the_wallet(window: Window, voucher: Any) -> None:
    """It lies there whole, beside what was handed in."""
    page = window.page
    window.open(at("announcement_list"))
    window.press(page.locator("a[href$='/wallet/']"))
    card = page.locator(".card", has=page.get_by_role("link", name=voucher.number))
    expect(card).to_contain_text("¥3,000.00")
    expect(page.locator(".tile-value").nth(0)).to_have_text("¥3,000.00")
    expect(page.locator(".tile-value").nth(1)).to_have_text("¥0.00")


def voucher_part(page: Page) -> int:
    """What the live quote takes off for the programme of vouchers, in fen."""
    row = page.locator("#quote dl.price > div").filter(has_text=re.compile("青年科研创新券|Young researchers' voucher"))
    return yuan(row.locator("dd").inner_text())


def look_at_the_quote(window: Window, offered: Offer) -> int:
    """The voucher's part is there before anything is booked."""
    page = window.page
    window.open(at("instrument_detail", offered.instrument))
    with page.expect_response(lambda response: "/quotes/preview" in response.url):
        page.locator("#slots a.slot").nth(1).click()  # the first may begin before it is sent
    expect(page.locator("#quote .price-now")).to_be_visible()
    window.settled()
    part = voucher_part(page)
    assert 0 < part <= HOUR_FEN
    return part


def request(window: Window) -> int:
    page = window.page
    page.locator("[name=purpose]").fill("正极材料的粘度")
    window.press(page.locator("#booking-submit"))
    page.wait_for_url(re.compile(r"/bookings/\d+/"))
    return reservation_at(page.url)


def approve(window: Window, reservation: int) -> None:
    page = window.page
    window.open(at("approval_inbox") + f"?selected={reservation}")
    window.press(page.locator(f"form[action$='/bookings/{reservation}/approve'] button[data-key=a]"))


def kept_in_the_wallet(window: Window, voucher: Any, part: int) -> None:
    """What the booking keeps is said in the wallet and on the voucher."""
    page, words = window.page, f"¥{part / 100:,.2f}"
    window.open(at("wallet", voucher.organisation_id))
    expect(page.locator(".tile-value").nth(0)).to_have_text(f"¥{(FACE_FEN - part) / 100:,.2f}")
    expect(page.locator(".tile-value").nth(1)).to_have_text(words)
    card = page.locator(".card", has=page.get_by_role("link", name=voucher.number))
    expect(card).to_contain_text(words)
    window.press(page.get_by_role("link", name=voucher.number))
    expect(page.locator(".tile-value").nth(1)).to_have_text(words)
    expect(page.locator("tbody tr").first).to_contain_text(words)


def test_with_keys_alone_a_firm_applies_and_books_with_its_voucher(windows: Any, used: Site, tmp_path: Path) -> None:
    offered = offer(used, KEYS)
    firm = windows(KEYS, KEYS.email)
    keys = Keyboard(firm.page)
    apply_by_keys(firm, keys, offered, tmp_path)
    voucher = issued_behind(used, offered)
    book_by_keys(firm, keys, offered, voucher)
    reservation = reservation_at(firm.page.url)
    assert quoted(used, reservation).deducted > 0
    give_back_by_keys(firm, keys, voucher)
    with used.data():
        from booking.services import transitions

        voucher.refresh_from_db()
        # Without its voucher it costs more than was seen, so its approval would only ask the customer again; others share the inbox.
        transitions.cancel(stage.persona(KEYS.email), reservation, datetime.now(UTC), "no voucher any more")
    assert voucher.returned_at is not None
    assert keys.steps > 30


def apply_by_keys(window: Window, keys: Keyboard, offered: Offer, folder: Path) -> None:
    page = window.page
    window.visitor.open(at("announcement_list"))
    keys.skip_to_content()
    keys.go(page.locator(f"a[href='{at('announcement_detail', offered.announcement)}']"))
    page.wait_for_url(f"**{at('announcement_detail', offered.announcement)}")
    keys.skip_to_content()
    keys.go(main_of(page).locator("a[href$='/apply/']"))
    page.wait_for_url("**/apply/")
    keys.skip_to_content()
    keys.tab_to(page.locator("[name=quota]"))
    keys.press("ArrowDown")
    keys.tab_to(page.locator("[name=asked_yuan]"))
    keys.type("3000")
    keys.tab_to(page.locator("[name=purpose]"))
    keys.type("Viscosity of slurries")
    paper = folder / "plan.pdf"
    paper.write_bytes(stage_money.PDF)
    chosen = page.locator("[name=file]")
    keys.tab_to(chosen)
    chosen.set_input_files(paper)  # the dialog that a key would open is the browser's own
    with page.expect_navigation():
        keys.go(main_of(page).locator("form button[type=submit]"))
    page.wait_for_url(re.compile(r"/vouchers/applications/\d+/"))


def issued_behind(site: Site, offered: Offer) -> Any:
    """The voucher, once two officers have decided."""
    from billing.vouchers.services import applying

    now = datetime.now(UTC)
    pk = application_of(site, offered).pk
    with site.data():
        applying.review(stage.persona(PERSONAS["programme_officer"]), pk, FACE_FEN, "", now)
        return applying.issue(stage.persona(PERSONAS["second_officer"]), pk, now)


def book_by_keys(window: Window, keys: Keyboard, offered: Offer, voucher: Any) -> None:
    page = window.page
    window.visitor.open(at("wallet", voucher.organisation_id))
    keys.skip_to_content()
    keys.tab_to(page.get_by_role("link", name=voucher.number))
    window.visitor.open(at("instrument_detail", offered.instrument))
    keys.skip_to_content()
    keys.tab_to(page.locator("#slots a.slot").nth(1))
    with page.expect_response(lambda response: "/quotes/preview" in response.url):
        keys.press("Enter")
    expect(page.locator("#quote .price-now")).to_be_visible()
    assert voucher_part(page) > 0
    keys.tab_to(page.locator("[name=purpose]"))
    with page.expect_response(lambda response: "/quotes/preview" in response.url) as answered:
        keys.type("x")
    answered.value.finished()
    expect(page.locator("#quote.htmx-request, #quote.htmx-swapping, #quote.htmx-settling")).to_have_count(0)
    page.wait_for_timeout(300)  # nobody tabs through a piece that is being replaced
    with page.expect_navigation():
        keys.go(page.locator("#booking-submit"))
    page.wait_for_url(re.compile(r"/bookings/\d+/"))


def give_back_by_keys(window: Window, keys: Keyboard, voucher: Any) -> None:
    page = window.page
    window.visitor.open(at("voucher_detail", voucher.pk))
    keys.skip_to_content()
    keys.go(page.locator("main details summary"))
    with page.expect_navigation():
        keys.go(page.locator("form[action$='/return/'] button[type=submit]"))
    expect(page).to_have_url(re.compile("/wallet/"))
    window.settled()
