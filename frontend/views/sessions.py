"""Today at the lab: who comes, who is in, who is late; check in, check out, mark as not used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.settlement import reservation_figures
from billing.settlement.reservation_figures import Figures
from booking import licence_queries, queries
from booking.models import Reservation, UsageSession
from booking.queries import assistants
from booking.rules.attendance import check_in_opens_at, grace_ends_at, may_check_in
from booking.rules.states import ReservationState
from booking.services import transitions
from booking.services.context import policy_for
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.messages import duration_words
from frontend import display
from frontend.booking_form import read_day
from frontend.http import actor_of, stands_at
from frontend.presenters.usage import OUTCOMES
from frontend.refusals import sentences, status_of
from instruments.models import Instrument

NOTE_LENGTH = 500
_STARTABLE = (ReservationState.APPROVED, ReservationState.NO_SHOW)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session of the day and what can be done with it now. ``hint`` says what is late, in words; ``typed`` is what was sent and
    refused; ``assisted_by`` who of the lab sits beside the user."""

    reservation: Reservation
    session: UsageSession | None
    outcome: Promise | str
    figures: Figures | None
    hint: str
    may_check_in: bool
    may_agree: bool
    may_check_out: bool
    may_mark_no_show: bool
    overdue: bool
    problems: list[str]
    just_done: bool
    without_licence: bool
    typed: Mapping[str, str]
    assisted_by: str


@dataclass(frozen=True, slots=True)
class InstrumentDay:
    instrument: Instrument
    rows: list[SessionRow]


@login_required
@require_GET
def sessions_today(request: HttpRequest) -> HttpResponse:
    """The sessions of a day (``?date=``, default today) on the actor's instruments."""
    return _day_response(request, timezone.now())


def _day_response(request: HttpRequest, now: datetime, failed_id: int = 0, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    zone = display.platform_zone()
    today = now.astimezone(zone).date()
    day = read_day(request.GET.get("date", "") or request.POST.get("date", "")) or today
    reservations = list(queries.sessions_of_day(actor, day, zone).select_related("instrument__policy"))
    figures = reservation_figures.figures_of(actor, reservations)
    unlicensed = licence_queries.without_licence(each for each in reservations if each.state in _STARTABLE)
    assisted = assistants.names_of(reservations)
    problems = sentences(refusal) if refusal else []
    done_id = request.GET.get("done", "")
    groups: dict[int, InstrumentDay] = {}
    for each in reservations:
        told, typed = (problems, request.POST.dict()) if each.pk == failed_id else ([], {})
        row = _row(
            each,
            figures.get(each.pk),
            now,
            told,
            just_done=done_id == str(each.pk),
            without_licence=each.pk in unlicensed,
            typed=typed,
            assisted_by=assisted.get(each.pk, ""),
        )
        groups.setdefault(each.instrument_id, InstrumentDay(each.instrument, [])).rows.append(row)
    context = {
        "groups": sorted(groups.values(), key=lambda group: (group.instrument.name_pinyin, group.instrument.name)),
        "day": day,
        "is_today": day == today,
        "previous_day": day - timedelta(days=1),
        "next_day": day + timedelta(days=1),
        "count": len(reservations),
        "running": sum(each.state == ReservationState.IN_USE for each in reservations),
        "problems": problems if not any(each.pk == failed_id for each in reservations) else [],
    }
    stands_at(request, "sessions_today")
    return render(request, "sessions/today.html", context, status=status_of(refusal) if refusal else 200)


def _row(
    reservation: Reservation,
    figures: Figures | None,
    now: datetime,
    problems: list[str],
    *,
    just_done: bool,
    without_licence: bool,
    typed: Mapping[str, str],
    assisted_by: str,
) -> SessionRow:
    approved = reservation.state == ReservationState.APPROVED
    policy = policy_for(reservation.instrument)
    late_from = grace_ends_at(reservation.during, policy.no_show_grace_minutes)
    session: UsageSession | None = getattr(reservation, "session", None)
    comes_late = reservation.state == ReservationState.NO_SHOW and reservation.starts_at <= now
    return SessionRow(
        reservation=reservation,
        session=session,
        outcome=OUTCOMES[session.outcome] if session and session.actual_ends_at else "",
        figures=figures if figures and figures.charged else None,
        hint=_hint(reservation, now, policy.early_start_minutes),
        may_check_in=(approved or comes_late) and may_check_in(reservation.during, now, policy.early_start_minutes),
        may_agree=_waits_for_the_lab(reservation, session),
        may_check_out=reservation.state == ReservationState.IN_USE,
        may_mark_no_show=approved and now >= late_from,
        overdue=now >= (reservation.ends_at if reservation.state == ReservationState.IN_USE else late_from),
        problems=problems,
        just_done=just_done,
        without_licence=without_licence,
        typed=typed,
        assisted_by=assisted_by,
    )


def _waits_for_the_lab(reservation: Reservation, session: UsageSession | None) -> bool:
    """Whether the customer has said yes already, so that one press charges it."""
    if session is None or reservation.state != ReservationState.COMPLETED:
        return False
    return session.customer_agreed_at is not None and session.lab_agreed_at is None


def _hint(reservation: Reservation, now: datetime, early_minutes: int) -> str:
    if reservation.state == ReservationState.APPROVED:
        if now > reservation.starts_at:
            return _("%(length)s late") % {"length": _minutes(now - reservation.starts_at)}
        if now >= check_in_opens_at(reservation.during, early_minutes):
            return _("starts in %(length)s") % {"length": _minutes(reservation.starts_at - now)}
    if reservation.state == ReservationState.IN_USE:
        if now > reservation.ends_at:
            return _("%(length)s over the booked end") % {"length": _minutes(now - reservation.ends_at)}
        return _("%(length)s left") % {"length": _minutes(reservation.ends_at - now)}
    return ""


def _minutes(length: timedelta) -> str:
    return duration_words(int(length.total_seconds()) // 60)


@login_required
@require_POST
def session_check_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the session; without a licence the lab says why it goes on."""
    reason = " ".join(request.POST.get("override_reason", "").replace("\x00", "").split())[:NOTE_LENGTH]

    def check_in(actor: Actor, reservation_id: int, now: datetime) -> None:
        transitions.check_in(actor, reservation_id, now, reason)

    return _act(request, pk, check_in, _("Checked in. The session is running."))


@login_required
@require_POST
def session_check_out(request: HttpRequest, pk: int) -> HttpResponse:
    """End the session; a note about it may be kept."""
    note = " ".join(request.POST.get("note", "").replace("\x00", "").split())[:NOTE_LENGTH]

    def check_out(actor: Actor, reservation_id: int, now: datetime) -> None:
        transitions.check_out(actor, reservation_id, now, note)

    return _act(request, pk, check_out, _("Checked out. The customer looks at the times now."))


@login_required
@require_POST
def session_no_show(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, transitions.mark_no_show, _("Marked as not used."))


def _act(request: HttpRequest, pk: int, service: Callable[[Actor, int, datetime], None], said: str) -> HttpResponse:
    """Do it and come back to the day; a refusal is shown at the session."""
    actor, now = actor_of(request), timezone.now()
    try:
        service(actor, pk, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _day_response(request, now, pk, refusal)
    messages.success(request, said)
    if request.POST.get("from") == "detail":
        return redirect("reservation_detail", pk)
    day = read_day(request.POST.get("date", ""))
    kept = f"date={day}&" if isinstance(day, date) else ""
    return redirect(f"{reverse('sessions_today')}?{kept}done={pk}#session-{pk}")
