"""A booking that nobody asked for here, written down by its lab: stored, approved, and, when it is over, its use.

Everything is part of the caller's transaction, behind the calendar's lock.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg.types.range import TimestamptzRange

from booking import ports
from booking.models import Means, Occupancy, OccupancySource, Reservation, ReservationTransition, UsageSession
from booking.rules.states import Action, ReservationState
from booking.services import sessions
from booking.services.state_writing import lock_row, move
from config.kernel.access import Actor
from config.kernel.errors import Conflict
from config.kernel.services import audit


def store(actor: Actor, reservation: Reservation, audited_as: str, reason: str, now: datetime, **more: Any) -> None:
    """Store a reservation that is not stored yet; it takes its time, which was cleared of holds. ``more`` is kept in the audit trail.

    Raises the exclusion constraint's IntegrityError.
    """
    reservation.save(force_insert=True)
    Occupancy.objects.create(
        calendar_id=reservation.instrument.calendar_id,
        during=TimestamptzRange(reservation.starts_at, reservation.ends_at),
        blocking=True,
        source=OccupancySource.RESERVATION,
        reservation=reservation,
    )
    ReservationTransition.objects.create(
        reservation=reservation,
        action="request",
        to_state=ReservationState.REQUESTED,
        actor_id=actor.user_id,
        at=now,
        reason=reason,
    )
    said = {"state": "requested", "starts_at": reservation.starts_at.isoformat(), "ends_at": reservation.ends_at.isoformat()}
    audit.record(actor, audited_as, reservation, now, after=said | more, reason=reason)


def approve(actor: Actor, reservation_id: int, reason: str, now: datetime, *, charged: bool = True) -> Reservation:
    """Approve what was stored, with its price and its money; the locked row. What is not ``charged`` keeps nobody's subsidy. Raises
    Conflict ``booking.figures_changed``."""
    locked = lock_row(reservation_id)
    ports.money().on_request(locked, actor, ports.NOTHING_EXPECTED, now, charged=charged)
    if ports.money().on_approve(locked, actor, now) is not None:
        raise Conflict.of("booking.figures_changed")
    move(locked, Action.APPROVE, actor, now, reason)
    return locked


def write_use(
    actor: Actor, locked: Reservation, evidence: str, note: str, now: datetime, *, charged: bool = True
) -> UsageSession:
    """It was used as it was booked; both sides' yeses decide what is charged by the price of the day, unless nothing is to be."""
    sessions.start(locked, actor, now, sessions.Beginning(locked.starts_at, Means.AFTERWARDS))
    session = sessions.finish(locked, actor, now, sessions.Ending(locked.ends_at, Means.AFTERWARDS, note))
    session.late_entered, session.evidence = True, evidence
    if not charged:
        sessions.charge_for(session, None, sessions.NOT_CHARGED)
    session.save()
    return session
