"""Little on a fund card and ten who book from it at once: what is kept never exceeds what is on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from billing.cards.accounts import card_key
from billing.ledger import services as ledger
from billing.ledger.models import Account
from booking.models import Reservation
from booking.services import reservations, spending
from booking.services.reservations import ReservationRequest, Reserved
from instruments.models import FundCard
from tests.concurrency.harness import at_once, sql_run, tally, violations
from tests.concurrency.test_money_stampede import held_by_transfers, read_modify_write
from tests.concurrency.world import LABS, World
from tests.spending import Spenders, build_spenders

EACH_FEN = 400_00
"""Two hours at what an owner's own people pay."""


def booking(world: World, spenders: Spenders, place: int) -> Callable[[], Reserved]:
    """Gao or Ma asks for an instrument of one's own, at the same hour."""
    actor = world.cast.actor("gao" if place % 2 else "ma")
    request = ReservationRequest(
        world.instruments[place].pk, world.cast.lab.pk, world.slot(10), "self_operated", fund_card_id=spenders.card.pk
    )
    return lambda: reservations.reserve(actor, request, world.cast.now, idempotency_key=f"c{place}")


def account(spenders: Spenders) -> Account:
    return Account.objects.get(key=card_key(spenders.card.pk))


def test_a_card_pays_as_many_bookings_as_it_can_and_not_one_more(world: World) -> None:
    spenders = build_spenders(world.cast)
    outcomes = at_once([booking(world, spenders, place) for place in range(LABS)])
    assert tally(outcomes) == {"ok": 2, "card.not_enough_left": LABS - 2}
    assert Reservation.objects.count() == 2
    assert account(spenders).held_fen == held_by_transfers(account(spenders)) == 2 * EACH_FEN
    assert violations() == {}


def test_without_check_and_locks_the_card_is_overspent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: CHECK dropped, card and account not locked, the conditional update replaced by read, compare, write."""
    spenders = build_spenders(world.cast)

    def unlocked(*arguments: Any) -> FundCard:
        return FundCard.objects.select_related("group").get(pk=spenders.card.pk)

    sql_run("ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent")
    monkeypatch.setattr(spending, "locked_card", unlocked)
    monkeypatch.setattr(spending, "locked_to_spend", unlocked)
    monkeypatch.setattr(ledger, "lock", lambda accounts: {each.key: Account.objects.get(pk=each.pk) for each in accounts})
    monkeypatch.setattr(ledger, "hold_all", read_modify_write)
    outcomes = at_once([booking(world, spenders, place) for place in range(LABS)])
    assert tally(outcomes)["ok"] > 2
    assert held_by_transfers(account(spenders)) > account(spenders).granted_fen
    assert "ledger.columns_are_the_sums_of_transfers" in violations()
