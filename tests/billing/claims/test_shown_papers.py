"""A signed commission sheet is the contract of its bookings, and a report that the platform has is their report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.claims import queries
from billing.claims.models import ClaimSubmission
from billing.claims.rules.checks import CheckCode, ShownPaper, look, to_complete
from billing.claims.rules.review import Asked, review_of
from billing.ordering.services import sheets
from booking.models import CloseOut
from config.kernel.errors import Refusal
from tests.billing.claims.conftest import DECEMBER
from tests.billing.claims.test_rules import GOOD, LINE
from tests.billing.ordering.conftest import accepted, drafted, enquiry, in_force, issued, offer, sent
from tests.handed_out import give

__all__ = ["accepted", "drafted", "enquiry", "in_force", "issued", "offer", "sent"]
CONTRACT = ShownPaper("contract", "WT-1", "a" * 64, (1,))


@pytest.fixture
def asks(monkeypatch):
    """What the programmes ask of a claim."""

    def say(*asked: Asked) -> None:
        monkeypatch.setattr(queries, "review_of", lambda document: replace(review_of(document), asks=asked))

    return say


@pytest.fixture
def claim(office):
    """The lab's claim for the two sessions of Lin's firm."""
    return office.filled("DEMO-QH-V", "deducted_now")[1][0]


@pytest.fixture
def bookings(claim):
    lines = claim.lines.order_by("position").select_related("award__charge")
    return [line.award.charge.reservation_id for line in lines]


def checked(claim):
    return queries.check_inputs([claim])[claim.pk]


# --- The rule ---------------------------------------------------------------------------------------------------------
def test_a_paper_counts_for_its_lines_and_a_file_for_all():
    two = replace(GOOD, files=GOOD.files - {"contract"}, lines=[LINE, replace(LINE, position=2)])
    assert to_complete(two) == {"contract": ()}
    assert to_complete(replace(two, papers=(CONTRACT,))) == {"contract": (2,)}
    (check,) = [each for each in look(replace(two, papers=(CONTRACT,))) if not each.ok]
    assert (check.code, check.positions, check.missing) == (CheckCode.EVIDENCE, (2,), ("contract",))
    assert to_complete(replace(two, papers=(replace(CONTRACT, positions=(1, 2)),))) == {}
    assert to_complete(replace(two, files=GOOD.files)) == {}


def test_a_paper_shows_nothing_else_than_what_it_is():
    one = replace(GOOD, files=GOOD.files - {"report"}, papers=(CONTRACT,))
    assert to_complete(one) == {"report": ()}


# --- Commission sheets ------------------------------------------------------------------------------------------------
def test_a_claim_is_handed_in_with_the_sheet_that_both_sides_signed_and_says_which(cast, office, asks, claim, bookings, in_force):
    asks(Asked.CONTRACT)
    with pytest.raises(Refusal) as refused:
        office.submit(claim, "li")
    assert refused.value.reasons[0].params == {"claim_asks": "contract", "claim_lines": []}
    sheet = in_force()
    sheets.link(cast.actor("lin"), sheet.pk, bookings[0], cast.now)
    assert to_complete(checked(claim)) == {"contract": (2,)}
    sheets.link(cast.actor("lin"), sheet.pk, bookings[1], cast.now)
    signed = give(sheet, b"%PDF-1.4 signed", cast.now, "signed_pdf", name="WT.pdf")
    office.submit(claim, "li")
    frozen = ClaimSubmission.objects.get().content["evidence"]
    assert frozen == [
        {"kind": "contract", "name": sheet.number, "sha256": sheet.content_sha256, "lines": [1, 2]},
        {"kind": "contract", "name": "WT.pdf", "sha256": signed.sha256, "lines": [1, 2]},
    ]


def test_a_sheet_that_is_not_signed_by_both_sides_shows_nothing(cast, asks, claim, bookings, issued):
    asks(Asked.CONTRACT)
    sheet = issued()
    for booking in bookings:
        sheets.link(cast.actor("lin"), sheet.pk, booking, cast.now)
    assert checked(claim).papers == () and to_complete(checked(claim)) == {"contract": ()}


def test_what_is_not_asked_is_not_looked_for(cast, asks, claim, bookings, in_force):
    asks(Asked.REPORT)
    sheets.link(cast.actor("lin"), in_force().pk, bookings[0], cast.now)
    assert checked(claim).papers == ()


# --- Reports ----------------------------------------------------------------------------------------------------------
def test_the_day_of_a_report_that_the_lab_says_is_no_paper(cast, asks, claim, bookings):
    asks(Asked.REPORT)
    CloseOut.objects.create(reservation_id=bookings[1], reported_on=date(2026, 11, 27), updated_at=cast.now)
    assert checked(claim).papers == () and to_complete(checked(claim)) == {"report": ()}


# --- Where it is seen ---------------------------------------------------------------------------------------------------
def test_the_page_of_a_claim_names_the_papers_that_count(cast, asks, claim, bookings, in_force, client, monkeypatch):
    asks(Asked.CONTRACT)
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    sheet = in_force()
    sheets.link(cast.actor("lin"), sheet.pk, bookings[1], cast.now)
    client.force_login(cast.users["li"], backend="frontend.login_backend.PersonBackend")
    page = client.get(f"/claims/{claim.pk}/", headers={"accept-language": "en"}).content.decode()
    assert sheet.number in page and sheet.content_sha256 in page and "Known to the platform already" in page


def test_the_look_takes_as_many_queries_for_two_papers_as_for_one(cast, asks, claim, bookings, in_force):
    asks(Asked.CONTRACT, Asked.REPORT)
    sheet, counts = in_force(), []
    checked(claim)  # programmes and codes are read once for a process
    for booking in bookings:
        sheets.link(cast.actor("lin"), sheet.pk, booking, cast.now)
        with CaptureQueriesContext(connection) as captured:
            checked(claim)
        counts.append(len(captured))
    assert counts[0] == counts[1]
