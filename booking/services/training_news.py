"""News about courses and licences, told in the transaction of the change; the sentences are in ``booking.training_notices``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import override

from booking.models import CourseSession, Enrolment, Licence, RecognitionRequest, Reservation, TrainingCourse
from booking.services.notices import params_of, told_managers
from booking.training_wording import licence_scope
from config.kernel.access import Role
from instruments.services.notices import News, holders, person, settle, tell


def _tell_person(event: str, params: dict[str, Any], about: Model, lab_id: int, person_id: int, now: datetime) -> None:
    tell(News(event, params, reverse("my_record"), about, lab_id), person(person_id), now)


def enrolled(enrolment: Enrolment, now: datetime) -> None:
    """To the person: a place, or one on the waiting list."""
    session = enrolment.session
    event = "training.waiting" if enrolment.state == "waiting" else "training.enrolled"
    _tell_person(event, _session(session), enrolment, session.course.organisation_id, enrolment.person_id, now)


def session_called_off(enrolment: Enrolment, session: CourseSession, reason: str, now: datetime) -> None:
    """To the person: it is not held."""
    params = _session(session) | {"reason": reason}
    _tell_person("training.called_off", params, enrolment, session.course.organisation_id, enrolment.person_id, now)


def examined(enrolment: Enrolment, course: TrainingCourse, granted: Sequence[Licence], now: datetime) -> None:
    """To the person: the result, and whether there is a licence now."""
    params = {
        "course": course.title, "course_en": course.title_en, "score": str(enrolment.score), "pass_mark": str(course.pass_mark),
    }  # fmt: skip
    event = "training.passed" if granted else "training.failed"
    _tell_person(event, params, enrolment, course.organisation_id, enrolment.person_id, now)


def licence_changed(licence: Licence, event: str, now: datetime) -> None:
    """To the person: granted, suspend, restore, revoke, or ``ends``."""
    params = {
        "lab": licence.organisation.name,
        "lab_en": licence.organisation.name_en,
        "what": _in("zh-hans", licence),
        "what_en": _in("en", licence),
        "licence_level": licence.level,
        "valid_until_at": _local(licence.valid_until) if licence.valid_until else "",
        "reason": licence.reason,
    }
    _tell_person(f"licence.{event}", params, licence, licence.organisation_id, licence.person_id, now)


def recognition_asked(request: RecognitionRequest, now: datetime) -> None:
    """To the lab."""
    lab_id = request.instrument.organisation_id
    params = _instrument(request) | {
        "person": str(request.person), "licence_level": request.level, "statement": request.statement,
    }  # fmt: skip
    news = News("licence.asked", params, reverse("licence_list"), request, lab_id)
    tell(news, holders(Role.LAB_MANAGER, lab_id), now)


def recognition_settled(request: RecognitionRequest, now: datetime) -> None:
    """Nobody has to look at it any more; nobody is told."""
    settle(request, ["licence.asked"], now)


def recognition_decided(request: RecognitionRequest, now: datetime) -> None:
    """To the person who asked."""
    recognition_settled(request, now)
    event = "licence.recognised" if request.state == "accepted" else "licence.not_recognised"
    path = reverse("instrument_licence", args=[request.instrument_id])
    news = News(event, _instrument(request) | {"reason": request.reason}, path, request, request.instrument.organisation_id)
    tell(news, person(request.person_id), now)


def licence_gap(reservation: Reservation, now: datetime) -> None:
    """To both sides: at the booked time the person will hold no licence."""
    lab_id = reservation.instrument.organisation_id
    params = params_of(reservation) | {"person": str(reservation.requested_by)}
    path = reverse("reservation_detail", args=[reservation.pk])
    tell(News("licence.gap", params, path, reservation, lab_id), person(reservation.requested_by_id), now)
    tell(News("lab.licence_gap", params, path, reservation, lab_id), told_managers(lab_id, now), now)


def licence_gap_closed(reservation: Reservation, now: datetime) -> None:
    """The person holds one for it by now; nobody is told."""
    settle(reservation, ["licence.gap"], now)


def _instrument(request: RecognitionRequest) -> dict[str, Any]:
    return {"instrument": request.instrument.name, "instrument_en": request.instrument.name_en}


def _session(session: CourseSession) -> dict[str, Any]:
    course = session.course
    starts_at = _local(session.starts_at)
    return {"course": course.title, "course_en": course.title_en, "starts_at": starts_at, "place": session.place}


def _local(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).isoformat()


def _in(language: str, licence: Licence) -> str:
    with override(language):
        return licence_scope(licence)
