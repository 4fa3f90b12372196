"""Many sessions of one instrument's year approved at once: no two go on from the same place; and what happens without the lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Barrier

import pytest

from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.settlement import counted
from billing.settlement.counted_models import Counted
from booking.services import reservations
from booking.services.reservations import ReservationRequest
from tests.billing.settlement.test_counted import tiered
from tests.concurrency.harness import at_once, tally, violations
from tests.concurrency.test_money_stampede import approving
from tests.concurrency.world import World, publish

FIRMS = 6
IN_TURN = [120_00] * 3 + [60_00] * 3
"""With one hour each, three of them get 120 yuan and the others 60, in whatever order they come."""


def approvals(world: World) -> list[Callable[[], int]]:
    """Each firm asked for an hour of another instrument of the same owner, whose year it is, while nobody had been promised anything."""
    (cap,) = tiered()["caps"]
    publish(world.cast, tiered(caps=[cap | {"per": "owner_year"}]))
    calls = []
    for place in range(FIRMS):
        what = (world.instruments[place].pk, world.firms[place].pk, world.slot(8, 1), "self_operated", "race")
        made = reservations.reserve(world.person(place), ReservationRequest(*what), world.cast.now, idempotency_key=f"p{place}")
        calls.append(approving(world, place, made.reservation_id))
    return calls


def given() -> list[int]:
    return sorted(Counted.objects.values_list("subsidised_fen", flat=True), reverse=True)


def test_of_many_at_once_each_goes_on_where_another_ended(world: World) -> None:
    assert tally(at_once(approvals(world))) == {"ok": FIRMS}
    assert given() == IN_TURN
    assert violations() == {}


def test_without_the_lock_several_go_on_from_the_same_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *calls = approvals(world)
    first()  # the account of the year is there: whoever opens it keeps the others waiting, too
    waiting = Barrier(FIRMS - 1)

    def unlocked(accounts: Iterable[Account]) -> dict[str, Account]:
        return {account.key: account for account in accounts}

    def all_at_once(*args: object) -> counted.Counts:
        found = known(*args)  # type: ignore[arg-type]
        waiting.wait(10)
        return found

    known = counted.known
    monkeypatch.setattr(ledger, "lock", unlocked)
    monkeypatch.setattr(counted, "known", all_at_once)
    assert tally(at_once(calls)) == {"ok": FIRMS - 1}
    assert given() == [120_00] * FIRMS
