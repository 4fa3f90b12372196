"""A quota at its edge, a hold against a booking, a move against a booking, an offer taken twice: one of two wins, whoever is faster."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from booking.models import Reservation, WaitEntry
from booking.services import changes, holds, policies, standing, transitions, waiting
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from booking.services.waiting import Wish
from tests.concurrency.harness import at_once, overlapping_pairs, tally, violations
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


def test_a_hold_that_expires_while_it_is_confirmed_is_booked_by_one(world: World) -> None:
    later = world.cast.now + timedelta(minutes=30)
    for number in range(ROUNDS):
        during = world.slot(8 + 2 * number)
        holds.hold(world.person(number), world.instruments[0].pk, during, world.cast.now)
        outcomes = at_once(
            [
                asking(world, number, during, f"own{number}"),
                asking(world, number + 10, during, f"other{number}"),
                partial(holds.release_expired, later),
            ]
        )
        booked = Reservation.objects.filter(starts_at=during.starts_at, instrument=world.instruments[0])
        assert booked.count() == 1
        assert len([one for one in outcomes[:2] if not isinstance(one, Exception)]) == 1
    assert overlapping_pairs() == 0 and violations() == {}


def test_a_move_and_a_booking_of_the_same_time_leave_one_there(world: World) -> None:
    for number in range(ROUNDS):
        made = asking(world, number, world.slot(8), f"m{number}", number)()
        target = world.slot(12)
        move = partial(
            changes.change,
            world.person(number),
            ChangeRequest(made.reservation_id, target),
            world.cast.now,
            idempotency_key=f"move{number}",
        )
        outcomes = at_once([move, asking(world, number + 10, target, f"b{number}", number)])
        assert sorted(tally(outcomes)) == ["booking.just_taken", "ok"]
        assert Reservation.objects.filter(instrument=world.instruments[number], starts_at=target.starts_at).count() == 1
    assert overlapping_pairs() == 0 and violations() == {}


def test_an_offer_is_taken_once_however_often_it_is_pressed(world: World) -> None:
    for number in range(ROUNDS):
        person, during = world.person(number), world.slot(8)
        customer = sorted(person.organisations())[0]
        wish = Wish(world.instruments[number].pk, customer, during, during.seconds // 60, "self_operated")
        entry = waiting.join(person, wish, world.cast.now)
        assert waiting.offer_free_time(world.cast.now) == 1
        outcomes = at_once([partial(waiting.accept, person, entry.pk, world.cast.now) for _ in range(4)])
        assert tally(outcomes) == {"ok": 1, "wait.not_now": 3}
        assert WaitEntry.objects.get(pk=entry.pk).state == "taken"
        transitions.cancel(person, WaitEntry.objects.get(pk=entry.pk).reservation_id or 0, world.cast.now)
    assert violations() == {}
