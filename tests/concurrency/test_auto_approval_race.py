"""The week that a lab lets people book without a look, at its edge: of two requests that each still fit, and together do not, one waits."""

from __future__ import annotations

import pytest

from booking.models import Reservation
from booking.services import auto_approval, policies
from booking.services.policies import Scope
from tests.concurrency.harness import at_once, sql_run, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World

ROUNDS = 2
TWO_HOURS_A_WEEK = {"who": "anybody", "week_minutes": 120}


@pytest.fixture
def trusting(world: World) -> World:
    """A lab that approves requests, and need not look at two hours of one person in a week, on all its instruments together."""
    said = {"approval_required": True, "auto_approval": TWO_HOURS_A_WEEK}
    policies.say(world.manager(0), Scope(world.instruments[0].organisation_id), said, world.cast.now)
    return world


def answers(world: World, place: int) -> list[str]:
    """One person asks for two hours of each of two instruments at once: what becomes of the two."""
    during = world.slot(8 + 2 * place)
    assert tally(at_once([asking(world, place, during, f"a{place}-{which}", which) for which in range(2)])) == {"ok": 2}
    made = Reservation.objects.filter(organisation=world.firms[place])
    return sorted(made.values_list("state", flat=True))


def test_of_two_requests_at_the_edge_of_the_week_one_counts_at_once(trusting: World) -> None:
    for place in range(ROUNDS):
        assert answers(trusting, place) == ["approved", "requested"]
    assert violations() == {}


def test_without_the_lock_of_the_week_both_count_at_once(trusting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each counts the week before the other one is there."""
    monkeypatch.setattr(auto_approval.standing, "one_at_a_time", lambda *_whose: sql_run("SELECT pg_sleep(0.2)"))
    assert any(answers(trusting, place) == ["approved", "approved"] for place in range(ROUNDS))
