"""An instrument's time under a commission costs what both sides agreed on, whatever happens to the booking."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from billing.ordering.models import CommissionSheet
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sheets
from billing.pricing import services as pricing
from billing.pricing.models import PriceVersion
from billing.pricing.rules.agreed import agreed_document
from billing.pricing.rules.schedule import parse_schedule
from billing.settlement.services import moving, reservation_money
from booking.models import Reservation
from booking.services import changes, reservations, transitions
from booking.services.changes import ChangeRequest
from booking.services.entering import Entered
from booking.services.reservations import ReservationRequest
from config.kernel import invariants
from config.kernel.access import NOBODY, visible_to
from config.kernel.errors import Refusal
from tests.billing.services.conftest import Life
from tests.conftest import PRICE, slot_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def life(cast: Any, programmes: Any) -> Life:
    return Life(cast)


@pytest.fixture
def sheet_at(cast: Any, sent: Any) -> Any:
    """``sheet_at(fen, hours)``: a commission in which an hour of the diffractometer costs so much."""

    def make(unit_price_fen: int, quantity: str = "4", unit: str = "hour") -> CommissionSheet:
        quotation = sent(LineInput("instrument_time", quantity, cast.xrd.pk, "", unit, unit_price_fen))
        made = quotations.accept(cast.actor("lin"), quotation.pk, quotation.total_fen, cast.now, idempotency_key=str(uuid4()))
        return CommissionSheet.objects.get(pk=made.pk)

    return make


def figures(life: Life, reservation: Any) -> tuple[int, int]:
    quote = life.quote(reservation)
    return quote.gross_fen, quote.payable_now_fen


def wrong() -> dict[str, Any]:
    found = {name: each().violations for name, each in invariants.registered().items() if not name.startswith("registry.")}
    return {name: each for name, each in found.items() if each}


def test_a_booking_that_is_attached_costs_what_was_agreed_and_the_subsidy_follows(cast: Any, life: Life, sheet_at: Any) -> None:
    booked = life.approve(life.ask(slot_of(9, 11)))
    # Two hours at 400.00; the voucher gives 40 %.
    assert figures(life, booked) == (800_00, 480_00)
    sheets.link(cast.actor("lin"), sheet_at(300_00).pk, booked.pk, cast.now)
    # Two hours at 300.00 = 600.00, 240.00 of it from the voucher, which holds no more than that.
    assert figures(life, booked) == (600_00, 360_00)
    assert wrong() == {}
    charge = life.use(booked)
    assert (charge.gross_fen, charge.payable_now_fen) == (600_00, 360_00)
    assert wrong() == {}


def test_a_request_is_approved_at_the_agreed_price_and_an_extension_and_a_move_keep_it(
    cast: Any, life: Life, sheet_at: Any
) -> None:
    asked = life.ask(slot_of(9, 11))
    sheets.link(cast.actor("wang"), sheet_at(300_00).pk, asked.pk, cast.now)
    assert figures(life, asked) == (600_00, 360_00)
    lin, later = cast.actor("lin"), slot_of(14, 16)
    seen = moving.preview(lin, asked.pk, later, cast.now)
    assert seen.assessment.gross_fen == 600_00
    changes.change(lin, ChangeRequest(asked.pk, later), cast.now, idempotency_key="m")
    asked.refresh_from_db()
    assert (asked.starts_at, asked.ends_at) == (later.starts_at, later.ends_at)
    assert figures(life, asked) == (600_00, 360_00)
    life.approve(asked)
    assert figures(life, asked) == (600_00, 360_00)
    assert wrong() == {}


def test_by_the_day_it_costs_what_a_day_was_agreed_at(cast: Any, life: Life, sheet_at: Any) -> None:
    asked = life.ask(slot_of(9, 13))
    sheets.link(cast.actor("lin"), sheet_at(2_000_00, "1", "day").pk, asked.pk, cast.now)
    # Half of a day of eight hours.
    assert figures(life, asked)[0] == 1_000_00


def test_what_goes_beyond_the_line_or_would_be_dearer_is_not_attached(cast: Any, life: Life, sheet_at: Any) -> None:
    sheet = sheet_at(300_00, "3")
    first, second = life.ask(slot_of(9, 11)), life.ask(slot_of(12, 14))
    sheets.link(cast.actor("lin"), sheet.pk, first.pk, cast.now)
    with pytest.raises(Refusal) as refused:
        sheets.link(cast.actor("lin"), sheet.pk, second.pk, cast.now)
    assert [(each.code, each.params) for each in refused.value.reasons] == [
        ("commission.beyond_the_line", {"quantity": "3", "left": "1"})
    ]
    with pytest.raises(Refusal) as refused:
        sheets.link(cast.actor("wang"), sheet_at(500_00).pk, second.pk, cast.now)
    assert refused.value.reasons[0].code == "commission.dearer"
    assert figures(life, second) == (800_00, 480_00)
    transitions.cancel(cast.actor("lin"), first.pk, cast.now)
    sheets.link(cast.actor("lin"), sheet.pk, second.pk, cast.now)  # what was given up leaves its room
    assert figures(life, second) == (600_00, 360_00)


def test_the_sheet_is_not_called_off_under_bookings_that_it_prices(cast: Any, life: Life, sheet_at: Any) -> None:
    sheet, booked = sheet_at(300_00), life.approve(life.ask(slot_of(9, 11)))
    sheets.link(cast.actor("lin"), sheet.pk, booked.pk, cast.now)
    with pytest.raises(Refusal) as refused:
        sheets.cancel(cast.actor("wang"), sheet.pk, "No time", cast.now)
    assert [(each.code, each.params) for each in refused.value.reasons] == [
        ("commission.has_bookings", {"references": booked.reference})
    ]
    with pytest.raises(Refusal) as refused:
        sheets.unlink(cast.actor("lin"), sheet.pk, booked.pk, cast.now)
    assert refused.value.reasons[0].code == "commission.priced"
    transitions.cancel(cast.actor("lin"), booked.pk, cast.now)
    sheets.cancel(cast.actor("wang"), sheet.pk, "No time", cast.now)


def test_what_was_agreed_is_no_price_list_and_read_by_its_two_sides(cast: Any, life: Life, sheet_at: Any) -> None:
    before = pricing.version_id_in_force(cast.xrd.pk, slot_of(9, 11).starts_at.date())
    booked = life.ask(slot_of(9, 11))
    sheets.link(cast.actor("lin"), sheet_at(300_00).pk, booked.pk, cast.now)
    assert pricing.version_id_in_force(cast.xrd.pk, slot_of(9, 11).starts_at.date()) == before
    assert (
        figures(life, life.ask(slot_of(12, 14), who="he", firm=cast.other_firm))[0] == 800_00
    )  # the other firm pays the list price
    agreed = PriceVersion.objects.filter(agreed_line__isnull=False)
    readers = {who: visible_to(agreed, cast.actor(who)).exists() for who in ("lin", "zhao", "wang", "li", "he")}
    assert readers == {"lin": True, "zhao": True, "wang": True, "li": True, "he": False}
    assert not visible_to(agreed, NOBODY).exists()


def test_an_agreed_schedule_keeps_tax_and_fees_and_drops_what_the_price_stands_for() -> None:
    listed = PRICE | {
        "format": 2,
        "tax": {"rate": "0.06", "included": True},
        "setup": dict.fromkeys(PRICE["rates"], "50"),
        "fees": {"no_show": {"share": "1"}},
    }
    made = agreed_document(listed, "hour", 123_45)
    assert parse_schedule(made).rates["firm_sme"].fen == 123_45
    assert set(made["rates"].values()) == {"123.45"}
    assert (made["tax"], made["fees"]) == (listed["tax"], listed["fees"])
    assert not {"setup", "minimum", "bands"} & set(made)


def test_a_line_has_room_in_the_units_by_which_its_time_is_priced(cast: Any, life: Life, sheet_at: Any) -> None:
    # A half day of this lab has five hours: nine to two is one of them, and not a quarter more.
    half_days = PRICE | {"format": 2, "unit": "half_day", "unit_minutes": 300}
    PriceVersion.objects.create(
        instrument=cast.xrd,
        effective_from=cast.now.date(),
        document=half_days,
        published_at=cast.now,
        published_by=cast.users["wang"],
    )
    asked = life.ask(slot_of(9, 14))
    sheets.link(cast.actor("lin"), sheet_at(350_00, "1", "half_day").pk, asked.pk, cast.now)
    assert figures(life, asked)[0] == 350_00


def test_taken_off_again_a_booking_that_was_approved_meanwhile_keeps_its_subsidy_by_the_list(
    cast: Any, life: Life, sheet_at: Any
) -> None:
    asked, sheet = life.ask(slot_of(9, 11)), sheet_at(400_00)
    sheets.link(cast.actor("lin"), sheet.pk, asked.pk, cast.now)
    life.approve(asked)
    sheets.unlink(cast.actor("lin"), sheet.pk, asked.pk, cast.now)
    assert figures(life, asked) == (800_00, 480_00)
    assert wrong() == {}


def test_what_the_lab_entered_and_nobody_said_yes_to_is_at_the_agreed_price_too_and_keeps_no_money(
    cast: Any, life: Life, sheet_at: Any
) -> None:
    sheet = sheet_at(300_00)
    request = ReservationRequest(
        cast.xrd.pk, cast.firm.pk, slot_of(9, 11), "self_operated", for_person_id=cast.users["lin"].pk, entered=Entered()
    )
    made = reservations.reserve(cast.actor("wang"), request, cast.now, idempotency_key="entered")
    booked = Reservation.objects.get(pk=made.reservation_id)
    kept: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reservation_money.card_money, "hold", lambda *given: kept.append(given))
        sheets.link(cast.actor("lin"), sheet.pk, booked.pk, cast.now)
    assert figures(life, booked) == (600_00, 360_00)
    assert kept == [], "nothing is kept before the yes"
    with pytest.raises(Refusal) as refused:
        sheets.cancel(cast.actor("wang"), sheet.pk, "No time", cast.now)
    assert refused.value.reasons[0].code == "commission.has_bookings"
    assert reservation_money.at_agreed_price([booked.pk]) == {booked.pk}
