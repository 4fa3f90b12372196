from __future__ import annotations

from datetime import timedelta

import pytest

from billing.ledger.models import Account, Transfer
from billing.settlement.models import Award, Charge, Quote
from booking.models import Occupancy, Reservation
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.time_range import TimeRange
from tests.agreeing import check_out_agreed


def ask(cast, during, who="lin", firm=None, key="k1"):
    request = ReservationRequest(cast.xrd.pk, (firm or cast.firm).pk, during, "self_operated", "lithium salts")
    return reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=key)


def test_a_request_is_priced_held_used_and_charged(cast, programmes, slot):
    reserved = ask(cast, slot(9, 12))
    assert reserved.state == "requested"
    quote = Quote.objects.get(reservation_id=reserved.reservation_id)
    assert quote.gross_fen == 1200_00
    transitions.approve(cast.actor("wang"), reserved.reservation_id, cast.now)
    held = sum(account.held_fen for account in Account.objects.filter(kind="pool"))
    assert held > 0
    start = slot(9, 12).starts_at
    transitions.check_in(cast.actor("wang"), reserved.reservation_id, start)
    check_out_agreed(cast.actor("wang"), reserved.reservation_id, start + timedelta(hours=3))
    charge = Charge.objects.get(reservation_id=reserved.reservation_id)
    assert charge.gross_fen == 1200_00
    assert charge.payable_now_fen == charge.gross_fen - charge.deducted_fen
    award = Award.objects.get(charge=charge)
    assert award.total_fen == charge.deducted_fen + charge.refunded_fen
    assert not Account.objects.filter(held_fen__gt=0).exists()
    assert Reservation.objects.get().state == "agreed"
    assert Transfer.objects.filter(kind="post").exists()


def test_the_same_key_books_once(cast, slot):
    first, second = ask(cast, slot(9, 10)), ask(cast, slot(9, 10))
    assert second.replayed and first.reservation_id == second.reservation_id
    assert Reservation.objects.count() == 1


def test_the_second_request_for_a_taken_slot_is_told_the_nearest_free_time(cast, slot):
    ask(cast, slot(9, 11))
    with pytest.raises(Conflict) as refused:
        ask(cast, slot(10, 12), who="he", firm=cast.other_firm, key="k2")
    assert refused.value.reasons[0].code == "booking.just_taken"
    assert refused.value.extra["alternatives"][0][0].startswith("2026-11-25T11:00")


def test_every_broken_rule_is_named(cast, slot):
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(21.1, 21.3))
    codes = {reason.code for reason in refused.value.reasons}
    assert {"booking.too_short", "booking.off_grid", "booking.outside_opening_hours"} <= codes


def test_a_time_of_many_months_is_refused_before_anything_else_is_looked_at(cast, slot):
    during = TimeRange(slot(9, 10).starts_at, slot(9, 10, day=93).ends_at)
    with pytest.raises(Refusal) as refused:
        ask(cast, during)
    assert [reason.code for reason in refused.value.reasons] == ["booking.range_too_long"]


def test_nobody_books_for_a_foreign_firm(cast, slot):
    with pytest.raises(Forbidden):
        ask(cast, slot(9, 10), who="he")


def test_a_foreign_reservation_does_not_exist(cast, slot):
    reserved = ask(cast, slot(9, 10))
    with pytest.raises(NotFound):
        transitions.cancel(cast.actor("he"), reserved.reservation_id, cast.now)


def test_cancelling_frees_the_time_and_the_money(cast, programmes, slot):
    reserved = ask(cast, slot(9, 12))
    transitions.approve(cast.actor("wang"), reserved.reservation_id, cast.now)
    transitions.cancel(cast.actor("lin"), reserved.reservation_id, cast.now)
    assert not Occupancy.objects.filter(blocking=True).exists()
    assert not Account.objects.filter(held_fen__gt=0).exists()
    assert ask(cast, slot(9, 12), key="k2").state == "requested"
