"""A thread of the cast with what may come of it: a quotation of the Kunlun lab for Lin's firm, and its commission sheet."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from billing.ordering.models import CommissionSheet, Quotation
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sheets
from billing.ordering.services.quotations import QuotationInput
from booking.services import enquiries
from booking.services.enquiries import Question

LAST_DAY = date(2026, 12, 23)


@pytest.fixture
def enquiry(cast):
    question = Question(cast.firm.pk, "Wet salts", "Can it measure wet salts?", cast.xrd.pk)
    return enquiries.ask(cast.actor("lin"), question, (), cast.now, idempotency_key="enquiry").pk


@pytest.fixture
def offer(cast):
    """``offer()``: two hours at the published price and a report for 150 yuan; the rest by name."""

    def make(*lines, **fields):
        usual = (
            LineInput("instrument_time", "2.5", cast.xrd.pk),
            LineInput("other", "1", None, "Report", "piece", 15_000),
        )
        given = {
            "title": "Phase analysis",
            "valid_until": LAST_DAY,
            "tax_note": "Including 6 % VAT",
            "terms": "Ten days.",
        } | fields
        return QuotationInput(lines=tuple(lines) or usual, **given)

    return make


@pytest.fixture
def drafted(cast, enquiry, offer):
    def make(*lines, **fields):
        given = offer(*lines, **fields)
        pk = quotations.draft(cast.actor("wang"), enquiry, given, cast.now, idempotency_key=str(uuid4())).pk
        return Quotation.objects.get(pk=pk)

    return make


@pytest.fixture
def sent(cast, drafted):
    def make(*lines, **fields):
        return quotations.send(cast.actor("wang"), drafted(*lines, **fields).pk, "", cast.now)

    return make


@pytest.fixture
def accepted(cast, sent):
    def make(who="lin", *lines):
        quotation = sent(*lines)
        made = quotations.accept(cast.actor(who), quotation.pk, quotation.total_fen, cast.now, idempotency_key=str(uuid4()))
        return CommissionSheet.objects.get(pk=made.pk)

    return make


@pytest.fixture
def issued(cast, accepted):
    return lambda: sheets.issue(cast.actor("wang"), accepted().pk, cast.now)


@pytest.fixture
def in_force(cast, issued):
    def make():
        sheet = issued()
        sheets.sign(cast.actor("wang"), sheet.pk, sheet.content_sha256, cast.now)
        return sheets.sign(cast.actor("zhao"), sheet.pk, sheet.content_sha256, cast.now)

    return make
