"""From the end of a session to its charge in one step: the lab checks out, and whoever asked for the session says yes."""

from __future__ import annotations

from datetime import datetime

from booking.models import Reservation
from booking.services import transitions, usage_review
from config.kernel.access import Actor
from instruments.queries import actor_for


def check_out_agreed(lab: Actor, pk: int, at: datetime, note: str = "") -> None:
    """End the session and have both sides agree to what was measured."""
    transitions.check_out(lab, pk, at, note)
    assert usage_review.agree(customer_of(pk), pk, at)


def customer_of(pk: int) -> Actor:
    """Who asked for the reservation."""
    return actor_for(Reservation.objects.select_related("requested_by").get(pk=pk).requested_by)
