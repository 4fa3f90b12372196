"""The guards of the write path as text, so that a control can take them out, and fails when one is no longer there."""

from __future__ import annotations

from booking.services import context, reservations, state_writing

LOCK = "FOR NO KEY UPDATE OF c"
LOOK = f"AND NOT EXISTS (SELECT FROM booking_occupancy WHERE {context.OVERLAPPING})"


LOCK_OF_BOTH = "FOR NO KEY UPDATE OF c, r"
COMPARE = " AND r.state = a.before"


def _without(sql: str, guard: str) -> str:
    if guard not in sql:
        raise RuntimeError(f"the control takes out a guard that is not there: {guard}")
    return sql.replace(guard, "")


def unlocked_read() -> str:
    """The read of a new reservation without the lock on its calendar."""
    return _without(context._LOCK_FOR_CUSTOMER, LOCK)


def blind_write() -> str:
    """The write of a new reservation that does not look whether the time is free."""
    return _without(reservations._INSERT, LOOK)


def unlocked_reservation() -> str:
    """The read of a reservation before a step of its life, without the locks on its calendar and on itself."""
    return _without(state_writing._LOCK, LOCK_OF_BOTH)


def blind_move() -> str:
    """The step of a reservation's life that does not look whether the state is still the one that was read."""
    return _without(state_writing._MOVE, COMPARE)
