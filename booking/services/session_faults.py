"""A fault that the lab's staff write down for somebody whose session it stopped: the answer to it is theirs too."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from booking.models import Reservation, SessionFault
from booking.services.notices import params_of
from config.kernel.access import Actor, Role, visible_to
from config.kernel.services.transactions import whole
from instruments.models import InstrumentProblem, ProblemState
from instruments.services import problems
from instruments.services.notices import News, person, tell


def session_of(actor: Actor, reservation_id: int, instrument_id: int) -> Reservation | None:
    """The session on the instrument, where the actor sees it."""
    rows = Reservation.objects.select_related("instrument", "requested_by")
    return visible_to(rows, actor).filter(pk=reservation_id, instrument_id=instrument_id).first()


def is_for_others(actor: Actor, session: Reservation) -> bool:
    """Whether the actor, of the lab, reports for the people of the session and not for themselves."""
    return session.instrument.organisation_id in actor.organisations(Role.LAB_MANAGER) and not session.is_of(actor.user_id)


@whole
def report(
    actor: Actor, instrument_id: int, text: str, now: datetime, photo: bytes | None = None, session_id: int | None = None
) -> InstrumentProblem:
    """As ``instruments.services.problems.report``; where the lab reports it for the people of a session, they hear the answer too."""
    problem = problems.report(actor, instrument_id, text, now, photo)
    session = session_of(actor, session_id, instrument_id) if session_id is not None else None
    if session is not None and is_for_others(actor, session):
        SessionFault.objects.create(problem=problem, reservation=session)
    return problem


def tell_answer(problem: InstrumentProblem, now: datetime) -> None:
    """Tell whose session it was, and who booked it for them, what the lab answered; part of the transaction of the answer."""
    rows = SessionFault.objects.select_related("reservation__instrument__site", "reservation__organisation")
    fault = rows.filter(problem=problem).first()
    if fault is None:
        return
    booked = fault.reservation
    event = "reservation.fault_solved" if problem.state == ProblemState.SOLVED else "reservation.fault_seen"
    page = reverse("reservation_detail", kwargs={"pk": booked.pk})
    news = News(event, params_of(booked) | {"answer": problem.answer}, page, booked, booked.instrument.organisation_id)
    tell(news, person(booked.requested_by_id, booked.booked_by_id), now)
