"""Reading a fund card to spend from it: kept as it is until the transaction ends."""

from __future__ import annotations

from datetime import datetime

from config.kernel.access import Actor
from config.kernel.errors import NotFound
from instruments.models import FundCard
from instruments.queries.spending import card_to_spend


def locked_card(card_id: int) -> FundCard:
    """The card with its group, both kept as they are until the transaction ends. Raises NotFound."""
    rows = FundCard.objects.select_related("group").select_for_update(of=("self", "group"), no_key=True)
    found = rows.filter(pk=card_id).first()
    if found is None:
        raise NotFound.of("access.not_found", model="fundcard")
    return found


def locked_to_spend(actor: Actor, card_id: int, now: datetime) -> FundCard:
    """As ``locked_card``, for a person who spends for its group today. Raises NotFound for every other card."""
    locked = locked_card(card_id)
    card_to_spend(actor, card_id, now)
    return locked
