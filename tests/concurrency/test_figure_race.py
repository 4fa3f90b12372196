"""A limit is lowered while money is promised under it: whoever was first counts, and no account is above what was set and not promised."""

from __future__ import annotations

from typing import Any

import pytest

from billing.ledger.models import Account
from billing.ledger.services import AccountSpec
from billing.settlement.services import assessing
from billing.subsidy import figures
from billing.subsidy.figure_models import CapFigure
from config.kernel.errors import Conflict
from tests.concurrency.harness import at_once, violations
from tests.concurrency.test_money_stampede import approving, requested
from tests.concurrency.world import World, publish
from tests.conftest import programme_document

LOW = 100_00


def left_open() -> dict[str, Any]:
    document = programme_document("DEMO-QH-V") | {"examples": []}
    clause = document["caps"][0]["clause"]
    limit = {"configured": True, "default": "1000"}
    document["caps"] = [{"id": "open", "per": "firm_year", "limit": limit, "when_short": "partial", "clause": clause}]
    return document


def lowered(world: World) -> tuple[Any, Any]:
    version = publish(world.cast, left_open())
    ids = requested(world)
    asked = figures.ask(world.cast.actor("qian"), version.pk, "open", 2026, LOW, "Notice 9", world.cast.now)
    return ids, lambda: figures.confirm(world.cast.actor("chen"), asked.pk, world.cast.now)


def above() -> list[str]:
    """Accounts on which more could be promised than was set."""
    return [
        each.key
        for each in Account.objects.filter(kind="firm_year")
        if each.granted_fen > max(LOW, each.held_fen + each.posted_fen)
    ]


def test_a_limit_is_lowered_while_holds_are_made(world: World) -> None:
    ids, lower = lowered(world)
    calls = [approving(world, place, pk) for place, pk in enumerate(ids)]
    outcomes = at_once([*calls[:25], lower, *calls[25:]])
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert above() == []
    assert violations() == {}


def test_the_control_without_the_figure_at_opening_an_account_keeps_the_old_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, lower = lowered(world)
    lower()
    real = assessing.AccountSpec

    def stale(key: str, kind: str, limit_fen: int | None, *more: Any) -> AccountSpec:
        return real(key, kind, 1000_00 if kind == "firm_year" else limit_fen, *more[:2])

    monkeypatch.setattr(assessing, "AccountSpec", stale)
    approving(world, 0, ids[0])()
    assert above() != []


def test_of_many_who_ask_for_a_figure_at_once_one_waits_and_the_others_are_told_of_it(world: World) -> None:
    version = publish(world.cast, left_open())

    def asking(place: int) -> Any:
        who = ("qian", "chen", "sun")[place % 3]
        return lambda: figures.ask(world.cast.actor(who), version.pk, "open", 2026, 1_00 + place, "Notice 9", world.cast.now)

    outcomes = at_once([asking(place) for place in range(12)])
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert len(refused) == 11 and all(isinstance(each, Conflict) for each in refused), refused
    (waits,) = CapFigure.objects.all()
    assert {each.reasons[0].params["figure"] for each in refused if isinstance(each, Conflict)} == {waits.pk}
