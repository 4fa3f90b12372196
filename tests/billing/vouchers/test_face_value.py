"""What a voucher is worth, and how many there are, is told to programmes that ask: quoted, promised, charged and frozen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration
from billing.settlement.models import Charge
from billing.settlement.services import replaying
from booking.services import transitions, usage_review
from instruments.models import PolicyZone
from tests.agreeing import customer_of
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, PDF, Desk
from tests.billing.vouchers.test_using import HOUR_FEN, broken, left
from tests.conftest import Cast, programme_document, slot_of, voucher_document

STARTUP = "GS-ZY-2016-STARTUP"
EACH_FEN = 200_00


@pytest.fixture
def life_of(cast: Cast) -> Life:
    return Life(cast)


@pytest.fixture
def desk_of(cast: Cast, published: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Desk]:
    """A document in force, and the desk that issues its vouchers."""

    def do(document: dict[str, Any]) -> Desk:
        published(document)
        PolicyZone.objects.get_or_create(slug="east", defaults={"name": "East"})
        return Desk(cast, document["code"])

    return do


def valued(rate: dict[str, Any]) -> dict[str, Any]:
    """The voucher programme with another rate, under its code."""
    document = voucher_document(CODE)
    document["rate"] = rate | {"clause": document["rate"]["clause"]}
    return document


def face_document() -> dict[str, Any]:
    return valued({"type": "face_value", "own_share": "0"})


def counted_document() -> dict[str, Any]:
    """Vouchers of 200 yuan each, used whole."""
    return valued({"type": "vouchers", "face_value": 200, "most": 10, "co_funded_share": "0", "own_money": 0})


def told(row: Any, group: str) -> dict[str, Any]:
    return row.inputs["candidates"][0]["facts"].get(group, {})


def identical() -> bool:
    found = list(replaying.replay_charges())
    return bool(found) and all(each.identical for each in found)


def startup_document() -> dict[str, Any]:
    """The shipped start-up voucher as a district would publish it this year; its examples are of 2016."""
    document = programme_document(STARTUP) | {"template": False, "examples": [], "open_points": []}
    document["validity"] |= {"first_day": "2026-01-01", "last_day": "2026-12-31"}
    return document


def certify(cast: Cast) -> None:
    """The lab is a certified provider, as the gates of the start-up voucher ask."""
    label = {"label": "certified_provider", "level": "provincial", "number": "P-1", "valid_from": date(2026, 1, 1)}
    made = declaring.declare(cast.actor("wang"), cast.lab.pk, Declaration("label", label, PDF), cast.now)
    declaring.decide(cast.actor("zhou"), made.pk, True, "", cast.now)


def test_the_shipped_start_up_voucher_is_booked_with_and_gives_its_face_value(cast, desk_of, life_of):
    certify(cast)
    made = desk_of(startup_document()).issued(500_00)
    booked = life_of.ask(slot_of(9, 11))
    quote = life_of.quote(booked)
    assert (quote.gross_fen, quote.deducted_fen, quote.payable_now_fen) == (2 * HOUR_FEN, 500_00, 300_00)
    life_of.approve(booked)
    assert left(made) == (0, 500_00, 0)
    charge = life_of.use(booked)
    assert (charge.deducted_fen, left(made)) == (500_00, (0, 0, 500_00))
    assert told(charge, "amounts") == {"face_value": "500.00"} and told(charge, "request")["voucher"] == made.number
    [outcome] = charge.result["outcomes"]
    assert [step["params"] for step in outcome["steps"] if step["key"] == "subsidy.step.face_value"] == [{"face_fen": 500_00}]
    assert identical() and broken() == {}


def test_a_bill_below_the_face_value_leaves_the_rest_on_the_voucher(desk_of, life_of):
    made = desk_of(face_document()).issued(1_000_00)
    assert life_of.whole(slot_of(9, 10)).deducted_fen == HOUR_FEN
    assert left(made) == (600_00, 0, 400_00)
    assert life_of.whole(slot_of(12, 14)).deducted_fen == 600_00  # the face value stays 1,000; its limit says what is left
    assert identical() and broken() == {}


def test_without_a_voucher_it_is_the_face_value_that_is_missing(desk_of, life_of):
    desk_of(face_document())
    [outcome] = life_of.quote(life_of.ask(slot_of(9, 11))).result["outcomes"]
    assert [(each["code"], each["params"]) for each in outcome["reasons"]] == [
        ("subsidy.unmet.fact_missing", {"fact": "amounts.face_value"})
    ]


def test_of_several_the_one_that_is_drawn_on_is_told(desk_of, life_of):
    desk = desk_of(face_document())
    late = desk.issued(300_00, life_days=30)
    soon = desk.issued(100_00, life_days=10)
    first = life_of.whole(slot_of(9, 10))
    assert (first.deducted_fen, told(first, "request")["voucher"]) == (100_00, soon.number)
    second = life_of.whole(slot_of(12, 13))  # nothing is left of the first
    assert (second.deducted_fen, told(second, "request")["voucher"]) == (300_00, late.number)
    assert told(second, "amounts") == {"face_value": "300.00"}
    third = life_of.whole(slot_of(15, 16))
    assert (third.deducted_fen, told(third, "request")["voucher"]) == (0, soon.number)
    assert identical() and broken() == {}


def test_vouchers_are_counted_while_something_is_left_of_them(desk_of, life_of):
    desk = desk_of(counted_document())
    for _ in range(3):
        desk.issued(EACH_FEN)
    first = life_of.whole(slot_of(9, 10))
    assert (first.deducted_fen, told(first, "quantities")) == (2 * EACH_FEN, {"vouchers": 3})
    second = life_of.whole(slot_of(12, 13))
    assert (second.deducted_fen, told(second, "quantities")) == (EACH_FEN, {"vouchers": 1})
    assert "amounts" not in second.inputs["candidates"][0]["facts"]
    assert identical() and broken() == {}


def test_a_programme_that_does_not_ask_is_told_nothing_of_it(desk_of, life_of):
    desk_of(valued({"type": "face_value", "amount": 300, "own_share": "0"})).issued(500_00)
    charge = life_of.whole(slot_of(9, 10))
    assert charge.deducted_fen == 300_00
    assert told(charge, "amounts") == told(charge, "quantities") == {}


def test_what_counts_on_the_day_of_the_charge_is_told_of_the_voucher_that_holds_then(desk_of, life_of):
    desk = desk_of(face_document() | {"date_basis": "invoice"})
    late = desk.issued(200_00, life_days=30)
    soon = desk.issued(300_00, life_days=3)  # until the day of the service
    booked = life_of.approve(life_of.ask(slot_of(9, 10)))
    assert (left(soon), left(late)) == ((0, 300_00, 0), (200_00, 0, 0))
    wang, ended = life_of.cast.actor("wang"), booked.ends_at
    transitions.check_in(wang, booked.pk, booked.starts_at)
    transitions.check_out(wang, booked.pk, ended)
    assert usage_review.agree(customer_of(booked.pk), booked.pk, ended + timedelta(days=1))
    charge = Charge.objects.get(reservation=booked)
    assert (told(charge, "amounts"), told(charge, "request")["voucher"]) == ({"face_value": "200.00"}, late.number)
    assert (charge.deducted_fen, left(soon), left(late)) == (200_00, (300_00, 0, 0), (0, 0, 200_00))
    assert identical() and broken() == {}
