"""A quota at its edge, a hold against a booking, a move against a booking, an offer taken twice: one of two wins, whoever is faster."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from booking.models import Reservation, WaitEntry
from booking.services import changes, context, holds, policies, reservations, standing, state_writing, transitions, waiting
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from booking.services.waiting import Wish
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange
from tests.concurrency import guards
from tests.concurrency.harness import at_once, broken, overlapping_pairs, sql_run, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World

ROUNDS = 4
ONE_AHEAD = {"subject": "person", "measure": "count", "period": "ahead", "most": 1, "peak_only": False}


@pytest.fixture
def quota(world: World) -> World:
    """One booking ahead for each person, on all instruments of the lab together."""
    policies.say(world.manager(0), Scope(world.instruments[0].organisation_id), {"quotas": [ONE_AHEAD]}, world.cast.now)
    return world


def on_two_instruments(world: World, round_: int) -> list[object]:
    """One person asks for two instruments at once."""
    during = world.slot(8 + 2 * round_)
    return at_once([asking(world, round_, during, f"q{round_}-{place}", place) for place in range(2)])


def test_of_two_bookings_at_the_edge_of_a_quota_one_is_made(quota: World) -> None:
    for number in range(ROUNDS):
        assert tally(on_two_instruments(quota, number)) == {"ok": 1, "quota.person_count_ahead": 1}
    assert violations() == {}


def test_without_the_lock_of_the_quota_both_are_made(quota: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: reading what is booked, then booking, lets both pass somewhere in a few rounds."""
    monkeypatch.setattr(standing, "_ONE_AT_A_TIME", "SELECT pg_sleep(0.2)")
    assert any(tally(on_two_instruments(quota, number)).get("ok") == 2 for number in range(ROUNDS))


def test_a_time_is_held_or_booked_and_never_both(world: World) -> None:
    for number in range(ROUNDS):
        during = world.slot(8 + 2 * number)
        hold = partial(holds.hold, world.person(number), world.instruments[0].pk, during, world.cast.now)
        outcomes = at_once([hold, asking(world, number + 10, during, f"h{number}")])
        assert sorted(tally(outcomes)) == ["booking.just_taken", "ok"]
    assert overlapping_pairs() == 0


def confirmed_while_it_expires(world: World, number: int) -> list[object]:
    """The hold of one person is over; that person books it, another one does, and the job takes it away, all at once."""
    during, later = world.slot(8 + 2 * number), world.cast.now + timedelta(minutes=30)
    holds.hold(world.person(number), world.instruments[0].pk, during, world.cast.now)
    calls = [asking(world, place, during, f"late {place}", now=later) for place in (number, number + 10)]
    return at_once([*calls, partial(holds.release_expired, later)])[:2]


def booked_at(world: World, during: TimeRange) -> int:
    return Reservation.objects.filter(starts_at=during.starts_at, instrument=world.instruments[0]).count()


def test_a_hold_that_expires_while_it_is_confirmed_is_booked_by_one(world: World) -> None:
    for number in range(ROUNDS):
        assert sorted(tally(confirmed_while_it_expires(world, number))) == ["booking.just_taken", "ok"]
        assert booked_at(world, world.slot(8 + 2 * number)) == 1
    assert overlapping_pairs() == 0 and violations() == {}


def without_guards(monkeypatch: pytest.MonkeyPatch) -> None:
    """No constraint, no lock, and nobody looks behind it whether a time is free."""
    sql_run("ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap")
    monkeypatch.setattr(context, "_LOCK_FOR_CUSTOMER", guards.unlocked_read())
    monkeypatch.setattr(reservations, "_INSERT", guards.blind_write())


def test_without_constraint_lock_and_look_both_book_what_was_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    without_guards(monkeypatch)
    confirmed_while_it_expires(world, 0)
    assert booked_at(world, world.slot(8)) == 2 and overlapping_pairs() > 0
    assert "booking.no_double_booking" in broken("kernel.guards_installed")


