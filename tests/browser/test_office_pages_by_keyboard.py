"""Pages of labs, finance and offices without a mouse, in both languages: each is reached and gone through with keys, and axe finds nothing,
on a desk and on a phone. Forms of some are filled in and refused: what was entered stands there again, and the reasons have the focus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as Waited

from tests.browser import pages, stage
from tests.browser.checks import content_accessible, fits
from tests.browser.keyboard import Keyboard
from tests.browser.pages import at, organisation
from tests.browser.visitors import ANONYMOUS, LANGUAGES, PERSONAS, Visitor, Visitors

LONG = 250
"""So many stops has the longest form."""
NEXT = "next choice"


@dataclass(frozen=True)
class Stop:
    """A page, who goes there, and what is done with the keys."""

    name: str
    persona: str
    path: Callable[[], str]
    act: Callable[[Page, Keyboard], None]


def lab() -> int:
    return organisation(PERSONAS["lab_manager"])


def reach(selector: str) -> Callable[[Page, Keyboard], None]:
    """Tab to the first of these."""
    return lambda page, keys: keys.tab_to(page.locator(selector).first, most=LONG)


def _open(keys: Keyboard, form: Locator) -> None:
    """The part of the page that a form is folded into."""
    folded = form.locator("xpath=ancestor::details[1]")
    if folded.count() and folded.get_attribute("open") is None:
        keys.go(folded.locator("summary"), most=LONG)


def unfolded(selector: str) -> Callable[[Page, Keyboard], None]:
    """Open a folded form, and tab to its button."""

    def act(page: Page, keys: Keyboard) -> None:
        form = page.locator(selector).first
        _open(keys, form)
        keys.tab_to(form.locator("button[type=submit]"), most=LONG)

    return act


def _fill(keys: Keyboard, form: Locator, entered: dict[str, str]) -> dict[str, str]:
    """Type into fields of a form, in the order in which they come, or take the next choice (``NEXT``); what stands there then."""
    for name, text in entered.items():
        keys.tab_to(form.locator(f"[name={name}]"), most=LONG)
        if text == NEXT:
            keys.press("ArrowDown")
        else:
            keys.press("Control+a")
            keys.type(text)
    return {name: form.locator(f"[name={name}]").input_value() for name in entered}


def refused(selector: str, entered: dict[str, str]) -> Callable[[Page, Keyboard], None]:
    """Open a form, fill it in so that it is refused; the reasons are read first, and the text is there again."""

    def act(page: Page, keys: Keyboard) -> None:
        form = page.locator(selector).first
        _open(keys, form)
        filled = _fill(keys, form, entered)
        assert all(value == entered[name] or (value and entered[name] == NEXT) for name, value in filled.items()), filled
        with page.expect_navigation():
            keys.go(form.locator("button[type=submit]").first, most=LONG)
        expect(page.locator("main .error-summary")).to_be_focused()
        again = page.locator(selector).first
        assert {name: again.locator(f"[name={name}]").input_value() for name in entered} == filled
        assert again.locator(f"[name={next(iter(entered))}]").is_visible()

    return act


def _preview(page: Page, keys: Keyboard) -> None:
    keys.tab_to(page.locator("#sharing-with"), most=LONG)
    keys.press("ArrowDown")
    with page.expect_navigation():
        keys.go(page.locator("form[method=get] button[type=submit]").last)
    keys.skip_to_content()
    keys.tab_to(page.locator("#sharing-with"), most=LONG)


STOPS = (
    Stop("facility-sheet", "lab_manager", lambda: at("organisation_completeness", lab()), reach("a[href*=facility]")),
    Stop(
        "facility-form",
        "lab_manager",
        lambda: at("instrument_edit", pages.instrument(stage.FOLLOWING).pk),
        reach("main form button[type=submit]"),
    ),
    Stop("shared-calendar", "lab_manager", lambda: at("instrument_sharing", pages.instrument().pk), _preview),
    Stop(
        "who-assists",
        "lab_manager",
        lambda: at("instrument_assistants", pages.assisted().pk),
        reach("main aside form button[type=submit]"),
    ),
    Stop(
        "hours-of-who-assists",
        "lab_manager",
        lambda: at("assistant_detail", pages.assistant().pk),
        reach("form[data-keep=assistant-week] button[type=submit]"),
    ),
    Stop(
        "import-options",
        "lab_manager",
        lambda: at("import_run", pages.import_in("preview")),
        reach("main details summary"),
    ),
    Stop("import-maps", "lab_manager", lambda: at("import_list"), refused("form[action$='/rename/']", {"name": "   "})),
    Stop(
        "approval-rules",
        "lab_manager",
        lambda: at("policy_edit", lab()),
        reach("main form button[type=submit]"),
    ),
    Stop("deputies-of-a-lab", "lab_manager", lambda: at("approval_settings"), reach("form[data-keep^=reasons] button")),
    Stop("deputies-of-an-office", "programme_officer", lambda: at("deputy_list"), reach("main details summary")),
    Stop(
        "payment-list",
        "finance",
        lambda: at("payout_list_detail", pages.of_claims("paymentlist")),
        refused("form[action*='/payout-lists/lines/']", {"amount": "99999", "reference": "B-1"}),
    ),
    Stop(
        "payment-list-in-one",
        "finance",
        lambda: at("payout_list_detail", pages.of_claims("paymentlist")),
        unfolded("form[action$='/record-rest']"),
    ),
    Stop(
        "answer-of-a-treasury",
        "finance",
        lambda: at("payout_list_detail", pages.of_claims("paymentlist")),
        unfolded("form[action$='/answer']"),
    ),
    Stop("month-board", "owner_finance", lambda: at("month_board"), reach("main aside form button")),
    Stop(
        "limit",
        "firm_admin",
        lambda: at("prepaid_list"),
        refused("form[action$='/prepaid/limits']", {"project": "Salt lakes", "amount": "0"}),
    ),
    Stop(
        "self-test",
        ANONYMOUS,
        lambda: at("eligibility"),
        refused("main form[method=get]", {"amount_yuan": "0"}),
    ),
    Stop("wallet", "firm_admin", lambda: at("wallet", organisation(PERSONAS["firm_admin"])), reach("main a[href*='/vouchers/']")),
    Stop(
        "application",
        "firm_admin",
        lambda: at("application_create", pages.an_announcement()),
        refused("main form[data-keep=application]", {"asked_yuan": "0", "purpose": "Brine of four wells"}),
    ),
    Stop(
        "announcement",
        "programme_officer",
        lambda: at("announcement_create"),
        refused("main form[data-keep=announcement]", {"title": "Vouchers for brine"}),
    ),
    Stop(
        "draft-of-a-programme",
        "programme_officer",
        lambda: at("programme_draft_edit", pages.programme_draft("draft"), part="caps"),
        reach("#draft-fields button[name=act][value=save]"),
    ),
    Stop(
        "draft-that-waits",
        "finance",
        lambda: at("programme_draft", pages.programme_draft("submitted")),
        reach("main section a"),
    ),
    Stop(
        "sandbox",
        "programme_officer",
        lambda: at("programme_trials"),
        refused("main form[data-keep=trial]", {"budget": "-1"}),
    ),
    Stop("trial", "programme_officer", lambda: at("programme_trial", pages.programme_trial()), reach("main a[download]")),
    Stop("top-up", "finance", lambda: at("account_top_up", pages.a_pool()), refused("main form", {"amount_yuan": "0"})),
    Stop("ledger", "finance", lambda: at("ledger_account", pages.a_pool()), reach("main table a")),
    Stop("bill", "owner_finance", lambda: at("bill_detail", pages.bill()), reach("main a[href*='/credit/']")),
    Stop(
        "credit-note",
        "owner_finance",
        lambda: at("bill_credit", pages.bill(), 1),
        refused("main form", {"amount": "999999", "reason_code": NEXT, "reason": "counted twice"}),
    ),
    Stop("drafts-of-a-month", "owner_finance", lambda: at("month_run", pages.month_run()), reach("main table a")),
    Stop(
        "draft-of-a-month",
        "owner_finance",
        lambda: at("month_draft", pages.month_draft()),
        reach("main table summary, main table a"),
    ),
    Stop("claim", "programme_officer", lambda: at("claim_detail", pages.claim(state="sent_back")), reach("main a")),
    Stop(
        "mentions",
        "operator",
        lambda: at("person_mentions"),
        refused("main form", {"person": "987654321", "name": "Nobody here"}),
    ),
    Stop(
        "retention",
        "operator",
        lambda: at("person_retention"),
        refused("form:has([name=contact])", {"contact": "nobody@example.org", "reason": "asked"}),
    ),
)


def visit(visitor: Visitor, stop: Stop) -> Keyboard:
    """Go there and do it; axe looks before and after."""
    with visitor.site.data():
        path = stop.path()
    response = visitor.open(path)
    assert response.status == 200, path
    content_accessible(visitor.page)
    keys = Keyboard(visitor.page)
    keys.skip_to_content()
    stop.act(visitor.page, keys)
    content_accessible(visitor.page)
    fits(visitor.page, 390)
    return keys


@pytest.mark.proof
@pytest.mark.parametrize("language", LANGUAGES)
def test_office_pages_are_used_with_the_keyboard_alone(visitors: Visitors, language: str) -> None:
    faults = []
    for stop in STOPS:
        try:
            keys = visit(visitors.get(stop.persona, language), stop)
            assert keys.steps > 1
        except (AssertionError, Waited) as error:
            faults.append(f"{stop.name}: {error}")
    assert not faults, "\n".join(faults)
