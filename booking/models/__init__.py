from booking.models.availability import CalendarAvailability, DayAvailability
from booking.models.change import ReservationChange
from booking.models.credit import AccessListEntry, CreditAppeal, CreditEvent, CreditRules
from booking.models.feed_token import FeedKind, FeedToken
from booking.models.occupancy import Occupancy, OccupancySource
from booking.models.policy import InstrumentPolicy, PolicyLayer
from booking.models.rating import SessionRating
from booking.models.reservation import Reservation, ReservationTransition
from booking.models.subscription import CalendarSubscription, SubscribedEvent
from booking.models.time_alert import TimeAlert
from booking.models.training import (
    CourseScope,
    CourseSession,
    Enrolment,
    Licence,
    LicenceGap,
    RecognitionRequest,
    TrainingCourse,
)
from booking.models.usage_session import UsageSession

__all__ = [
    "AccessListEntry",
    "CalendarAvailability",
    "CalendarSubscription",
    "CourseScope",
    "CourseSession",
    "CreditAppeal",
    "CreditEvent",
    "CreditRules",
    "DayAvailability",
    "Enrolment",
    "FeedKind",
    "FeedToken",
    "InstrumentPolicy",
    "Licence",
    "LicenceGap",
    "Occupancy",
    "OccupancySource",
    "PolicyLayer",
    "RecognitionRequest",
    "Reservation",
    "ReservationChange",
    "ReservationTransition",
    "SessionRating",
    "SubscribedEvent",
    "TimeAlert",
    "TrainingCourse",
    "UsageSession",
]
