"""What the programmes would pay of a quotation is the engine's own answer, at the prices offered, and nothing is kept of it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.ledger.models import Account, Transfer
from billing.ordering.estimates import estimate_of
from billing.ordering.rules.lines import LineInput
from billing.settlement.services import assessing
from tests.booking.samples.conftest import make_item
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(cast, programmes):
    return make_item(cast)


@pytest.fixture
def lines_of(sent):
    def make(*lines):
        quotation = sent(*lines)
        return quotation, list(quotation.lines.all())

    return make


def test_a_line_of_time_costs_what_the_engine_says_of_one_use_at_that_price(cast, programmes, lines_of):
    quotation, lines = lines_of(
        LineInput("instrument_time", "2", cast.xrd.pk), LineInput("other", "1", None, "Report", "piece", 150_00)
    )
    found = estimate_of(quotation, lines, cast.now)
    same = assessing.prepare(cast.xrd, cast.firm, slot_of(9, 11), cast.now).inputs.assess()
    assert same.deducted_fen + same.refunded_fen > 0
    assert found.lines[0].line.amount_fen == same.gross_fen  # offered at the list price
    assert (found.deducted_fen, found.refunded_fen) == (same.deducted_fen, same.refunded_fen)
    assert found.lines[1].assessment is None
    assert found.gross_fen == quotation.total_fen == same.gross_fen + 150_00
    assert found.payable_now_fen == quotation.total_fen - same.deducted_fen
    assert found.final_cost_fen == same.final_cost_fen + 150_00


def test_the_offered_price_counts_and_not_the_list(cast, programmes, lines_of):
    dear, cheap = (
        estimate_of(*lines_of(LineInput("instrument_time", "2", cast.xrd.pk, "", "hour", price)), cast.now)
        for price in (1000_00, 600_00)
    )
    assert (dear.gross_fen, cheap.gross_fen) == (2000_00, 1200_00)
    assert dear.final_cost_fen > cheap.final_cost_fen
    assert dear.lines[0].assessment.gross_fen == 2000_00


def test_a_test_is_looked_at_by_its_samples_and_a_broken_number_of_them_is_not(cast, programmes, lines_of, item):
    whole = estimate_of(*lines_of(LineInput("test", "10", item.pk, "", "sample", 100_00)), cast.now)
    assert whole.lines[0].assessment.gross_fen == whole.gross_fen == 1000_00
    quotation, lines = lines_of(
        LineInput("test", "2.5", item.pk, "", "sample", 100_00),
        LineInput("test", "10", item.pk, "", "sample", 100_00),
        LineInput("instrument_time", "745", cast.xrd.pk, "", "hour", 1_00),
    )
    found = estimate_of(quotation, lines, cast.now)
    assert [each.assessment is None for each in found.lines] == [True, False, True]
    assert found.final_cost_fen == quotation.total_fen - 1000_00 + whole.final_cost_fen


@pytest.mark.parametrize(("unit", "price"), [("piece", 100_00), ("sample", 100_00), ("hour", 0)])
def test_time_offered_by_no_time_or_for_nothing_costs_what_was_offered(cast, programmes, lines_of, unit, price):
    quotation, lines = lines_of(
        LineInput("instrument_time", "2", cast.xrd.pk, "", unit, price), LineInput("instrument_time", "2", cast.xrd.pk)
    )
    found = estimate_of(quotation, lines, cast.now)
    assert found.gross_fen == quotation.total_fen
    first = found.lines[0].assessment
    assert first is None or (first.deducted_fen, first.refunded_fen) == (0, 0)


def test_nothing_is_kept_and_more_lines_ask_no_more(cast, programmes, lines_of):
    def counted(*lines):
        quotation, rows = lines_of(*lines)
        estimate_of(quotation, rows, cast.now)  # what is remembered of versions is remembered now
        before = Account.objects.count(), Transfer.objects.count()
        with CaptureQueriesContext(connection) as asked:
            estimate_of(quotation, rows, cast.now)
        assert (Account.objects.count(), Transfer.objects.count()) == before
        return len(asked)

    one = LineInput("instrument_time", "2", cast.xrd.pk)
    assert counted(one, one, one, one, one) == counted(one)


def test_there_is_none_where_no_programme_pays(cast, lines_of):
    assert estimate_of(*lines_of(LineInput("instrument_time", "2", cast.xrd.pk)), cast.now) is None


def test_the_customer_reads_it_on_the_page_and_the_lab_does_not(cast, programmes, sent):
    quotation = sent(LineInput("instrument_time", "2", cast.xrd.pk))
    pages = {}
    for who in ("lin", "wang"):
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(cast.users[who])
        pages[who] = client.get(f"/quotations/{quotation.pk}/").content.decode()
    assert "What subsidies would pay" in pages["lin"] and "What subsidies would pay" not in pages["wang"]
