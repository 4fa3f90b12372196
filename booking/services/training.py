"""Courses, their sessions, who is enrolled and how the exam went. Passing grants the licences of the course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking.models import CourseScope, CourseSession, Enrolment, InstrumentPolicy, TrainingCourse
from booking.rules.training import (
    ENROLMENTS,
    LIVE_ENROLMENTS,
    EnrolmentAction,
    EnrolmentState,
    Level,
    step,
)
from booking.services import licences, policies, training_news
from booking.services.policies import Scope
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.rules.registry_values import clean_text
from instruments.services.instrument_changes import owner_institution, require_manager

TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 2000
PLACE_LENGTH = 200
REASON_LENGTH = 500
MOST_MONTHS = 120
MOST_PLACES = 500
#: Nobody holds a course for longer than this at one go.
LONGEST_DAYS = 31

#: What a course of a level asks for where it is required, other than a licence of who operates the instrument.
_ASKED_FOR = {Level.ASSISTED.value: "assisted_licence_needed"}


@dataclass(frozen=True, slots=True)
class CourseFields:
    """What a course is. ``instrument_ids`` and ``class_codes`` say for what; with neither it is for all of the lab's instruments.

    ``require``: who uses the named instruments as the level allows needs a licence from now on.
    """

    title: str
    level: str
    title_en: str = ""
    description: str = ""
    validity_months: int | None = None
    unused_months: int | None = None
    pass_mark: int = 60
    active: bool = True
    instrument_ids: tuple[int, ...] = ()
    class_codes: tuple[str, ...] = ()
    require: bool = False


@whole
def create_course(actor: Actor, owner_id: int, fields: CourseFields, now: datetime) -> TrainingCourse:
    """A new course of a lab. Raises NotFound, Forbidden, Refusal ``training.*`` / ``name.*`` with every reason."""
    require_manager(actor, owner_id)
    owner_institution(owner_id)
    values, instruments = _checked(actor, owner_id, fields)
    course = TrainingCourse.objects.create(organisation_id=owner_id, created_by_id=actor.person_id, created_at=now, **values)
    _write_scopes(course, fields, instruments)
    audit.record(actor, "training.course_create", course, now, after=_told(values, fields))
    _require(actor, fields, instruments, now)
    return course


@whole
def change_course(actor: Actor, course_id: int, fields: CourseFields, now: datetime) -> TrainingCourse:
    """Write a course anew; licences that it gave stay as they are. Raises as ``create_course``."""
    course = get_visible(TrainingCourse.objects.select_for_update(of=("self",)), actor, pk=course_id)
    require_manager(actor, course.organisation_id)
    values, instruments = _checked(actor, course.organisation_id, fields)
    before = {name: getattr(course, name) for name in values}
    for name, value in values.items():
        setattr(course, name, value)
    course.save(update_fields=list(values))
    course.scopes.all().delete()
    _write_scopes(course, fields, instruments)
    audit.record(actor, "training.course_change", course, now, before=before, after=_told(values, fields))
    _require(actor, fields, instruments, now)
    return course


def _checked(actor: Actor, owner_id: int, fields: CourseFields) -> tuple[dict[str, Any], list[Instrument]]:
    reasons: list[Reason] = []
    values: dict[str, Any] = {
        "title": _text(fields.title, TITLE_LENGTH, "title", reasons),
        "title_en": _text(fields.title_en, TITLE_LENGTH, "title_en", reasons),
        "description": _text(fields.description, DESCRIPTION_LENGTH, "description", reasons, lines=True),
        "level": fields.level,
        "validity_months": fields.validity_months,
        "unused_months": fields.unused_months,
        "pass_mark": fields.pass_mark,
        "active": fields.active,
    }
    if not values["title"] and not any(reason.field == "title" for reason in reasons):
        reasons.append(Reason("training.title_missing", {}, "title"))
    if fields.level not in set(Level):
        reasons.append(Reason("training.level_unknown", {}, "level"))
    for name in ("validity_months", "unused_months"):
        if values[name] is not None and not 1 <= values[name] <= MOST_MONTHS:
            reasons.append(Reason("training.number_out_of_range", {"minimum": 1, "maximum": MOST_MONTHS}, name))
    if not 0 <= fields.pass_mark <= 100:
        reasons.append(Reason("training.number_out_of_range", {"minimum": 0, "maximum": 100}, "pass_mark"))
    if any(not (code.isascii() and code.isdigit() and len(code) in {2, 4, 6}) for code in fields.class_codes):
        reasons.append(Reason("training.class_unreadable", {}, "class_codes"))
    own = Instrument.objects.filter(pk__in=fields.instrument_ids, organisation_id=owner_id)
    instruments = list(visible_to(own, actor))
    if len(instruments) != len(set(fields.instrument_ids)):
        reasons.append(Reason("training.instrument_foreign", {}, "instruments"))
    Refusal.raise_any(reasons)
    return values, instruments


def _write_scopes(course: TrainingCourse, fields: CourseFields, instruments: Sequence[Instrument]) -> None:
    scopes = [CourseScope(course=course, instrument=one) for one in instruments]
    scopes += [CourseScope(course=course, class_code=code) for code in sorted(set(fields.class_codes))]
    CourseScope.objects.bulk_create(scopes or [CourseScope(course=course)])


def _told(values: dict[str, Any], fields: CourseFields) -> dict[str, Any]:
    return values | {"instruments": sorted(fields.instrument_ids), "classes": sorted(fields.class_codes)}


def _require(actor: Actor, fields: CourseFields, instruments: Sequence[Instrument], now: datetime) -> None:
    if fields.require:
        for instrument in instruments:
            _set_needed(actor, instrument, True, now, _ASKED_FOR.get(fields.level, "licence_needed"))


@whole
def require_licence(actor: Actor, instrument_id: int, needed: bool, now: datetime) -> None:
    """Say whether who operates the instrument needs a licence. Raises NotFound, Forbidden, Refusal ``training.*``."""
    instrument = get_visible(Instrument.objects.select_for_update(of=("self",), no_key=True), actor, pk=instrument_id)
    require_manager(actor, instrument.organisation_id)
    _set_needed(actor, instrument, needed, now)


def _set_needed(actor: Actor, instrument: Instrument, needed: bool, now: datetime, word: str = "licence_needed") -> None:
    """As one more ``word`` of the instrument's own layer; what holds without a layer stays as it is.

    Raises Refusal ``training.needed_by_other_layer`` where another layer asks for it all the same.
    """
    scope = Scope(instrument.organisation_id, instrument_id=instrument.pk)
    said = policies.spoken(scope)
    said.pop(word, None)
    if needed:
        said[word] = True
    policies.say(actor, scope, said, now)
    if not needed and InstrumentPolicy.objects.filter(instrument=instrument, **{f"rules__{word}": True}).exists():
        raise Refusal.of("training.needed_by_other_layer")


# --- Sessions ---------------------------------------------------------------------------------------------------------
@whole
def plan_session(actor: Actor, course_id: int, during: TimeRange, place: str, places: int, now: datetime) -> CourseSession:
    """Say when and where a course is held. Raises NotFound, Forbidden, Refusal ``training.*`` / ``name.*`` with every reason."""
    course = get_visible(TrainingCourse.objects.all(), actor, pk=course_id)
    require_manager(actor, course.organisation_id)
    reasons: list[Reason] = []
    where = _text(place, PLACE_LENGTH, "place", reasons)
    if not where and not reasons:
        reasons.append(Reason("training.place_missing", {}, "place"))
    if during.starts_at <= now:
        reasons.append(Reason("training.session_in_the_past", {}, "starts_at"))
    if during.duration.days >= LONGEST_DAYS:
        reasons.append(Reason("training.session_too_long", {"days": LONGEST_DAYS}, "ends_at"))
    if not 1 <= places <= MOST_PLACES:
        reasons.append(Reason("training.number_out_of_range", {"minimum": 1, "maximum": MOST_PLACES}, "places"))
    Refusal.raise_any(reasons)
    session = CourseSession.objects.create(
        course=course, starts_at=during.starts_at, ends_at=during.ends_at, place=where, places=places, created_at=now
    )
    after = {"course": course.pk, "starts_at": during.starts_at.isoformat(), "place": where, "places": places}
    audit.record(actor, "training.session_plan", session, now, after=after)
    return session


@whole
def call_off_session(actor: Actor, session_id: int, reason: str, now: datetime) -> CourseSession:
    """The session is not held; everybody in it or waiting is told why. Raises NotFound, Forbidden, Refusal ``training.*``."""
    session = _locked_session(actor, session_id)
    require_manager(actor, session.course.organisation_id)
    words = clean_text(reason, REASON_LENGTH, "reason")
    if not words:
        raise Refusal.of("training.reason_missing", "reason")
    _refuse_over(session)
    live = Enrolment.objects.select_related("person").filter(session=session)
    if live.filter(state=EnrolmentState.ATTENDED).exists():
        raise Refusal.of("training.session_held")
    for enrolment in live.filter(state__in=[EnrolmentState.WAITING, EnrolmentState.ENROLLED]).order_by("pk"):
        _move(actor, enrolment, EnrolmentAction.CALL_OFF, now, reason=words)
        training_news.session_called_off(enrolment, session, words, now)
    session.called_off_at, session.called_off_reason = now, words
    session.save(update_fields=["called_off_at", "called_off_reason"])
    audit.record(actor, "training.session_call_off", session, now, reason=words)
    return session


@whole
def enrol(actor: Actor, session_id: int, now: datetime) -> Enrolment:
    """Take a place, or one on the waiting list when none is left; who is in it already is given back.

    Raises NotFound, Forbidden for nobody, Refusal ``training.session_begun`` / ``training.session_called_off`` / ``training.closed``.
    """
    person_id = actor.person_id
    session = _locked_session(actor, session_id)
    _refuse_over(session)
    if session.starts_at <= now:
        raise Refusal.of("training.session_begun")
    if not session.course.active:
        raise Refusal.of("training.closed")
    mine = Enrolment.objects.filter(session=session, person_id=person_id, state__in=LIVE_ENROLMENTS).first()
    if mine is not None:
        return mine
    state = EnrolmentState.ENROLLED if _taken(session) < session.places else EnrolmentState.WAITING
    enrolment = Enrolment.objects.create(session=session, person_id=person_id, state=state, enrolled_at=now)
    audit.record(actor, "training.enrol", enrolment, now, after={"session": session.pk, "state": str(state)})
    training_news.enrolled(enrolment, now)
    return enrolment


@whole
def withdraw(actor: Actor, enrolment_id: int, now: datetime) -> Enrolment:
    """Give the place back before the session begins; who waits longest gets it. The lab may take somebody out as well.

    Raises NotFound, Forbidden, Refusal ``training.session_begun`` / ``training.illegal_step``.
    """
    enrolment, session = _locked_enrolment(actor, enrolment_id)
    if enrolment.person_id != actor.user_id:
        require_manager(actor, session.course.organisation_id)
    if session.starts_at <= now:
        raise Refusal.of("training.session_begun")
    held_place = enrolment.state == EnrolmentState.ENROLLED
    _move(actor, enrolment, EnrolmentAction.WITHDRAW, now)
    if held_place:
        _move_up(session, actor, now)
    return enrolment


def _move_up(session: CourseSession, actor: Actor, now: datetime) -> None:
    """Give free places to those who wait, the longest first."""
    free = session.places - _taken(session)
    waiting = Enrolment.objects.filter(session=session, state=EnrolmentState.WAITING).order_by("enrolled_at", "pk")
    for enrolment in waiting.select_related("person")[: max(free, 0)]:
        _move(actor, enrolment, EnrolmentAction.MOVE_UP, now)
        training_news.enrolled(enrolment, now)


# --- Attendance and exam ----------------------------------------------------------------------------------------------
@whole
def record_attendance(actor: Actor, enrolment_id: int, was_there: bool, now: datetime) -> Enrolment:
    """Who came, from the session's beginning on. Raises NotFound, Forbidden, Refusal ``training.*``."""
    enrolment, session = _locked_enrolment(actor, enrolment_id)
    require_manager(actor, session.course.organisation_id)
    if now < session.starts_at:
        raise Refusal.of("training.session_not_begun")
    _move(actor, enrolment, EnrolmentAction.ATTEND if was_there else EnrolmentAction.MISS, now)
    return enrolment


