"""What every page of somebody who is logged in shows of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from booking.queries.reservations import requests_waiting
from config.kernel.access import Actor, Role


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """``unread``: notices, 100 at most; ``assists``: a lab named the person to assist in sessions; ``decides``: something waits for an
    administrator of an institution, who decides where a lab has no other manager (of managers, who always do, it is not asked)."""

    unread: int = 0
    assists: bool = False
    decides: bool = False


def with_deciding(actor: Actor, read: PersonFacts) -> PersonFacts:
    """What was read with the person, with ``decides``: one more query for administrators, none for all others."""
    heads = actor.has(Role.FIRM_ADMIN) and not actor.has(Role.LAB_MANAGER)
    return replace(read, decides=requests_waiting(actor).exists()) if heads else read
