"""Two ask for the same two instruments, in another order: one gets both, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.utils import OperationalError

from booking.models import Reservation
from booking.services import together
from booking.services.together import BookedTogether, Bundle, Place
from config.kernel.services import transactions
from tests.concurrency.harness import at_once, overlapping_pairs, tally, violations
from tests.concurrency.world import World

ROUNDS = 3


def asking_for(world: World, place: int, hour: int, instruments: list[int], key: str) -> Callable[[], BookedTogether]:
    """A call for one of the crowd."""
    during = world.slot(hour)
    places = tuple(Place(world.instruments[one].pk, during, "self_operated") for one in instruments)
    actor, bundle = world.person(place), Bundle(world.firms[place].pk, places)
    return lambda: together.ask(actor, bundle, world.cast.now, idempotency_key=key)


def both_ways(world: World, number: int) -> list[object]:
    """Two people, the same instruments, one the other way round."""
    hour = 8 + 2 * number
    return at_once([asking_for(world, 0, hour, [0, 1], f"ab{number}"), asking_for(world, 1, hour, [1, 0], f"ba{number}")])


def test_of_two_that_ask_in_another_order_one_gets_both(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)  # no second try: a deadlock would be seen
    for number in range(ROUNDS):
        assert tally(both_ways(world, number)) == {"ok": 1, "together.not_all": 1}
    assert Reservation.objects.count() == 2 * ROUNDS
    assert overlapping_pairs() == 0 and violations() == {}


def test_without_the_order_they_wait_for_each_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each calendar locked when its turn comes, as it was asked for, with a pause between."""
    monkeypatch.setattr(transactions, "ATTEMPTS", 1)
    monkeypatch.setattr(together, "_LOCK", "SELECT 1 WHERE 1 = ANY(%s)")
    in_turn = together._ask_one

    def slowly(*args: object) -> Reservation:
        made = in_turn(*args)  # type: ignore[arg-type]
        with together.connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.4)")
        return made

    backwards = iter([False, True] * ROUNDS)

    def as_asked(contexts):  # type: ignore[no-untyped-def]
        return sorted(contexts, key=lambda one: one.instrument.pk, reverse=next(backwards))

    monkeypatch.setattr(together, "_ask_one", slowly)
    monkeypatch.setattr(together, "in_order", as_asked)
    outcomes = both_ways(world, 0)
    deadlocks = [one for one in outcomes if isinstance(one, OperationalError) and transactions.sqlstate(one) == "40P01"]
    assert len(deadlocks) == 1
