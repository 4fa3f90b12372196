"""A booking given back too late: the fee is told before booking and before cancelling, and falls away when others use the time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser import stage
from tests.browser.checks import content_accessible, fits
from tests.browser.journey import RATE_YUAN, log_in, new_instrument, newly_arrived, reservation_at, state_of
from tests.browser.running_site import Site
from tests.browser.visitors import Visitors

MINUTE = timedelta(minutes=1)


def test_the_fee_is_shown_taken_and_gone_when_somebody_else_has_used_the_time(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Punctual photometer")
    with used.data():
        _take_fees(instrument)
    visitor = newly_arrived(people)
    page = visitor.page
    log_in(visitor, "researcher")
    start = (datetime.now(UTC) + timedelta(hours=10)).replace(minute=0, second=0, microsecond=0)
    here = start + timedelta(hours=8)
    visitor.open(f"/instruments/{instrument}/?on={here:%Y-%m-%d}&from={here:%H:%M}&to={here + timedelta(hours=1):%H:%M}")
    expect(page.locator(".quote-facts")).to_contain_text(re.compile("Cancelling costs ¥200.00.*Not coming costs ¥400.00"))
    page.locator("#booking-submit").click()
    page.wait_for_url(re.compile(r"/bookings/\d+/$"))
    pk = reservation_at(page.url)
    with used.data():
        _approve(pk)

    page.reload()
    page.get_by_role("link", name="Cancel this booking").click()
    expect(page.get_by_role("heading", name="Fee for cancelling now: ¥200.00")).to_be_visible()
    content_accessible(page)
    fits(page, 390, 1280)
    page.get_by_role("button", name="Cancel and pay ¥200.00").click()
    expect(page.locator("#fee")).to_contain_text("¥200.00")
    assert state_of(used, pk) == "cancelled"

    with used.data():
        _use_by_somebody_else(instrument, start)
    page.reload()
    expect(page.locator("#fee")).to_contain_text("fell away")
    expect(page.locator("#fee")).to_contain_text("1 h of 1 h were used after all")
    content_accessible(page)
    fits(page, 390, 1280)
    assert visitor.faults.found == []


def _take_fees(instrument: int) -> None:
    from billing.pricing.models import PriceVersion
    from config.demo.registry import price_document

    now = datetime.now(UTC)
    document = price_document(RATE_YUAN, peak=False, fees=True)
    PriceVersion.objects.create(
        instrument_id=instrument, effective_from=now.date() - 2 * timedelta(days=1), document=document, published_at=now
    )


def _approve(pk: int) -> None:
    from booking.models import Reservation
    from booking.services import transitions

    if Reservation.objects.get(pk=pk).state == "requested":
        transitions.approve(stage.persona("lab@demo.jishi.example"), pk, datetime.now(UTC))


def _use_by_somebody_else(instrument: int, start: datetime) -> None:
    from booking.services import transitions, usage_review
    from instruments.models import Instrument

    lab, other = stage.persona("lab@demo.jishi.example"), stage.persona("researcher.firm3@demo.jishi.example")
    pk = stage.book(other, Instrument.objects.get(pk=instrument), start, 1, datetime.now(UTC))
    _approve(pk)
    transitions.check_in(lab, pk, start, "Shown by the lab")
    transitions.check_out(lab, pk, start + 60 * MINUTE)
    assert usage_review.agree(other, pk, start + 61 * MINUTE)
