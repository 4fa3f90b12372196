"""Many want the same times that come again: whoever gets one of a series gets all of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from booking.models import Reservation, ReservationSeries
from booking.rules.series import Scope, SeriesRule
from booking.services import series, series_changes
from booking.services.series import Asked, Pick, Wish
from booking.services.series_changes import Seen, SeriesChange, Step
from tests.concurrency.harness import at_once, overlapping_pairs, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World

TIMES = 4


def asking_for_series(world: World, place: int, hour: int, key: str) -> Callable[[], Asked]:
    """A call for one of the crowd: the same hours on each of four days."""
    start = datetime(2026, 11, 25, hour)
    rule = SeriesRule(start, start + timedelta(hours=2), "daily", count=TIMES)
    wish = Wish(world.instruments[0].pk, world.firms[place].pk, rule, "self_operated")
    picks = [Pick(one + 1, world.slot(hour, day=one)) for one in range(TIMES)]
    actor = world.person(place)
    return lambda: series.ask(actor, wish, picks, world.cast.now, idempotency_key=key)


def test_of_many_series_for_the_same_times_one_is_had_whole_and_none_in_part(world: World) -> None:
    single = [asking(world, place, world.slot(10, day=place % TIMES), f"s{place}") for place in range(4, 8)]
    crowd = [asking_for_series(world, place, 9 + place % 2, f"k{place}") for place in range(4)]
    outcomes = at_once([*crowd, *single])
    for row in ReservationSeries.objects.all():
        assert row.reservations.count() == TIMES
    assert set(tally(outcomes)) <= {"ok", "series.not_all", "booking.just_taken"}
    assert Reservation.objects.exists()
    assert overlapping_pairs() == 0 and violations() == {}


def test_the_same_series_sent_twice_at_once_is_one(world: World) -> None:
    call = asking_for_series(world, 0, 9, "twice")
    first, second = at_once([call, call])
    assert isinstance(first, Asked) and isinstance(second, Asked)
    assert first.series_id == second.series_id and {first.replayed, second.replayed} == {True, False}
    assert Reservation.objects.count() == TIMES


def test_a_series_that_moves_and_one_that_takes_its_new_times_do_not_share_any(world: World) -> None:
    made = asking_for_series(world, 0, 9, "made")()
    start = datetime(2026, 11, 25, 14)
    change = SeriesChange(made.series_id, Step.MOVE, Scope.ALL, 1, start, start + timedelta(hours=2))
    seen = {ordinal: Seen("moved") for ordinal in range(1, TIMES + 1)}
    person = world.person(0)

    def move() -> object:
        return series_changes.change(person, change, seen, world.cast.now, idempotency_key="move")

    outcomes = tally(at_once([move, asking_for_series(world, 1, 14, "other")]))
    assert outcomes == {"ok": 1, "series.not_all": 1}
    assert len({one.starts_at.hour for one in Reservation.objects.filter(series_id=made.series_id)}) == 1
    assert overlapping_pairs() == 0 and violations() == {}
