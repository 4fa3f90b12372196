"""Mails about courses and licences, queued in the transaction of the change, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext, override

from booking.models import CourseSession, Enrolment, Licence, RecognitionRequest, Reservation, TrainingCourse
from booking.training_wording import level_name, licence_scope
from config.kernel.access import Role
from config.kernel.messages import local_time
from config.kernel.services.silence import is_silent
from config.kernel.tasks import send_mail
from instruments.models import User


def managers_of(organisation_id: int) -> list[User]:
    """The people who manage a lab."""
    rows = User.objects.filter(memberships__organisation_id=organisation_id, memberships__role=Role.LAB_MANAGER, is_active=True)
    return list(rows.distinct().order_by("pk"))


def enrolled(enrolment: Enrolment) -> None:
    """To the person: a place, or one on the waiting list."""
    session = enrolment.session
    with override(enrolment.person.language):
        values = _session_values(session)
        if enrolment.state == "waiting":
            subject = gettext("You wait for a place: %(course)s") % values
            text = gettext(
                "All places are taken. You get a mail when one becomes free.\n\n%(course)s\n%(starts_at)s, %(place)s\n\n%(link)s"
            )
        else:
            subject = gettext("You have a place: %(course)s") % values
            text = gettext("%(course)s\n%(starts_at)s, %(place)s\n\nCannot come? Give the place back in time: %(link)s")
        _send(subject, text % values, [enrolment.person])


def session_called_off(enrolment: Enrolment, session: CourseSession, reason: str) -> None:
    """To the person: it is not held."""
    with override(enrolment.person.language):
        values = _session_values(session) | {"reason": reason}
        subject = gettext("Not held: %(course)s") % values
        text = gettext("%(course)s on %(starts_at)s is not held.\n\nReason: %(reason)s\n\nOther dates: %(link)s") % values
        _send(subject, text, [enrolment.person])


def examined(enrolment: Enrolment, course: TrainingCourse, granted: Sequence[Licence]) -> None:
    """To the person: the result, and the licence."""
    with override(enrolment.person.language):
        values = {"course": course.title, "score": enrolment.score, "mark": course.pass_mark, "link": _link("my_record")}
        if granted:
            subject = gettext("Passed: %(course)s") % values
            text = gettext("%(score)s of 100 points. You hold the licence now; see for what and how long: %(link)s") % values
        else:
            subject = gettext("Not passed: %(course)s") % values
            text = gettext("%(score)s of 100 points; %(mark)s are needed. Look for the next date: %(link)s") % values
        _send(subject, text, [enrolment.person])


def licence_changed(licence: Licence, event: str) -> None:
    """To the person: granted, suspend, restore, revoke, or ``ends``."""
    with override(licence.person.language):
        values = {
            "lab": licence.organisation.name,
            "what": licence_scope(licence),
            "level": level_name(licence.level),
            "until": f"{licence.valid_until.astimezone(_zone()):%Y-%m-%d}" if licence.valid_until else "",
            "reason": licence.reason,
            "link": _link("my_record"),
        }
        subjects = {
            "granted": gettext("You hold a licence: %(what)s"),
            "suspend": gettext("Your licence is suspended: %(what)s"),
            "restore": gettext("Your licence holds again: %(what)s"),
            "revoke": gettext("Your licence was taken away: %(what)s"),
            "ends": gettext("Your licence ends on %(until)s: %(what)s"),
        }
        lines = [gettext("%(lab)s: %(what)s, %(level)s") % values]
        if licence.reason:
            lines.append(gettext("Reason: %(reason)s") % values)
        if event == "ends":
            lines.append(gettext("Renew it before that day, or you cannot book and check in any more.") % values)
        _send(subjects[event] % values, "\n\n".join([*lines, str(values["link"])]), [licence.person])


def recognition_asked(request: RecognitionRequest) -> None:
    """To the lab."""
    for manager in managers_of(request.instrument.organisation_id):
        with override(manager.language):
            values = {
                "person": str(request.person),
                "instrument": request.instrument.name,
                "level": level_name(request.level),
                "statement": request.statement,
                "link": _link("licence_list"),
            }
            subject = gettext("%(person)s asks for a licence: %(instrument)s") % values
            text = (
                gettext("%(person)s asks to be licensed (%(level)s) and says:\n\n%(statement)s\n\nDecide here: %(link)s") % values
            )
            _send(subject, text, [manager])


def recognition_decided(request: RecognitionRequest) -> None:
    """To the person who asked."""
    with override(request.person.language):
        values = {
            "instrument": request.instrument.name,
            "reason": request.reason,
            "link": _link("instrument_licence", request.instrument_id),
        }
        if request.state == "accepted":
            subject = gettext("You hold a licence: %(what)s") % {"what": request.instrument.name}
            text = gettext("The lab accepted your proof.\n\n%(link)s") % values
        else:
            subject = gettext("Your proof was not accepted: %(instrument)s") % values
            text = gettext("Reason: %(reason)s\n\nOther ways to a licence: %(link)s") % values
        _send(subject, text, [request.person])


def licence_gap(reservation: Reservation) -> None:
    """To both sides: at the booked time the person will hold no licence."""
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    lab = managers_of(reservation.instrument.organisation_id)
    for person in [reservation.requested_by, *lab]:
        with override(person.language):
            values = {
                "reference": reservation.reference,
                "instrument": reservation.instrument.name,
                "person": str(reservation.requested_by),
                "starts_at": local_time(reservation.starts_at, zone),
                "link": _link("reservation_detail", reservation.pk),
            }
            subject = gettext("No licence for %(reference)s on %(instrument)s") % values
            text = (
                gettext(
                    "On %(starts_at)s %(person)s will hold no licence for %(instrument)s. Renew it before, book it assisted, or cancel: "
                    "without a licence check-in is refused.\n\n%(link)s"
                )
                % values
            )
            _send(subject, text, [person])


def _session_values(session: CourseSession) -> dict[str, str]:
    return {
        "course": session.course.title,
        "starts_at": local_time(session.starts_at, _zone()),
        "place": session.place,
        "link": _link("my_record"),
    }


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def _link(name: str, *args: object) -> str:
    return settings.PUBLIC_URL + reverse(name, args=args)


def _send(subject: str, text: str, people: Iterable[User]) -> None:
    if is_silent():
        return
    for person in people:
        if person.is_active:
            send_mail.defer(subject=" ".join(subject.split()), text=text, to=[person.email])
