"""What an actor may see of reservations and the use of instruments.

A reservation is seen by the customer organisation's people (researchers see what their organisation booked, as its
administrator does), by those who run or account for the instrument, and by officials who supervise or pay. The platform's
operator has no business with it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from booking.models import (
    AccessListEntry,
    Assistant,
    BookingConsent,
    CalendarSubscription,
    CheckInPoint,
    CloseOut,
    CourseScope,
    CourseSession,
    CreditAppeal,
    CreditEvent,
    CreditRules,
    Delegation,
    DeviceEvent,
    DeviceKey,
    DeviceRun,
    Downtime,
    DowntimeEffect,
    Enquiry,
    EnquiryAttachment,
    EnquiryMessage,
    EnquirySeen,
    Enrolment,
    FeedToken,
    ImportedBooking,
    InstrumentAssistant,
    InstrumentPolicy,
    LabEntry,
    LeaderApproval,
    Licence,
    LicenceGap,
    MaintenancePlan,
    Need,
    Occupancy,
    PolicyLayer,
    RecognitionRequest,
    RejectReason,
    RequestDecision,
    Reservation,
    ReservationChange,
    ReservationGroup,
    ReservationSeries,
    ReservationTransition,
    Sample,
    SampleDay,
    SampleExtra,
    SampleJob,
    SampleParcel,
    SampleReport,
    SampleStepTaken,
    SessionRating,
    SubscribedEvent,
    SuggestedTime,
    TimeAlert,
    TrainingCourse,
    UsageAdjustment,
    UsageDispute,
    UsageSession,
    WaitEntry,
)
from config.kernel.access import OFFICIALS, Actor, Role, register_scope
from instruments.access import ALL, NONE, instrument_filter, kept_filter, organisation_filter, resource_filter
from instruments.models import Instrument, Membership

CUSTOMERS = (Role.RESEARCHER, Role.FIRM_ADMIN)
OWNERS = (Role.LAB_MANAGER, Role.OWNER_FINANCE)
SUPERVISORS = (Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR)


def reservation_filter(actor: Actor, prefix: str = "") -> Q:
    """The rule for a reservation, or for what hangs on one behind ``prefix`` (``"reservation__"``)."""
    if actor.has(*SUPERVISORS):
        return ALL
    customer = Q(**{f"{prefix}organisation_id__in": actor.organisations(*CUSTOMERS)})
    return customer | Q(**{f"{prefix}instrument__organisation_id__in": actor.organisations(*OWNERS)})


def sees_reservation(actor: Actor, customer_id: int, owner_id: int) -> bool:
    """``reservation_filter`` asked of one row that is in hand already; a test holds the two together."""
    return actor.has(*SUPERVISORS) or customer_id in actor.organisations(*CUSTOMERS) or owner_id in actor.organisations(*OWNERS)


def _reservations(queryset: QuerySet[Reservation], actor: Actor) -> QuerySet[Reservation]:
    return queryset.filter(reservation_filter(actor))


def _transitions(queryset: QuerySet[ReservationTransition], actor: Actor) -> QuerySet[ReservationTransition]:
    return queryset.filter(reservation_filter(actor, "reservation__"))


def _changes(queryset: QuerySet[ReservationChange], actor: Actor) -> QuerySet[ReservationChange]:
    return queryset.filter(reservation_filter(actor, "reservation__"))


def _imported(queryset: QuerySet[ImportedBooking], actor: Actor) -> QuerySet[ImportedBooking]:
    return queryset.filter(reservation_filter(actor, "reservation__"))


def _entries(queryset: QuerySet[LabEntry], actor: Actor) -> QuerySet[LabEntry]:
    return queryset.filter(reservation_filter(actor, "reservation__"))


def _series(queryset: QuerySet[ReservationSeries], actor: Actor) -> QuerySet[ReservationSeries]:
    return queryset.filter(reservation_filter(actor))


def _groups(queryset: QuerySet[ReservationGroup], actor: Actor) -> QuerySet[ReservationGroup]:
    """As its reservations: the customer sees all of it, a lab that there is one of which it has a part."""
    part = Reservation.objects.filter(reservation_filter(actor), group_id=OuterRef("pk"))
    return queryset.filter(Exists(part))


def _sessions(queryset: QuerySet[UsageSession], actor: Actor) -> QuerySet[UsageSession]:
    return queryset.filter(reservation_filter(actor, "reservation__"))


def _occupancies(queryset: QuerySet[Occupancy], actor: Actor) -> QuerySet[Occupancy]:
    """With who and why; that a time is taken at all is public and comes from the free-slot query."""
    own = Instrument.objects.filter(calendar_id=OuterRef("calendar_id"), organisation_id__in=actor.organisations(*OWNERS))
    return queryset.filter(reservation_filter(actor, "reservation__") | Exists(own))


def _policies(queryset: QuerySet[InstrumentPolicy], actor: Actor) -> QuerySet[InstrumentPolicy]:
    return queryset.filter(instrument_filter(actor, "instrument__"))


def _policy_layers(queryset: QuerySet[PolicyLayer], actor: Actor) -> QuerySet[PolicyLayer]:
    """What a lab says in layers is for its own people; what follows from it stands on each instrument's page."""
    return queryset.filter(organisation_id__in=actor.organisations(*OWNERS))


