"""One slot, many who want it: the field's standard failure, first among threads, then through the running multi-process server."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from booking.models import Reservation
from booking.services import reservations
from booking.services.reservations import ReservationRequest, Reserved
from config.kernel.time_range import TimeRange
from tests.concurrency.guards import blind_write, unlocked_read
from tests.concurrency.harness import at_once, overlapping_pairs, tally, violations
from tests.concurrency.world import CLIENTS, World


def asking(
    world: World, place: int, during: TimeRange, key: str, instrument: int = 0, now: datetime | None = None
) -> Callable[[], Reserved]:
    """A call of the service for one of the crowd, now or at another time."""
    request = ReservationRequest(world.instruments[instrument].pk, world.firms[place].pk, during, "self_operated", "race")
    actor = world.person(place)
    return lambda: reservations.reserve(actor, request, now or world.cast.now, idempotency_key=key)


def test_of_fifty_threads_one_gets_the_slot_and_the_others_are_told_what_is_free(world: World) -> None:
    outcomes = at_once([asking(world, place, world.slot(9), f"k{place}") for place in range(CLIENTS)])
    assert tally(outcomes) == {"ok": 1, "booking.just_taken": CLIENTS - 1}
    assert all(outcome.extra["alternatives"] for outcome in outcomes if isinstance(outcome, Exception))
    assert Reservation.objects.count() == 1
    assert overlapping_pairs() == 0
    assert violations() == {}


def test_random_overlapping_ranges_never_overlap_afterwards(world: World) -> None:
    rng = random.Random(20261123)
    calls = []
    for place in range(CLIENTS):
        start, length = rng.randrange(16, 36) / 2, rng.randrange(2, 9) / 2
        during = world.slot(start, min(length, 20 - start), day=rng.randrange(2))
        calls.append(asking(world, place, during, f"r{place}", instrument=rng.randrange(2)))
    outcomes = tally(at_once(calls))
    assert set(outcomes) == {"ok", "booking.just_taken"}
    assert outcomes["ok"] == Reservation.objects.count() > 4
    assert overlapping_pairs() == 0
    assert violations() == {}


def test_the_constraint_alone_holds_when_nobody_takes_the_lock_or_looks(world: World, monkeypatch) -> None:
    """The second line of defence by itself: everybody writes at once, and the database refuses all but one."""
    monkeypatch.setattr(reservations.booking_context, "_LOCK_FOR_CUSTOMER", unlocked_read())
    monkeypatch.setattr(reservations, "_INSERT", blind_write())
    outcomes = tally(at_once([asking(world, place, world.slot(9), f"c{place}") for place in range(20)]))
    assert outcomes["ok"] == 1
    assert set(outcomes) <= {"ok", "booking.just_taken", "booking.just_taken_none_left"}
    assert overlapping_pairs() == 0
