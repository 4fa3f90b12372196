"""A programme asks whoever books: the quote follows each answer, and what was answered stands on the booking's page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import expect

from billing.subsidy import services
from tests.browser import stage
from tests.browser.checks import content_accessible, fits
from tests.browser.journey import log_in, new_instrument, newly_arrived
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors
from tests.conftest import voucher_document

LICENSED = {"zh": "服务机构是否有许可？", "en": "Has the provider a licence?"}
POWER = {"zh": "算力是多少？", "en": "How much power is there?"}


def asking(day: str) -> dict[str, Any]:
    """40 % of the fee for who answers, for services of one day alone, so that no other journey meets it."""
    found = voucher_document("DEMO-ASKS")
    clause = found["rate"]["clause"]
    words = {"zh": "有许可", "en": "Licensed"}
    tests = ({"fact": "other.licensed", "is": True}, {"fact": "other.power", "at_least": 300})
    return found | {
        "validity": found["validity"] | {"first_day": day, "last_day": day},
        "caps": [],
        "gates": [{"type": "condition", "clause": clause, "when": test, "says": words} for test in tests],
        "asks": [
            {"fact": "other.licensed", "kind": "yes_no", "says": LICENSED, "clause": clause},
            {"fact": "other.power", "kind": "number", "says": POWER, "clause": clause},
        ],
    }


def test_the_quote_follows_the_answers_and_the_booking_keeps_them(people: Visitors, used: Site) -> None:
    day = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    instrument = new_instrument(used, "Licensed cluster")
    with used.data():
        officer, second = (stage.persona(f"{name}@demo.jishi.example") for name in ("officer", "officer-2"))
        now = datetime.now(UTC)
        version = services.draft_version(officer, asking(day), now, issuer_id=min(officer.organisations()))
        services.publish_version(second, version, now)
    visitor = newly_arrived(people)
    page = visitor.page
    log_in(visitor, "researcher")
    visitor.open(f"/instruments/{instrument}/?on={day}&from=09:00&to=11:00")
    quote = page.locator("#quote")
    expect(quote.get_by_text(LICENSED["en"]).first).to_be_visible()
    content_accessible(page)
    fits(page, 390, 1280)
    quote.get_by_label("Yes", exact=True).check()
    expect(quote.get_by_label("Yes", exact=True)).to_be_checked()
    typed = quote.get_by_label(POWER["en"])
    typed.fill("lots")
    expect(quote.get_by_text("Write a whole number, like 300.")).to_be_visible()
    expect(typed).to_be_focused()
    expect(typed).to_have_value("lots")
    typed.fill("500")
    expect(quote.get_by_text("Subsidy, taken off now")).to_have_count(2)  # beside that of the demo's own programme
    page.locator("#booking-submit").click()
    page.wait_for_url(re.compile(r"/bookings/\d+/$"))
    for said in (LICENSED["en"], POWER["en"], "500"):
        expect(page.get_by_role("main").get_by_text(said).first).to_be_visible()
    assert visitor.faults.found == []