def assistant_filter(actor: Actor, instrument: str, person: str) -> Q:
    """Who assists is seen by that person, by the managers of the instruments and by the operator."""
    if actor.has(Role.OPERATOR):
        return ALL
    mine = Q(**{person: actor.user_id}) if actor.user_id is not None else NONE
    return mine | Q(**{f"{instrument}organisation_id__in": actor.organisations(Role.LAB_MANAGER)})


def _instrument_assistants(queryset: QuerySet[InstrumentAssistant], actor: Actor) -> QuerySet[InstrumentAssistant]:
    return queryset.filter(assistant_filter(actor, "instrument__", "assistant__person_id"))


def _assistants(queryset: QuerySet[Assistant], actor: Actor) -> QuerySet[Assistant]:
    """With hours of work and absences: of the managers only those whose lab the person still belongs to."""
    if actor.has(Role.OPERATOR):
        return queryset
    member = Membership.objects.filter(user=OuterRef("assistant__person"), organisation=OuterRef("instrument__organisation"))
    managed = InstrumentAssistant.objects.filter(instrument__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    mine = Q(person_id=actor.user_id) if actor.user_id is not None else NONE
    return queryset.filter(mine | Exists(managed.filter(Exists(member), assistant=OuterRef("pk"))))


def subscription_filter(actor: Actor, prefix: str = "") -> Q:
    """Another calendar of a lab, its secret address included, is for the managers of the instrument it was added to."""
    if actor.has(Role.OPERATOR):
        return ALL
    return Q(**{f"{prefix}instrument__organisation_id__in": actor.organisations(Role.LAB_MANAGER)})


def _subscriptions(queryset: QuerySet[CalendarSubscription], actor: Actor) -> QuerySet[CalendarSubscription]:
    return queryset.filter(subscription_filter(actor))


def _subscribed_events(queryset: QuerySet[SubscribedEvent], actor: Actor) -> QuerySet[SubscribedEvent]:
    return queryset.filter(subscription_filter(actor, "subscription__"))


def _feed_tokens(queryset: QuerySet[FeedToken], actor: Actor) -> QuerySet[FeedToken]:
    return queryset.none() if actor.user_id is None else queryset.filter(user_id=actor.user_id)


def _ratings(queryset: QuerySet[SessionRating], actor: Actor) -> QuerySet[SessionRating]:
    """Ratings are as public as their instrument or test item; hidden ones are read by the two sides and by officials."""
    if actor.has(*OFFICIALS):
        return queryset
    place = instrument_filter(actor, "instrument__") | resource_filter(actor, "sample_job__resource__")
    return queryset.filter((Q(hidden_at=None) & place) | _of_either(actor))


def _time_alerts(queryset: QuerySet[TimeAlert], actor: Actor) -> QuerySet[TimeAlert]:
    return queryset.none() if actor.user_id is None else queryset.filter(user_id=actor.user_id)


def course_filter(actor: Actor, prefix: str = "") -> Q:
    """Courses that are offered are as public as their lab; others are for who keeps its instruments."""
    public = Q(**{f"{prefix}active": True}) & organisation_filter(actor, f"{prefix}organisation__")
    return public | kept_filter(actor, prefix)


def own_or_kept(actor: Actor, person: str, prefix: str = "") -> Q:
    """What is about one person: read by that person, by who keeps the lab's instruments, by the operator and the inspector."""
    if actor.has(Role.INSPECTOR):
        return ALL
    mine = Q(**{person: actor.user_id}) if actor.user_id is not None else NONE
    return mine | kept_filter(actor, prefix)


def _leader_approvals(queryset: QuerySet[LeaderApproval], actor: Actor) -> QuerySet[LeaderApproval]:
    """Both sides know that a leader is asked; who leads the group sees it too, whatever else that person is."""
    found = _of_either(actor)
    for about in ("reservation__", "sample_job__"):
        led = Q(**{f"{about}fund_card__group__leader_id": actor.user_id}) if actor.user_id is not None else NONE
        found |= led & Q(**{f"{about}organisation_id__in": actor.organisations()})
    return queryset.filter(found)


def _courses(queryset: QuerySet[TrainingCourse], actor: Actor) -> QuerySet[TrainingCourse]:
    return queryset.filter(course_filter(actor))


def _of_courses(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    return queryset.filter(course_filter(actor, "course__"))


def _enrolments(queryset: QuerySet[Enrolment], actor: Actor) -> QuerySet[Enrolment]:
    return queryset.filter(own_or_kept(actor, "person_id", "session__course__"))


def _licences(queryset: QuerySet[Licence], actor: Actor) -> QuerySet[Licence]:
    return queryset.filter(own_or_kept(actor, "person_id"))


def _recognitions(queryset: QuerySet[RecognitionRequest], actor: Actor) -> QuerySet[RecognitionRequest]:
    return queryset.filter(own_or_kept(actor, "person_id", "instrument__"))


def _licence_gaps(queryset: QuerySet[LicenceGap], actor: Actor) -> QuerySet[LicenceGap]:
    return queryset.filter(reservation_filter(actor, "reservation__"))


def _credit_rules(queryset: QuerySet[CreditRules], actor: Actor) -> QuerySet[CreditRules]:
    """Everybody with an account may know by which rules points are kept."""
    return queryset.none() if actor.user_id is None else queryset


def _credit_events(queryset: QuerySet[CreditEvent], actor: Actor) -> QuerySet[CreditEvent]:
    return queryset.filter(own_or_kept(actor, "person_id"))


def _credit_appeals(queryset: QuerySet[CreditAppeal], actor: Actor) -> QuerySet[CreditAppeal]:
    return queryset.filter(own_or_kept(actor, "event__person_id", "event__"))


def _access_list(queryset: QuerySet[AccessListEntry], actor: Actor) -> QuerySet[AccessListEntry]:
    """Who is on it reads it, as do the people of a customer that is; entries of the platform are for its operator."""
    return queryset.filter(own_or_kept(actor, "person_id") | Q(customer_id__in=actor.organisations(*CUSTOMERS)))


def enquiry_filter(actor: Actor, prefix: str = "") -> Q:
    """A thread is read by the customer organisation's people and by those who run or account for the lab, and by nobody else."""
    customer = Q(**{f"{prefix}organisation_id__in": actor.organisations(*CUSTOMERS)})
    return customer | Q(**{f"{prefix}lab_id__in": actor.organisations(*OWNERS)})


def _enquiries(queryset: QuerySet[Enquiry], actor: Actor) -> QuerySet[Enquiry]:
    return queryset.filter(enquiry_filter(actor))


def _enquiry_messages(queryset: QuerySet[EnquiryMessage], actor: Actor) -> QuerySet[EnquiryMessage]:
    return queryset.filter(enquiry_filter(actor, "enquiry__"))


def _enquiry_attachments(queryset: QuerySet[EnquiryAttachment], actor: Actor) -> QuerySet[EnquiryAttachment]:
    return queryset.filter(enquiry_filter(actor, "message__enquiry__"))


def _enquiry_seen(queryset: QuerySet[EnquirySeen], actor: Actor) -> QuerySet[EnquirySeen]:
    return queryset.none() if actor.user_id is None else queryset.filter(user_id=actor.user_id)


def _needs(queryset: QuerySet[Need], actor: Actor) -> QuerySet[Need]:
    """That others were asked too is for who asks alone."""
    return queryset.filter(organisation_id__in=actor.organisations(*CUSTOMERS))


def _adjustments(queryset: QuerySet[UsageAdjustment], actor: Actor) -> QuerySet[UsageAdjustment]:
    return queryset.filter(reservation_filter(actor, "session__reservation__"))


def _disputes(queryset: QuerySet[UsageDispute], actor: Actor) -> QuerySet[UsageDispute]:
    return queryset.filter(reservation_filter(actor, "session__reservation__"))


def _close_outs(queryset: QuerySet[CloseOut], actor: Actor) -> QuerySet[CloseOut]:
    return queryset.filter(_of_either(actor))


def _of_either(actor: Actor) -> Q:
    """What is about a reservation or a sample job is seen with it."""
    return reservation_filter(actor, "reservation__") | sample_job_filter(actor, "sample_job__")


def _managed(actor: Actor, prefix: str = "") -> Q:
    """What only those who run an instrument have to do with."""
    return Q(**{f"{prefix}organisation_id__in": actor.organisations(Role.LAB_MANAGER)})


def _check_in_points(queryset: QuerySet[CheckInPoint], actor: Actor) -> QuerySet[CheckInPoint]:
    return queryset.filter(_managed(actor, "instrument__"))


def _device_keys(queryset: QuerySet[DeviceKey], actor: Actor) -> QuerySet[DeviceKey]:
    return queryset.filter(_managed(actor))


def _device_runs(queryset: QuerySet[DeviceRun], actor: Actor) -> QuerySet[DeviceRun]:
    return queryset.filter(_managed(actor, "instrument__"))


def _device_events(queryset: QuerySet[DeviceEvent], actor: Actor) -> QuerySet[DeviceEvent]:
    return queryset.filter(_managed(actor, "instrument__"))


def _waiting(queryset: QuerySet[WaitEntry], actor: Actor) -> QuerySet[WaitEntry]:
    """One's own wishes; the lab sees who waits for its instruments."""
    if actor.user_id is None:
        return queryset.none()
    managed = Q(instrument__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    return queryset.filter(Q(requested_by_id=actor.user_id) | managed)


def _request_decisions(queryset: QuerySet[RequestDecision], actor: Actor) -> QuerySet[RequestDecision]:
    """Until it is told, a decision is known on the lab's side alone."""
    return queryset.filter(
        _managed(actor, "reservation__instrument__") | Q(sample_job__lab_id__in=actor.organisations(Role.LAB_MANAGER))
    )


def _reject_reasons(queryset: QuerySet[RejectReason], actor: Actor) -> QuerySet[RejectReason]:
    return queryset.filter(_managed(actor))


def _suggested_times(queryset: QuerySet[SuggestedTime], actor: Actor) -> QuerySet[SuggestedTime]:
    return queryset.filter(reservation_filter(actor, "change__reservation__"))


def _delegations(queryset: QuerySet[Delegation], actor: Actor) -> QuerySet[Delegation]:
    """Who stands in for whom is known to the lab's managers, and to the deputy."""
    mine = Q(deputy_id=actor.user_id) if actor.user_id is not None else NONE
    return queryset.filter(_managed(actor) | mine)


def _consents(queryset: QuerySet[BookingConsent], actor: Actor) -> QuerySet[BookingConsent]:
    """The two of them."""
    return (
        queryset.filter(Q(giver_id=actor.user_id) | Q(taker_id=actor.user_id)) if actor.user_id is not None else queryset.none()
    )


def _downtimes(queryset: QuerySet[Downtime], actor: Actor) -> QuerySet[Downtime]:
    """Why an instrument is out of service is for its managers; that it is, everybody sees in its running state and its calendar."""
    return queryset.filter(_managed(actor, "instrument__"))


def _maintenance_plans(queryset: QuerySet[MaintenancePlan], actor: Actor) -> QuerySet[MaintenancePlan]:
    return queryset.filter(_managed(actor, "instrument__"))


def _downtime_effects(queryset: QuerySet[DowntimeEffect], actor: Actor) -> QuerySet[DowntimeEffect]:
    return queryset.filter(_managed(actor, "downtime__instrument__"))


def sample_job_filter(actor: Actor, prefix: str = "") -> Q:
    """As a reservation: the customer organisation's people, those who run or account for the lab, officials who supervise or pay."""
    if actor.has(*SUPERVISORS):
        return ALL
    customer = Q(**{f"{prefix}organisation_id__in": actor.organisations(*CUSTOMERS)})
    return customer | Q(**{f"{prefix}lab_id__in": actor.organisations(*OWNERS)})


def _sample_jobs(queryset: QuerySet[SampleJob], actor: Actor) -> QuerySet[SampleJob]:
    return queryset.filter(sample_job_filter(actor))


def _of_sample_jobs(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Samples, charges, parcels and history are seen with their job."""
    return queryset.filter(sample_job_filter(actor, "job__"))


def _sample_reports(queryset: QuerySet[SampleReport], actor: Actor) -> QuerySet[SampleReport]:
    """A report is the customer's: its two sides read it, and nobody else."""
    customer = Q(job__organisation_id__in=actor.organisations(*CUSTOMERS))
    return queryset.filter(customer | Q(job__lab_id__in=actor.organisations(*OWNERS)))


_SCOPES: dict[Any, Any] = {
    Downtime: _downtimes,
    MaintenancePlan: _maintenance_plans,
    DowntimeEffect: _downtime_effects,
    Sample: _of_sample_jobs,
    SampleDay: _of_sample_jobs,
    SampleExtra: _of_sample_jobs,
    SampleJob: _sample_jobs,
    SampleParcel: _of_sample_jobs,
    SampleReport: _sample_reports,
    SampleStepTaken: _of_sample_jobs,
    Delegation: _delegations,
    RejectReason: _reject_reasons,
    RequestDecision: _request_decisions,
    SuggestedTime: _suggested_times,
    CheckInPoint: _check_in_points,
    CloseOut: _close_outs,
    DeviceEvent: _device_events,
    DeviceKey: _device_keys,
    DeviceRun: _device_runs,
    UsageAdjustment: _adjustments,
    UsageDispute: _disputes,
    AccessListEntry: _access_list,
    Assistant: _assistants,
    BookingConsent: _consents,
    CalendarSubscription: _subscriptions,
    CourseScope: _of_courses,
    CourseSession: _of_courses,
    CreditAppeal: _credit_appeals,
    CreditEvent: _credit_events,
    CreditRules: _credit_rules,
    Enrolment: _enrolments,
    FeedToken: _feed_tokens,
    ImportedBooking: _imported,
    InstrumentAssistant: _instrument_assistants,
    InstrumentPolicy: _policies,
    LabEntry: _entries,
    LeaderApproval: _leader_approvals,
    Licence: _licences,
    LicenceGap: _licence_gaps,
    Enquiry: _enquiries,
    EnquiryAttachment: _enquiry_attachments,
    EnquiryMessage: _enquiry_messages,
    EnquirySeen: _enquiry_seen,
    Need: _needs,
    PolicyLayer: _policy_layers,
    Occupancy: _occupancies,
    RecognitionRequest: _recognitions,
    Reservation: _reservations,
    ReservationChange: _changes,
    ReservationGroup: _groups,
    ReservationSeries: _series,
    ReservationTransition: _transitions,
    SubscribedEvent: _subscribed_events,
    SessionRating: _ratings,
    TimeAlert: _time_alerts,
    WaitEntry: _waiting,
    TrainingCourse: _courses,
    UsageSession: _sessions,
}
for _model, _scope in _SCOPES.items():
    register_scope(_model, _scope)
