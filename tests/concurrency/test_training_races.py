"""The last place of a course and the one decision about an appeal, wanted by many at the same moment."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial

import pytest

from booking.models import CourseSession, CreditEvent, CreditRules, Enrolment
from booking.services import credit, training
from booking.services.training import CourseFields
from config.kernel.time_range import TimeRange
from tests.concurrency.harness import at_once, broken, tally, violations
from tests.concurrency.world import World

CLIENTS = 6


def one_place(world: World) -> int:
    """A session with one place; its id."""
    cast, now = world.cast, world.cast.now
    course = training.create_course(cast.actor("wang"), cast.lab.pk, CourseFields("Alone", "self"), now)
    starts_at = now + timedelta(days=1)
    during = TimeRange(starts_at, starts_at + timedelta(hours=1))
    return training.plan_session(cast.actor("wang"), course.pk, during, "Room 1", 1, now).pk


def enrolling(world: World, session_id: int) -> list[partial[Enrolment]]:
    return [partial(training.enrol, world.person(place), session_id, world.cast.now) for place in range(CLIENTS)]


def states() -> list[str]:
    return sorted(Enrolment.objects.values_list("state", flat=True))


def test_the_last_place_goes_to_one_and_the_others_wait(world: World) -> None:
    outcomes = at_once(enrolling(world, one_place(world)))
    assert tally(outcomes) == {"ok": CLIENTS}
    assert states() == ["enrolled"] + ["waiting"] * (CLIENTS - 1)
    assert violations() == {}


def test_without_the_lock_the_last_place_goes_to_several(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: counted first and written later, by many."""
    counted = training._taken

    def slowly(session: CourseSession) -> int:
        found = counted(session)
        time.sleep(0.5)
        return found

    rows = CourseSession.objects.select_related("course__organisation")
    monkeypatch.setattr(training, "_locked_session", lambda actor, pk: rows.get(pk=pk))
    monkeypatch.setattr(training, "_taken", slowly)
    at_once(enrolling(world, one_place(world)))
    assert states().count("enrolled") > 1
    assert "booking.places_are_given_once" in broken()


def test_an_appeal_decided_by_several_at_once_is_decided_once(world: World) -> None:
    cast, now = world.cast, world.cast.now
    event = credit.note_manual(cast.actor("wang"), cast.lab.pk, world.people[0].email, -5, "Spill", now)
    appeal = credit.appeal(world.person(0), event.pk, "It was not me", now)
    deciding = [
        partial(credit.decide_appeal, world.manager(place), appeal.pk, place % 2 == 0, "Looked at", now) for place in range(4)
    ]
    assert tally(at_once(deciding)) == {"ok": 1, "credit.appeal_decided": 3}
    assert CreditEvent.objects.filter(reverses=event).count() <= 1
    assert violations() == {}


def test_the_first_rules_of_a_lab_are_written_by_all_who_write_them_at_once(world: World) -> None:
    cast = world.cast
    writing = partial(credit.set_rules, cast.actor("wang"), cast.lab.pk, {"start_points": 100}, cast.now)
    assert tally(at_once([writing] * CLIENTS)) == {"ok": CLIENTS}
    assert CreditRules.objects.count() == 1
