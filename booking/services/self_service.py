"""What a customer does at the instrument with a phone: start and end. (Extending: ``services.extending``.)"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.models import Means, Reservation
from booking.rules.attendance import arrival_faults, is_due_missed
from booking.rules.states import ReservationState
from booking.services import acting, check_in_points, conflicts, running, sessions, usage_review
from booking.services.context import policy_for
from booking.services.sides import Sides
from booking.services.state_writing import lock_row as behind_lock
from booking.services.state_writing import seen_by
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.services import transactions
from config.kernel.time_range import TimeRange


def start(actor: Actor, reservation_id: int, confirmed: Collection[str], now: datetime, *, at_id: int | None = None) -> None:
    """Start one's session. ``confirmed``: the sentences that were ticked; all that the lab asks for are needed. ``at_id``: the instrument
    at which the person has shown to stand; that of another is not found.

    Raises NotFound, Forbidden ``booking.not_your_time``, Refusal ``consent.over``, ``check_in.ticks_missing`` (``ticks``),
    ``booking.too_early_to_check_in``, ``booking.too_late_to_check_in``, ``check_in.too_late`` (the grace is over and the lab lets
    nobody in then), ``licence.needed_to_start``, ``booking.illegal_transition``, Conflict ``booking.early_not_free``,
    ``booking.just_taken``.
    """
    reservation = _own(actor, reservation_id, now)
    ticks = check_in_points.ticks_of(reservation.instrument_id)
    beginning = sessions.Beginning(now, Means.PHONE, tuple(ticks), needs_free_time=True)

    def work() -> None:
        locked = behind_lock(reservation_id)
        if at_id is not None:
            check_in_points.require_at(reservation_id, at_id)
        acting.require_acting(locked, actor, now, lock=True)
        _in_time(locked, now)
        if not set(ticks) <= set(confirmed):
            raise Refusal.of("check_in.ticks_missing", "ticks")
        sessions.start(locked, actor, now, beginning)

    with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id):
        transactions.run(work)


def end(actor: Actor, reservation_id: int, *, agrees: bool, now: datetime) -> None:
    """End one's session. ``agrees``: the customer says yes to its times with the same press; the lab's yes is still needed.

    Raises NotFound, Forbidden ``booking.not_your_time``, Refusal ``consent.over``, ``booking.illegal_transition``; with ``agrees`` also
    what ``acting.require_paying`` raises.
    """
    _own(actor, reservation_id, now)

    def work() -> None:
        locked = behind_lock(reservation_id)
        acting.require_acting(locked, actor, now, lock=True)
        if agrees:
            acting.require_paying(locked, actor, now)
        session = sessions.finish(locked, actor, now, sessions.Ending(now, Means.PHONE))
        if agrees:
            usage_review.say_yes(locked, session, Sides(customer=True, lab=False), actor, now)

    transactions.run(work)


def _in_time(reservation: Reservation, now: datetime) -> None:
    policy = policy_for(reservation.instrument)
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    Refusal.raise_any(arrival_faults(reservation.during, now, policy.early_start_minutes, zone))
    if policy.late_may_use:
        return
    kept_out = running.kept_out_until(reservation, now) or reservation.starts_at
    expected = TimeRange(min(kept_out, reservation.ends_at - timedelta(minutes=1)), reservation.ends_at)
    if reservation.state == ReservationState.NO_SHOW or is_due_missed(expected, policy.no_show_grace_minutes, now):
        raise Refusal.of("check_in.too_late", grace_minutes=policy.no_show_grace_minutes)


def _own(actor: Actor, reservation_id: int, now: datetime) -> Reservation:
    reservation = seen_by(actor, reservation_id)
    acting.require_acting(reservation, actor, now)
    return reservation
