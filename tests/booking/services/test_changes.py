"""A booked time moves, and nothing is given up before the new time is sure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.ledger.models import Account
from billing.settlement.models import Quote
from billing.settlement.services import moving
from booking.invariants import states_are_replays
from booking.models import InstrumentPolicy, Occupancy, Reservation, ReservationChange, ReservationTransition
from booking.ports import ExpectedFigures
from booking.rules.changes import Side
from booking.services import changes, policies, transitions
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from config.kernel.time_range import TimeRange
from instruments.models import Membership
from tests.booking.services.test_reservation_flow import ask


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def move(cast, reserved, during, who="lin", key="m1", **more) -> changes.Changed:
    request = ChangeRequest(reserved.reservation_id, during, **more)
    return changes.change(cast.actor(who), request, cast.now, idempotency_key=key)


def held(kind="pool") -> int:
    return sum(Account.objects.filter(kind=kind).values_list("held_fen", flat=True))


def at(reserved) -> Reservation:
    return Reservation.objects.get(pk=reserved.reservation_id)


@pytest.fixture
def requested(cast, programmes, slot):
    return ask(cast, slot(9, 12))


@pytest.fixture
def approved(cast, requested):
    transitions.approve(cast.actor("wang"), requested.reservation_id, cast.now)
    return requested


@pytest.fixture(autouse=True)
def nothing_is_broken(cast):
    """After each test the rows hold what is always true of them."""
    yield
    found = {name: check().violations for name, check in registered().items() if name.startswith("booking.")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_request_moves_at_once_with_its_figures_and_its_time_is_free_again(cast, requested, slot):
    assert move(cast, requested, slot(14, 16)).state == "made"
    moved = at(requested)
    assert (moved.during, moved.state) == (slot(14, 16), "requested")
    latest = Quote.objects.filter(reservation=moved).latest("revision")
    assert latest.gross_fen == 800_00 and latest.accepted_at is not None
    assert ask(cast, slot(9, 12), who="he", firm=cast.other_firm, key="k2").state == "requested"
    assert moved.transitions.filter(action="move", from_state="requested", to_state="requested").count() == 1


def test_nothing_moves_to_a_time_of_many_months(cast, requested, slot):
    with pytest.raises(Refusal) as refused:
        move(cast, requested, TimeRange(slot(9, 10).starts_at, slot(9, 10, day=93).ends_at))
    assert codes(refused) == ["booking.range_too_long"]


def test_an_approved_time_is_kept_beside_the_new_one_until_the_lab_answers(cast, approved, slot):
    change = move(cast, approved, slot(11, 14), reason="The sample comes later")
    assert change.state == "open"
    assert at(approved).during == slot(9, 12)
    for taken in (slot(9, 11), slot(12, 14)):
        with pytest.raises(Conflict) as refused:
            ask(cast, taken, who="he", firm=cast.other_firm, key=f"k{taken}")
        assert codes(refused) == ["booking.just_taken"]
    changes.accept(cast.actor("wang"), change.change_id, cast.now)
    assert at(approved).during == slot(11, 14) and at(approved).state == "approved"
    assert ask(cast, slot(9, 11), who="he", firm=cast.other_firm, key="again").state == "requested"


def test_money_is_held_for_the_new_time_and_for_it_alone(cast, approved, slot):
    before = held()
    change = move(cast, approved, slot(14, 15))
    assert held() == before
    changes.accept(cast.actor("wang"), change.change_id, cast.now)
    assert 0 < held() < before
    latest = Quote.objects.filter(reservation_id=approved.reservation_id).latest("revision")
    assert latest.gross_fen == 400_00 and latest.held_at is not None
    transitions.cancel(cast.actor("lin"), approved.reservation_id, cast.now)
    assert held() == 0


def test_a_refused_proposal_leaves_everything_as_it_was(cast, approved, slot):
    before = held()
    change = move(cast, approved, slot(14, 17))
    with pytest.raises(Refusal) as refused:
        changes.refuse(cast.actor("wang"), change.change_id, cast.now, " ")
    assert codes(refused) == ["booking.reason_missing"]
    changes.refuse(cast.actor("wang"), change.change_id, cast.now, "The operator is away")
    assert (at(approved).during, held()) == (slot(9, 12), before)
    assert ask(cast, slot(14, 17), who="he", firm=cast.other_firm, key="k2").state == "requested"
    with pytest.raises(Refusal) as refused:
        changes.accept(cast.actor("wang"), change.change_id, cast.now)
    assert codes(refused) == ["change.answered_already"]


def test_giving_time_back_needs_nobodys_yes(cast, approved, slot):
    assert move(cast, approved, slot(10, 12)).state == "made"
    assert ask(cast, slot(9, 10), who="he", firm=cast.other_firm, key="k2").state == "requested"


def test_the_labs_proposal_waits_for_the_customer_and_approves_with_the_yes(cast, requested, slot):
    with pytest.raises(Refusal) as refused:
        move(cast, requested, slot(14, 17), who="wang")
    assert codes(refused) == ["booking.reason_missing"]
    change = move(cast, requested, slot(14, 17), who="wang", reason="The operator is only there in the afternoon")
    assert change.state == "open"
    with pytest.raises(Forbidden):
        changes.accept(cast.actor("wang"), change.change_id, cast.now)
    changes.accept(cast.actor("lin"), change.change_id, cast.now)
    assert (at(requested).during, at(requested).state) == (slot(14, 17), "approved")
    assert held() > 0


def test_what_the_customer_agreed_to_on_the_phone_the_lab_moves_at_once(cast, approved, slot):
    change = move(cast, approved, slot(14, 17), who="wang", reason="Ms Lin agreed by phone", agreed=True)
    assert change.state == "made"
    assert at(approved).during == slot(14, 17)
    assert ReservationChange.objects.get().side == Side.LAB


def test_a_customer_who_saw_other_figures_is_told(cast, requested, slot):
    with pytest.raises(Conflict) as refused:
        move(cast, requested, slot(14, 17), expected=ExpectedFigures(1, 1))
    assert codes(refused) == ["billing.figures_differ"]
    assert at(requested).during == slot(9, 12)


def test_a_longer_time_without_seen_figures_is_not_made_dearer_unseen(cast, approved, slot):
    with pytest.raises(Conflict) as refused:
        move(cast, approved, slot(14, 19), who="wang", reason="Agreed by phone", agreed=True)
    assert codes(refused) == ["change.dearer"]
    assert at(approved).during == slot(9, 12)


def test_a_taken_time_is_refused_with_what_is_free_and_nothing_moves(cast, approved, slot):
    ask(cast, slot(14, 16), who="he", firm=cast.other_firm, key="k2")
    with pytest.raises(Conflict) as refused:
        move(cast, approved, slot(15, 18))
    assert codes(refused) == ["booking.just_taken"] and refused.value.extra["alternatives"]
    assert at(approved).during == slot(9, 12)
    assert not ReservationChange.objects.exists()


def test_the_new_time_follows_the_labs_rules_and_the_lab_may_pass_over_them(cast, approved, slot):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 120}, cast.now)
    with pytest.raises(Refusal) as refused:
        move(cast, approved, slot(14, 17))
    assert codes(refused) == ["booking.too_long"]
    change = move(cast, approved, slot(14, 17), who="wang", key="m2", reason="As agreed")
    assert change.state == "open"
    changes.accept(cast.actor("lin"), change.change_id, cast.now)
    step = ReservationTransition.objects.get(action="move")
    assert (step.reason, step.passed_over) == ("As agreed", ["booking.too_long"])


def test_one_proposal_at_a_time_and_it_can_be_taken_back(cast, approved, slot):
    change = move(cast, approved, slot(14, 17))
    with pytest.raises(Refusal) as refused:
        move(cast, approved, slot(15, 18), key="m2")
    assert codes(refused) == ["change.one_open"]
    with pytest.raises(Forbidden):
        changes.withdraw(cast.actor("wang"), change.change_id, cast.now)
    changes.withdraw(cast.actor("lin"), change.change_id, cast.now)
    assert move(cast, approved, slot(15, 18), key="m3").state == "open"


def test_the_same_key_moves_once(cast, requested, slot):
    first, second = move(cast, requested, slot(14, 16)), move(cast, requested, slot(14, 16))
    assert (first.change_id, second.replayed) == (second.change_id, True)


@pytest.mark.parametrize("end", ["cancel", "check_in", "no_show"])
def test_an_open_proposal_lapses_when_the_reservation_goes_on(cast, approved, slot, end):
    move(cast, approved, slot(14, 17))
    if end == "cancel":
        transitions.cancel(cast.actor("lin"), approved.reservation_id, cast.now)
    elif end == "check_in":
        transitions.check_in(cast.actor("wang"), approved.reservation_id, slot(9, 12).starts_at)
    else:
        transitions.mark_no_show(cast.actor("wang"), approved.reservation_id, slot(11, 12).starts_at)
    assert ReservationChange.objects.get().state == "lapsed"
    assert not Occupancy.objects.filter(source="change").exists()


def test_time_alone_lapses_what_nobody_answered(cast, approved, slot):
    move(cast, approved, slot(14, 17))
    assert changes.lapse_due(slot(9, 12).starts_at - timedelta(minutes=1)) == 0
    assert changes.lapse_due(slot(9, 12).starts_at) == 1
    assert changes.lapse_due(slot(9, 12).starts_at) == 0


def test_what_has_begun_can_only_end_at_another_time(cast, approved, slot):
    later = replace(cast, now=slot(10, 12).starts_at)
    for wrong in (slot(10, 12), slot(9, 9.5)):
        with pytest.raises(Refusal) as refused:
            move(later, approved, wrong, key=f"{wrong}")
        assert codes(refused) == ["change.begun"]
    assert move(later, approved, slot(9, 11), key="shorter").state == "made"


def test_a_running_session_is_not_moved_but_goes_on_for_longer(cast, approved, slot):
    transitions.check_in(cast.actor("wang"), approved.reservation_id, slot(9, 12).starts_at)
    with pytest.raises(Refusal) as refused:
        move(replace(cast, now=slot(10, 12).starts_at), approved, slot(9, 13))
    assert codes(refused) == ["booking.illegal_transition"]


def test_figures_that_the_lab_sends_do_not_make_it_dearer_for_the_customer(cast, approved, slot):
    seen = moving.preview(cast.actor("wang"), approved.reservation_id, slot(14, 19), cast.now).assessment
    expected = ExpectedFigures(seen.payable_now_fen, seen.final_cost_fen)
    with pytest.raises(Conflict) as refused:
        move(cast, approved, slot(14, 19), who="wang", reason="Agreed by phone", agreed=True, expected=expected)
    assert codes(refused) == ["change.dearer"]
    assert at(approved).during == slot(9, 12)


@pytest.mark.parametrize("who", ["he", "li", "qian"])
def test_strangers_find_nothing_and_onlookers_may_not(cast, approved, slot, who):
    with pytest.raises(NotFound if who == "he" else Forbidden):
        move(cast, approved, slot(14, 17), who=who)


def test_where_pending_requests_do_not_block_a_request_moves_without_blocking(cast, programmes, slot):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    first, _second = ask(cast, slot(9, 12)), ask(cast, slot(9, 12), who="he", firm=cast.other_firm, key="k2")
    move(cast, first, slot(14, 16))
    assert not Occupancy.objects.filter(blocking=True).exists()


@pytest.mark.parametrize("competes", [True, False])
def test_who_waits_for_the_time_that_the_lab_proposed_is_declined_with_the_yes_where_requests_compete(
    cast, programmes, slot, competes
):
    policy = InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    first, rival = ask(cast, slot(9, 12)), ask(cast, slot(14, 16), who="he", firm=cast.other_firm, key="k2")
    change = move(cast, first, slot(14, 17), who="wang", reason="The operator is only there in the afternoon")
    InstrumentPolicy.objects.filter(pk=policy.pk).update(pending_blocks=not competes)
    changes.accept(cast.actor("lin"), change.change_id, cast.now)
    assert (at(first).state, at(rival).state) == ("approved", "rejected" if competes else "requested")
    if competes:
        step = ReservationTransition.objects.get(reservation_id=rival.reservation_id, action="reject")
        assert step.actor == cast.users["wang"] and step.reason


def test_a_running_session_that_was_moved_once_is_legal_history(cast, approved, slot):
    transitions.check_in(cast.actor("wang"), approved.reservation_id, slot(9, 12).starts_at)
    ReservationTransition.objects.create(
        reservation_id=approved.reservation_id, action="move", from_state="in_use", to_state="in_use", at=slot(9, 12).starts_at
    )
    assert states_are_replays().violations == ()


def test_time_may_be_given_back_after_the_labs_grid_became_coarser(cast, programmes, slot):
    booked = ask(cast, slot(9.5, 12))
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"granularity_minutes": 60}, cast.now)
    with pytest.raises(Refusal) as refused:
        move(cast, booked, slot(9.5, 11.5))
    assert codes(refused) == ["booking.end_off_grid"]
    assert move(cast, booked, slot(9.5, 11), key="m2").state == "made"


def test_nobody_answers_for_the_lab_about_the_own_booking(cast, programmes, slot):
    Membership.objects.create(user=cast.users["wang"], organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now)
    Membership.objects.create(user=cast.users["li"], organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    own = ask(cast, slot(9, 12), who="wang")
    transitions.approve(cast.actor("li"), own.reservation_id, cast.now)
    proposed = move(cast, own, slot(14, 17), who="zhao")
    with pytest.raises(Refusal) as refused:
        changes.accept(cast.actor("wang"), proposed.change_id, cast.now)
    assert codes(refused) == ["booking.own_request"]
    changes.accept(cast.actor("li"), proposed.change_id, cast.now)
    assert at(own).during == slot(14, 17)


def test_a_time_that_has_begun_meanwhile_is_not_accepted(cast, programmes, slot):
    late = ask(cast, slot(14, 17))
    transitions.approve(cast.actor("wang"), late.reservation_id, cast.now)
    earlier = move(cast, late, slot(9, 12))
    with pytest.raises(Refusal) as refused:
        changes.accept(cast.actor("wang"), earlier.change_id, slot(9, 12).starts_at)
    assert codes(refused) == ["change.over"]
    assert at(late).during == slot(14, 17)


@pytest.mark.parametrize("who", ["lin", "wang"])
def test_nobody_is_asked_for_a_yes_that_could_not_come_in_time(cast, approved, slot, who):
    begun = replace(cast, now=slot(9.25, 12).starts_at)
    with pytest.raises(Refusal) as refused:
        move(begun, approved, slot(9, 13), who=who, reason="It takes longer")
    assert codes(refused) == ["change.start_first"]
    assert not ReservationChange.objects.exists()
