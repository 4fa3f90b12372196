"""The guards of the write path as text, so that a control can take them out, and fails when one is no longer there."""

from __future__ import annotations

from booking.services import context, reservations

LOCK = "FOR NO KEY UPDATE OF c"
LOOK = f"WHERE NOT EXISTS (SELECT FROM booking_occupancy WHERE {context.OVERLAPPING})"


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
