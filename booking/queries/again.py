"""Booking the same once more: the times that suit, the usual hour first."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking.models import Reservation
from booking.rules.again import usual_times
from booking.rules.slots import first_fit
from booking.services import context as booking_context
from booking.services.many_times import Look
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange

SUGGESTED = 3
_SOON = timedelta(days=28)


def next_times(actor: Actor, reservation: Reservation, now: datetime, count: int = SUGGESTED) -> list[TimeRange]:
    """Up to ``count`` times in which the reservation could be booked once more: on its weekday at its hour, and the earliest.

    Each was looked at with the rules for the actor and the reservation's customer; a usual time comes first where there is one.
    """
    context = booking_context.load(actor, reservation.instrument_id, lock=False, customer_id=reservation.organisation_id)
    zone, customer = context.zone, reservation.organisation
    window = TimeRange(now, now + _SOON)
    busy = booking_context.busy_ranges(context.instrument.calendar_id, window.widened(timedelta(1), timedelta(1)))
    free = booking_context.free_times(context.for_customer(customer), window, busy, now, reservation.service_mode)
    earliest = first_fit(reservation.during.duration, free, context.policy, zone, now, window)
    wanted = [*usual_times(reservation.during, zone, now), *([earliest] if earliest else [])]
    if not wanted:
        return []
    look = Look(context, actor.user_id, customer, wanted, reservation.service_mode, now)
    usual = [during for during in wanted if look.at(during).is_free]
    return list(dict.fromkeys([*usual[:1], *([earliest] if earliest in usual else []), *usual[1:]]))[:count]
