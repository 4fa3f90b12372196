"""Two instruments and one person who assists on both: the instruments are behind different locks, and only one of them gets the person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from booking.models import InstrumentPolicy, Occupancy, Reservation
from booking.services import assistants, assisting, reservations, transitions
from booking.services.reservations import ReservationRequest, Reserved
from instruments.services import catalogue
from tests.concurrency.harness import at_once, overlapping_pairs, sql_run, tally, violations
from tests.concurrency.world import World

CLIENTS = 20
NO_TWO = "ON CONFLICT ON CONSTRAINT occupancy_no_overlap DO NOTHING"


def asking(world: World, place: int, instrument: int, hour: float = 9) -> Callable[[], Reserved]:
    request = ReservationRequest(world.instruments[instrument].pk, world.firms[place].pk, world.slot(hour), "assisted", "race")
    actor = world.person(place)
    return lambda: reservations.reserve(actor, request, world.cast.now, idempotency_key=f"a{place}-{hour}")


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


def approvals(world: World, hour: float) -> list[Callable[[], None]]:
    """A request that keeps nobody out on each of the two instruments, the same person chosen for both; their approvals by two managers."""
    for one in world.instruments[:2]:
        InstrumentPolicy.objects.update_or_create(instrument=one, defaults={"pending_blocks": False})
    asked = [asking(world, place, place, hour)().reservation_id for place in range(2)]
    chosen = Occupancy.objects.filter(source="assistance", reservation__in=asked)
    assert chosen.filter(blocking=False).count() == 2 and chosen.values("calendar").distinct().count() == 1

    def approving(place: int) -> Callable[[], None]:
        manager = world.manager(place)
        return lambda: transitions.approve(manager, asked[place], world.cast.now)

    return [approving(place) for place in range(2)]


def met(world: World, monkeypatch: pytest.MonkeyPatch, acts: Sequence[Callable[[], object]] = ()) -> list[object]:
    """One client on each instrument (or ``acts``), who both have read that everybody is free before either writes."""
    barrier, take = Barrier(2), assisting.take

    def together(reservation_id: int, calendar_id: int, *, blocks: bool = False) -> bool:
        with suppress(BrokenBarrierError):  # the second time that one of them asks, it is alone
            barrier.wait(10)
        barrier.abort()
        return take(reservation_id, calendar_id, blocks=blocks)

    monkeypatch.setattr(assisting, "take", together)
    return list(at_once(list(acts) or [asking(world, place, place) for place in range(2)]))


def test_who_loses_the_first_person_at_the_same_moment_gets_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name(world, 0, 1)
    assert tally(met(world, monkeypatch)) == {"ok": 2}
    assert sessions() == Occupancy.objects.filter(source="assistance").values("calendar").distinct().count() == 2
    assert violations() == {}


def test_two_approvals_at_once_of_requests_that_kept_nobody_out_send_nobody_to_both(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    name(world, 0)
    told = tally(met(world, monkeypatch, approvals(world, 9)))
    assert told == {"ok": 1, "booking.nobody_assists_but_then": 1} and sessions() == 1
    assert sorted(Reservation.objects.values_list("state", flat=True)) == ["approved", "requested"]
    name(world, 1)
    assert tally(met(world, monkeypatch, approvals(world, 13))) == {"ok": 2}
    assert sessions() == 3 and overlapping_pairs() == 0 and violations() == {}


def test_without_the_constraint_both_get_the_same_person(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name(world, 0)
    assert NO_TWO in assisting._TAKE
    monkeypatch.setattr(assisting, "_TAKE", assisting._TAKE.replace(NO_TWO, ""))
    sql_run("ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap")
    assert tally(met(world, monkeypatch)) == {"ok": 2}
    assert sessions() == 2 and overlapping_pairs() == 1
    assert tally(met(world, monkeypatch, approvals(world, 13))) == {"ok": 2}
    assert sessions() == 4 and overlapping_pairs() == 2
