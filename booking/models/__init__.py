from booking.models.occupancy import Occupancy, OccupancySource
from booking.models.policy import InstrumentPolicy
from booking.models.rating import SessionRating
from booking.models.reservation import Reservation, ReservationTransition
from booking.models.usage_session import UsageSession

__all__ = [
    "InstrumentPolicy",
    "Occupancy",
    "OccupancySource",
    "Reservation",
    "ReservationTransition",
    "SessionRating",
    "UsageSession",
]
