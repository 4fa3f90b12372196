from booking.models.assistant import Assistant, InstrumentAssistant
from booking.models.availability import CalendarAvailability, DayAvailability
from booking.models.busy_change import BusyChange
from booking.models.change import ReservationChange
from booking.models.check_in_point import CheckInPoint
from booking.models.close_out import GRADES, CloseOut
from booking.models.consent import BookingConsent
from booking.models.credit import AccessListEntry, CreditAppeal, CreditEvent, CreditRules
from booking.models.deciding import Delegation, Escalation, RejectReason, RequestDecision, SuggestedTime
from booking.models.device import DeviceEvent, DeviceKey, DeviceRun, RunState
from booking.models.downtime import Downtime, DowntimeEffect
from booking.models.enquiry import Enquiry, EnquiryAttachment, EnquiryMessage, EnquirySeen, Need
from booking.models.feed_token import FeedKind, FeedToken
from booking.models.imported import ImportedBooking
from booking.models.leader_approval import LeaderApproval
from booking.models.maintenance_plan import MaintenancePlan
from booking.models.occupancy import Occupancy, OccupancySource
from booking.models.policy import InstrumentPolicy, PolicyLayer
from booking.models.rating import SessionRating
from booking.models.reservation import Reservation, ReservationTransition
from booking.models.sample_job import Sample, SampleDay, SampleExtra, SampleJob, SampleParcel, SampleReport, SampleStepTaken
from booking.models.series import ReservationGroup, ReservationSeries
from booking.models.session_fault import SessionFault
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
from booking.models.usage_review import Answer, Decision, UsageAdjustment, UsageDispute
from booking.models.usage_session import AgreedHow, Means, UsageSession
from booking.models.waiting import WaitEntry

__all__ = [
    "GRADES",
    "AccessListEntry",
    "AgreedHow",
    "Answer",
    "Assistant",
    "BookingConsent",
    "BusyChange",
    "CalendarAvailability",
    "CalendarSubscription",
    "CheckInPoint",
    "CloseOut",
    "CourseScope",
    "CourseSession",
    "CreditAppeal",
    "CreditEvent",
    "CreditRules",
    "DayAvailability",
    "Decision",
    "Delegation",
    "DeviceEvent",
    "DeviceKey",
    "DeviceRun",
    "Downtime",
    "DowntimeEffect",
    "Enquiry",
    "EnquiryAttachment",
    "EnquiryMessage",
    "EnquirySeen",
    "Enrolment",
    "Escalation",
    "FeedKind",
    "FeedToken",
    "ImportedBooking",
    "InstrumentAssistant",
    "InstrumentPolicy",
    "LeaderApproval",
    "Licence",
    "LicenceGap",
    "MaintenancePlan",
    "Means",
    "Need",
    "Occupancy",
    "OccupancySource",
    "PolicyLayer",
    "RecognitionRequest",
    "RejectReason",
    "RequestDecision",
    "Reservation",
    "ReservationChange",
    "ReservationGroup",
    "ReservationSeries",
    "ReservationTransition",
    "RunState",
    "Sample",
    "SampleDay",
    "SampleExtra",
    "SampleJob",
    "SampleParcel",
    "SampleReport",
    "SampleStepTaken",
    "SessionFault",
    "SessionRating",
    "SubscribedEvent",
    "SuggestedTime",
    "TimeAlert",
    "TrainingCourse",
    "UsageAdjustment",
    "UsageDispute",
    "UsageSession",
    "WaitEntry",
]
