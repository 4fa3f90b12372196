"""Two instruments and one person who assists on both: the instruments are behind different locks, and only one of them gets the person."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from booking.models import Occupancy, Reservation
from booking.services import assistants, assisting, reservations
from booking.services.reservations import ReservationRequest, Reserved
from instruments.services import catalogue
from tests.concurrency.harness import at_once, overlapping_pairs, sql_run, tally, violations
from tests.concurrency.world import World

CLIENTS = 20
NO_TWO = "ON CONFLICT ON CONSTRAINT occupancy_no_overlap DO NOTHING"


def asking(world: World, place: int, instrument: int, hour: float = 9) -> Callable[[], Reserved]:
    request = ReservationRequest(world.instruments[instrument].pk, world.firms[place].pk, world.slot(hour), "assisted", "race")
    actor = world.person(place)
    return lambda: reservations.reserve(actor, request, world.cast.now, idempotency_key=f"a{place}")


def name(world: World, *people: int) -> None:
    """The crowd's managers of these places may assist on the first two instruments."""
    for one in world.instruments[:2]:
        one.service_modes = ["self_operated", "assisted"]
        one.save(update_fields=["service_modes"])
        for place in people:
            assistants.name(world.manager(0), one.pk, world.managers[place].pk, world.cast.now)
    catalogue.refresh_instruments([one.pk for one in world.instruments[:2]], world.cast.now)


def sessions() -> int:
    return Occupancy.objects.filter(source="assistance", blocking=True).count()


def test_of_twenty_who_want_one_person_on_two_instruments_one_gets_them(world: World) -> None:
    name(world, 0)
    outcomes = at_once([asking(world, place, place % 2) for place in range(CLIENTS)])
    told = tally(outcomes)
    assert told["ok"] == 1 and sum(told.values()) == CLIENTS
    assert set(told) <= {"ok", "booking.just_taken", "booking.nobody_assists_but_then"}
    assert told["booking.nobody_assists_but_then"] >= CLIENTS // 2
    assert all(outcome.extra["alternatives"] for outcome in outcomes if isinstance(outcome, Exception))
    assert Reservation.objects.count() == sessions() == 1
    assert overlapping_pairs() == 0 and violations() == {}


def met(world: World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One client on each instrument, who both have read that everybody is free before either writes."""
    barrier, take = Barrier(2), assisting.take

    def together(reservation_id: int, calendar_id: int, *, blocks: bool = False) -> bool:
        with suppress(BrokenBarrierError):  # the second time that one of them asks, it is alone
            barrier.wait(10)
        barrier.abort()
        return take(reservation_id, calendar_id, blocks=blocks)

    monkeypatch.setattr(assisting, "take", together)
    return list(at_once([asking(world, place, place) for place in range(2)]))


def test_who_loses_the_first_person_at_the_same_moment_gets_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name(world, 0, 1)
    assert tally(met(world, monkeypatch)) == {"ok": 2}
    assert sessions() == Occupancy.objects.filter(source="assistance").values("calendar").distinct().count() == 2
    assert violations() == {}


def test_without_the_constraint_both_get_the_same_person(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name(world, 0)
    assert NO_TWO in assisting._TAKE
    monkeypatch.setattr(assisting, "_TAKE", assisting._TAKE.replace(NO_TWO, ""))
    sql_run("ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap")
    assert tally(met(world, monkeypatch)) == {"ok": 2}
    assert sessions() == 2 and overlapping_pairs() == 1
