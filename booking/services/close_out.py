"""Closing a session's service: report, tests done again, and the quality grade with a second pair of eyes where money depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from booking.models import GRADES, CloseOut, Reservation
from booking.rules.states import IN_REVIEW, ReservationState
from booking.services.sides import require_lab
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.rules.registry_values import clean_text
from instruments.rules.wall_time import to_wall

NOTE_LENGTH = 500
MOST_RETESTS = 1000
_FIELDS = ("report_due_on", "reported_on", "retests", "note", "grade")


@dataclass(frozen=True, slots=True)
class Closing:
    """What the lab says. ``report_due_on``: the promised day; ``reported_on``: the day of the report; ``grade``: "" or A to D."""

    report_due_on: date | None = None
    reported_on: date | None = None
    retests: int = 0
    note: str = ""
    grade: str = ""


@whole
def close(actor: Actor, reservation_id: int, closing: Closing, now: datetime) -> CloseOut:
    """Write how the service ended; the grade only until the use is agreed, because the charge rests on it.

    Raises NotFound, Forbidden, Refusal ``close_out.not_over``, ``close_out.grade_fixed``, ``close_out.grade_unknown`` (``grade``),
    ``close_out.retests`` (``retests``), ``close_out.reported_in_future`` (``reported_on``), ``name.*`` (``note``).
    """
    reservation = _locked(actor, reservation_id)
    require_lab(reservation, actor)
    found = CloseOut.objects.filter(reservation=reservation).first()
    known = found or CloseOut(reservation=reservation, updated_at=now)
    Refusal.raise_any(_faults(reservation, known, closing, now))
    before = {name: _plain(getattr(known, name)) for name in _FIELDS} if found else {}
    known.report_due_on, known.reported_on, known.retests = closing.report_due_on, closing.reported_on, closing.retests
    write(known, closing.grade, closing.note, actor, now)
    after = {name: _plain(getattr(known, name)) for name in _FIELDS}
    audit.record(actor, "close_out.write", known, now, before=before, after=after)
    return known


@whole
def confirm_grade(actor: Actor, reservation_id: int, now: datetime) -> CloseOut:
    """A second person of the owner confirms the grade.

    Raises NotFound, Forbidden, Refusal ``close_out.no_grade``, ``close_out.second_person``, ``close_out.grade_fixed``.
    """
    reservation = _locked(actor, reservation_id)
    actor.require_in(reservation.instrument.organisation_id, Role.LAB_MANAGER, Role.OWNER_FINANCE)
    known = CloseOut.objects.filter(reservation=reservation).first()
    return confirm(known, actor, now, fixed=reservation.state == ReservationState.AGREED)


def write(known: CloseOut, grade: str, note: str, actor: Actor, now: datetime) -> None:
    """Write a grade that is known to be one, and a note; whoever confirmed another grade has not confirmed this one.
    Raises Refusal ``name.*`` (``note``). Part of the caller's transaction."""
    if grade != known.grade:
        known.confirmed_by_id = known.confirmed_at = None
        known.graded_by_id, known.graded_at = (actor.person_id, now) if grade else (None, None)
    known.grade, known.note, known.updated_at = grade, clean_text(note, NOTE_LENGTH, "note"), now
    known.save()


def confirm(known: CloseOut | None, actor: Actor, now: datetime, *, fixed: bool) -> CloseOut:
    """Note that ``actor`` confirms the grade; ``fixed``: it was charged by. Raises Refusal ``close_out.no_grade``,
    ``close_out.second_person``, ``close_out.grade_fixed``. Part of the caller's transaction."""
    if known is None or not known.grade:
        raise Refusal.of("close_out.no_grade")
    if known.graded_by_id == actor.person_id:
        raise Refusal.of("close_out.second_person")
    if fixed:
        raise Refusal.of("close_out.grade_fixed", "grade")
    if known.confirmed_at is None:
        known.confirmed_by_id, known.confirmed_at = actor.person_id, now
        known.save(update_fields=["confirmed_by", "confirmed_at"])
        audit.record(actor, "close_out.confirm_grade", known, now, after={"grade": known.grade})
    return known


def grade_faults(grade: str, known: CloseOut, *, fixed: bool) -> list[Reason]:
    """What speaks against a grade in place of the one that is known: ``close_out.grade_fixed``, ``close_out.grade_unknown``."""
    faults = []
    if grade != known.grade and fixed:
        faults.append(Reason("close_out.grade_fixed", {}, "grade"))
    if grade and grade not in GRADES:
        faults.append(Reason("close_out.grade_unknown", {"known": list(GRADES)}, "grade"))
    return faults


def _faults(reservation: Reservation, known: CloseOut, closing: Closing, now: datetime) -> list[Reason]:
    state = ReservationState(reservation.state)
    if state is not ReservationState.AGREED and state not in IN_REVIEW:
        return [Reason("close_out.not_over")]
    faults = grade_faults(closing.grade, known, fixed=state is ReservationState.AGREED)
    if not 0 <= closing.retests <= MOST_RETESTS:
        faults.append(Reason("close_out.retests", {"maximum": MOST_RETESTS}, "retests"))
    if (
        closing.reported_on is not None
        and closing.reported_on > to_wall(now, ZoneInfo(reservation.instrument.site.time_zone)).date()
    ):
        faults.append(Reason("close_out.reported_in_future", {}, "reported_on"))
    return faults


def _locked(actor: Actor, reservation_id: int) -> Reservation:
    found = get_visible(Reservation.objects.all(), actor, pk=reservation_id)
    return Reservation.objects.select_for_update(of=("self",), no_key=True).select_related("instrument__site").get(pk=found.pk)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
