"""Who may book in whose name, as pages and API read it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from booking.models import BookingConsent
from booking.services import consents
from config.kernel.access import Actor, visible_to

MOST = 200
"""How many names a booking form offers."""


def mine(actor: Actor, now: datetime) -> QuerySet[BookingConsent]:
    """Those that hold today and that the actor gave or was given, by the other's name."""
    rows = visible_to(consents.open_ones(now), actor).select_related("giver", "taker", "organisation")
    return rows.order_by("giver__full_name", "taker__full_name", "pk")


def given(actor: Actor, now: datetime) -> QuerySet[BookingConsent]:
    """Who may book in the actor's name today."""
    return mine(actor, now).filter(giver_id=actor.user_id)


def taken(actor: Actor, now: datetime) -> QuerySet[BookingConsent]:
    """In whose name the actor may book today."""
    return mine(actor, now).filter(taker_id=actor.user_id)


def bookable_people(actor: Actor, organisation_id: int, now: datetime) -> list[BookingConsent]:
    """In whose name the actor may book for an organisation, by name; usually nobody: one query."""
    if actor.user_id is None:
        return []
    return list(taken(actor, now).filter(organisation_id=organisation_id)[:MOST])
