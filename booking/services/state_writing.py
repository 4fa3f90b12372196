"""The one place where a reservation's state is written: behind its calendar's lock, with history, audit and what it blocks."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import prefetch_related_objects

from booking.models import OccupancySource, Reservation
from booking.rules.changes import ChangeState
from booking.rules.states import Action, ReservationState, blocks, next_state
from booking.services.context import policy_for
from config.kernel.access import Actor
from config.kernel.errors import Conflict, NotFound


def lock_row(reservation_id: int) -> Reservation:
    """The reservation behind its calendar's lock, re-read.

    In three statements: to plan a join of all seven tables takes longer than to run all three.
    """
    row = (
        Reservation.objects.select_related("instrument__calendar", "instrument__policy", "organisation")
        .select_for_update(of=("instrument__calendar", "self"), no_key=True)
        .filter(pk=reservation_id)
        .first()
    )
    if row is None:
        raise NotFound.of("access.not_found", model="reservation")
    prefetch_related_objects([row], "instrument__site", "instrument__organisation")
    return row


_MOVE = f"""
WITH moved AS (
    UPDATE booking_reservation SET state = %(after)s WHERE id = %(id)s AND state = %(before)s RETURNING id
), history AS (
    INSERT INTO booking_reservationtransition (reservation_id, action, from_state, to_state, actor_id, at, reason)
    SELECT id, %(action)s, %(before)s, %(after)s, %(actor)s, %(now)s, %(reason)s FROM moved
), blocked AS (
    UPDATE booking_occupancy SET blocking = %(blocking)s
    WHERE reservation_id IN (SELECT id FROM moved) AND source = '{OccupancySource.RESERVATION}' AND blocking <> %(blocking)s
), lapsed AS (
    UPDATE booking_reservationchange SET state = '{ChangeState.LAPSED}', answered_at = %(now)s
    WHERE reservation_id IN (SELECT id FROM moved) AND state = '{ChangeState.OPEN}'
), freed AS (
    DELETE FROM booking_occupancy WHERE reservation_id IN (SELECT id FROM moved) AND source = '{OccupancySource.CHANGE}'
), audit AS (
    INSERT INTO kernel_auditentry (at, actor_id, actor_name, action, object_type, object_id, before, after, reason)
    SELECT %(now)s, %(actor)s, %(actor_name)s, %(audit_action)s, 'booking.reservation', id::text,
           jsonb_build_object('state', %(before)s::text), jsonb_build_object('state', %(after)s::text), %(reason)s FROM moved
)
SELECT count(*) FROM moved
"""  # noqa: S608  (constants only; values are bound)


def move(reservation: Reservation, action: Action, actor: Actor, now: datetime, reason: str = "") -> None:
    """Change the state, with history, audit and what it blocks, in one round trip; act only when exactly one row moved.

    A proposal to move that is still open has lapsed then, and the time that it kept is free.
    """
    before = ReservationState(reservation.state)
    after = next_state(before, action)
    pending_blocks = policy_for(reservation.instrument).pending_blocks
    values = {
        "id": reservation.pk,
        "before": before.value,
        "after": after.value,
        "action": action.value,
        "audit_action": f"reservation.{action.value}",
        "blocking": blocks(after, pending_blocks),
        "actor": actor.user_id,
        "actor_name": actor.name[:200],
        "now": now,
        "reason": reason,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, values)
        (moved,) = cursor.fetchone()
    if moved != 1:
        raise Conflict.of("booking.changed_meanwhile")
    reservation.state = after
