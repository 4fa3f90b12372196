"""What the person and the organisation that book have with the lab already: read for ``booking.rules.standing``."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from booking.rules.quota import Booked
from booking.rules.standing import Asked, Standing, looks_at, reasons_against
from booking.rules.states import GIVEN_UP
from booking.services.context import BookingContext
from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange

_OTHERS = """
SELECT r.starts_at, r.ends_at, r.requested_by_id, r.organisation_id, r.instrument_id, i.class_code
  FROM booking_reservation r JOIN instruments_instrument i ON i.id = r.instrument_id
 WHERE i.organisation_id = %(owner)s AND (r.organisation_id = %(organisation)s OR r.requested_by_id = %(person)s)
   AND r.starts_at >= %(first)s AND r.starts_at < %(last)s AND r.state <> ALL(%(given_up)s) AND r.id <> %(without)s
"""
_ONE_AT_A_TIME = """
SELECT pg_advisory_xact_lock(hashtextextended(format('booked:%%s:organisation:%%s', %(owner)s, %(organisation)s), 0)),
       pg_advisory_xact_lock(hashtextextended(format('booked:%%s:person:%%s', %(owner)s, %(person)s), 0))
"""


def reasons(
    context: BookingContext,
    person_id: int | None,
    organisation_id: int,
    during: TimeRange,
    service_mode: str,
    now: datetime,
    *,
    lock: bool,
    without_id: int = 0,
) -> list[Reason]:
    """What the lab's rules about who asks have against ``during``, for a context of that customer alone.

    With ``lock`` nobody else books of this lab for the same organisation or person until the transaction ends, so that a quota holds;
    the calendar must be locked before. ``without_id`` is a reservation that is not counted, because it is the one that moves.
    """
    instrument = context.instrument
    booked = Booked(during, person_id, organisation_id, instrument.pk, instrument.class_code)
    asked = Asked(booked, context.audiences[0], service_mode, context.zone, now)
    span = looks_at(context.policy, asked)
    others = _others(instrument.organisation_id, asked, span, without_id, lock=lock) if span else []
    return reasons_against(context.policy, asked, Standing(others))


def _others(owner_id: int, asked: Asked, span: TimeRange, without_id: int, *, lock: bool) -> list[Booked]:
    values = {
        "owner": owner_id,
        "organisation": asked.booked.organisation_id,
        "person": asked.booked.person_id,
        "first": span.starts_at,
        "last": span.ends_at,
        "given_up": [state.value for state in GIVEN_UP],
        "without": without_id,
    }
    with connection.cursor() as cursor:
        if lock:
            cursor.execute(_ONE_AT_A_TIME, values)
        cursor.execute(_OTHERS, values)
        return [Booked(TimeRange(starts, ends), *who) for starts, ends, *who in cursor.fetchall()]
