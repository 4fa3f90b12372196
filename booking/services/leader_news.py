"""What a group's leader, the requester and the lab are told about spending, in the transaction of the change."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from booking.models import Reservation
from booking.services import notices
from config.kernel.services.silence import is_silent
from instruments.models import FundCard
from instruments.services.notices import News, person, settle, tell

ASKED = "reservation.leader_asked"


def asked(reservation: Reservation, card: FundCard, amount_fen: int, now: datetime) -> None:
    """The leader has something to answer; what was asked before about the same booking is not asked any more."""
    settled(reservation, now)
    if is_silent():
        return
    params = notices.params_of(reservation) | {
        "amount_fen": amount_fen,
        "card": card.number,
        "person": str(reservation.requested_by),
    }
    news = News(ASKED, params, reverse("leader_inbox"), reservation)
    tell(news, person(card.group.leader_id), now)


def settled(reservation: Reservation, now: datetime) -> None:
    """Nobody waits for the leader any more."""
    settle(reservation, (ASKED,), now)


def agreed(reservation: Reservation, now: datetime) -> None:
    """The requester hears it, and the lab has a request to answer now."""
    notices.defer(reservation, "leader_agreed", now)
    notices.defer(reservation, "requested", now)


def declined(reservation: Reservation, reason: str, now: datetime) -> None:
    """The requester hears it; the lab's inbox loses what it may have seen already."""
    notices.defer(reservation, "leader_declined", now, reason=reason)
