"""Free times with their figures: those of the quote, for a whole page at once, in the order asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger.models import Account
from billing.settlement import time_finding
from billing.settlement.services import quotes
from billing.settlement.time_finding import assumed_customer, customer_of, find, price_all
from booking.queries import finding
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import NOBODY
from tests.booking.finding.labs import Labs
from tests.conftest import PRICE

pytestmark = pytest.mark.django_db


def priced_at(rate: str) -> dict:
    return PRICE | {"rates": dict.fromkeys(PRICE["rates"], rate)}


def test_each_row_has_the_figures_of_its_quote(labs: Labs, cast, programmes, search, slot):
    labs.add("Cheap", price=priced_at("120"), region="632801")
    labs.add("No price", price=None)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(10, 12), "self_operated")
    made = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    transitions.approve(cast.actor("wang"), made.reservation_id, cast.now)  # accounts are open, something is held
    rows = finding.find_earliest(cast.actor("lin"), search(3), cast.now, 10).rows
    priced = price_all(rows, customer_of(cast.firm), cast.now)
    assert len(priced) == 3
    for row in priced:
        instrument = row.found.instrument
        if instrument.name == "No price":
            assert row.assessment is None
            continue
        quote = quotes.preview(cast.actor("lin"), instrument.pk, cast.firm.pk, row.found.during, cast.now)
        assert row.assessment == quote.assessment
        assert row.assessment.final_cost_fen < row.assessment.gross_fen


def test_prices_of_many_rows_cost_as_many_statements_as_of_one(labs: Labs, cast, programmes, search):
    for number in range(8):
        labs.add(f"SEM {number}", price=priced_at(str(100 + number)))
    rows = finding.find_earliest(NOBODY, search(3), cast.now, 10).rows
    price_all(rows, customer_of(cast.firm), cast.now)

    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            price_all(rows[:count], customer_of(cast.firm), cast.now)
        return len(queries)

    assert statements(9) == statements(1) == 4


def test_the_lowest_final_cost_comes_first_and_says_among_how_many(labs: Labs, cast, programmes, search, monkeypatch):
    labs.add("Cheap", price=priced_at("120"), opens=14)
    labs.add("No price", price=None)
    found = find(NOBODY, search(2), customer_of(cast.firm), "cost", cast.now, 20, "630104")
    assert [row.found.instrument.name for row in found.rows] == ["Cheap", "X-ray diffractometer", "No price"]
    assert (found.compared, found.more, found.others, found.exact) == (3, False, False, True)
    monkeypatch.setattr(time_finding, "COMPARED", 2)
    found = find(NOBODY, search(2), customer_of(cast.firm), "cost", cast.now, 20, "630104")
    assert [row.found.instrument.name for row in found.rows] == ["X-ray diffractometer", "No price"]
    assert (found.compared, found.more, found.others) == (2, False, True)


def test_who_one_says_to_be_decides_about_the_estimate(labs: Labs, cast, programmes, search):
    rows = finding.find_earliest(NOBODY, search(3), cast.now, 10).rows

    def cost(profile: str) -> tuple[int, int]:
        (row,) = price_all(rows, assumed_customer(profile, "630104"), cast.now)
        assert row.assessment is not None
        return row.assessment.gross_fen, row.assessment.final_cost_fen

    assert cost("")[0] == cost("")[1] == 150_000  # a visitor sees the price of a large firm and no subsidy
    assert cost("firm_small")[0] == 120_000
    assert cost("firm_small")[1] < 120_000
    assert cost("academic")[0] == 90_000
    assert not assumed_customer("", "").known
    assert not assumed_customer("king", "").known


def test_a_budget_of_which_little_is_left_is_named(labs: Labs, cast, programmes, search):
    rows = finding.find_earliest(NOBODY, search(2), cast.now, 10).rows
    (row,) = price_all(rows, customer_of(cast.firm), cast.now)
    assert row.nearly_used_up == ()
    for pool in Account.objects.filter(kind="pool", key__startswith="pool:DEMO-QH-V"):
        Account.objects.filter(pk=pool.pk).update(posted_fen=pool.granted_fen * 95 // 100)
    (row,) = price_all(rows, customer_of(cast.firm), cast.now)
    assert row.nearly_used_up == ("DEMO-QH-V",)


def test_rows_say_how_soon_the_lab_answers(labs: Labs, cast, programmes, search, slot):
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(10, 12), "self_operated")
    made = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    transitions.approve(cast.actor("wang"), made.reservation_id, cast.now + timedelta(hours=5))
    (row,) = find(NOBODY, search(2), customer_of(cast.firm), "earliest", cast.now, 20, "").rows
    assert row.found.answer_hours == 5.0
