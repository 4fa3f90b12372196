"""Terms are for what is asked for anew: what was used without a booking is written down and charged whatever its customer owes, and a
list of bookings is taken over."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.dunning.services import reminding
from billing.models import Charge
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from billing.settlement.services.reservation_money import ReservationMoney
from booking.models import Reservation
from booking.services import late_entry, reservations, usage_review
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Refusal
from config.kernel.time_range import TimeRange
from tests.agreeing import customer_of
from tests.billing.bills.conftest import wrong
from tests.billing.dunning.test_dunning import DUE, at
from tests.billing.payments.test_bank_transfers import code_of

pytestmark = pytest.mark.django_db


def used(cast, hour):
    """It is over when this is written down."""
    begins = at(DUE + timedelta(days=15)) + timedelta(hours=hour)
    during = TimeRange(begins, begins + timedelta(hours=1))
    entry = late_entry.Entry(cast.xrd.pk, cast.firm.pk, cast.users["lin"].pk, during, "self_operated", "door log", "walked in")
    made = late_entry.enter(cast.actor("wang"), entry, during.ends_at)
    assert usage_review.agree(customer_of(made.pk), made.pk, during.ends_at)
    return Charge.objects.get(reservation=made).payable_now_fen


def asking(cast, now, **more):
    begins = now + timedelta(days=2)
    return Reservation(
        instrument=cast.xrd, organisation=cast.firm, requested_by=cast.users["lin"], starts_at=begins, created_at=now,
        ends_at=begins + timedelta(hours=1), service_mode="self_operated", **more,
    )  # fmt: skip


def ask(cast, now):
    one = asking(cast, now)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, one.during, "self_operated", "x")
    reservations.reserve(cast.actor("lin"), request, now, idempotency_key=f"{now}")


def test_use_is_charged_under_a_block_without_prepaid_money_and_beyond_a_limit_and_lists_are_taken_over(cast, bill):
    bill()
    for days in (1, 7, 14):
        reminding.remind_due(at(DUE + timedelta(days=days)))
    now = at(DUE + timedelta(days=16))
    with pytest.raises(Refusal) as refused:
        ask(cast, now)
    assert code_of(refused) == "dunning.blocked"
    assert ReservationMoney().reasons_against([asking(cast, now, imported=True)], now) == [()]
    assert used(cast, 1) > 0

    reminding.exempt(cast.actor("li"), cast.lab.pk, cast.firm.pk, date(2027, 2, 28), "payment plan", now)
    setting.ask_for_prepaid(cast.actor("li"), cast.lab.pk, cast.firm.pk, True, "pays late", now)
    with pytest.raises(Conflict) as without:
        ask(cast, now)
    assert code_of(without) == "prepaid.not_enough_left"
    assert used(cast, 3) > 0

    setting.ask_for_prepaid(cast.actor("li"), cast.lab.pk, cast.firm.pk, False, "pays again", now)
    limit = LimitFacts(cast.users["lin"].pk, "", 1, date(2027, 1, 1), date(2027, 12, 31))
    setting.set_limit(cast.actor("zhao"), cast.firm.pk, limit, now)
    with pytest.raises(Conflict) as beyond:
        ask(cast, now)
    assert code_of(beyond) == "spending.over_limit"
    assert used(cast, 5) > 0
    assert wrong() == {}
