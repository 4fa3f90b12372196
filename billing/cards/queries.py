"""What is on fund cards, for those who may see the cards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from billing.cards.accounts import card_key
from billing.cards.services import limit_of
from billing.ledger import services as ledger
from config.kernel.access import Actor, visible_to
from instruments.models import FundCard


@dataclass(frozen=True, slots=True)
class CardBalance:
    """Amounts in fen. ``budget_fen`` and ``left_fen`` are None for a card without a limit."""

    budget_fen: int | None
    held_fen: int
    spent_fen: int
    left_fen: int | None

    @property
    def used_percent(self) -> int:
        """How much of the budget is spent or kept for bookings, in whole percent."""
        return 100 * (self.held_fen + self.spent_fen) // self.budget_fen if self.budget_fen else 0


NOTHING = CardBalance(0, 0, 0, 0)


def balances(actor: Actor, cards: Iterable[FundCard]) -> dict[int, CardBalance]:
    """By card id, for those of the cards that the actor may see; two queries however many there are."""
    seen = set(visible_to(FundCard.objects.filter(pk__in=[card.pk for card in cards]), actor).values_list("pk", flat=True))
    accounts = ledger.known(card_key(pk) for pk in seen)
    return {pk: _balance(accounts[card_key(pk)]) if card_key(pk) in accounts else NOTHING for pk in seen}


def _balance(account: ledger.Account) -> CardBalance:
    limit = limit_of(account)
    return CardBalance(limit, account.held_fen, account.posted_fen, None if limit is None else account.left_fen)
