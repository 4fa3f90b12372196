"""A rule that looks at what no programme looked at when people booked is tried with what is known all the same."""

from __future__ import annotations

from typing import Any

import pytest

from billing.sandbox.services.reading import Reader
from booking.models import Reservation
from tests.billing.sandbox.test_parts import DAYS, commissioned, trial
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import published
from tests.conftest import programme_document, slot_of

__all__ = ["published"]
pytestmark = pytest.mark.django_db
SAYS = {"zh": "条件", "en": "The condition"}


def looking_at(fact: str, *values: str) -> dict[str, Any]:
    """DEMO-QH-V for those services alone of which a fact is one of some texts."""
    document = programme_document("DEMO-QH-V") | {"examples": []}
    document["gates"].append({"type": "condition", "clause": "1", "says": SAYS, "when": {"fact": fact, "any_of": list(values)}})
    return document


@pytest.mark.parametrize(
    ("fact", "value", "other", "sessions", "tests"),
    [
        ("service.purpose", "development", "teaching", 2, 1),
        ("service.way", "assisted", "remote", 2, 0),
        ("service.way", "commissioned", "remote", 0, 1),
    ],
)
def test_what_nobody_asked_when_it_was_booked_comes_from_the_booking(
    cast, programmes, published, fact, value, other, sessions, tests
):
    life = Life(cast)
    life.whole(slot_of(9, 11))
    life.whole(slot_of(13, 15))
    commissioned(cast)
    results = {}
    for each in (value, other):
        results[each] = trial(cast, published(looking_at(fact, each) | {"code": f"DEMO-QH-{each}".upper()}))
    assert [part["cost_fen"] for part in results[value]["parts"]] == [sessions * 320_00, tests * 96_00]
    assert results[other]["totals"]["tried"]["cost_fen"] == 0


def test_what_was_asked_then_stays_as_it_was_told(cast, published):
    published(looking_at("service.purpose", "development"))
    made = Life(cast).whole(slot_of(9, 11))
    Reservation.objects.filter(pk=made.reservation_id).update(service_direction="teaching")
    (piece,) = Reader(**DAYS, asked=frozenset({"service.purpose"})).pieces(0)
    assert [service["purpose"] for service in piece.services] == ["development"]


def test_a_session_that_no_programme_was_tried_for_has_the_instruments_own_facts(cast, published):
    life = Life(cast)
    life.whole(slot_of(9, 11))
    document = programme_document("DEMO-QH-V") | {"examples": []}
    worth = {"fact": "instrument.original_value", "at_least": 1}
    gate = {"type": "condition", "clause": "1", "says": SAYS, "when": worth}
    costs = []
    for value_fen in (100, 99):
        type(cast.xrd).objects.filter(pk=cast.xrd.pk).update(original_value_fen=value_fen)
        code = f"DEMO-QH-{value_fen}"
        costs.append(trial(cast, published(document | {"code": code, "gates": [*document["gates"], gate]}))["totals"]["tried"])
    assert [each["cost_fen"] for each in costs] == [320_00, 0]
