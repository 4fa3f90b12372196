"""What a customer spent over months is told in a trial as it was when people booked, from the charges that were made before."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.sandbox.rules.spending import Spending, spending_of, spent, sums
from billing.sandbox.services import reading
from billing.sandbox.services.reading import Reader
from billing.settlement.models import Award
from tests.billing.sandbox.test_parts import DAYS, trial
from tests.billing.services.conftest import Life
from tests.billing.settlement.test_spent import asking
from tests.billing.vouchers.conftest import published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import Cast, slot_of

__all__ = ["published"]
pytestmark = pytest.mark.django_db
SPANS = Spending("service", (3, 12))
ON = date(2026, 11, 26)


def given(version: Any) -> int:
    return sum(Award.objects.filter(programme_version=version).values_list("total_fen", flat=True))


def cost(cast: Cast, version: Any, **days: date) -> int:
    return int(trial(cast, version, **days)["totals"]["tried"]["cost_fen"])


@pytest.mark.parametrize("piece", [1, 20_000])
def test_a_trial_gives_what_was_given_and_looks_at_what_was_charged_before_its_days(
    cast: Cast, published: Any, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(reading, "PIECE", piece)
    version = published(asking())
    life = Life(cast)
    for during in (slot_of(9, 11), slot_of(13, 14)):  # 800.00 and 400.00, before which less than 1,000.00 was spent
        life.whole(during)
    life.whole(slot_of(15, 16), who="he", firm=cast.other_firm)
    life.whole(slot_of(9, 11, 1))
    # 40 % of 800.00.
    assert given(version) == 320_00 == cost(cast, version)
    assert cost(cast, published(asking() | {"code": "ZZ-AGAIN"})) == given(version)
    assert cost(cast, version, first_on=ON) == 320_00
    assert cost(cast, published(asking(yuan="3000") | {"code": "ZZ-MORE"})) == 0


def test_a_commissioned_test_is_spending_and_goes_by_it(cast: Cast, published: Any) -> None:
    version = published(asking(yuan="200"))
    work = Work(cast, make_item(cast))
    work.close(work.reported(3))
    Life(cast).whole(slot_of(9, 11, 1))
    work.close(work.reported(3))
    # 40 % of 800.00 and of 240.00.
    assert given(version) == 416_00 == cost(cast, version)


def test_it_is_two_statements_more_for_a_piece_and_none_where_no_rule_asks(cast: Cast, published: Any) -> None:
    published(asking())
    life = Life(cast)
    counted = []
    for hour in (9, 11, 13):
        life.whole(slot_of(hour, hour + 1, 1))
        if hour == 11:
            continue
        for spending in ((), (SPANS,)):
            with CaptureQueriesContext(connection) as queries:
                (piece,) = Reader(DAYS["first_on"], DAYS["last_on"], spending=spending).pieces(0)
            counted.append(len(queries))
        assert [row.spent for row in piece.rows][-1] == ((0, 0) if hour == 9 else (800_00, 800_00))
    assert counted == [counted[0], counted[0] + 2] * 2


def test_sums_over_spans_are_told_as_spending_that_comes_to_them() -> None:
    days = {
        ON: 5,
        date(2026, 8, 27): 7,
        date(2026, 8, 26): 11,
        date(2025, 11, 27): 13,
        date(2025, 11, 26): 17,
        date(2026, 11, 27): 19,
    }
    assert sums(SPANS, ON, days) == (12, 36)
    told = spent(SPANS, ON, (12, 36))
    assert {each.on: each.amount_fen for each in told} == {date(2026, 8, 26): 24, ON: 12}
    assert sums(SPANS, ON, {each.on: each.amount_fen for each in told}) == (12, 36)
    assert (sums(SPANS, None, days), spent(SPANS, None, (0, 0)), spent(SPANS, ON, (0, 0))) == ((0, 0), (), ())
    gate = {"type": "minimum_spend", "months": 6}
    sides = [{"gates": [gate, gate | {"months": 2}, {"type": "minimum_spend"}]}]
    assert spending_of({"date_basis": "claim", "sides": sides, "examples": [gate]}) == Spending("claim", (2, 6))
