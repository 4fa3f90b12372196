"""What every page of somebody who is logged in shows of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from booking.queries.reservations import requests_waiting
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, Role


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """``unread``: notices, 100 at most; ``assists``: a lab named the person to assist in sessions; ``decides``: something waits for an
    administrator of an institution, who decides where a lab has no other manager (of managers, who always do, it is not asked);
    ``booked``: something was booked by them once; ``books``: they may book, or find what they booked."""

    unread: int = 0
    assists: bool = False
    booked: bool = False
    decides: bool = False
    books: bool = False


def for_actor(actor: Actor, read: PersonFacts) -> PersonFacts:
    """What was read with the person, with what their roles say: for ``decides`` one more query for administrators, none for all others."""
    heads = actor.has(Role.FIRM_ADMIN) and not actor.has(Role.LAB_MANAGER)
    decides = heads and requests_waiting(actor).exists()
    return replace(read, decides=decides, books=actor.has(*BOOKING_ROLES) or (read.booked and bool(actor.grants)))
