"""Reading a fund card to spend from it: kept as it is until the transaction ends."""

from __future__ import annotations

from datetime import datetime

from config.kernel.access import Actor
from config.kernel.errors import NotFound
from instruments.models import FundCard
from instruments.queries.spending import spent_by, today


def locked_card(card_id: int) -> FundCard:
    """The card with its group, both kept as they are until the transaction ends. Raises NotFound."""
    rows = FundCard.objects.select_related("group").select_for_update(of=("self", "group"), no_key=True)
    found = rows.filter(pk=card_id).first()
    if found is None:
        raise NotFound.of("access.not_found", model="fundcard")
    return found


def locked_to_spend(actor: Actor, card_id: int, now: datetime) -> FundCard:
    """As ``locked_card``, for a person who spends for its group today. Raises NotFound for every other card."""
    card = locked_card(card_id)
    spent = card.organisation_id in actor.organisations() and spent_by(actor.person_id, today(now)).filter(pk=card_id).exists()
    if not spent:
        raise NotFound.of("access.not_found", model="fundcard")
    return card
