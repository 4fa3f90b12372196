"""An equal instrument that is free, for a booking that cannot have its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from booking.queries.finding import FoundTime, find_earliest
from booking.rules.time_search import LONGEST_MINUTES, SHORTEST_MINUTES, TimeSearch
from booking.services.context import BookingContext
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange
from instruments.models import Organisation

WITHIN = timedelta(days=14)
"""So long from the booked day, or from the end of an outage, on another time is looked for."""
_OTHERS_LOOKED_AT = 4


def equal_instrument(
    actor: Actor,
    context: BookingContext,
    during: TimeRange,
    customer: Organisation | None,
    now: datetime,
    service_mode: str = "",
) -> FoundTime | None:
    """The earliest time of the same length on another instrument of the same class, from the day of ``during`` (UTC) on, for the customer:
    one of the same lab where there is one, which a booking itself can go to. The number of queries is the same however many there are."""
    minutes = during.seconds // 60
    first_on = context.local_day(max(during.starts_at, now))
    if not context.instrument.class_code or not SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES:
        return None
    search = TimeSearch(minutes, first_on, first_on + WITHIN, class_code=context.instrument.class_code, service_mode=service_mode)
    found = find_earliest(actor, search, now, _OTHERS_LOOKED_AT, customer=customer)
    return _preferred(context, found.rows)


def _preferred(context: BookingContext, rows: Sequence[FoundTime]) -> FoundTime | None:
    others = [one for one in rows if one.instrument.calendar_id != context.instrument.calendar_id]
    own = (one for one in others if one.instrument.organisation_id == context.instrument.organisation_id)
    return next(own, others[0] if others else None)
