"""Writing a rule in the editor: what is wrong is marked until it is mended, and a log-in that ran out takes nothing that was typed."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.journey import end_session, fill_log_in, log_in, newly_arrived
from tests.browser.running_site import Site
from tests.browser.test_a_programme_is_published import begin
from tests.browser.visitors import Visitors


def test_a_field_is_marked_while_it_is_wrong_and_typing_survives_a_log_in_that_ran_out(people: Visitors, used: Site) -> None:
    writer = newly_arrived(people)
    log_in(writer, "programme_officer")
    draft = begin(writer)
    page = writer.page
    writer.open(f"{draft}edit/?part=caps")
    limit = page.locator('[name="caps/1/limit"]')
    limit.fill("a lot")
    limit.blur()
    expect(limit).to_have_attribute("aria-invalid", "true")
    expect(limit).to_have_value("a lot")
    limit.fill("58000")
    limit.blur()
    expect(limit).not_to_have_attribute("aria-invalid", "true")

    page.wait_for_load_state("networkidle")
    end_session(writer, used)
    limit.fill("57000")
    limit.blur()
    page.wait_for_url("**/accounts/login/?*")
    fill_log_in(page, "programme_officer")
    page.wait_for_url(f"**{draft}edit/?part=caps")
    expect(page.locator('[name="caps/1/limit"]')).to_have_value("57000")
