"""What a person makes of a run that does not add up: it belongs to a reservation, it was a session of its own, or it is nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking.models import DeviceRun, Means, Reservation, RunState, UsageSession
from booking.rules.device_runs import may_be_use_of
from booking.rules.states import ReservationState
from booking.services import conflicts, credit, late_entry, notices, sessions
from booking.services.context import policy_for
from booking.services.device_matching import lock_calendar
from booking.services.late_entry import Entry
from booking.services.sides import require_lab
from booking.services.state_writing import lock_row as behind_lock
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.transactions import whole
from instruments.rules.registry_values import clean_text

REASON_LENGTH = 500


def attach(actor: Actor, run_id: int, reservation_id: int, now: datetime) -> DeviceRun:
    """The run was the use of a reservation of the same instrument: it starts or ends it, or corrects what was measured.

    An agreed, disputed or adjusted one stays as it is and keeps the run as evidence. Raises NotFound, Forbidden, Refusal
    ``usage.other_instrument``, ``usage.run_elsewhere`` (early_minutes), Conflict ``usage.decided_already``, ``booking.just_taken``.
    """
    run = _visible(actor, run_id)
    reservation = get_visible(Reservation.objects.select_related("instrument"), actor, pk=reservation_id)
    require_lab(reservation, actor)
    if reservation.instrument_id != run.instrument_id:
        raise Refusal.of("usage.other_instrument", "reservation")

    def work() -> DeviceRun:
        locked = behind_lock(reservation_id)
        row = _open(run_id)
        _require_near(locked, row)
        _use(locked, row, actor, now)
        return _decide(actor, row, RunState.ATTACHED, "", now, reservation_id)

    with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id):
        return transactions.run(work)


def enter(actor: Actor, run_id: int, entry: Entry, now: datetime) -> DeviceRun:
    """The run was a session without a reservation: write it down, with the run as evidence.

    Raises as ``late_entry.enter``, and Conflict ``usage.decided_already``, Refusal ``usage.other_instrument``.
    """
    run = _visible(actor, run_id)
    if entry.instrument_id != run.instrument_id:
        raise Refusal.of("usage.other_instrument", "instrument")

    def work() -> DeviceRun:
        lock_calendar(run.instrument)
        _open(run_id)
        made = late_entry.enter(actor, entry, now)
        return _decide(actor, _open(run_id), RunState.ENTERED, entry.reason.strip()[:REASON_LENGTH], now, made.pk)

    return transactions.run(work)


@whole
def ignore(actor: Actor, run_id: int, reason: str, now: datetime) -> DeviceRun:
    """The run was nobody's use (a test, a restart), and why.

    Raises NotFound, Forbidden, Refusal ``usage.reason_missing`` (``reason``), Conflict ``usage.decided_already``.
    """
    run = _visible(actor, run_id)
    words = clean_text(reason, REASON_LENGTH, "reason")
    if not words:
        raise Refusal.of("usage.reason_missing", "reason")
    lock_calendar(run.instrument)
    return _decide(actor, _open(run_id), RunState.IGNORED, words, now, None)


def _require_near(locked: Reservation, run: DeviceRun) -> None:
    early_minutes = policy_for(locked.instrument).early_start_minutes
    if not may_be_use_of(run.told, locked.during, timedelta(minutes=early_minutes)):
        raise Refusal.of("usage.run_elsewhere", "reservation", early_minutes=early_minutes)


def _use(locked: Reservation, run: DeviceRun, actor: Actor, now: datetime) -> None:
    state = ReservationState(locked.state)
    if state in (ReservationState.APPROVED, ReservationState.NO_SHOW):
        sessions.start(locked, actor, now, sessions.Beginning(run.starts_at, Means.DEVICE))
        _end(locked, run, actor, now)
    elif state is ReservationState.IN_USE:
        session = UsageSession.objects.get(reservation=locked)
        session.actual_starts_at = min(session.actual_starts_at, run.starts_at)
        session.save(update_fields=["actual_starts_at"])
        _end(locked, run, actor, now)
    elif state is ReservationState.COMPLETED:
        _correct(locked, run, actor, now)


def _end(locked: Reservation, run: DeviceRun, actor: Actor, now: datetime) -> None:
    """With the run, or with the last sign of life of one that has no stop, once its booked time is over."""
    ended_at = run.ends_at or run.heard_at
    if now >= locked.ends_at:
        session = sessions.finish(locked, actor, now, sessions.Ending(ended_at, Means.DEVICE))
        session.lab_agreed_at, session.lab_agreed_by_id = now, actor.user_id
        session.save(update_fields=["lab_agreed_at", "lab_agreed_by"])


def _correct(locked: Reservation, run: DeviceRun, actor: Actor, now: datetime) -> None:
    """What the device measured takes the place of what was noted; the customer has to look again."""
    session = UsageSession.objects.select_for_update().get(reservation=locked)
    before = (session.actual_starts_at, session.actual_ends_at)
    session.actual_starts_at, session.actual_ends_at = run.starts_at, run.ends_at or run.heard_at
    if before == (session.actual_starts_at, session.actual_ends_at):
        return
    policy = policy_for(locked.instrument)
    sessions.measure(session, policy)
    sessions.note_doubt(locked, session)
    if session.customer_agreed_at is not None:
        notices.defer(locked, "times_corrected", now)
    session.customer_agreed_at = session.customer_agreed_by_id = session.reminded_at = None
    session.review_until = sessions.review_until(now, policy.agree_after_days)
    session.save()
    credit.note_session(locked, session, actor, now)


def _decide(actor: Actor, run: DeviceRun, state: RunState, reason: str, now: datetime, reservation_id: int | None) -> DeviceRun:
    run.state, run.reason, run.reservation_id = state, reason, reservation_id
    run.decided_by_id, run.decided_at = actor.person_id, now
    run.save()
    after = {"state": state.value, "reservation": reservation_id}
    audit.record(actor, f"device_run.{state.value}", run, now, before={"problem": run.problem}, after=after, reason=reason)
    return run


def _open(run_id: int) -> DeviceRun:
    run = DeviceRun.objects.select_for_update(of=("self",)).select_related("instrument").get(pk=run_id)
    if run.state != RunState.OPEN:
        raise Conflict.of("usage.decided_already")
    return run


def _visible(actor: Actor, run_id: int) -> DeviceRun:
    run = get_visible(DeviceRun.objects.select_related("instrument"), actor, pk=run_id)
    actor.require_in(run.instrument.organisation_id, Role.LAB_MANAGER)
    return run
