"""Two managers and one slot: at most one of competing requests is approved, and every step happens once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError

from billing.ledger.models import Account, Transfer
from billing.settlement.models import Award, Charge
from booking.models import InstrumentPolicy, RequestDecision, Reservation, ReservationTransition
from booking.rules.deciding import Verdict
from booking.rules.states import Action
from booking.services import decisions, inbox, state_writing, transitions, usage_review
from booking.services.inbox import Wish
from config.kernel.errors import Conflict
from config.kernel.time_range import TimeRange
from tests.concurrency import guards
from tests.concurrency.harness import at_once, broken, overlapping_pairs, sql_run, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World, publish, voucher

ROUNDS = 6


@pytest.fixture
def open_list(world: World) -> World:
    """A lab whose pending requests do not block, so that several may wait for the same time; and a subsidy."""
    InstrumentPolicy.objects.bulk_create(InstrumentPolicy(instrument=each, pending_blocks=False) for each in world.instruments)
    publish(world.cast, voucher())
    return world


def waiting(world: World, place: int, during: TimeRange, instrument: int = 0) -> int:
    """A request of one of the crowd; its id."""
    return asking(world, place, during, f"w{instrument}-{place}-{during.starts_at}", instrument)().reservation_id


def approving(world: World, manager: int, reservation_id: int) -> Callable[[], None]:
    actor = world.manager(manager)
    return lambda: transitions.approve(actor, reservation_id, world.cast.now)


def approved() -> int:
    return Reservation.objects.filter(state="approved").count()


def test_of_competing_requests_at_most_one_is_approved(open_list: World) -> None:
    for number in range(ROUNDS):
        pair = [waiting(open_list, place, open_list.slot(8 + 2 * number)) for place in range(4)]
        outcomes = at_once([approving(open_list, manager, pk) for manager, pk in enumerate(pair)])
        assert tally(outcomes) == {"ok": 1, "booking.just_taken": 3}
    assert approved() == ROUNDS
    assert overlapping_pairs() == 0
    assert violations() == {}


def test_without_constraint_and_lock_several_are_approved(open_list: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what cal.com's and others' approval did."""
    sql_run("ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap")
    monkeypatch.setattr(transitions, "lock_row", lambda pk: Reservation.objects.select_related("instrument").get(pk=pk))
    pair = [waiting(open_list, place, open_list.slot(8)) for place in range(4)]
    outcomes = at_once([approving(open_list, manager, pk) for manager, pk in enumerate(pair)])
    assert tally(outcomes)["ok"] > 1
    assert overlapping_pairs() > 0
    assert "booking.no_double_booking" in broken("kernel.guards_installed")


def test_a_request_approved_by_many_at_once_is_approved_once_and_held_once(open_list: World) -> None:
    for number in range(ROUNDS):
        pk = waiting(open_list, number, open_list.slot(8), number)
        outcomes = at_once([approving(open_list, manager % 4, pk) for manager in range(8)])
        assert tally(outcomes) == {"ok": 1, "booking.illegal_transition": 7}
        assert ReservationTransition.objects.filter(reservation_id=pk, action=Action.APPROVE).count() == 1
    assert Transfer.objects.filter(kind="hold", debit__kind="pool").count() == ROUNDS
    assert violations() == {}


def test_approving_and_cancelling_at_once_leaves_one_story(open_list: World) -> None:
    for number in range(ROUNDS):
        pk = waiting(open_list, number, open_list.slot(8), number)
        person = open_list.person(number)
        outcomes = at_once(
            [approving(open_list, 0, pk), lambda pk=pk, who=person: transitions.cancel(who, pk, open_list.cast.now)]
        )
        # Approve then cancel is one story, cancel (and then no approval) the other: the request is gone in both.
        assert not isinstance(outcomes[1], Exception)
        assert tally(outcomes[:1]) in ({"ok": 1}, {"booking.illegal_transition": 1})
    assert set(Reservation.objects.values_list("state", flat=True)) == {"cancelled"}
    assert not Account.objects.filter(held_fen__gt=0).exists()
    assert violations() == {}


