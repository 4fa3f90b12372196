"""What follows from a price (its tax, what it counts) is told in a trial as it was when people booked, and read only where a rule asks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.pricing import services as pricing
from billing.sandbox.rules import priced_counts
from billing.sandbox.services.reading import Reader
from billing.settlement.models import Award
from tests.billing.sandbox.test_parts import DAYS, trial
from tests.billing.services.conftest import Life
from tests.billing.settlement.test_choices import document
from tests.billing.vouchers.conftest import published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import PRICE, Cast, slot_of

__all__ = ["published"]
pytestmark = pytest.mark.django_db
CLAUSE = str(document()["rate"]["clause"])


def per(quantity: str) -> dict[str, Any]:
    return document(base={"quantity": quantity, "clause": CLAUSE}, rate={"type": "per_unit", "amount": "50", "clause": CLAUSE})


def without_tax() -> dict[str, Any]:
    return document(adjustments=[{"type": "deduct", "of": "amounts.tax", "clause": CLAUSE}])


def priced(cast: Cast, **more: Any) -> None:
    pricing.publish_price(
        cast.actor("li"), cast.xrd, PRICE | {"format": 2} | more, date(2026, 11, 24), cast.now, date(2026, 11, 23)
    )


def given(version: Any) -> list[int]:
    return list(Award.objects.filter(programme_version=version).order_by("charge").values_list("total_fen", flat=True))


TAXED = {"unit": "hour", "tax": {"rate": "0.06", "included": True}}
BY_DAY = {"unit": "day", "rates": dict.fromkeys(PRICE["rates"], "3200")}


@pytest.mark.parametrize(
    ("made", "price", "unit", "fen"),
    [
        (without_tax(), TAXED, "sample", [274_72, 96_00]),
        (per("sessions"), TAXED, "sample", [50_00]),
        (per("days"), BY_DAY, "sample", [50_00]),
        (per("units"), TAXED, "sample", [150_00]),
        (per("elements"), TAXED, "element", [300_00]),
    ],
    ids=["tax", "sessions", "days", "units", "elements"],
)
def test_a_trial_gives_what_was_given_whether_or_not_the_rule_was_in_force(
    cast: Cast, published: Any, made: dict[str, Any], price: dict[str, Any], unit: str, fen: list[int]
) -> None:
    priced(cast, **price)
    version = published(made)
    Life(cast).whole(slot_of(9, 11, 1))
    work = Work(cast, make_item(cast, unit))
    work.close(work.reported(3, **({"elements": 2} if unit == "element" else {})))
    assert given(version) == fen
    assert trial(cast, version)["totals"]["tried"]["cost_fen"] == sum(fen)
    again = published(made | {"code": "ZZ-AGAIN"})
    assert trial(cast, again)["totals"]["tried"]["cost_fen"] == sum(fen)


def test_nothing_of_it_is_read_where_no_rule_asks_and_no_statement_more_where_one_does(cast: Cast, published: Any) -> None:
    priced(cast, **TAXED)
    published(document())
    life = Life(cast)
    for hour in (9, 11, 13):
        life.whole(slot_of(hour, hour + 1, 1))
    told = []
    for asked in ({}, {"taxed": True, "counted": True}):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            (piece,) = Reader(**DAYS, **asked).pieces(0)
        told.append((len(queries), {row.counts for row in piece.rows}))
    assert told == [(told[0][0], {()}), (told[0][0], {(1, -1, -1, -1)})]


def test_days_end_with_what_is_subsidised() -> None:
    line = {"kind": "time", "unit": "day", "seconds": 100_000, "unit_seconds": 28_800}
    rest = {"kind": "tax", "unit": "", "seconds": 0, "unit_seconds": 0}
    for seconds, days in ((None, 4), (57_601, 3), (57_600, 2), (0, 0), (-5, 0)):
        assert priced_counts.of({"lines": [line, rest], "seconds": seconds}, taxed=False) == (0, days, -1, -1)
    assert priced_counts.told((0, -1, -1, -1), tax_fen=5, minutes=0) == {"quantities.sessions": 0}
    assert priced_counts.told((1, 2, -1, -1), tax_fen=5, minutes=None) == {"amounts.tax": 5, "quantities.days": 2}
