"""What else than bills moves between two sides of a statement of account. ``billing.claims`` registers itself at start-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from billing.receipts.rules.content import Line

#: (owner, customer, until): every movement between the two before a moment, with when it was, the first first.
Moves = Callable[[int, int, datetime], Sequence[tuple[datetime, Line]]]
_moves: list[Moves] = []


def register_moves(moves: Moves) -> None:
    """The one who knows them; the last counts."""
    _moves[:] = [moves]


def moves(owner_id: int, customer_id: int, until: datetime) -> list[tuple[datetime, Line]]:
    """Those that are known."""
    return [each for known in _moves for each in known(owner_id, customer_id, until)]
