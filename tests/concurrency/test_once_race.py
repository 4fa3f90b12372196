"""One project, many firms that name it, all approved at once: its class is given once; and what lock and constraint stop, without them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError

from billing.settlement import once
from billing.settlement.models import Quote
from billing.settlement.once_models import TakenOnce
from booking.services import reservations
from booking.services.reservations import ReservationRequest
from tests.billing.settlement.test_once import asking
from tests.concurrency.harness import at_once, sql_run, tally, violations
from tests.concurrency.test_money_stampede import approving
from tests.concurrency.world import World, publish

FIRMS = 8


def approvals(world: World) -> list[Callable[[], int]]:
    """Each firm asked for an instrument of its own, for the same project, while nobody had been promised anything."""
    publish(world.cast, asking("DEMO-QH-ONCE"))
    calls = []
    for place in range(FIRMS):
        what = (world.instruments[place].pk, world.firms[place].pk, world.slot(8), "self_operated", "race")
        request = ReservationRequest(*what, research_project=["2026-ZJ-8", " ２０２６-zj-8"][place % 2])
        made = reservations.reserve(world.person(place), request, world.cast.now, idempotency_key=f"p{place}")
        calls.append(approving(world, place, made.reservation_id))
    return calls


def given() -> int:
    """How many were promised something."""
    return Quote.objects.filter(held_at__isnull=False, deducted_fen__gt=0).count()


def test_of_many_that_name_one_project_one_is_subsidised(world: World) -> None:
    assert tally(at_once(approvals(world))) == {"ok": FIRMS}
    assert (given(), TakenOnce.objects.count()) == (1, 1)
    assert violations() == {}


def test_without_the_lock_the_constraint_stops_the_others_and_without_both_they_all_get_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = approvals(world)
    monkeypatch.setattr(once, "lock", lambda paper, versions: None)
    half = at_once(calls[: FIRMS // 2])
    assert all(isinstance(said, int | IntegrityError) for said in half) and given() <= 1
    sql_run("DROP INDEX taken_once_per_class")
    monkeypatch.setattr(once, "known", lambda papers, but_for=None: {})
    assert tally(at_once(calls[FIRMS // 2 :])) == {"ok": FIRMS - FIRMS // 2}
    assert given() >= FIRMS - FIRMS // 2