def moved_beside_a_booking(world: World, number: int) -> list[object]:
    """One person moves to a time that another one books at the same moment."""
    made = asking(world, number, world.slot(8), f"m{number}", number)()
    request, target = ChangeRequest(made.reservation_id, world.slot(12)), world.slot(12)
    move = partial(changes.change, world.person(number), request, world.cast.now, idempotency_key=f"move{number}")
    return at_once([move, asking(world, number + 10, target, f"b{number}", number)])


def test_a_move_and_a_booking_of_the_same_time_leave_one_there(world: World) -> None:
    for number in range(ROUNDS):
        assert sorted(tally(moved_beside_a_booking(world, number))) == ["booking.just_taken", "ok"]
        assert Reservation.objects.filter(instrument=world.instruments[number], starts_at=world.slot(12).starts_at).count() == 1
    assert overlapping_pairs() == 0 and violations() == {}


def test_without_constraint_lock_and_look_the_move_and_the_booking_share_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the move looks, takes its time, and writes."""
    without_guards(monkeypatch)
    monkeypatch.setattr(state_writing, "_LOCK", guards.unlocked_reservation())
    free = changes._require_free

    def looked_early(*asked: Any) -> None:
        free(*asked)
        time.sleep(0.2)

    monkeypatch.setattr(changes, "_require_free", looked_early)
    assert any(tally(moved_beside_a_booking(world, number)) == {"ok": 2} for number in range(ROUNDS))
    assert overlapping_pairs() > 0


def somebody_waits(world: World, place: int, during: TimeRange, instrument: int) -> int:
    wish = Wish(world.instruments[instrument].pk, world.firms[place].pk, during, during.seconds // 60, "self_operated")
    return waiting.join(world.person(place), wish, world.cast.now).pk


def offered_by_two_jobs(world: World, number: int) -> list[object]:
    """Two people wait for the same time, and two jobs find it free."""
    for place in (number, number + 10):
        somebody_waits(world, place, world.slot(8), number)
    return at_once([partial(waiting.offer_free_time, world.cast.now)] * 2)


def test_what_is_free_is_offered_to_one_of_two_who_wait_also_by_two_jobs(world: World) -> None:
    for number in range(ROUNDS):
        assert sum(offered_by_two_jobs(world, number)) == 1  # type: ignore[arg-type]
        assert WaitEntry.objects.filter(instrument=world.instruments[number], state="offered").count() == 1
    assert violations() == {}


def pressed_often(world: World, number: int) -> list[object]:
    """An offer is accepted in four windows at the same moment."""
    entry = somebody_waits(world, number, world.slot(8), number)
    assert waiting.offer_free_time(world.cast.now) == 1
    return at_once([partial(waiting.accept, world.person(number), entry, world.cast.now) for _ in range(4)])


def test_an_offer_is_taken_once_however_often_it_is_pressed(world: World) -> None:
    for number in range(ROUNDS):
        assert tally(pressed_often(world, number)) == {"ok": 1, "wait.not_now": 3}
        entry = WaitEntry.objects.get(instrument=world.instruments[number])
        assert entry.state == "taken"
        transitions.cancel(world.person(number), entry.reservation_id or 0, world.cast.now)
    assert violations() == {}


def test_without_locks_constraint_and_key_an_offer_is_taken_more_than_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each window finds the offer open, takes its time, and books."""
    without_guards(monkeypatch)
    keys = count()
    reserve = reservations.reserve
    monkeypatch.setattr(reservations, "reserve", lambda *asked, **key: reserve(*asked, idempotency_key=f"window {next(keys)}"))

    def found_open(actor: Actor, entry_id: int) -> WaitEntry:
        entry = WaitEntry.objects.select_related("instrument").get(pk=entry_id)
        time.sleep(0.2)
        return entry

    monkeypatch.setattr(waiting, "_locked", found_open)
    assert tally(pressed_often(world, 0))["ok"] > 1
    assert overlapping_pairs() > 0
