"""The contract of a service and what its price counts, told to programmes that ask: at the promise, with a sheet, and in replays."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ordering.models import CommissionSheet
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sample_links, sheets
from billing.pricing import services as pricing
from billing.settlement.models import Charge
from billing.settlement.services import sample_quotes
from billing.settlement.services.replaying import replay_charges
from config.kernel import invariants
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import PRICE, slot_of, voucher_document

__all__ = ["published"]
pytestmark = pytest.mark.django_db
SAYS = {"zh": "须有合同", "en": "Under a contract"}
TAXED = PRICE | {"format": 2, "unit": "hour", "tax": {"rate": "0.06", "included": True}}


def asking(*whens: dict[str, Any], **more: Any) -> dict[str, Any]:
    """40 % of the fee at once, for whom all of this holds."""
    document = voucher_document(CODE) | {"caps": []} | more
    clause = document["clauses"][0]["id"]
    gates = [{"type": "condition", "clause": clause, "when": when, "says": SAYS} for when in whens]
    return document | {"gates": [*document["gates"], *gates]}


CONTRACT = {"all": [{"fact": "service.contract_number", "known": True}, {"fact": "service.contract_on", "known": True}]}


@pytest.fixture
def sheet(cast: Any, sent: Any) -> Any:
    """``sheet(line)``: a commission that both sides accepted and that nobody has signed."""

    def make(line: LineInput | None = None) -> CommissionSheet:
        quotation = sent(line or LineInput("other", "1", None, "Report", "piece", 150_00))
        made = quotations.accept(cast.actor("lin"), quotation.pk, quotation.total_fen, cast.now, idempotency_key=str(uuid4()))
        return sheets.issue(cast.actor("wang"), made.pk, cast.now)

    return make


def signed(cast: Any, found: CommissionSheet) -> CommissionSheet:
    sheets.sign(cast.actor("wang"), found.pk, found.content_sha256, cast.now)
    return sheets.sign(cast.actor("zhao"), found.pk, found.content_sha256, cast.now)


def service_of(row: Any) -> dict[str, Any]:
    (candidate,) = row.inputs["candidates"]
    return candidate["facts"]["service"]


def wrong() -> dict[str, Any]:
    found = {name: each().violations for name, each in invariants.registered().items() if not name.startswith("registry.")}
    return {name: each for name, each in found.items() if each}


def test_a_booking_without_a_contract_gets_nothing_and_one_under_a_signed_sheet_does(
    cast: Any, published: Any, sheet: Any
) -> None:
    published(asking(CONTRACT))
    life = Life(cast)
    under = signed(cast, sheet())
    alone, attached = life.ask(slot_of(9, 11)), life.ask(slot_of(13, 15))
    assert life.quote(attached).deducted_fen == 0
    sheets.link(cast.actor("lin"), under.pk, attached.pk, cast.now)
    assert life.quote(attached).deducted_fen == 320_00
    assert [life.use(life.approve(each)).deducted_fen for each in (alone, attached)] == [0, 320_00]
    charged = service_of(Charge.objects.get(reservation=attached))
    assert (charged["contract_number"], charged["contract_on"]) == (under.number, cast.now.date().isoformat())
    assert "contract_number" not in service_of(Charge.objects.get(reservation=alone))
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}
    assert wrong() == {}


def test_a_booking_that_is_promised_is_worked_out_anew_when_its_sheet_comes_into_force(
    cast: Any, published: Any, sheet: Any
) -> None:
    published(asking(CONTRACT))
    life = Life(cast)
    booked, under = life.approve(life.ask(slot_of(9, 11))), sheet()
    sheets.link(cast.actor("lin"), under.pk, booked.pk, cast.now)
    assert life.quote(booked).deducted_fen == 0  # nobody has signed yet
    signed(cast, under)
    assert life.quote(booked).deducted_fen == 320_00
    assert life.use(booked).deducted_fen == 320_00
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}
    assert wrong() == {}


def test_a_signature_stands_where_the_booking_would_become_dearer_and_that_stays_as_promised(
    cast: Any, published: Any, sheet: Any
) -> None:
    published(asking({"fact": "service.contract_number", "known": False}))
    life = Life(cast)
    booked, under = life.approve(life.ask(slot_of(9, 11))), sheet()
    sheets.link(cast.actor("lin"), under.pk, booked.pk, cast.now)
    assert signed(cast, under).state == "in_force"
    assert life.use(booked).deducted_fen == 320_00


def test_nothing_is_looked_up_and_nothing_worked_out_anew_where_no_programme_asks(cast: Any, published: Any, sheet: Any) -> None:
    published(asking())
    life = Life(cast)
    booked, under = life.approve(life.ask(slot_of(9, 11))), signed(cast, sheet())
    sheets.link(cast.actor("lin"), under.pk, booked.pk, cast.now)
    before = booked.quotes.count()
    assert "contract_number" not in service_of(life.quote(booked))
    asked = life.ask(slot_of(13, 15))
    with CaptureQueriesContext(connection) as seen:
        life.approve(asked)
    assert not [each for each in seen.captured_queries if "commissionsheet" in each["sql"]]
    assert booked.quotes.count() == before


def test_a_sample_job_is_told_of_its_sheet_when_it_is_asked_for_and_accepted(cast: Any, published: Any, sheet: Any) -> None:
    published(asking(CONTRACT))
    work = Work(cast, make_item(cast))
    line = LineInput("test", "10", work.item.pk, "", "sample", 60_00)
    under = signed(cast, sheet(line))
    price, contract = sample_links.price_under(cast.actor("lin"), under.pk, work.item.pk, cast.firm.pk)
    assert contract == (under.number, cast.now.date())
    asked = (cast.actor("lin"), work.item.pk, cast.firm.pk, 3, 1, cast.now)
    assert sample_quotes.preview(*asked, price=price).assessment.deducted_fen == 0
    assert sample_quotes.preview(*asked, price=price, contract=contract).assessment.deducted_fen == 72_00
    job = work.ask(3)
    assert job.quotes.latest("revision").deducted_fen == 0
    sample_links.link(cast.actor("lin"), under.pk, job.pk, cast.now)
    assert job.quotes.latest("revision").deducted_fen == 72_00
    assert work.accept(job).quotes.latest("revision").deducted_fen == 72_00


def test_the_tax_and_the_counts_of_a_price_are_told_and_those_of_what_was_used_are_charged(cast: Any, published: Any) -> None:
    pricing.publish_price(cast.actor("li"), cast.xrd, TAXED, date(2026, 11, 24), cast.now, date(2026, 11, 23))
    document = asking({"fact": "quantities.sessions", "at_least": 1})
    base = document["base"] | {"less": ["tax"]}
    published(document | {"base": base})
    life = Life(cast)
    charge = life.whole(slot_of(9, 11, 1))
    (candidate,) = charge.inputs["candidates"]
    assert candidate["told"] == ["amounts.tax", "quantities.sessions"]
    assert "quantities" not in candidate["facts"] and "amounts" not in candidate["facts"]
    assert charge.result["outcomes"][0]["base_fen"] == 800_00 - 45_28
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_what_was_held_before_it_was_told_is_charged_as_it_was_promised(cast: Any, published: Any, monkeypatch: Any) -> None:
    """As if the promise were from before the platform told counts: its frozen facts name none."""
    from billing.subsidy.rules import priced_facts

    document = asking({"fact": "quantities.sessions", "at_least": 1, "if_unknown": "yes"})
    monkeypatch.setattr(priced_facts, "OF_THE_PRICE", frozenset())
    published(document)
    life = Life(cast)
    booked = life.approve(life.ask(slot_of(9, 11)))
    monkeypatch.undo()
    from billing.subsidy import services as subsidy

    subsidy.in_force.cache_clear()
    charge = life.use(booked)
    assert "told" not in charge.inputs["candidates"][0] and charge.deducted_fen == 320_00
    assert life.quote(life.ask(slot_of(13, 15))).inputs["candidates"][0]["told"] == ["quantities.sessions"]
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_what_a_commissioned_test_counts_is_told(cast: Any, published: Any) -> None:
    published(asking({"fact": "quantities.units", "at_least": 3}))
    work = Work(cast, make_item(cast))
    assert [work.accept(work.ask(count)).quotes.latest("revision").deducted_fen > 0 for count in (2, 3)] == [False, True]
