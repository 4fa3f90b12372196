"""The one place where a reservation's state is written: behind its calendar's lock, with history, audit and what it blocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

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

_LOCK_ANY = f"""
SELECT {columns("r", RESERVATION)}, {columns("i", INSTRUMENT)}, {columns("p", POLICY)}
FROM booking_reservation r
JOIN instruments_instrument i ON i.id = r.instrument_id
JOIN schedule_calendar c ON c.id = i.calendar_id
LEFT JOIN booking_instrumentpolicy p ON p.instrument_id = i.id
"""  # noqa: S608  (constants only; values are bound)
_LOCK = f"{_LOCK_ANY} WHERE r.id = %s FOR NO KEY UPDATE OF c, r"
_LOCK_MANY = f"{_LOCK_ANY} WHERE r.id = ANY(%s::bigint[]) ORDER BY c.id, r.id FOR NO KEY UPDATE OF c, r"
_AROUND = f"""
SELECT {columns("s", SITE)}, {columns("o", PARTY)}, {columns("u", PARTY)}
FROM instruments_site s, instruments_organisation o, instruments_organisation u
WHERE s.id = %s AND o.id = %s AND u.id = %s
"""  # noqa: S608  (constants only; values are bound)
_SITES = f"SELECT {columns('s', SITE)} FROM instruments_site s WHERE s.id = ANY(%s::bigint[])"  # noqa: S608  (as above)
_PARTIES = f"SELECT {columns('o', PARTY)} FROM instruments_organisation o WHERE o.id = ANY(%s::bigint[])"  # noqa: S608  (as above)


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


def lock_rows(reservation_ids: Sequence[int]) -> list[Reservation]:
    """``lock_row`` for many, in three statements and in the order of their calendars; rows of the same instrument share it. One that is
    gone, or that got another instrument meanwhile, is left out."""
    instruments: dict[int, Instrument] = {}
    found = []
    with planned_once() as cursor:
        cursor.execute(_LOCK_MANY, [list(reservation_ids)])
        for fetched in cursor.fetchall():
            values = iter(fetched)
            row, instrument = row_of(Reservation, RESERVATION, values), row_of(Instrument, INSTRUMENT, values)
            policy = row_of(InstrumentPolicy, POLICY, values)
            if row is not None and instrument is not None:
                row.instrument = instruments.setdefault(instrument.pk, with_policy(instrument, policy))
                found.append(row)
        cursor.execute(_SITES, [sorted({one.site_id for one in instruments.values()})])
        sites = {site.pk: site for values in cursor.fetchall() if (site := row_of(Site, SITE, iter(values)))}
        wanted = {row.organisation_id for row in found} | {one.organisation_id for one in instruments.values()}
        cursor.execute(_PARTIES, [sorted(wanted)])
        parties = {one.pk: one for values in cursor.fetchall() if (one := row_of(Organisation, PARTY, iter(values)))}
    for instrument in instruments.values():
        instrument.site, instrument.organisation = sites[instrument.site_id], parties[instrument.organisation_id]
    for row in found:
        row.organisation = parties[row.organisation_id]
    return found


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
WITH asked AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(befores)s::text[], %(afters)s::text[], %(blockings)s::bool[])
           AS a (id, before, after, blocking)
), moved AS (
    UPDATE booking_reservation r SET state = a.after FROM asked a WHERE r.id = a.id AND r.state = a.before
    RETURNING r.id, a.before, a.after, a.blocking
), history AS (
    INSERT INTO booking_reservationtransition (reservation_id, action, from_state, to_state, actor_id, at, reason, fault)
    SELECT id, %(action)s, before, after, %(actor)s, %(now)s, %(reason)s, %(fault)s FROM moved
), blocked AS (
    UPDATE booking_occupancy o SET blocking = m.blocking FROM moved m
    WHERE o.reservation_id = m.id AND o.source = '{OccupancySource.RESERVATION}' AND o.blocking <> m.blocking
), lapsed AS (
    UPDATE booking_reservationchange SET state = '{ChangeState.LAPSED}', answered_at = %(now)s
    WHERE reservation_id IN (SELECT id FROM moved) AND state = '{ChangeState.OPEN}'
), freed AS (
    DELETE FROM booking_occupancy WHERE reservation_id IN (SELECT id FROM moved) AND source = '{OccupancySource.CHANGE}'
), audit AS (
    INSERT INTO kernel_auditentry (at, actor_id, actor_name, action, object_type, object_id, before, after, reason)
    SELECT %(now)s, %(actor)s, %(actor_name)s, %(audit_action)s, 'booking.reservation', id::text,
           jsonb_build_object('state', before), jsonb_build_object('state', after), %(reason)s FROM moved
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
    move_many([reservation], action, actor, now, reason, fault)


def move_many(
    reservations: Sequence[Reservation],
    action: Action,
    actor: Actor,
    now: datetime,
    reason: str = "",
    fault: Fault | None = None,
) -> None:
    """``move`` each of them, in one round trip: all or none. Raises Conflict ``booking.changed_meanwhile``."""
    befores = [ReservationState(each.state) for each in reservations]
    afters = [next_state(before, action) for before in befores]
    values: dict[str, Any] = {
        "ids": [each.pk for each in reservations],
        "befores": [before.value for before in befores],
        "afters": [after.value for after in afters],
        "blockings": [keeps_out(after, each.instrument) for each, after in zip(reservations, afters, strict=True)],
        "action": action.value,
        "audit_action": f"reservation.{action.value}",
        "actor": actor.user_id,
        "actor_name": actor.name[:200],
        "now": now,
        "reason": reason,
        "fault": fault.value if fault is not None else "",
    }
    with planned_once() as cursor:
        cursor.execute(_MOVE, values)
        (moved,) = cursor.fetchone()
    if moved != len(reservations):
        raise Conflict.of("booking.changed_meanwhile")
    for each, after in zip(reservations, afters, strict=True):
        each.state = after
