"""Next year's rule: an officer begins with the version in force, lowers a limit, is told which example no longer comes out and mends it,
tries it on past sessions and commissioned tests; a second officer looks at what differs and puts it in force; everybody reads it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.checks import content_accessible, fits
from tests.browser.journey import log_in, newly_arrived
from tests.browser.running_site import Site
from tests.browser.visitors import Visitor, Visitors

CODE, LABEL = "DEMO-QH-V", "2033.1"
YEARS_LATER = 8  # nothing that is booked on this site is touched by it
TRIAL_PATIENCE = 60_000


def looked_at(page: Page) -> None:
    content_accessible(page)
    fits(page, 390, 1280)


@pytest.mark.proof
def test_a_rule_is_written_by_one_officer_and_put_in_force_by_another(people: Visitors, used: Site) -> None:
    writer, second, visitor = (newly_arrived(people) for _ in range(3))
    log_in(writer, "programme_officer")
    draft = begin(writer)
    lower_the_limit(writer, draft)
    mend_the_example(writer, draft)
    try_it(writer, draft)
    move_to_later_years(writer, draft)
    hand_in(writer, draft)

    log_in(second, "second_officer")
    approve(second, draft)

    visitor.open(f"/programmes/{CODE}/?version={LABEL}")
    main = visitor.page.get_by_role("main")
    expect(main).to_contain_text(LABEL)
    expect(main).to_contain_text("2033")
    looked_at(visitor.page)
    for each in (writer, second, visitor):
        assert each.faults.found == []


def begin(visitor: Visitor) -> str:
    """The address of the draft, which is the version in force."""
    page = visitor.page
    visitor.open("/programmes/drafts/")
    looked_at(page)
    version = page.get_by_label("From a version that is published")
    version.select_option(label=version.locator("option", has_text=CODE).first.inner_text())
    page.get_by_role("button", name="Begin with this version").click()
    page.wait_for_url(re.compile(r"/programmes/drafts/\d+/edit/"))
    draft = page.url.removeprefix(visitor.site.address).split("edit/")[0]
    return draft


def lower_the_limit(visitor: Visitor, draft: str) -> None:
    page = visitor.page
    visitor.open(f"{draft}edit/?part=caps")
    limit = page.locator('[name="caps/1/limit"]')
    expect(limit).to_have_value("60000")
    limit.fill("58000")
    keep(page)
    looked_at(page)


def mend_the_example(visitor: Visitor, draft: str) -> None:
    page = visitor.page
    visitor.open(draft)
    main = page.get_by_role("main")
    expect(main).to_contain_text("does not come out")
    expect(main).to_contain_text("expected ¥5,000.00, it gives ¥3,000.00")
    looked_at(page)
    page.get_by_role("link", name="Worked examples 5").click()
    page.locator('[name="examples/4/expect/total"]').fill("3000")
    keep(page)
    visitor.open(draft)
    expect(main).not_to_contain_text("does not come out")


def keep(page: Page) -> None:
    """What is typed is kept on the way too, and the page says "Kept" from the first: what counts is the answer to the button."""
    with page.expect_response(lambda answer: "act=save" in (answer.request.post_data or "")) as answer:
        page.locator("#draft-fields button[name=act][value=save]").click()
    assert answer.value.status < 400
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("main")).to_contain_text("Kept")


def try_it(visitor: Visitor, draft: str) -> None:
    page = visitor.page
    visitor.open(draft)
    page.get_by_role("link", name="Try it on past sessions and commissioned tests").click()
    looked_at(page)
    expect(page.get_by_label("Which rule")).to_have_value(f"draft:{draft.split('/')[-2]}")
    held = page.get_by_label("Held against")
    held.select_option(label=held.locator("option", has_text=CODE).first.inner_text())
    page.get_by_role("button", name="Try it").click()
    page.wait_for_url(re.compile(r"/programmes/sandbox/\d+/$"))
    expect(page.locator("main figure svg").first).to_be_visible(timeout=TRIAL_PATIENCE)
    expect(page.get_by_role("main")).to_contain_text("Version it is held against")
    expect(page.get_by_role("main")).to_contain_text("By size of the firm")
    looked_at(page)


def move_to_later_years(visitor: Visitor, draft: str) -> None:
    page = visitor.page
    visitor.open(draft)
    page.get_by_text("Move it to other years").click()
    page.get_by_label("Years later").fill(str(YEARS_LATER))
    page.get_by_role("button", name=re.compile("^Move")).click()
    visitor.open(f"{draft}edit/?part=document")
    page.locator('[name="version"]').fill(LABEL)
    keep(page)


def hand_in(visitor: Visitor, draft: str) -> None:
    page = visitor.page
    visitor.open(draft)
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("main")).to_contain_text("Who wrote in it cannot approve it.")
    expect(page.get_by_role("button", name="Approve and put in force")).to_have_count(0)
    looked_at(page)


def approve(visitor: Visitor, draft: str) -> None:
    page = visitor.page
    visitor.open(draft)
    main = page.get_by_role("main")
    expect(main).to_contain_text("You have written nothing in it, so you can decide.")
    looked_at(page)
    page.get_by_role("button", name="Approve and put in force").click()
    expect(page.get_by_text(f"Published: version {LABEL} holds from Sat 1 Jan 2033 on.")).to_be_visible()
    looked_at(page)
    visitor.open(draft)
    expect(main).to_contain_text("It is in force and does not change any more.")
