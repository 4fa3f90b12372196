"""What a reservation's page says about its fund card, to those who may see the card, and about the leader's yes, to both sides."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from billing.settlement import slip_queries
from booking.models import Reservation
from booking.queries.spending import approval_of
from booking.rules.spending import LeaderState
from booking.rules.states import ReservationState
from config.kernel.access import Actor
from instruments.queries import spending
from instruments.rules.spending import days_of

_BEFORE_USE = frozenset({ReservationState.REQUESTED, ReservationState.APPROVED})

#: What may have cost something.
_CHARGED = frozenset({ReservationState.AGREED, ReservationState.CANCELLED, ReservationState.NO_SHOW})


def card_context(actor: Actor, reservation: Reservation, now: datetime) -> dict[str, Any]:
    """``card`` where the actor may see it, ``leader_approval`` and whether it is waited for, other cards to choose, the slips."""
    slips = slip_queries.slips_of(actor, reservation.pk) if reservation.state in _CHARGED else []
    paying = reservation.fund_card
    if paying is None:
        return {"awaits_leader": False, "slips": slips}
    asked = approval_of(actor, reservation)
    waits = asked is not None and asked.state == LeaderState.WAITING and reservation.state == ReservationState.REQUESTED
    return {
        "card": spending.cards_visible(actor).filter(pk=paying.pk).first(),
        "leader_approval": asked,
        "awaits_leader": waits,
        "leader_is_reader": asked is not None and paying.group.leader_id == actor.user_id,
        "other_cards": _other_cards(actor, reservation, now),
        "slips": slips,
    }


def _other_cards(actor: Actor, reservation: Reservation, now: datetime) -> list[Any]:
    if reservation.requested_by_id != actor.user_id or reservation.state not in _BEFORE_USE:
        return []
    first, last = days_of(reservation.during, ZoneInfo(reservation.instrument.site.time_zone))
    cards = spending.cards_to_choose(actor, reservation.organisation_id, now, first, last)
    return [card for card in cards if card.pk != reservation.fund_card_id]
