"""Instruments are put on one calendar while people book both of them: afterwards no time is taken twice, whoever came first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from booking.models import Reservation
from booking.services import availability, calendar_sharing
from instruments.models import Instrument
from tests.concurrency.harness import at_once, overlapping_pairs, sql_run, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World

ASKING = 24


def sharing(world: World, instrument: int, other: int) -> Callable[[], Any]:
    rows = world.instruments
    return lambda: calendar_sharing.share(world.manager(0), rows[instrument].pk, rows[other].pk, datetime.now(UTC))


def taken_twice(world: World, *places: int) -> int:
    """Pairs of live bookings of these instruments, of whatever calendar, that share time."""
    wanted = [world.instruments[place].pk for place in places]
    rows = Reservation.objects.filter(instrument__in=wanted, state__in=("requested", "approved")).order_by("pk")
    times = [(one.starts_at, one.ends_at) for one in rows]
    return sum(
        first[0] < second[1] and second[0] < first[1] for place, first in enumerate(times) for second in times[place + 1 :]
    )


@pytest.mark.proof
def test_sharing_while_both_are_booked_leaves_no_time_taken_twice(world: World) -> None:
    """Instruments 1, 3 and 5 go to the calendars of 0, 2 and 4, one after another's first bookings."""
    rng, now = random.Random(20261127), datetime.now(UTC)
    calls: list[Callable[[], Any]] = [sharing(world, 1, 0), sharing(world, 3, 2), sharing(world, 5, 4)]
    for place in range(ASKING):
        during = world.real_slot(rng.randrange(8, 18), 2, day=rng.randrange(6))
        calls.append(asking(world, place, during, f"share{place}", instrument=place % 6, now=now))
    outcomes = at_once(calls)
    assert set(tally(outcomes[:3])) <= {"ok", "sharing.clashes"}
    assert set(tally(outcomes[3:])) <= {"ok", "booking.just_taken"}
    for mine, theirs, outcome in ((1, 0, outcomes[0]), (3, 2, outcomes[1]), (5, 4, outcomes[2])):
        now_on = dict(Instrument.objects.values_list("pk", "calendar_id"))
        together = now_on[world.instruments[mine].pk] == now_on[world.instruments[theirs].pk]
        assert together == (not isinstance(outcome, Exception))
        if together:
            assert taken_twice(world, mine, theirs) == 0
    assert overlapping_pairs() == 0 and violations() == {}
    assert list(availability.verify()) == []


def booked_behind_the_move(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Instrument 0 is booked; 1 goes to its calendar while somebody who has read 1 already waits for its old one to book the same time."""
    now, during = datetime.now(UTC), world.real_slot(9)
    asking(world, 0, during, "first", instrument=0, now=now)()
    told = calendar_sharing._told

    def once_somebody_waits(*given: Any) -> None:
        until_one_waits()
        told(*given)

    monkeypatch.setattr(calendar_sharing, "_told", once_somebody_waits)
    go = calendar_sharing._go
    moved: list[bool] = []
    monkeypatch.setattr(calendar_sharing, "_go", lambda *given: (moved.append(True), go(*given)))
    book = asking(world, 1, during, "second", instrument=1, now=now)

    def after_the_lock() -> Any:
        _until(lambda: bool(moved))
        return book()

    return at_once([sharing(world, 1, 0), after_the_lock])


def test_a_booking_that_waited_behind_the_move_finds_the_new_calendar(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, booked = booked_behind_the_move(world, monkeypatch)
    assert not isinstance(shared, Exception), shared
    assert tally([booked]) == {"booking.just_taken": 1}
    assert taken_twice(world, 0, 1) == 0 and violations() == {}


def test_without_the_guard_it_takes_the_time_a_second_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_occupancy_on_own_calendar_insert%'")
        ((name,),) = cursor.fetchall()
    sql_run(f'DROP TRIGGER "{name}" ON booking_occupancy')
    shared, booked = booked_behind_the_move(world, monkeypatch)
    assert tally([shared, booked]) == {"ok": 2}
    assert taken_twice(world, 0, 1) == 1
    assert overlapping_pairs() == 0  # on two calendars, so the constraint sees nothing


def until_one_waits() -> None:
    """Until another session of this database waits for a lock."""

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE NOT l.granted AND a.datname = current_database()"
            )
            return int(cursor.fetchone()[0]) > 0

    _until(waits)


def _until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not reached():
        if time.monotonic() > end:
            raise RuntimeError("what was waited for does not come")
        time.sleep(0.01)
