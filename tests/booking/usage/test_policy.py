"""What a lab chooses about use, as the layers of its rules say it: what is charged, who may start when, how long both sides may look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.settlement.models import Award, Charge
from booking.models import Occupancy, Reservation, UsageSession
from booking.services import policies, self_service, transitions, usage_review
from booking.services.policies import Scope
from config.kernel.errors import Refusal
from tests.booking.usage.conftest import codes, state, wrong

MINUTE = timedelta(minutes=1)


@pytest.fixture
def lab_says(cast):
    def say(**settings):
        policies.say(cast.actor("wang"), Scope(cast.lab.pk), settings, cast.now)

    return say


def test_overage_is_charged_in_steps_and_what_lies_beyond_the_booking_is_not_subsidised(cast, programmes, lab_says, running):
    lab_says(billable_basis="overage", billable_round_up_minutes=15)
    reservation = running(9, 12)
    transitions.check_out(cast.actor("wang"), reservation.pk, reservation.ends_at + 20 * MINUTE)
    session = UsageSession.objects.get()
    assert (session.billable_minutes, session.billable_rule, session.outcome) == (210, "overage", "overtime")
    assert usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at + 30 * MINUTE)
    charge = Charge.objects.get()
    # 3.5 hours at 400 yuan; the subsidy is 40 % of the three that were booked
    assert (charge.gross_fen, charge.deducted_fen, charge.payable_now_fen) == (1400_00, 480_00, 920_00)
    assert {step["key"] for step in charge.result["steps"]} >= {"session.step.beyond_booked"}
    assert Award.objects.get(mode="deducted_now").total_fen == 480_00
    assert wrong() == {}


def test_actual_use_is_charged_within_the_booking_and_the_rest_of_the_hold_goes_back(cast, programmes, lab_says, running):
    lab_says(billable_basis="actual_within_booked_rounded_up", billable_round_up_minutes=30)
    reservation = running(9, 12)
    transitions.check_out(cast.actor("wang"), reservation.pk, reservation.starts_at + 100 * MINUTE)
    usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at)
    assert (UsageSession.objects.get().outcome, Charge.objects.get().gross_fen) == ("left_early", 800_00)
    assert wrong() == {}


def test_where_nobody_is_let_in_after_the_grace_only_the_lab_may_do_it(cast, lab_says, book):
    lab_says(late_may_use=False, no_show_grace_minutes=10)
    reservation = book(9, 12)
    late = reservation.starts_at + 15 * MINUTE
    assert transitions.mark_no_shows_due(late) == 1
    with pytest.raises(Refusal) as refused:
        self_service.start(cast.actor("lin"), reservation.pk, [], late)
    assert codes(refused) == {"check_in.too_late"}
    transitions.check_in(cast.actor("wang"), reservation.pk, late)
    assert state(reservation) == "in_use"


def test_the_labs_early_start_and_window_count(cast, lab_says, book):
    lab_says(early_start_minutes=15, agree_after_days=3)
    reservation = book(14, 16)
    with pytest.raises(Refusal):
        self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at - 16 * MINUTE)
    self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at - 15 * MINUTE)
    self_service.end(cast.actor("lin"), reservation.pk, agrees=False, now=reservation.ends_at)
    assert UsageSession.objects.get().review_until == reservation.ends_at + timedelta(days=3)


def test_a_booking_that_was_moved_and_then_goes_on_is_one_chain(cast, running):
    from booking.ports import NOTHING_EXPECTED
    from booking.services import extending

    reservation = running(9, 10)
    for hours in (1, 2):
        until = reservation.ends_at + timedelta(hours=hours)
        extending.extend(cast.actor("lin"), reservation.pk, until, NOTHING_EXPECTED, reservation.starts_at)
    assert Reservation.objects.get().changes.count() == 2
    assert Occupancy.objects.get().during.upper == Reservation.objects.get().ends_at
    assert wrong() == {}
