"""Whether a customer's own money and limits suffice: before a booking is asked for, and when it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from config.kernel.errors import Reason

PREPAID = "prepaid"
LIMIT = "spending_limit"
_TOLD = {PREPAID: "prepaid.not_enough_left", LIMIT: "spending.over_limit"}


def lacking(kind: str, needed_fen: int, left_fen: int) -> Reason | None:
    """Why an account of this kind does not keep so much, None where it does."""
    return Reason(_TOLD[kind], {"needed_fen": needed_fen, "left_fen": left_fen}) if left_fen < needed_fen else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a customer and a person of it stand with several owners, as far as it is known before something is asked for. By owner:
    ``blocked``, why nothing new is booked there; ``prepaid_fen``, what is left of the prepaid money that it asks for. ``limits``: what is
    left to the person from its first to its last local day. What a project may spend is not known yet."""

    customer_id: int
    blocked: Mapping[int, tuple[Reason, ...]] = field(default_factory=dict)
    prepaid_fen: Mapping[int, int] = field(default_factory=dict)
    limits: tuple[tuple[date, date, int], ...] = ()

    def against(self, owner_id: int, on: date, amount_fen: int | None) -> tuple[Reason, ...]:
        """Why nothing that begins on that local day and takes so much (None: not known) is booked of an owner. Nobody is held to anything
        by its own organisation."""
        if owner_id == self.customer_id:
            return ()
        found = self.blocked.get(owner_id, ())
        if amount_fen is None:
            return found
        left = [(PREPAID, self.prepaid_fen[owner_id])] if owner_id in self.prepaid_fen else []
        left += [(LIMIT, fen) for first, last, fen in self.limits if first <= on <= last]
        return (*found, *(reason for kind, fen in left if (reason := lacking(kind, amount_fen, fen)) is not None))
