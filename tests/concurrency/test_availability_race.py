"""Many write at once, some make the days anew at the same moment: the read model is what the calendars say afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from psycopg.types.range import TimestamptzRange

from booking.models import Occupancy, OccupancySource, Reservation
from booking.services import availability, transitions
from config.kernel.time_range import TimeRange
from instruments.queries import actor_for
from tests.booking.availability.building import days_of, switch_off
from tests.concurrency.harness import at_once, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import CLIENTS, World


def storm(world: World, *others: Callable[[], Any]) -> list[Any]:
    """Everybody asks for some time of two instruments on two days, while ``others`` run."""
    rng = random.Random(20261125)
    calls: list[Callable[[], Any]] = list(others)
    for place in range(CLIENTS):
        start, length = rng.randrange(16, 36) / 2, rng.randrange(2, 5) / 2
        during = world.slot(start, min(length, 20 - start), day=rng.randrange(2))
        calls.append(asking(world, place, during, f"s{place}", instrument=rng.randrange(2)))
    return at_once(calls)


def calendars(world: World) -> list[int]:
    return [instrument.calendar_id for instrument in world.instruments]


def test_reservations_and_rebuilds_at_once_leave_the_days_as_a_rebuild_would(world: World) -> None:
    availability.rebuild(calendars(world), world.cast.now)
    rebuilds = [lambda: availability.rebuild(calendars(world)[:2], world.cast.now)] * 6
    outcomes = storm(world, *rebuilds)
    assert set(tally(outcomes)) == {"ok", "booking.just_taken"}
    made = list(Reservation.objects.select_related("requested_by").order_by("pk"))
    assert len(made) > 4
    cancels = [lambda one=one: transitions.cancel(actor_for(one.requested_by), one.pk, world.cast.now) for one in made[::2]]
    assert set(tally(at_once([*cancels, *rebuilds]))) == {"ok"}
    assert list(availability.verify()) == []
    assert availability.rebuild(calendars(world), world.cast.now) == 0
    assert violations() == {}


def test_writers_that_take_no_lock_cannot_undo_each_other(world: World) -> None:
    """Straight into the table, all on one day of one calendar: each day's row is changed from its own latest value."""
    availability.rebuild(calendars(world), world.cast.now)
    calendar_id = calendars(world)[0]

    def write(during: TimeRange) -> Callable[[], Occupancy]:
        return lambda: Occupancy.objects.create(
            calendar_id=calendar_id,
            during=TimestamptzRange(during.starts_at, during.ends_at),
            source=OccupancySource.MAINTENANCE,
        )

    outcomes = at_once([write(world.slot(8 + number / 2, 0.5)) for number in range(20)])
    assert set(tally(outcomes)) == {"ok"}
    assert list(availability.verify()) == []
    assert min(day.longest_free_minutes for day in days_of(calendar_id)) == 120  # 18:00 to 20:00 is left


def test_without_the_triggers_the_days_go_wrong_and_it_shows(world: World) -> None:
    availability.rebuild(calendars(world), world.cast.now)
    switch_off()
    assert "ok" in tally(storm(world))
    assert len(list(availability.verify())) >= 2
