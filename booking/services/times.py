"""The one writer of a reservation's time and place: its range, what it takes of which calendar, its session's booked time, and the chain
of changes.

Everything is part of the caller's transaction and gets a reservation from ``state_writing.lock_row``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg.types.range import TimestamptzRange

from booking.models import OccupancySource, Reservation, ReservationChange, UsageSession
from booking.ports import ExpectedFigures
from booking.rules.changes import ChangeState, Side
from booking.rules.states import ReservationState
from booking.services.state_writing import keeps_out
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange
from instruments.models import Instrument


def record(
    locked: Reservation,
    during: TimeRange,
    side: Side,
    state: ChangeState,
    actor: Actor,
    expected: ExpectedFigures,
    now: datetime,
    reason: str = "",
    instrument_id: int | None = None,
) -> ReservationChange:
    """Write a change from the time that is booked now: made, or open for the other side to answer. ``instrument_id``: another one."""
    return ReservationChange.objects.create(
        reservation=locked,
        side=side,
        state=state,
        from_starts_at=locked.starts_at,
        from_ends_at=locked.ends_at,
        starts_at=during.starts_at,
        ends_at=during.ends_at,
        from_instrument_id=locked.instrument_id if instrument_id else None,
        instrument_id=instrument_id,
        reason=reason,
        expected_payable_now_fen=expected.payable_now_fen,
        expected_final_cost_fen=expected.final_cost_fen,
        proposed_at=now,
        proposed_by_id=actor.user_id,
        answered_at=None if state is ChangeState.OPEN else now,
    )


def set_time(locked: Reservation, during: TimeRange, occupied: TimeRange, instrument: Instrument | None = None) -> None:
    """Give the reservation another time, which takes ``occupied`` of its calendar, or of that of another ``instrument``, whose lab's rule
    then says whether a request keeps others out; the constraint has the last word on that."""
    place: dict[str, Any] = {}
    if instrument is not None and instrument.pk != locked.instrument_id:
        place = {"calendar_id": instrument.calendar_id, "blocking": keeps_out(ReservationState(locked.state), instrument)}
        locked.instrument = instrument
    locked.starts_at, locked.ends_at = during.starts_at, during.ends_at
    locked.save(update_fields=["starts_at", "ends_at", *(["instrument"] if place else [])])
    locked.occupancies.filter(source=OccupancySource.RESERVATION).update(
        during=TimestamptzRange(occupied.starts_at, occupied.ends_at), **place
    )
    UsageSession.objects.filter(reservation=locked).update(booked_starts_at=during.starts_at, booked_ends_at=during.ends_at)


def leave_place(locked: Reservation) -> bool:
    """Let somebody else have its place while the caller moves both; whether it kept others out, for ``keep_place``."""
    own = locked.occupancies.filter(source=OccupancySource.RESERVATION)
    return own.filter(blocking=True).update(blocking=False) > 0


def keep_place(locked: Reservation, blocking: bool) -> None:
    """Where it lies now it keeps others out again, if it did; the constraint has the last word on that."""
    locked.occupancies.filter(source=OccupancySource.RESERVATION).update(blocking=blocking)
