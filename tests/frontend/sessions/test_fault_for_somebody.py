"""The lab writes down a fault for whose session it stopped: they hear the answer, as the one who wrote it does."""

from __future__ import annotations

import pytest
from django.urls import reverse

from booking.models import SessionFault
from instruments.models import InstrumentProblem, Notice
from instruments.services import problems
from tests.concurrency.world import add_instrument
from tests.frontend.acting import words

SEEN, SOLVED = "reservation.fault_seen", "reservation.fault_solved"


@pytest.fixture
def session(as_, approved, clock, slot):
    """A session of Lin's that runs."""
    pk = approved(9, 11)
    clock.now = slot(9, 11).starts_at
    as_("wang").post(f"/sessions/{pk}/check-in")
    return pk


def reported(as_, cast, who, session, instrument=None):
    path = f"/instruments/{(instrument or cast.xrd).pk}/problem/?session={session}"
    assert as_(who).post(path, {"text": "The pump stopped"}).status_code == 302
    return InstrumentProblem.objects.latest("pk")


def told(event) -> list[str]:
    return sorted(Notice.objects.filter(event=event).values_list("user__full_name", flat=True))


def test_whose_session_it_is_hears_that_it_was_seen_and_that_it_is_solved(as_, cast, session, clock):
    page = words(as_("wang").get(f"/instruments/{cast.xrd.pk}/problem/?session={session}"))
    assert "Lin hears what the lab answers, as you do." in page
    problem = reported(as_, cast, "wang", session)
    answer = {"state": "acknowledged", "answer": "We look at it"}
    assert as_("wang").post(reverse("problem_handle", args=[problem.pk]), answer).status_code == 302
    assert told(SEEN) == ["Lin"] and told("registry.problem_seen") == ["Wang"]
    problems.handle(cast.actor("wang"), problem.pk, "solved", "A new pump", clock.now)
    assert told(SOLVED) == ["Lin"]
    news = words(as_("lin").get("/notices/"))
    assert "the fault during session" in news and "A new pump" in news
    assert Notice.objects.get(event=SOLVED).path == f"/bookings/{session}/"


def test_nothing_is_told_twice_of_the_same_answer(as_, cast, session, clock):
    problem = reported(as_, cast, "wang", session)
    for _time in range(2):
        problems.handle(cast.actor("wang"), problem.pk, "solved", "A new pump", clock.now)
    assert told(SOLVED) == ["Lin"]


@pytest.mark.parametrize("who", ["lin", "he"])
def test_who_is_not_of_the_lab_reports_for_themselves(as_, cast, session, clock, who):
    page = words(as_(who).get(f"/instruments/{cast.xrd.pk}/problem/?session={session}"))
    assert "hears what the lab answers" not in page
    problem = reported(as_, cast, who, session)
    problems.handle(cast.actor("wang"), problem.pk, "solved", "A new pump", clock.now)
    assert told(SOLVED) == [] and told("registry.problem_solved") == [cast.users[who].full_name]


@pytest.mark.parametrize("wrong", ["", "x", "9" * 30, "\u0663", "-1", "999999"])
def test_a_session_that_is_none_is_passed_over(as_, cast, session, wrong):
    reported(as_, cast, "wang", wrong)
    assert not SessionFault.objects.exists()


def test_a_session_on_another_instrument_is_not_meant(as_, cast, session):
    reported(as_, cast, "wang", session, add_instrument(cast, "Electron microscope"))
    assert not SessionFault.objects.exists()
