"""Whether a request counts at once although the lab approves requests, because it says so of such ones (``rules.auto_approval``)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg.types.range import TimestamptzRange

from booking import ports
from booking.licence_queries import may_work_alone
from booking.models import Reservation
from booking.rules.auto_approval import AutoApproval, Trusted, Wanted
from booking.rules.states import GIVEN_UP, ReservationState
from booking.services import standing
from booking.services.context import BookingContext
from config.kernel.errors import Reason
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import local_day

_KNOWN = """
SELECT coalesce((SELECT sum(extract(epoch FROM r.ends_at - r.starts_at))::bigint / 60
                   FROM booking_reservation r JOIN instruments_instrument i ON i.id = r.instrument_id
                  WHERE r.requested_by_id = %(person)s AND i.organisation_id = %(owner)s AND r.id <> %(own)s
                    AND r.starts_at >= %(monday)s AND r.starts_at < %(next_monday)s AND r.state <> ALL(%(given_up)s)), 0),
       EXISTS (SELECT FROM booking_reservation r JOIN instruments_instrument i ON i.id = r.instrument_id
                WHERE r.requested_by_id = %(person)s AND i.organisation_id = %(owner)s AND r.state = %(agreed)s),
       EXISTS (SELECT FROM booking_occupancy o JOIN booking_reservation r ON r.id = o.reservation_id
                WHERE o.calendar_id = %(calendar)s AND o.during && %(occupied)s::tstzrange AND o.source = 'reservation'
                  AND r.state = %(requested)s AND r.id <> %(own)s)
"""


def lets(reservation: Reservation, context: BookingContext, now: datetime) -> bool:
    """Whether this request, just written behind its calendar's lock, counts at once; part of the caller's transaction.

    A lab looks at series, and at several instruments that are asked for together, itself. Where a week is counted nobody else books of
    the lab for the same person until the transaction ends.
    """
    rule = context.policy.auto_approval
    together = reservation.series_id is not None or reservation.group_id is not None
    if rule is None or rule.who is Trusted.NOBODY or together:
        return False
    if rule.week_minutes is not None:
        owner_id = context.instrument.organisation_id
        standing.one_at_a_time(owner_id, reservation.organisation_id, reservation.requested_by_id)
    fen = ports.money().payable_now_fen(reservation) if rule.most_fen is not None else None
    return rule.lets(_wanted(rule, context, reservation.requested_by_id, reservation.during, fen, reservation.pk))


def would_let(context: BookingContext, person_id: int | None, during: TimeRange, payable_now_fen: int | None) -> bool:
    """As ``lets`` for a time that is only looked at, at the price that is shown."""
    return person_id is not None and not looked_at_for(context, person_id, during, payable_now_fen)


def looked_at_for(context: BookingContext, person_id: int, during: TimeRange, payable_now_fen: int | None) -> list[Reason]:
    """Everything for which the lab would look at such a request itself; nothing: it would count at once."""
    rule = context.policy.auto_approval
    if rule is None or rule.who is Trusted.NOBODY:
        return [Reason("at_once.nobody")]
    return rule.against(_wanted(rule, context, person_id, during, payable_now_fen))


def _wanted(
    rule: AutoApproval, context: BookingContext, person_id: int | None, during: TimeRange, fen: int | None, own_id: int = 0
) -> Wanted:
    day = context.local_day(during.starts_at)
    monday = day - timedelta(days=day.weekday())
    occupied = context.policy.occupied(during)
    values: dict[str, Any] = {
        "person": person_id,
        "owner": context.instrument.organisation_id,
        "own": own_id,
        "monday": local_day(monday, context.zone).starts_at,
        "next_monday": local_day(monday + timedelta(days=7), context.zone).starts_at,
        "given_up": [state.value for state in GIVEN_UP],
        "agreed": ReservationState.AGREED.value,
        "requested": ReservationState.REQUESTED.value,
        "calendar": context.instrument.calendar_id,
        "occupied": TimestamptzRange(occupied.starts_at, occupied.ends_at),
    }
    with planned_once() as cursor:
        cursor.execute(_KNOWN, values)
        minutes, proven, has_rival = cursor.fetchone()
    own = during.seconds // 60
    alone = rule.who is Trusted.LICENSED and person_id is not None
    licensed = alone and may_work_alone(person_id or 0, context.instrument.pk, during.starts_at)
    return Wanted(own, fen, int(minutes) + own, licensed, proven, has_rival)
