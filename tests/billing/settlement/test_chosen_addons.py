"""Add-ons that the customer chooses when booking: in the quote and in what is kept, charged with the session, corrected by the lab."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.pricing.drafts import publish_document
from billing.pricing.models import PriceVersion
from billing.pricing.subjects import subject_for
from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import Charge, Quote
from billing.settlement.services import quotes, session_extras
from billing.settlement.services.replaying import replay_charges
from billing.settlement.services.session_extras import Used
from booking.models import Reservation, UsageSession
from booking.ports import Addons, ExpectedFigures
from booking.rules.samples import ExtraEvent
from booking.services import changes, reservations, transitions, usage_review
from booking.services.changes import ChangeRequest
from booking.services.reservations import ReservationRequest
from config.kernel import invariants
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Notice
from tests.conftest import PRICE, Cast, slot_of

CELL = {"zh": "样品池", "en": "Sample cell"}
GAS = {"zh": "氩气", "en": "Argon"}


def publish_with_addons(cast: Cast, cell: str = "15", **more: Any) -> None:
    """A price with a cell (15.00 each for firms) and gas that is free for them; ``more`` parts of its document."""
    rates = {name: "10" if name == "inside" else cell for name in PRICE["rates"]}
    free = {name: "5" if name == "inside" else "0" for name in PRICE["rates"]}
    addons = [{"code": "cell", "name": CELL, "rates": rates}, {"code": "gas", "name": GAS, "rates": free}]
    document = {**PRICE, "format": 2, "unit": "hour", "addons": addons, **more}
    subject = subject_for(cast.actor("li"), "instrument", cast.xrd.pk)
    publish_document(cast.actor("li"), subject, document, slot_of(9, 12).starts_at.date(), (), cast.now)


@pytest.fixture
def priced(cast: Cast, programmes: dict[str, Any]) -> Cast:
    publish_with_addons(cast)
    return cast


def ask(cast: Cast, *chosen: tuple[str, int], seen_fen: int | None = None, key: str = "k", **more: Any) -> int:
    addons = Addons(chosen, seen_fen)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot_of(9, 12), "self_operated", addons=addons, **more)
    return reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=key).reservation_id


def used(cast: Cast, pk: int) -> None:
    transitions.approve(cast.actor("wang"), pk, cast.now)
    transitions.check_in(cast.actor("wang"), pk, slot_of(9, 12).starts_at)
    transitions.check_out(cast.actor("wang"), pk, slot_of(9, 12).ends_at, "")


def rows(pk: int) -> list[tuple[str, int, str]]:
    found = SessionExtra.objects.filter(reservation_id=pk).order_by("pk")
    return [(row.addon, row.quantity, row.state) for row in found]


def violations() -> dict[str, Any]:
    named = {name: check() for name, check in invariants.registered().items() if name.startswith(("settlement.", "ledger."))}
    return {name: found.violations for name, found in named.items() if found.violations}


def test_what_was_chosen_is_agreed_from_booking_on_and_charged_with_the_session_without_subsidy(priced: Cast) -> None:
    preview = quotes.preview(priced.actor("lin"), priced.xrd.pk, priced.firm.pk, slot_of(9, 12), priced.now)
    assert preview.addons == {"cell": ("样品池", 15_00, "Sample cell")}, "what is free is nothing to choose"
    figures = ExpectedFigures(preview.assessment.payable_now_fen, preview.assessment.final_cost_fen)
    pk = ask(priced, ("cell", 2), seen_fen=30_00, expected=figures)
    assert rows(pk) == [("cell", 2, "agreed")]
    assert Quote.objects.get().gross_fen == 1200_00, "the quote stays that of the time"
    used(priced, pk)
    assert usage_review.agree(priced.actor("lin"), pk, slot_of(9, 12).ends_at)
    charge = Charge.objects.get()
    assert (charge.gross_fen, charge.deducted_fen, charge.payable_now_fen) == (1230_00, 480_00, 750_00)
    assert charge.inputs["extras"] == [{"words": "样品池 × 2", "words_en": "Sample cell × 2", "amount_fen": 30_00}]
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")]
    assert violations() == {}


def test_an_addon_is_offered_with_the_tax_that_is_added_to_it_and_the_bill_says_that_tax(cast: Cast, programmes: Any) -> None:
    publish_with_addons(cast, tax={"rate": "0.06", "included": False})
    preview = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, slot_of(9, 12), cast.now)
    assert preview.addons == {"cell": ("样品池", 15_90, "Sample cell")}
    pk = ask(cast, ("cell", 2), seen_fen=31_80)
    used(cast, pk)
    assert usage_review.agree(cast.actor("lin"), pk, slot_of(9, 12).ends_at)
    charge = Charge.objects.get()
    assert charge.gross_fen == 1272_00 + 31_80
    day = slot_of(9, 12).ends_at.date()
    bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, day), slot_of(9, 12).ends_at)
    (line,) = bill.content["lines"]
    assert line["tax"] == {"rate": "0.06", "tax_fen": 72_00 + 1_80}
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")]


def test_time_agrees_to_what_was_chosen_too(priced: Cast) -> None:
    pk = ask(priced, ("cell", 2))
    used(priced, pk)
    now = UsageSession.objects.get().review_until + timedelta(days=30)
    usage_review.remind_due(now)
    assert usage_review.agree_due(now + timedelta(days=10)) == 1
    assert Charge.objects.get().gross_fen == 1230_00


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ([("tube", 1)], "extras.addon_unknown"),
        ([("gas", 1)], "extras.addon_unknown"),
        ([("cell", 0)], "extras.quantity_range"),
        ([("cell", 1_001)], "extras.quantity_range"),
        ([("cell", 1), ("cell", 2)], "extras.chosen_twice"),
    ],
)
def test_what_cannot_be_chosen_books_nothing_and_names_its_field(priced: Cast, chosen: Any, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        ask(priced, *chosen)
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [(code, "addons")]
    assert not Reservation.objects.exists()


def test_who_saw_another_sum_books_nothing(priced: Cast) -> None:
    with pytest.raises(Conflict, match="chosen_differ"):
        ask(priced, ("cell", 2), seen_fen=29_00)
    assert not SessionExtra.objects.exists()


def test_the_same_call_twice_chooses_once_and_another_choice_is_another_call(priced: Cast) -> None:
    assert ask(priced, ("cell", 2)) == ask(priced, ("cell", 2)) and SessionExtra.objects.count() == 1
    with pytest.raises(Refusal, match="other_payload"):
        ask(priced, ("cell", 3))


def test_what_the_lab_enters_of_it_takes_its_place_once_the_customer_agrees(priced: Cast) -> None:
    pk, at = ask(priced, ("cell", 4)), slot_of(9, 12).ends_at
    used(priced, pk)
    corrected = session_extras.propose(priced.actor("wang"), pk, Used(1, "cell"), at)
    assert session_extras.agreed_fen(Reservation.objects.get(pk=pk)) == 60_00, "until the yes what was chosen holds"
    session_extras.answer(priced.actor("lin"), corrected.pk, ExtraEvent.AGREE, at)
    assert rows(pk) == [("cell", 4, "withdrawn"), ("cell", 1, "agreed")]
    assert usage_review.agree(priced.actor("lin"), pk, at)
    assert Charge.objects.get().gross_fen == 1215_00 and violations() == {}


def test_what_is_entered_besides_leaves_the_choice_alone(priced: Cast) -> None:
    pk, at = ask(priced, ("cell", 4)), slot_of(9, 12).ends_at
    used(priced, pk)
    other = session_extras.propose(priced.actor("wang"), pk, Used(1, words="Oil", rate_fen=5_00), at)
    session_extras.answer(priced.actor("lin"), other.pk, ExtraEvent.AGREE, at)
    assert session_extras.agreed_fen(Reservation.objects.get(pk=pk)) == 65_00


def test_the_customer_takes_it_back_until_the_use_begins_and_the_lab_until_the_charge(priced: Cast) -> None:
    pk, lin, wang = ask(priced, ("cell", 2)), priced.actor("lin"), priced.actor("wang")
    (mine,) = SessionExtra.objects.all()
    for who, error in (("he", NotFound), ("li", Forbidden)):
        with pytest.raises(error):
            session_extras.answer(priced.actor(who), mine.pk, ExtraEvent.WITHDRAW, priced.now)
    session_extras.answer(lin, mine.pk, ExtraEvent.WITHDRAW, priced.now)
    assert session_extras.chosen_of(lin, Reservation.objects.get(pk=pk)) == []
    assert Notice.objects.filter(event="reservation.extra_declined_to_lab", user=priced.users["wang"]).count() == 1
    with pytest.raises(Refusal):
        session_extras.answer(lin, mine.pk, ExtraEvent.WITHDRAW, priced.now)
    transitions.cancel(lin, pk, priced.now)
    other = ask(priced, ("cell", 2), key="other")
    used(priced, other)
    theirs, at = SessionExtra.objects.get(reservation_id=other), slot_of(9, 12).ends_at
    with pytest.raises(Refusal, match="no_more_now"):
        session_extras.answer(lin, theirs.pk, ExtraEvent.WITHDRAW, at)
    session_extras.answer(wang, theirs.pk, ExtraEvent.WITHDRAW, at)
    assert usage_review.agree(lin, other, at)
    assert Charge.objects.get().gross_fen == 1200_00 and violations() == {}
    with pytest.raises(Refusal):
        session_extras.answer(wang, theirs.pk, ExtraEvent.WITHDRAW, at)


def test_another_time_keeps_what_was_chosen(priced: Cast) -> None:
    pk = ask(priced, ("cell", 2))
    changes.change(priced.actor("lin"), ChangeRequest(pk, slot_of(13, 16)), priced.now, idempotency_key="move")
    assert rows(pk) == [("cell", 2, "agreed")] and session_extras.agreed_fen(Reservation.objects.get(pk=pk)) == 30_00


def test_a_time_under_another_price_leaves_behind_what_that_price_has_not(priced: Cast) -> None:
    pk, lin = ask(priced, ("cell", 2)), priced.actor("lin")
    day = slot_of(9, 12, day=2).starts_at.date()
    PriceVersion.objects.create(instrument=priced.xrd, effective_from=day, document=PRICE, published_at=priced.now)
    changes.change(lin, ChangeRequest(pk, slot_of(9, 12, day=2)), priced.now, idempotency_key="move")
    assert rows(pk) == [("cell", 2, "withdrawn")] and session_extras.agreed_fen(Reservation.objects.get(pk=pk)) == 0
    assert Notice.objects.filter(event="reservation.extra_withdrawn", user=priced.users["lin"]).count() == 1


def test_who_books_again_is_given_what_was_chosen_also_where_the_lab_put_it_right_but_not_what_was_taken_off(
    priced: Cast,
) -> None:
    lin, wang = priced.actor("lin"), priced.actor("wang")
    pk = ask(priced, ("cell", 2))
    reservation = Reservation.objects.get(pk=pk)
    assert [row.quantity for row in session_extras.chosen_of(lin, reservation)] == [2]
    used(priced, pk)
    right = session_extras.propose(wang, pk, Used(3, addon="cell"), slot_of(9, 12).ends_at)
    session_extras.answer(lin, right.pk, ExtraEvent.AGREE, slot_of(9, 12).ends_at, amount_fen=45_00)
    assert [row.quantity for row in session_extras.chosen_of(lin, reservation)] == [2]


def test_who_did_not_come_is_not_charged_for_it(priced: Cast) -> None:
    pk = ask(priced, ("cell", 2))
    transitions.approve(priced.actor("wang"), pk, priced.now)
    transitions.mark_no_shows_due(slot_of(9, 12).ends_at + timedelta(days=1))
    assert Reservation.objects.get().state == "no_show" and not Charge.objects.exists() and violations() == {}


def test_the_database_refuses_what_nobody_may_do(priced: Cast) -> None:
    ask(priced, ("cell", 2))
    (row,) = SessionExtra.objects.all()
    for change in (
        {"quantity": 3, "amount_fen": 45_00},
        {"chosen": False},
        {"state": "declined"},
        {"answered_by": priced.users["wang"].pk},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            SessionExtra.objects.filter(pk=row.pk).update(**change)
    kept = {"reservation_id": row.reservation_id, "words": "x", "quantity": 1, "rate_fen": 1, "amount_fen": 1}
    asked = {"proposed_by_id": row.proposed_by_id, "proposed_at": priced.now, "answered_at": priced.now}
    for wrong in (
        {"chosen": False, "answered_by_id": row.proposed_by_id},
        {"chosen": True, "answered_by_id": row.proposed_by_id},
    ):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
        ):  # nobody agrees to what they entered; nothing is chosen but add-ons
            SessionExtra.objects.create(**kept, **asked, **wrong, state="agreed")
