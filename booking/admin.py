"""Reservations and the use of instruments in the read-only admin."""

from booking.models import (
    CalendarSubscription,
    FeedToken,
    InstrumentPolicy,
    Occupancy,
    Reservation,
    ReservationTransition,
    SessionRating,
    SubscribedEvent,
    TimeAlert,
    UsageSession,
)
from config.kernel.admin import show

show(
    CalendarSubscription,
    FeedToken,
    InstrumentPolicy,
    Occupancy,
    Reservation,
    ReservationTransition,
    SessionRating,
    SubscribedEvent,
    TimeAlert,
    UsageSession,
)
