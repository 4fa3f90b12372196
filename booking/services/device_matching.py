"""What a run of a device means for the reservations of its instrument. Parts of a transaction that holds the calendar's lock."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from booking.models import DeviceRun, InstrumentPolicy, Means, Reservation, RunState, UsageSession
from booking.rules import device_clock
from booking.rules.device_runs import LONG_OVER, Booked, Match, ProblemKind, Run, match
from booking.rules.states import IN_REVIEW, ReservationState
from booking.services import sessions
from booking.services.context import policy_for, policy_of
from booking.services.state_writing import lock_row as behind_lock
from config.kernel.access import NOBODY
from config.kernel.errors import Refusal
from config.kernel.services.parking import each_parked
from instruments.models import Instrument
from instruments.services import schedule_store

#: Reservations that a run may belong to.
POSSIBLE = (
    ReservationState.APPROVED,
    ReservationState.IN_USE,
    ReservationState.NO_SHOW,
    ReservationState.AGREED,
    *sorted(IN_REVIEW),
)
LEAVES = timedelta(minutes=15)
"""A session that a device started ends by itself so long after the booked end, at the last stop that the device told."""


def lock_calendar(instrument: Instrument) -> None:
    """Nothing else changes the calendar until the transaction ends."""
    schedule_store.lock_calendars([instrument.calendar_id])


def settle(instrument: Instrument, row: DeviceRun, run: Run, now: datetime) -> None:
    """Match a run that no person has decided about, and start or end what it is the use of."""
    found = _match(instrument, run, now)
    if device_clock.is_suspicious(timedelta(seconds=row.skew_seconds)):
        found = Match(found.reservation_id, ProblemKind.SKEW)
    if found.reservation_id is not None and (found.problem is None or _comes_late(found, run, now)):
        found = _follow(found.reservation_id, run, now)
    row.reservation_id = found.reservation_id
    row.problem = found.problem.value if found.problem else ""
    row.state = RunState.OPEN if found.problem else RunState.MATCHED
    row.save(update_fields=["reservation", "problem", "state"])


def reconsider(instrument: Instrument, run_id: int, now: datetime) -> bool:
    """Match a run again that may have become silent; whether it has to be looked at now."""
    lock_calendar(instrument)
    row = DeviceRun.objects.select_for_update(of=("self",)).get(pk=run_id)
    if row.state != RunState.MATCHED:
        return False
    found = _match(instrument, row.told, now)
    if found.problem is None:
        return False
    row.state, row.problem, row.reservation_id = RunState.OPEN, found.problem.value, found.reservation_id
    row.save(update_fields=["state", "problem", "reservation"])
    return True


def end_left(now: datetime) -> int:
    """End the sessions that a device started and whose last stop lies behind their booked end; returns how many. Safe to repeat."""
    due = UsageSession.objects.filter(
        reservation__state=ReservationState.IN_USE, started_by_means=Means.DEVICE, booked_ends_at__lte=now - LEAVES
    )

    def work(pk: int) -> bool:
        locked = behind_lock(pk)
        runs = list(DeviceRun.objects.filter(reservation_id=pk).exclude(state=RunState.OPEN))
        if locked.state != ReservationState.IN_USE or not runs or any(one.ends_at is None for one in runs):
            return False
        last = max(one.ends_at for one in runs if one.ends_at is not None)
        sessions.finish(locked, NOBODY, now, sessions.Ending(last, Means.DEVICE))
        return True

    return each_parked(list(due.values_list("reservation_id", flat=True)), work, "session of a device")


def _match(instrument: Instrument, run: Run, now: datetime) -> Match:
    early = timedelta(minutes=policy_of(InstrumentPolicy.objects.filter(instrument=instrument).first()).early_start_minutes)
    during = run.during()
    rows = Reservation.objects.filter(
        instrument=instrument,
        state__in=POSSIBLE,
        starts_at__lt=during.ends_at + early,
        ends_at__gt=during.starts_at - LONG_OVER,
    ).order_by("starts_at")
    booked = [Booked(one.pk, one.during, ReservationState(one.state)) for one in rows]
    return match(run, booked, early, now)


def _comes_late(found: Match, run: Run, now: datetime) -> bool:
    """Whether a missed reservation is being started right now, where the lab lets people in who come late."""
    if not run.started or found.problem is not ProblemKind.MISSED or found.reservation_id is None:
        return False
    reservation = Reservation.objects.select_related("instrument__policy").get(pk=found.reservation_id)
    return now < reservation.ends_at and policy_for(reservation.instrument).late_may_use


def _follow(reservation_id: int, run: Run, now: datetime) -> Match:
    """Start a reservation with the run, and end one that a device started when its booked time is over.

    What cannot be followed is a problem for a person; nothing of it is written.
    """
    missed = False
    try:
        with transaction.atomic():
            locked = behind_lock(reservation_id)
            missed = locked.state == ReservationState.NO_SHOW
            if missed or locked.state == ReservationState.APPROVED:
                sessions.start(locked, NOBODY, now, sessions.Beginning(run.starts_at, Means.DEVICE))
            if locked.state == ReservationState.IN_USE:
                _end_with(locked, run, now)
    except (Refusal, IntegrityError):
        return Match(reservation_id, ProblemKind.MISSED if missed else ProblemKind.OUTSIDE)
    return Match(reservation_id)


def _end_with(locked: Reservation, run: Run, now: datetime) -> None:
    session = UsageSession.objects.get(reservation=locked)
    if session.started_by_means != Means.DEVICE:
        return
    if run.started and run.starts_at < session.actual_starts_at:
        session.actual_starts_at = run.starts_at
        session.save(update_fields=["actual_starts_at"])
    if run.ends_at is not None and run.ends_at >= locked.ends_at:
        sessions.finish(locked, NOBODY, now, sessions.Ending(run.ends_at, Means.DEVICE))