@whole
def record_result(actor: Actor, enrolment_id: int, score: int, note: str, now: datetime) -> Enrolment:
    """The exam's score out of 100. From the pass mark on the course's licences are granted with it.

    Raises NotFound, Forbidden (an examiner does not examine themselves either), Refusal ``training.*`` / ``name.*``.
    """
    enrolment, session = _locked_enrolment(actor, enrolment_id)
    course = session.course
    require_manager(actor, course.organisation_id)
    if enrolment.person_id == actor.user_id:
        raise Forbidden.of("training.own_result")
    if not 0 <= score <= 100:
        raise Refusal.of("training.number_out_of_range", "score", minimum=0, maximum=100)
    enrolment.score, enrolment.examiner_id, enrolment.examined_at = score, actor.person_id, now
    enrolment.note = clean_text(note, REASON_LENGTH, "note")
    passed = score >= course.pass_mark
    _move(actor, enrolment, EnrolmentAction.PASS if passed else EnrolmentAction.FAIL, now, score=score)
    granted = licences.grant_for_course(actor, enrolment, course, now) if passed else []
    training_news.examined(enrolment, course, granted, now)
    return enrolment


def _move(actor: Actor, enrolment: Enrolment, action: EnrolmentAction, now: datetime, **told: Any) -> None:
    """The one writer of an enrolment's state; its session is locked."""
    before = EnrolmentState(enrolment.state)
    after = step(ENROLMENTS, before, action)
    changes = {"state": after, "score": enrolment.score, "examiner_id": enrolment.examiner_id,
               "examined_at": enrolment.examined_at, "note": enrolment.note}  # fmt: skip
    if Enrolment.objects.filter(pk=enrolment.pk, state=before).update(**changes) != 1:
        raise Conflict.of("training.changed_meanwhile")
    enrolment.state = after
    audit.record(actor, f"training.{action}", enrolment, now, before={"state": str(before)}, after={"state": str(after), **told})


