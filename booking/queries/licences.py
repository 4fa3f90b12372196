"""Licences: what there is to learn for an instrument, and the lists of both sides. What holds now is ``booking.licence_queries``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import StrIndex

from booking.licence_queries import (
    in_force,
    is_assisted_licence_needed,
    is_licence_needed,
    levels_held,
    may_work_alone,
    without_licence,
)
from booking.models import (
    CourseScope,
    CourseSession,
    Enrolment,
    InstrumentPolicy,
    Licence,
    RecognitionRequest,
    TrainingCourse,
)
from booking.rules.training import LIVE_ENROLMENTS, EnrolmentState, Level
from config.kernel.access import Actor, Role, get_visible, visible_to
from instruments.models import Instrument, Organisation

__all__ = ["in_force", "is_assisted_licence_needed", "is_licence_needed", "levels_held", "may_work_alone", "without_licence"]


# --- What there is to learn -------------------------------------------------------------------------------------------
def _counted(sessions: QuerySet[CourseSession]) -> QuerySet[CourseSession]:
    """With ``taken`` places and how many wait (``waiting``)."""
    holding = Q(enrolments__state__in=[EnrolmentState.ENROLLED, EnrolmentState.ATTENDED, EnrolmentState.PASSED])
    return sessions.annotate(
        taken=Count("enrolments", filter=holding), waiting=Count("enrolments", filter=Q(enrolments__state=EnrolmentState.WAITING))
    )


def _with_scopes(courses: QuerySet[TrainingCourse]) -> QuerySet[TrainingCourse]:
    scopes = CourseScope.objects.select_related("instrument").order_by("pk")
    return courses.select_related("organisation").prefetch_related(Prefetch("scopes", queryset=scopes))


def courses_for(actor: Actor, instrument: Instrument, now: datetime) -> list[TrainingCourse]:
    """Active courses that license for the instrument, lowest level first, each with ``coming``: its sessions that have not begun."""
    scope = CourseScope.objects.filter(course_id=OuterRef("pk"))
    begins = scope.filter(instrument=None).annotate(at=StrIndex(Value(instrument.class_code), F("class_code")))
    covers = scope.filter(instrument_id=instrument.pk), begins.filter(Q(class_code="") | Q(at=1))
    rows = visible_to(TrainingCourse.objects.filter(organisation_id=instrument.organisation_id, active=True), actor)
    rows = rows.filter(Exists(covers[0]) | Exists(covers[1])).order_by("title", "pk")
    found = list(_with_scopes(rows).prefetch_related(Prefetch("sessions", queryset=_coming(now), to_attr="coming")))
    order = list(Level)
    return sorted(found, key=lambda course: order.index(Level(course.level)))


def _coming(now: datetime) -> QuerySet[CourseSession]:
    return _counted(CourseSession.objects.filter(starts_at__gt=now, called_off_at=None)).order_by("starts_at", "pk")


def lab_courses(actor: Actor, now: datetime) -> QuerySet[TrainingCourse]:
    """The courses of the labs that the actor manages, active ones first, with ``coming`` sessions."""
    rows = visible_to(TrainingCourse.objects.all(), actor)
    if not actor.has(Role.OPERATOR):
        rows = rows.filter(organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    rows = _with_scopes(rows).prefetch_related(Prefetch("sessions", queryset=_coming(now), to_attr="coming"))
    return rows.order_by("-active", "organisation__name_pinyin", "title", "pk")


def course_for(actor: Actor, course_id: int) -> TrainingCourse:
    """One course with all its sessions. Raises NotFound."""
    sessions = _counted(CourseSession.objects.all()).order_by("-starts_at", "pk")
    rows = _with_scopes(TrainingCourse.objects.all()).prefetch_related(Prefetch("sessions", queryset=sessions))
    return get_visible(rows, actor, pk=course_id)


def session_for(actor: Actor, session_id: int) -> CourseSession:
    """One session with its course. Raises NotFound."""
    return get_visible(_counted(CourseSession.objects.select_related("course__organisation")), actor, pk=session_id)


def enrolments_of(actor: Actor, session: CourseSession) -> QuerySet[Enrolment]:
    """Who is in it or waits, in the order of enrolling, then those who left."""
    rows = visible_to(Enrolment.objects.filter(session=session), actor).select_related("person", "examiner")
    gone = Q(state__in=[EnrolmentState.WITHDRAWN, EnrolmentState.CALLED_OFF])
    return rows.annotate(gone=gone).order_by("gone", "enrolled_at", "pk")


def enrolment_for(actor: Actor, enrolment_id: int) -> Enrolment:
    """Raises NotFound."""
    return get_visible(Enrolment.objects.all(), actor, pk=enrolment_id)


def instruments_of_owners(owner_ids: Sequence[int], actor: Actor) -> list[Instrument]:
    """The instruments of some labs that the actor may see, by name."""
    rows = visible_to(Instrument.objects.filter(organisation_id__in=owner_ids), actor)
    return list(rows.order_by("name_pinyin", "pk"))


def my_enrolments(actor: Actor) -> QuerySet[Enrolment]:
    """The person's own, the latest session first."""
    mine = Enrolment.objects.filter(person_id=actor.person_id).select_related("session__course__organisation")
    return visible_to(mine, actor).order_by("-session__starts_at", "-pk")


