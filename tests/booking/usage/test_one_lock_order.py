"""Who charges sessions locks every account that it moves money of at once, in id order, a card that keeps nothing too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing.ledger import services as ledger
from billing.settlement.models import Charge
from billing.settlement.services import card_money
from booking.services import usage_review
from tests.booking.usage.conftest import wrong
from tests.spending import build_spenders

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(cast: Any, programmes: Any, over: Any) -> Any:
    """When two sessions are due: one on an old card that keeps nothing, and one whose firm's accounts were opened later."""
    spenders = build_spenders(cast)
    in_house = over(16, 18, who="ma", firm=cast.lab, fund_card_id=spenders.card.pk)
    card_money.hold(in_house, 0, "test", cast.actor("ma"), cast.now)
    last = over(8, 11)
    return last.ends_at + timedelta(days=12)


def order_of_locks(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> list[tuple[str, int]]:
    """Each account (its kind and id) where it is locked first."""
    order: dict[int, str] = {}
    lock = ledger._locked

    def noted(ids: Any) -> Any:
        found = lock(ids)
        for account in sorted(found.values(), key=lambda one: one.pk):
            order.setdefault(account.pk, account.kind)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "_locked", noted)
        work()
    return [(kind, pk) for pk, kind in order.items()]


def test_who_charges_many_locks_all_accounts_in_one_order(due: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    usage_review.remind_due(due - timedelta(days=2))
    order = order_of_locks(monkeypatch, lambda: usage_review.agree_due(due))
    kinds, ids = zip(*order, strict=True)
    assert Charge.objects.count() == 2 and {"pool", "fund_card", "firm_year"} <= set(kinds)
    assert list(ids) == sorted(ids)
    assert wrong() == {}


def test_cards_that_are_locked_by_themselves_are_seen(due: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the card's account is older than the firm's, and locked after it."""
    usage_review.remind_due(due - timedelta(days=2))
    apart = ledger.open_holds_of
    monkeypatch.setattr(ledger, "open_holds_of", lambda kind, ids, beside=(): apart(kind, ids))
    ids = [pk for _kind, pk in order_of_locks(monkeypatch, lambda: usage_review.agree_due(due))]
    assert ids != sorted(ids)
