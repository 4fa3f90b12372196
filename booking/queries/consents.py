"""Who may book in whose name, as pages and API read it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from booking.models import BookingConsent
from booking.services import consents
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, visible_to
from instruments.models import Membership

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


def colleagues_found(actor: Actor, text: str = "") -> QuerySet[Membership]:
    """With whom the actor may book for an organisation, each pair of organisation and person once, by the person's name; ``text`` is a part
    of the name or of the e-mail. In one query with person and organisation; the caller caps it."""
    rows = consents.colleagues(actor, actor.organisations(*BOOKING_ROLES))
    if text:
        rows = rows.filter(Q(user__full_name__icontains=text) | Q(user__email__icontains=text))
    place = ("user__full_name", "user_id", "organisation_id")
    return rows.select_related("user", "organisation").order_by(*place).distinct(*place)
