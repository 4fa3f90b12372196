"""Many sessions are charged while somebody else moves money of the same accounts: one waits for the other, and neither is broken off."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from billing.cards.accounts import card_key
from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.settlement.services import card_money, charging_many
from booking.models import Reservation
from booking.services import reservations, transitions, usage_review
from booking.services.reservations import ReservationRequest, Reserved
from tests.concurrency.harness import at_once, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World, publish, voucher
from tests.spending import build_spenders

pytestmark = pytest.mark.proof


def used(world: World, asked: Callable[[], Reserved]) -> Reservation:
    """Asked for, approved, begun and ended at its time."""
    pk, manager = asked().reservation_id, world.manager(0)
    transitions.approve(manager, pk, world.cast.now)
    during = Reservation.objects.get(pk=pk)
    transitions.check_in(manager, pk, during.starts_at)
    transitions.check_out(manager, pk, during.ends_at)
    return during


def two_sessions(world: World) -> tuple[list[Account], datetime]:
    """One on an old card that keeps nothing, and one whose firm's accounts were opened later; those accounts, and when both are due."""
    card = build_spenders(world.cast).card
    publish(world.cast, voucher())
    request = ReservationRequest(
        world.instruments[0].pk, world.cast.lab.pk, world.slot(10), "self_operated", fund_card_id=card.pk
    )
    ma = world.cast.actor("ma")
    on_card = used(world, lambda: reservations.reserve(ma, request, world.cast.now, idempotency_key=str(uuid4())))
    card_money.hold(on_card, 0, "test", ma, world.cast.now)
    used(world, asking(world, 1, world.slot(10), "other", 1))
    at = on_card.ends_at + timedelta(days=20)
    usage_review.remind_due(at - timedelta(days=10))
    card_account = Account.objects.get(key=card_key(card.pk))
    firms = Account.objects.filter(held_fen__gt=0, pk__gt=card_account.pk)
    return [card_account, *firms], at


def race(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Charging, which has its first locks when the other one asks for all of them in id order, and that one."""
    accounts, at = two_sessions(world)
    assert len(accounts) > 1
    begun, read = Event(), charging_many._read

    def slowly(*args: Any) -> Any:
        found = read(*args)
        begun.set()
        time.sleep(0.5)  # the other one has the card by now, if nobody else has, and waits for the firm's
        return found

    def other() -> int:
        begun.wait(timeout=30)
        with transaction.atomic():
            return len(ledger.lock(accounts))

    monkeypatch.setattr(charging_many, "_read", slowly)
    return at_once([lambda: usage_review.agree_due(at), other])


def test_who_charges_many_and_who_moves_money_of_the_same_accounts_never_lock_each_other_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = race(world, monkeypatch)
    assert tally(outcomes) == {"ok": 2} and outcomes[0] == 2
    assert violations() == {}


def test_where_cards_are_locked_by_themselves_one_of_them_is_broken_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    apart = ledger.open_holds_of
    monkeypatch.setattr(card_money.ledger, "open_holds_of", lambda kind, ids, beside=(): apart(kind, ids))
    _charged, other = race(world, monkeypatch)
    assert "deadlock detected" in str(other)
