"""The one place where a reservation's state is written: behind its calendar's lock, with history, audit and what it blocks."""

from __future__ import annotations

from datetime import datetime

from booking.access import sees_reservation
from booking.models import InstrumentPolicy, OccupancySource, Reservation
from booking.rules.changes import ChangeState
from booking.rules.leaving import Fault
from booking.rules.states import Action, ReservationState, blocks, next_state
from booking.services.context import policy_for
from booking.services.lean_rows import INSTRUMENT, PARTY, POLICY, RESERVATION, SITE, columns, row_of, with_policy
from config.kernel.access import Actor
from config.kernel.errors import Conflict, NotFound
from config.kernel.statements import planned_once
from instruments.models import Instrument, Organisation, Site

_LOCK = f"""
SELECT {columns("r", RESERVATION)}, {columns("i", INSTRUMENT)}, {columns("p", POLICY)}
FROM booking_reservation r
JOIN instruments_instrument i ON i.id = r.instrument_id
JOIN schedule_calendar c ON c.id = i.calendar_id
LEFT JOIN booking_instrumentpolicy p ON p.instrument_id = i.id
WHERE r.id = %s
FOR NO KEY UPDATE OF c, r
"""  # noqa: S608  (constants only; values are bound)
_AROUND = f"""
SELECT {columns("s", SITE)}, {columns("o", PARTY)}, {columns("u", PARTY)}
FROM instruments_site s, instruments_organisation o, instruments_organisation u
WHERE s.id = %s AND o.id = %s AND u.id = %s
"""  # noqa: S608  (constants only; values are bound)


def lock_row(reservation_id: int) -> Reservation:
    """The reservation behind its calendar's lock, re-read, with instrument, policy, site, owner and customer (``lean_rows``).

    In two statements: to plan a join of all seven tables takes longer than to run both. Who waited while it got another instrument finds
    no row by the old one, and looks again.
    """
    with planned_once() as cursor:
        cursor.execute(_LOCK, [reservation_id])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_LOCK, [reservation_id])
            found = cursor.fetchone()
        values = iter(found or ())
        row, instrument = row_of(Reservation, RESERVATION, values), row_of(Instrument, INSTRUMENT, values)
        if row is None or instrument is None:
            raise NotFound.of("access.not_found", model="reservation")
        policy = row_of(InstrumentPolicy, POLICY, values)
        cursor.execute(_AROUND, [instrument.site_id, instrument.organisation_id, row.organisation_id])
        around = iter(cursor.fetchone() or ())
    site, owner = row_of(Site, SITE, around), row_of(Organisation, PARTY, around)
    customer = row_of(Organisation, PARTY, around)
    if site is None or owner is None or customer is None:
        raise NotFound.of("access.not_found", model="reservation")
    row.instrument, row.organisation = with_policy(instrument, policy), customer
    instrument.site, instrument.organisation = site, owner
    return row


_SEEN = f"""
SELECT {columns("r", RESERVATION)}, {columns("i", INSTRUMENT)}
FROM booking_reservation r JOIN instruments_instrument i ON i.id = r.instrument_id WHERE r.id = %s
"""  # noqa: S608  (constants only; values are bound)


def seen_by(actor: Actor, reservation_id: int) -> Reservation:
    """The reservation with its instrument when the actor may see it, not locked: what is asked before the lock is waited for.

    Raises NotFound.
    """
    with planned_once() as cursor:
        cursor.execute(_SEEN, [reservation_id])
        values = iter(cursor.fetchone() or ())
    row, instrument = row_of(Reservation, RESERVATION, values), row_of(Instrument, INSTRUMENT, values)
    if row is None or instrument is None or not sees_reservation(actor, row.organisation_id, instrument.organisation_id):
        raise NotFound.of("access.not_found", model="reservation")
    row.instrument = instrument
    return row


_MOVE = f"""
WITH moved AS (
    UPDATE booking_reservation SET state = %(after)s WHERE id = %(id)s AND state = %(before)s RETURNING id
), history AS (
    INSERT INTO booking_reservationtransition (reservation_id, action, from_state, to_state, actor_id, at, reason, fault)
    SELECT id, %(action)s, %(before)s, %(after)s, %(actor)s, %(now)s, %(reason)s, %(fault)s FROM moved
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


def keeps_out(state: ReservationState, instrument: Instrument) -> bool:
    """Whether a reservation in that state keeps others out on the instrument, by its lab's rules of now."""
    return blocks(state, policy_for(instrument).request_blocks)


def move(
    reservation: Reservation, action: Action, actor: Actor, now: datetime, reason: str = "", fault: Fault | None = None
) -> None:
    """Change the state, with history, audit and what it blocks, in one round trip; act only when exactly one row moved. ``fault``: what
    the customer does wrong with it.

    A proposal to move that is still open has lapsed then, and the time that it kept is free.
    """
    before = ReservationState(reservation.state)
    after = next_state(before, action)
    values = {
        "id": reservation.pk,
        "before": before.value,
        "after": after.value,
        "action": action.value,
        "audit_action": f"reservation.{action.value}",
        "blocking": keeps_out(after, reservation.instrument),
        "actor": actor.user_id,
        "actor_name": actor.name[:200],
        "now": now,
        "reason": reason,
        "fault": fault.value if fault is not None else "",
    }
    with planned_once() as cursor:
        cursor.execute(_MOVE, values)
        (moved,) = cursor.fetchone()
    if moved != 1:
        raise Conflict.of("booking.changed_meanwhile")
    reservation.state = after