def test_checking_out_and_agreeing_many_times_charges_once(open_list: World) -> None:
    for number in range(ROUNDS):
        pk = waiting(open_list, number, open_list.slot(8), number)
        approving(open_list, 0, pk)()
        during, manager = open_list.slot(8), open_list.manager(0)
        transitions.check_in(manager, pk, during.starts_at)
        leaving = [partial(transitions.check_out, manager, pk, during.ends_at) for _ in range(6)]
        assert tally(at_once(leaving)) == {"ok": 1, "booking.illegal_transition": 5}
        agreeing = [partial(usage_review.agree, open_list.person(number), pk, during.ends_at) for _ in range(6)]
        assert tally(at_once(agreeing)) == {"ok": 1, "booking.illegal_transition": 5}
    assert Charge.objects.count() == Award.objects.count() == ROUNDS
    assert Transfer.objects.filter(kind="post", debit__kind="pool").count() == ROUNDS
    assert violations() == {}


def test_sweeps_that_run_twice_and_a_late_check_in_move_each_reservation_once(open_list: World) -> None:
    ids = [waiting(open_list, number, open_list.slot(8), number) for number in range(8)]
    for pk in ids[:4]:
        approving(open_list, 0, pk)()
    during = open_list.slot(8)
    calls = [lambda: transitions.expire_due(during.ends_at)] * 3 + [lambda: transitions.mark_no_shows_due(during.ends_at)] * 3
    calls += [
        lambda pk=pk: transitions.check_in(open_list.manager(0), pk, during.ends_at - timedelta(minutes=1)) for pk in ids[:4]
    ]
    outcomes = at_once(calls)
    assert tally(outcomes[6:]) == {"ok": 4}  # in time, or late for a time that nobody took
    assert sum(outcomes[:3]) == 4
    late = ReservationTransition.objects.filter(reservation_id__in=ids[:4], action=Action.COME_LATE).count()
    assert sum(outcomes[3:6]) == late
    assert violations() == {}


def test_the_conflict_of_an_approval_names_free_times(open_list: World) -> None:
    first, second = (waiting(open_list, place, open_list.slot(8)) for place in range(2))
    approving(open_list, 0, first)()
    with pytest.raises(Conflict) as refused:
        approving(open_list, 1, second)()
    assert refused.value.extra["alternatives"]


def deciding_all(world: World, manager: int, ids: list[int]) -> Callable[[], int]:
    """Approve all with one call; how many this manager's call did."""
    actor = world.manager(manager)
    wish = Wish(Verdict.APPROVE)
    return lambda: sum(one.refusal is None for one in inbox.decide_all(actor, ids, wish, world.cast.now))


def test_two_managers_who_approve_the_same_requests_at_once_approve_each_of_them_once(open_list: World) -> None:
    ids = [waiting(open_list, place, open_list.slot(8 + 2 * place)) for place in range(6)]
    counts = at_once([deciding_all(open_list, 0, ids), deciding_all(open_list, 1, list(reversed(ids)))])
    assert sum(counts) == 6
    assert ReservationTransition.objects.filter(action=Action.APPROVE).count() == 6
    assert RequestDecision.objects.count() == 6
    assert violations() == {}


def test_without_the_lock_and_the_look_behind_it_the_same_request_is_approved_twice(
    open_list: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: neither locked nor compared, both go on with the same request until the database stops one, or nothing does."""
    monkeypatch.setattr(state_writing, "_LOCK", guards.unlocked_reservation())
    monkeypatch.setattr(state_writing, "_MOVE", guards.blind_move())
    sql_run("DROP INDEX decision_one_open")
    ids = [waiting(open_list, place, open_list.slot(8 + 2 * place)) for place in range(6)]
    outcomes = at_once([deciding_all(open_list, manager, ids) for manager in (0, 1, 0, 1)])
    stopped = any(isinstance(outcome, DatabaseError) for outcome in outcomes)
    assert stopped or ReservationTransition.objects.filter(action=Action.APPROVE).count() > 6


def test_an_answer_is_told_or_taken_back_and_never_both(open_list: World) -> None:
    ids = [waiting(open_list, place, open_list.slot(8 + 2 * place)) for place in range(6)]
    manager, now = open_list.manager(0), open_list.cast.now
    inbox.decide_all(manager, ids, Wish(Verdict.APPROVE), now)
    rows = list(RequestDecision.objects.order_by("pk"))
    last = rows[0].final_at
    calls: list[Callable[[], object]] = [
        partial(decisions.take_back, manager, row.reservation_id, last - timedelta(microseconds=1)) for row in rows
    ]
    at_once([*calls, *(partial(decisions.tell, row.pk, last) for row in rows)])
    for row in RequestDecision.objects.select_related("reservation"):
        assert (row.told_at is None) != (row.taken_back_at is None)
        assert row.reservation.state == ("requested" if row.told_at is None else "approved")
    assert violations() == {}
