"""Whether a request counts at once although the lab approves requests, because it says so of such ones (``rules.auto_approval``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.range import TimestamptzRange

from booking import ports
from booking.licence_queries import levels_held_each
from booking.models import Reservation
from booking.rules.auto_approval import Trusted, Wanted
from booking.rules.states import GIVEN_UP, ReservationState
from booking.rules.training import Level
from booking.services import standing
from booking.services.assisting import week_of
from booking.services.context import BookingContext, of_reservation
from config.kernel.errors import Reason
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange

_KNOWN = """
SELECT coalesce((SELECT sum(extract(epoch FROM r.ends_at - r.starts_at))::bigint / 60
                   FROM booking_reservation r JOIN instruments_instrument i ON i.id = r.instrument_id
                  WHERE r.requested_by_id = %(person)s AND i.organisation_id = w.owner_id AND r.id <> %(own)s
                    AND r.starts_at >= lower(w.week) AND r.starts_at < upper(w.week) AND r.state <> ALL(%(given_up)s)), 0),
       EXISTS (SELECT FROM booking_reservation r JOIN instruments_instrument i ON i.id = r.instrument_id
                WHERE r.requested_by_id = %(person)s AND i.organisation_id = w.owner_id AND r.state = %(agreed)s),
       EXISTS (SELECT FROM booking_occupancy o JOIN booking_reservation r ON r.id = o.reservation_id
                WHERE o.calendar_id = w.calendar_id AND o.during && w.occupied AND o.source = 'reservation'
                  AND r.state = %(requested)s AND r.id <> %(own)s)
  FROM unnest(%(owners)s::bigint[], %(calendars)s::bigint[], %(weeks)s::tstzrange[], %(occupied)s::tstzrange[])
       WITH ORDINALITY AS w (owner_id, calendar_id, week, occupied, place) ORDER BY w.place
"""


@dataclass(frozen=True, slots=True)
class Look:
    """A request of ``during``; ``payable_now_fen`` at the price that is known (None: there is no price)."""

    context: BookingContext
    during: TimeRange
    payable_now_fen: int | None


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
    (wanted,) = _wanted([Look(context, reservation.during, fen)], reservation.requested_by_id, reservation.pk)
    return rule.lets(wanted)


def has_rival(reservation: Reservation) -> bool:
    """Whether somebody else's request waits for its time."""
    (wanted,) = _wanted(
        [Look(of_reservation(reservation), reservation.during, None)], reservation.requested_by_id, reservation.pk
    )
    return wanted.has_rival


def would_let(context: BookingContext, person_id: int | None, during: TimeRange, payable_now_fen: int | None) -> bool:
    """As ``lets`` for a time that is only looked at, at the price that is shown."""
    return person_id is not None and not looked_at_for(context, person_id, during, payable_now_fen)


def looked_at_for(context: BookingContext, person_id: int, during: TimeRange, payable_now_fen: int | None) -> list[Reason]:
    """Everything for which the lab would look at such a request itself; nothing: it would count at once."""
    rule = context.policy.auto_approval
    if rule is None or rule.who is Trusted.NOBODY:
        return [Reason("at_once.nobody")]
    (wanted,) = _wanted([Look(context, during, payable_now_fen)], person_id)
    return rule.against(wanted)


def would_let_many(looks: Sequence[Look], person_id: int) -> list[bool]:
    """As ``would_let`` for each of many times as if it alone were asked for: two statements at most, none where no lab lets anything."""
    rules = {place: rule for place, one in enumerate(looks) if (rule := one.context.policy.auto_approval) is not None}
    may = [place for place, rule in rules.items() if rule.who is not Trusted.NOBODY]
    wanted = dict(zip(may, _wanted([looks[place] for place in may], person_id), strict=True))
    return [place in wanted and rules[place].lets(wanted[place]) for place in range(len(looks))]


def _wanted(looks: Sequence[Look], person_id: int | None, own_id: int = 0) -> list[Wanted]:
    """What is known about each request but for the reservation ``own_id``: two statements at most."""
    if not looks:
        return []
    occupied = [one.context.policy.occupied(one.during) for one in looks]
    values: dict[str, Any] = {
        "person": person_id,
        "own": own_id,
        "given_up": [state.value for state in GIVEN_UP],
        "agreed": ReservationState.AGREED.value,
        "requested": ReservationState.REQUESTED.value,
        "owners": [one.context.instrument.organisation_id for one in looks],
        "calendars": [one.context.instrument.calendar_id for one in looks],
        "weeks": [_range(week_of(one.during.starts_at, one.context.zone)) for one in looks],
        "occupied": [_range(each) for each in occupied],
    }
    with planned_once() as cursor:
        cursor.execute(_KNOWN, values)
        rows = cursor.fetchall()
    alone = _alone(looks, person_id)
    found = []
    for place, (one, (minutes, proven, has_rival)) in enumerate(zip(looks, rows, strict=True)):
        own = one.during.seconds // 60
        audience = one.context.audiences[0] if len(one.context.audiences) == 1 else ""
        found.append(Wanted(own, one.payable_now_fen, int(minutes) + own, place in alone, proven, has_rival, audience))
    return found


def _alone(looks: Sequence[Look], person_id: int | None) -> set[int]:
    """The places of those of the times at which the person may work alone, where the lab wants to know."""
    rules = [one.context.policy.auto_approval for one in looks]
    asked = [place for place, rule in enumerate(rules) if rule is not None and rule.who is Trusted.LICENSED]
    if person_id is None:
        return set()
    held = levels_held_each(person_id, [(looks[place].context.instrument.pk, looks[place].during.starts_at) for place in asked])
    return {place for place, levels in zip(asked, held, strict=True) if Level.SELF in levels}


def _range(one: TimeRange) -> TimestamptzRange:
    return TimestamptzRange(one.starts_at, one.ends_at)
