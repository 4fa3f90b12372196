"""Which side of a reservation somebody speaks for: the customer's, the lab's, or both (a lab that uses its own instrument)."""

from __future__ import annotations

from dataclasses import dataclass

from booking.models import Reservation
from config.kernel.access import Actor, Role

CUSTOMER_ROLES = (Role.RESEARCHER, Role.FIRM_ADMIN)


@dataclass(frozen=True, slots=True)
class Sides:
    customer: bool
    lab: bool


def sides_of(reservation: Reservation, actor: Actor) -> Sides:
    """``reservation`` comes with its instrument. Whoever asked for it or works for the customer organisation is its customer."""
    return Sides(
        customer=reservation.is_of(actor.user_id) or reservation.organisation_id in actor.organisations(*CUSTOMER_ROLES),
        lab=reservation.instrument.organisation_id in actor.organisations(Role.LAB_MANAGER),
    )


def require_lab(reservation: Reservation, actor: Actor) -> None:
    """Raises Forbidden unless the actor manages the instrument."""
    actor.require_in(reservation.instrument.organisation_id, Role.LAB_MANAGER)
