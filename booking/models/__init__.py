from booking.models.availability import CalendarAvailability, DayAvailability
from booking.models.occupancy import Occupancy, OccupancySource
from booking.models.policy import InstrumentPolicy
from booking.models.reservation import Reservation, ReservationTransition
from booking.models.time_alert import TimeAlert
from booking.models.usage_session import UsageSession

__all__ = [
    "CalendarAvailability",
    "DayAvailability",
    "InstrumentPolicy",
    "Occupancy",
    "OccupancySource",
    "Reservation",
    "ReservationTransition",
    "TimeAlert",
    "UsageSession",
]