def teachable_owners(actor: Actor) -> list[Organisation]:
    """The labs for which the actor may write courses, by name."""
    return list(
        visible_to(Organisation.objects.filter(pk__in=actor.organisations(Role.LAB_MANAGER)), actor).order_by("name_pinyin", "pk")
    )


# --- Who holds what ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Held:
    """A licence and whether it holds now."""

    licence: Licence
    in_force: bool

    @property
    def state(self) -> str:
        """valid, expired, suspended, revoked."""
        return "expired" if self.licence.state == "valid" and not self.in_force else self.licence.state


def held(licences: Iterable[Licence], now: datetime) -> list[Held]:
    """Each with whether it holds now."""
    rows = list(licences)
    valid = in_force(rows, now)
    return [Held(row, row.pk in valid) for row in rows]


def licences_visible(actor: Actor) -> QuerySet[Licence]:
    """With what a list shows, the latest first."""
    rows = visible_to(Licence.objects.all(), actor)
    return rows.select_related("organisation", "person", "instrument", "granted_by", "evidence").order_by("-granted_at", "-pk")


def my_licences(actor: Actor) -> QuerySet[Licence]:
    """The person's own."""
    return licences_visible(actor).filter(person_id=actor.person_id)


def lab_licences(actor: Actor) -> QuerySet[Licence]:
    """Those of the labs that the actor manages; the operator's are all."""
    rows = licences_visible(actor)
    return rows if actor.has(Role.OPERATOR) else rows.filter(organisation_id__in=actor.organisations(Role.LAB_MANAGER))


def licence_for(actor: Actor, licence_id: int) -> Licence:
    """Raises NotFound."""
    return get_visible(licences_visible(actor), actor, pk=licence_id)


def recognitions_visible(actor: Actor) -> QuerySet[RecognitionRequest]:
    """Requests to take something as a licence, those that wait first, the oldest first."""
    rows = visible_to(RecognitionRequest.objects.all(), actor).select_related(
        "instrument__organisation", "person", "evidence", "decided_by"
    )
    return rows.annotate(waits=Q(state="open")).order_by("-waits", "asked_at", "pk")


def lab_recognitions(actor: Actor) -> QuerySet[RecognitionRequest]:
    """What waits for the labs that the actor manages."""
    rows = recognitions_visible(actor).filter(state="open")
    if actor.has(Role.OPERATOR):
        return rows
    return rows.filter(instrument__organisation_id__in=actor.organisations(Role.LAB_MANAGER))


def my_recognitions(actor: Actor, instrument: Instrument | None = None) -> QuerySet[RecognitionRequest]:
    """What the person asked for, the latest first."""
    rows = recognitions_visible(actor).filter(person_id=actor.person_id).order_by("-asked_at", "-pk")
    return rows if instrument is None else rows.filter(instrument=instrument)


@dataclass(frozen=True, slots=True)
class WayToALicence:
    """The answer to "How do I get to use it myself?" for one person and instrument.

    ``needed``: to operate it; ``assisted_needed``: to be assisted. ``mine`` are the person's live enrolments by session id.
    """

    needed: bool
    assisted_needed: bool
    levels: frozenset[str]
    courses: list[TrainingCourse]
    licences: list[Held]
    mine: dict[int, Enrolment]
    asked: list[RecognitionRequest]

    @property
    def alone(self) -> bool:
        return Level.SELF in self.levels

    @property
    def lacks_assisted(self) -> bool:
        """Whether not even assisted use is open to the person."""
        return self.assisted_needed and Level.ASSISTED not in self.levels


def way_to_a_licence(actor: Actor, instrument: Instrument, now: datetime) -> WayToALicence:
    """What is needed, held, offered and asked for; for nobody only what is needed and offered."""
    courses = courses_for(actor, instrument, now)
    needed = (is_licence_needed(instrument), is_assisted_licence_needed(instrument))
    if actor.user_id is None:
        return WayToALicence(*needed, frozenset(), courses, [], {}, [])
    own = Q(instrument_id=instrument.pk) | Q(instrument=None)
    licences = my_licences(actor).filter(own, organisation_id=instrument.organisation_id)
    covering = [one for one in licences if instrument.class_code.startswith(one.class_code)]
    live = my_enrolments(actor).filter(session__course__in=courses, state__in=LIVE_ENROLMENTS)
    return WayToALicence(
        *needed,
        levels_held(actor.user_id, instrument.pk, now),
        courses,
        held(covering, now),
        {one.session_id: one for one in live},
        list(my_recognitions(actor, instrument)[:5]),
    )


def licence_policies(actor: Actor) -> list[tuple[Instrument, bool]]:
    """The instruments of the actor's labs, each with whether a licence is needed to work at it alone."""
    rows = visible_to(Instrument.objects.filter(organisation_id__in=actor.organisations(Role.LAB_MANAGER)), actor)
    needed = InstrumentPolicy.objects.filter(instrument_id=OuterRef("pk"), rules__licence_needed=True)
    found = rows.annotate(licence_needed=Exists(needed)).order_by("name_pinyin", "pk")
    return [(one, one.licence_needed) for one in found]
