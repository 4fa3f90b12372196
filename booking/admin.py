"""Reservations and the use of instruments in the read-only admin."""

from booking.models import InstrumentPolicy, Occupancy, Reservation, ReservationTransition, TimeAlert, UsageSession
from config.kernel.admin import show

show(InstrumentPolicy, Occupancy, Reservation, ReservationTransition, TimeAlert, UsageSession)
