from booking.models.availability import CalendarAvailability, DayAvailability
from booking.models.change import ReservationChange
from booking.models.enquiry import Enquiry, EnquiryAttachment, EnquiryMessage, EnquirySeen, Need
from booking.models.feed_token import FeedKind, FeedToken
from booking.models.occupancy import Occupancy, OccupancySource
from booking.models.policy import InstrumentPolicy, PolicyLayer
from booking.models.rating import SessionRating
from booking.models.reservation import Reservation, ReservationTransition
from booking.models.subscription import CalendarSubscription, SubscribedEvent
from booking.models.time_alert import TimeAlert
from booking.models.usage_session import UsageSession

__all__ = [
    "CalendarAvailability",
    "CalendarSubscription",
    "DayAvailability",
    "Enquiry",
    "EnquiryAttachment",
    "EnquiryMessage",
    "EnquirySeen",
    "FeedKind",
    "FeedToken",
    "InstrumentPolicy",
    "Need",
    "Occupancy",
    "OccupancySource",
    "PolicyLayer",
    "Reservation",
    "ReservationChange",
    "ReservationTransition",
    "SessionRating",
    "SubscribedEvent",
    "TimeAlert",
    "UsageSession",
]
