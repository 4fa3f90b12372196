"""The same call many times at once has one effect, and everybody gets the same answer."""

from __future__ import annotations

from booking.models import Reservation
from config.kernel.models import IdempotencyRecord
from tests.concurrency.harness import at_once, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World


def test_twenty_equal_calls_book_once_and_answer_alike(world: World) -> None:
    outcomes = at_once([asking(world, 0, world.slot(9), "same") for _ in range(20)])
    assert tally(outcomes) == {"ok": 20}
    assert len({outcome.reservation_id for outcome in outcomes}) == 1
    assert sum(not outcome.replayed for outcome in outcomes) == 1
    assert Reservation.objects.count() == IdempotencyRecord.objects.count() == 1
    assert violations() == {}


def test_of_two_payloads_under_one_key_one_is_done_and_the_other_refused(world: World) -> None:
    outcomes = at_once([asking(world, 0, world.slot(9 + 2 * (place % 2)), "same") for place in range(20)])
    assert tally(outcomes) == {"ok": 10, "idempotency.other_payload": 10}
    assert Reservation.objects.count() == 1


def test_one_key_of_two_people_is_two_keys(world: World) -> None:
    outcomes = at_once([asking(world, place, world.slot(9), "same", place) for place in range(4)])
    assert tally(outcomes) == {"ok": 4}
    assert Reservation.objects.count() == 4


def test_a_refused_call_may_be_mended_and_sent_again_under_its_key(world: World) -> None:
    assert tally(at_once([asking(world, 0, world.slot(3), "same") for _ in range(5)])) == {"booking.outside_opening_hours": 5}
    assert not IdempotencyRecord.objects.exists()
    assert asking(world, 0, world.slot(9), "same")().state == "requested"
