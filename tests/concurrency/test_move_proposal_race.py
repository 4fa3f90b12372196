"""Two proposals to move sessions of two instruments, each naming the same two times, with one person who assists on both: the instruments
are behind different locks, and neither proposal waits for the other for ever."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, local

import pytest
from django.db.utils import OperationalError

from booking.models import Occupancy, ReservationChange
from booking.services import assisting, changes, transitions
from booking.services.changes import Changed, ChangeRequest
from config.kernel.services import transactions
from tests.concurrency.harness import at_once, overlapping_pairs, tally, violations
from tests.concurrency.test_assistance_race import asking, name
from tests.concurrency.world import World

HOURS = (14, 17)


def proposing(world: World) -> list[Callable[[], Changed]]:
    """Two managers, each with an approved session of another instrument; the second names the same times the other way round."""
    booked = [asking(world, place, place, hour)().reservation_id for place, hour in ((0, 8), (1, 11))]
    for pk in booked:
        transitions.approve(world.manager(0), pk, world.cast.now)

    def propose(place: int) -> Callable[[], Changed]:
        first, second = (world.slot(hour) for hour in (HOURS, HOURS[::-1])[place])
        request = ChangeRequest(booked[place], first, "Beam time was lost", others=(second,))
        return lambda: changes.change(world.manager(place), request, world.cast.now, idempotency_key=f"p{place}")

    return [propose(place) for place in range(2)]


def met(world: World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Both at once, without a second try: each goes on to its second time once both have kept their first, or one of them waits for it."""
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)
    barrier, mine, keep = Barrier(2), local(), assisting.keep_proposed

    def together(*args: object) -> None:
        keep(*args)  # type: ignore[arg-type]
        if not getattr(mine, "waited", False):
            mine.waited = True
            with suppress(BrokenBarrierError):
                barrier.wait(1)

    monkeypatch.setattr(assisting, "keep_proposed", together)
    return list(at_once(proposing(world)))


def test_of_two_that_name_the_same_times_in_another_order_one_is_told_that_nobody_assists(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    name(world, 0)
    assert tally(met(world, monkeypatch)) == {"ok": 1, "booking.nobody_assists_but_then": 1}
    assert ReservationChange.objects.count() == 1
    assert Occupancy.objects.filter(source="change", calendar__assistant__isnull=False).count() == len(HOURS)
    assert overlapping_pairs() == 0 and violations() == {}


def test_without_the_order_of_time_they_wait_for_each_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each keeps people's time in the order in which it names the times."""
    name(world, 0)
    monkeypatch.setattr(changes, "sorted", list, raising=False)
    deadlocks = [one for one in met(world, monkeypatch) if isinstance(one, OperationalError)]
    assert [transactions.sqlstate(one) for one in deadlocks] == ["40P01"]
