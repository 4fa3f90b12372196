"""What a customer spent over months is told to programmes that ask for it, with one statement, and frozen with the promise."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.settlement import spent
from billing.settlement.services import assessing
from billing.settlement.services.assessing import Session
from billing.settlement.services.replaying import replay_charges
from billing.subsidy.rules.facts import Spent, parse_facts
from billing.subsidy.rules.programme import read_programme
from tests.billing.rules.builders import programme_document as plain_document
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of, voucher_document

__all__ = ["published"]
pytestmark = pytest.mark.django_db


def gate(months: int = 12, yuan: str = "1000", *, with_this: bool = False) -> dict[str, Any]:
    return {"type": "minimum_spend", "clause": "1", "of": "fee", "amount": yuan, "months": months, "with_this": with_this}


def asking(**kind: Any) -> dict[str, Any]:
    """40 % of the fee at once, for who spent enough."""
    document = voucher_document(CODE) | {"caps": []}
    return document | {"gates": [gate(**kind) | {"clause": document["clauses"][0]["id"]}]}


def spend_of(row: Any) -> list[dict[str, str]]:
    (candidate,) = row.inputs["candidates"]
    return candidate["facts"].get("before", {}).get("spend", [])


def test_what_was_charged_counts_from_then_on_and_what_is_promised_does_not(cast: Any, published: Any) -> None:
    published(asking())
    life = Life(cast)
    first, second = life.approve(life.ask(slot_of(9, 11))), life.approve(life.ask(slot_of(13, 14)))
    assert [life.use(each).deducted_fen for each in (first, second)] == [0, 0]
    # 800.00 and 400.00 on one day: 1,200.00 of the 1,000.00 that are needed.
    third = life.approve(life.ask(slot_of(9, 11, 1)))
    assert (life.quote(third).deducted_fen, spend_of(life.quote(third))) == (320_00, [{"on": "2026-11-25", "amount": "1200.00"}])
    assert life.use(third).deducted_fen == 320_00
    assert spend_of(life.quote(life.ask(slot_of(13, 14, 1)))) == [
        {"on": "2026-11-25", "amount": "1200.00"},
        {"on": "2026-11-26", "amount": "800.00"},
    ]
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_this_one_counts_where_the_programme_says_so(cast: Any, published: Any) -> None:
    published(asking(with_this=True))
    life = Life(cast)
    assert life.whole(slot_of(9, 11)).deducted_fen == 0
    assert life.whole(slot_of(13, 14)).deducted_fen == 160_00


def test_another_customer_has_spent_nothing(cast: Any, published: Any) -> None:
    published(asking(yuan="500"))
    life = Life(cast)
    life.whole(slot_of(9, 11))
    other = life.quote(life.ask(slot_of(13, 15), who="he", firm=cast.other_firm))
    assert (other.deducted_fen, spend_of(other)) == (0, [])


def test_a_commissioned_test_counts_and_is_told(cast: Any, published: Any) -> None:
    published(asking(yuan="200"))
    work = Work(cast, make_item(cast))
    charge = work.close(work.reported(3)).charge
    assert (charge.gross_fen, charge.deducted_fen) == (240_00, 0)
    job = work.ask(1)
    assert job.quotes.latest("revision").deducted_fen > 0
    assert [each["amount"] for each in spend_of(job.quotes.latest("revision"))] == ["240.00"]


def test_many_sessions_take_as_many_statements_as_one_and_who_does_not_ask_none(cast: Any, published: Any) -> None:
    published(voucher_document(CODE))
    Life(cast).whole(slot_of(9, 11))

    def statements(count: int) -> list[str]:
        sessions = [Session(cast.xrd, slot_of(9 + place, 10 + place, 2), "assisted") for place in range(count)]
        with CaptureQueriesContext(connection) as seen:
            assessing.prepare_many(sessions, cast.firm, cast.now)
        return [each["sql"] for each in seen.captured_queries]

    statements(1)
    before = statements(1)
    assert not [sql for sql in before if "billing_charge c" in sql]
    document = asking() | {"code": "DEMO-SPEND"}
    published(document)
    statements(1)
    one, six = statements(1), statements(6)
    assert len(one) == len(six) == len(before) + 1
    assert len([sql for sql in six if "billing_charge c" in sql]) == 1


def test_a_programme_is_told_of_no_more_months_than_it_looks_at() -> None:
    programme = read_programme(plain_document(gates=[gate(3)]))
    assert (programme.looks_back_months, read_programme(plain_document()).looks_back_months) == (3, 0)
    nested = {"type": "any_of", "clause": "1", "alternatives": [[gate(24)], [gate(3)]]}
    assert read_programme(plain_document(gates=[nested])).looks_back_months == 24
    version: Any = SimpleNamespace(programme=programme)
    facts = parse_facts({"service": {"service_on": "2025-06-10"}})
    known = {7: (Spent(date(2025, 3, 10), 100), Spent(date(2025, 3, 11), 200), Spent(date(2025, 6, 10), 300))}
    assert spent.as_known(facts, version, 7, known).more.before.spend == known[7][1:]
    assert spent.as_known(facts, version, None, known) == facts
    assert spent.asked([version], facts, 7) == [(7, date(2025, 3, 10))]
    plain: Any = SimpleNamespace(programme=read_programme(plain_document()))
    assert spent.asked([plain], facts, 7) == [] and spent.as_known(facts, plain, 7, known) is facts
