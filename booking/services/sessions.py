"""Starting and ending the use behind a reservation: whoever does it, the facts of the session are written here.

Everything is part of the caller's transaction and gets a reservation from ``state_writing.lock_row``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from psycopg.types.range import TimestamptzRange

from booking import ports
from booking.models import Means, Occupancy, OccupancySource, Reservation, UsageSession
from booking.rules.credit import EventKind
from booking.rules.outcome import Outcome, outcome_of
from booking.rules.policy import BookingPolicy
from booking.rules.review import doubt_of, review_until
from booking.rules.states import Action, ReservationState
from booking.rules.usage import AS_USED, derive_billable
from booking.services import assisting, credit, holds, licences, notices, running
from booking.services.context import of_reservation, policy_for
from booking.services.state_writing import lock_row, move
from config.kernel.access import NOBODY, Actor
from config.kernel.errors import Conflict, Refusal
from config.kernel.time_range import TimeRange


@dataclass(frozen=True, slots=True)
class Beginning:
    """``at``: since when it is used. ``needs_free_time``: before the booked start only where nobody else has the time and it is
    open; otherwise what is free is taken and the rest is the lab's business. ``ticks``: what was confirmed. ``override_reason``:
    why the lab lets somebody work alone without a licence.
    """

    at: datetime
    means: Means = Means.LAB
    ticks: tuple[str, ...] = ()
    needs_free_time: bool = False
    override_reason: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """``fault``: the instrument broke down. Nobody left early then, and what was used is charged at most."""

    at: datetime
    means: Means = Means.LAB
    note: str = ""
    fault: bool = False


#: The rule of past use that came with a list of the lab's and is not charged.
NOT_CHARGED = "imported"
#: Ways of beginning that can still be refused; a device or a late entry tells of what has happened.
_CAN_BE_REFUSED = frozenset({Means.LAB, Means.PHONE})


def start(locked: Reservation, actor: Actor, now: datetime, beginning: Beginning) -> UsageSession:
    """Begin the session of an approved reservation, or of a missed one whose time nobody took (its money is held again).

    What runs still on the calendar although its time is over ends with it: nobody uses it beside somebody else.

    Raises Refusal ``booking.illegal_transition``, Conflict ``booking.early_not_free`` (taken_until_at), ``booking.still_in_use``,
    ``booking.late_figures``, and the exclusion constraint's IntegrityError when a missed one's time was taken.
    """
    if beginning.means is Means.PHONE:
        licences.require_to_start(locked, actor, now)
    elif beginning.means is Means.LAB:
        licences.require_for_check_in(locked, actor, now, beginning.override_reason)
    if ReservationState(locked.state) is ReservationState.NO_SHOW:
        holds.clear_for(locked, now, actor.user_id if beginning.means is Means.PHONE else None)
        told = assisting.person_told(locked)
        assisting.anew_where_needed(locked, ZoneInfo(locked.instrument.site.time_zone), now, must=False)
        move(locked, Action.COME_LATE, actor, now)
        notices.tell_of_another(locked, told, now)
        if ports.money().on_come_late(locked, actor, now) is not None:
            raise Conflict.of("booking.late_figures")
        credit.take_back(locked, EventKind.NO_SHOW, actor, now)
    else:
        move(locked, Action.CHECK_IN, actor, now)
        ports.money().on_progress(locked, Action.CHECK_IN, actor, now)
    if beginning.means in _CAN_BE_REFUSED:
        _end_what_runs_still(locked, now, beginning.at)
    if beginning.at < locked.starts_at:
        _take_time_before(locked, beginning, now, actor.user_id if beginning.means is Means.PHONE else None)
    return UsageSession.objects.create(
        reservation=locked,
        booked_starts_at=locked.starts_at,
        booked_ends_at=locked.ends_at,
        actual_starts_at=beginning.at,
        started_by_means=beginning.means,
        checked_in_by_id=actor.user_id,
        confirmed_ticks=list(beginning.ticks),
    )


def finish(locked: Reservation, actor: Actor, now: datetime, ending: Ending) -> UsageSession:
    """End a running session: actual time is measured, billable time derived, and both sides may look at it.

    The lab that ends it says yes with that; a customer on the phone does so separately. Raises Refusal ``usage.clock_set_back`` for an
    end before the start: it would be no use at all, and nobody would be charged for what was used.
    """
    move(locked, Action.CHECK_OUT, actor, now)
    session = UsageSession.objects.get(reservation=locked)
    if ending.at < session.actual_starts_at:
        zone = ZoneInfo(locked.instrument.site.time_zone)
        moments = {"started_at": session.actual_starts_at, "ended_at": ending.at}
        raise Refusal.of("usage.clock_set_back", **{name: at.astimezone(zone).isoformat() for name, at in moments.items()})
    policy = policy_for(locked.instrument)
    session.actual_ends_at = ending.at
    session.ended_by_means = ending.means
    session.checked_out_by_id = actor.user_id
    session.note = ending.note[:500]
    session.review_until = review_until(now, policy.agree_after_days)
    if ending.means in (Means.LAB, Means.AFTERWARDS):
        session.lab_agreed_at, session.lab_agreed_by_id = now, actor.user_id
    if ending.fault:
        session.outcome = Outcome.FAULT.value
    measure(session, policy)
    note_doubt(locked, session)
    session.save()
    credit.note_session(locked, session, actor, now)
    ports.money().on_progress(locked, Action.CHECK_OUT, actor, now)
    notices.defer(locked, "completed", now)
    return session


def _end_what_runs_still(locked: Reservation, now: datetime, at: datetime) -> None:
    """Sessions on the calendar that nobody ended, behind the calendar's lock. Raises Conflict ``booking.still_in_use`` where the other's
    own time is not over yet, or ours has not come."""
    begun = running.running_on(locked.instrument.calendar_id).exclude(pk=locked.pk).filter(session__actual_starts_at__lte=at)
    for pk in begun.values_list("pk", flat=True):
        other = lock_row(pk)
        if other.state != ReservationState.IN_USE:
            continue
        if at < max(other.ends_at, locked.starts_at):
            raise Conflict.of("booking.still_in_use")
        finish(other, NOBODY, now, Ending(at, Means.NEXT))


def note_doubt(locked: Reservation, session: UsageSession) -> None:
    """Set what does not add up about the actual time. Saves nothing."""
    session.doubt = ""
    if session.actual is not None:
        others = running.others_in(locked, session.actual)
        by_next = session.ended_by_means == Means.NEXT
        session.doubt = doubt_of(session.booked, session.actual, others, ended_by_next=by_next) or ""


def measure(session: UsageSession, policy: BookingPolicy) -> None:
    """Set what follows from booked and actual time: billable range and minutes with their rule, overrun, outcome. Saves nothing.

    A session that a fault ended stays one, whatever is corrected: of it at most what was used is charged. What came with a list of the
    lab's as not to be charged stays free whatever a device tells.
    """
    fault = session.outcome == Outcome.FAULT
    billable = derive_billable(session.booked, session.actual, AS_USED if fault else policy.billable_rule)
    if session.billable_rule == NOT_CHARGED:
        charge_for(session, None, NOT_CHARGED)
    else:
        charge_for(session, billable.range, billable.rule.basis.value)
    session.overrun_minutes = billable.overrun_minutes
    session.outcome = Outcome.FAULT.value if fault else outcome_of(session.booked, session.actual).value
    if fault and session.actual is None:
        charge_for(session, None, billable.rule.basis.value)


def charge_for(session: UsageSession, billable: TimeRange | None, rule: str) -> None:
    """Set what will be charged (None: nothing) and by which rule. Saves nothing."""
    session.billable_rule = rule
    session.billable_starts_at = billable.starts_at if billable else None
    session.billable_ends_at = billable.ends_at if billable else None
    session.billable_minutes = -(-billable.seconds // 60) if billable else 0


def _take_time_before(locked: Reservation, beginning: Beginning, now: datetime, holder_id: int | None) -> None:
    """Keep others out from the early start on. The booked time stays what it is; holds of ``holder_id`` are not in the way."""
    occupancy = Occupancy.objects.get(reservation=locked, source=OccupancySource.RESERVATION)
    taken = occupancy.during
    if beginning.at >= taken.lower:
        return
    before = TimeRange(beginning.at, taken.lower)
    calendar_ids = assisting.calendars_of(locked)
    holds.clear(locked.instrument.calendar_id, before, now, holder_id)
    assisting.end_expired(calendar_ids, before, now)
    others = Occupancy.objects.filter(
        calendar_id__in=calendar_ids,
        blocking=True,
        during__overlap=TimestamptzRange(before.starts_at, before.ends_at),
    ).exclude(reservation_id=locked.pk)
    in_the_way = others.order_by("-during").first()
    if beginning.needs_free_time:
        if in_the_way is not None:
            raise Conflict.of("booking.early_not_free", taken_until_at=_local(in_the_way.during.upper, locked))
        context = of_reservation(locked)
        Refusal.raise_any(context.closed_reasons(TimeRange(beginning.at, locked.starts_at)))
    if in_the_way is None:
        occupancy.during = TimestamptzRange(beginning.at, taken.upper)
        occupancy.save(update_fields=["during"])


def _local(moment: datetime, locked: Reservation) -> str:
    return moment.astimezone(ZoneInfo(locked.instrument.site.time_zone)).isoformat()
