"""What the demo's first lab teaches, who holds a licence, and how it keeps credit points: something to see on every page of it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from booking.models import CourseSession, CreditEvent, Reservation
from booking.rules.credit import EventKind
from booking.rules.states import ReservationState
from booking.services import access_lists, credit, licences, training
from booking.services.access_lists import Listing
from booking.services.training import CourseFields
from config.demo.organisations import People
from config.demo.records import picture
from config.demo.sessions import ZONE
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, User

#: Who tries the demo and lets both sessions of its researcher pass can still book: 100 - 10 (a cancellation of the story) - 2 x 15 is 60.
CREDIT_RULES = {
    "start_points": 100,
    "points": {"no_show": 15, "late": 5, "left_early": 2, "overtime": 5, "late_cancel": 10},
    "thresholds": [
        {"below": 90, "kind": "notice", "days": None},
        {"below": 60, "kind": "no_booking", "days": 7},
        {"below": 20, "kind": "lab_list", "days": None},
    ],
    "window_days": 365,
    "counts": [{"kind": "late", "times": 3, "within_days": 90, "leads_to": "notice", "days": 30}],
    "gains": {"used": 1, "licence": 5},
    "most_points": 110,
    "appeals_a_year": 3,
}
#: The course's licence is for instruments of this technique; nobody of the printed accounts books there in the demo's story.
_TAUGHT = ("TEM", "ICP-MS", "NMR")
_NOTED = 4


def teach(people: People, stocked: list[Instrument], today: date, now: datetime) -> dict[str, int]:
    """Courses with dates past and to come, results, proofs, licences in every state; rules, events, an appeal and a list."""
    lab = people.owners[0]
    manager = people.actor(lab, Role.LAB_MANAGER)
    own = [one for one in stocked if one.organisation_id == lab.pk]
    instrument = next((one for technique in _TAUGHT for one in own if one.technique == technique), own[-1])
    learners = [people.actors[one.pk, Role.RESEARCHER] for one in people.customers if (one.pk, Role.RESEARCHER) in people.actors]
    _courses(manager, lab.pk, instrument, learners, today, now)
    _proofs(manager, instrument, learners, now)
    noted = _credit(manager, lab.pk, learners, now)
    return {"credit events": noted}


def _courses(manager: Actor, owner_id: int, instrument: Instrument, learners: list[Actor], today: date, now: datetime) -> None:
    told, began = words("training"), now - timedelta(days=60)
    fields = CourseFields(
        told["course"]["zh"], "self", told["course"]["en"], told["course"]["text"], validity_months=12, unused_months=6,
        instrument_ids=(instrument.pk,), require=True,
    )  # fmt: skip
    course = training.create_course(manager, owner_id, fields, began)
    safety = CourseFields(told["safety"]["zh"], "assisted", told["safety"]["en"], told["safety"]["text"], validity_months=24)
    training.create_course(manager, owner_id, safety, began)
    past = _plan(manager, course.pk, today - timedelta(days=20), 4, began)
    for learner, score in zip(learners[1:4], (86, 91, 42), strict=False):
        enrolment = training.enrol(learner, past.pk, began)
        training.record_attendance(manager, enrolment.pk, True, past.ends_at)
        training.record_result(manager, enrolment.pk, score, told["failed"] if score < fields.pass_mark else "", past.ends_at)
    coming = _plan(manager, course.pk, today + timedelta(days=6), 6, now - timedelta(days=2))
    for learner in learners[4:7]:
        training.enrol(learner, coming.pk, now - timedelta(days=1))
    full = _plan(manager, course.pk, today + timedelta(days=13), 2, now - timedelta(days=2))
    for learner in learners[3:7]:
        training.enrol(learner, full.pk, now - timedelta(hours=20))


def _plan(manager: Actor, course_id: int, day: date, places: int, at: datetime) -> CourseSession:
    starts_at = datetime.combine(day, time(14), ZONE)
    during = TimeRange(starts_at, starts_at + timedelta(hours=3))
    return training.plan_session(manager, course_id, during, words("training")["places"][places % 2], places, at)


def _proofs(manager: Actor, instrument: Instrument, learners: list[Actor], now: datetime) -> None:
    """One that waits, one that was recognised, and a licence that is suspended."""
    told = words("training")
    licences.ask_recognition(learners[5], instrument.pk, "self", told["statement"], picture(31), now - timedelta(hours=5))
    asked = licences.ask_recognition(
        learners[6], instrument.pk, "assisted", told["statement"], picture(32), now - timedelta(days=9)
    )
    licences.decide_recognition(manager, asked.pk, True, "", now + timedelta(days=20), now - timedelta(days=8))
    suspended = User.objects.get(pk=learners[2].person_id).licences.earliest("pk")
    licences.suspend(manager, suspended.pk, told["suspended"], now - timedelta(days=3))


def _credit(manager: Actor, owner_id: int, learners: list[Actor], now: datetime) -> int:
    told = words("training")
    credit.set_rules(manager, owner_id, CREDIT_RULES, now - timedelta(days=50))
    missed = Reservation.objects.filter(
        instrument__organisation_id=owner_id, state=ReservationState.NO_SHOW, starts_at__gt=now - timedelta(days=90)
    ).select_related("instrument")
    for row in missed.order_by("-starts_at", "pk")[:_NOTED]:
        credit.note_violation(row, EventKind.NO_SHOW, manager, row.ends_at)
    praised = User.objects.get(pk=learners[1].person_id)
    credit.note_manual(manager, owner_id, praised.email, 5, told["note"], now - timedelta(days=4))
    event = CreditEvent.objects.filter(organisation_id=owner_id, lab_points__lt=0).order_by("-at", "pk").first()
    if event is not None:
        person = next((one for one in learners if one.user_id == event.person_id), None)
        if person is not None:
            credit.appeal(person, event.pk, told["appeal"], now - timedelta(hours=6))
    listed = User.objects.get(pk=learners[-1].person_id)
    listing = Listing(owner_id, "deny", told["listed"], email=listed.email, until=now + timedelta(days=30))
    access_lists.put_on_list(manager, listing, now - timedelta(days=1))
    return CreditEvent.objects.count()