def _taken(session: CourseSession) -> int:
    holding = [EnrolmentState.ENROLLED, EnrolmentState.ATTENDED, EnrolmentState.PASSED]
    return Enrolment.objects.filter(session=session, state__in=holding).count()


def _locked_session(actor: Actor, session_id: int) -> CourseSession:
    """The session behind its own lock, so that places are counted by one at a time. Raises NotFound."""
    rows = CourseSession.objects.select_for_update(of=("self",), no_key=True).select_related("course__organisation")
    return get_visible(rows, actor, pk=session_id)


def _locked_enrolment(actor: Actor, enrolment_id: int) -> tuple[Enrolment, CourseSession]:
    found = get_visible(Enrolment.objects.all(), actor, pk=enrolment_id)
    rows = CourseSession.objects.select_for_update(of=("self",), no_key=True).select_related("course__organisation")
    session = rows.get(pk=found.session_id)
    return Enrolment.objects.select_related("person").get(pk=enrolment_id), session


def _refuse_over(session: CourseSession) -> None:
    if session.called_off_at is not None:
        raise Refusal.of("training.session_called_off")


def _text(value: str, length: int, field: str, reasons: list[Reason], *, lines: bool = False) -> str:
    try:
        return clean_text(value, length, field, lines=lines)
    except Refusal as refusal:
        reasons += refusal.reasons
        return ""
