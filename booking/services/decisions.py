"""What was decided about a request can be taken back for a few seconds; only then is it told.

The decision itself counts at once: its money is held, its time is kept. What waits is the news, in a job that comes after those seconds;
who takes back leaves it nothing to tell. A decision that was made otherwise (over the API one by one) is told in its own transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from procrastinate.jobs import DEFAULT_QUEUE

from booking import ports
from booking.models import RequestDecision, Reservation
from booking.rules.deciding import UNDO, Verdict, refuse_late_take_back
from booking.rules.states import GIVEN_UP, Action, ReservationState
from booking.services import assisting, conflicts, deciders, deputies, notices
from booking.services.context import policy_for
from booking.services.state_writing import lock_row, move, seen_by
from config.kernel.access import Actor, visible_to
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import transactions
from config.kernel.services.parking import each_parked
from config.kernel.statements import planned_once

TASK = "booking.tell_decision"
BATCH = 500
_AFTER = timedelta(seconds=1)
"""So much later than the last moment of taking back the job begins: clocks of several processes differ by less."""
_SAID = {Verdict.APPROVE: "approved", Verdict.REJECT: "rejected"}


#: The decision and, where it can be taken back, the job that tells of it, by the library's own function.
_NOTE = f"""
WITH decided AS (
    INSERT INTO booking_requestdecision
        (reservation_id, action, reason, decided_by_id, decided_for_id, decided_at, final_at, told_at, taken_back_at)
    VALUES (%(reservation)s, %(action)s, %(reason)s, %(by)s, %(for)s::bigint, %(at)s, %(final_at)s, %(told_at)s::timestamptz, NULL)
    RETURNING id)
SELECT procrastinate_defer_jobs_v1(ARRAY[
           ROW('{DEFAULT_QUEUE}', '{TASK}', 0, NULL, NULL, jsonb_build_object('decision_id', id), %(job_at)s::timestamptz
           )::procrastinate_job_to_defer_v1])
  FROM decided WHERE %(job_at)s::timestamptz IS NOT NULL
"""  # noqa: S608  (constants only; values are bound)


@dataclass(frozen=True, slots=True)
class How:
    """``undo``: it can be taken back, and is told after that."""

    undo: bool = False


def note(locked: Reservation, verdict: Verdict, actor: Actor, how: How, now: datetime, reason: str = "") -> None:
    """Tell of the decision, now or when it cannot be taken back any more; part of the transaction of the decision."""
    for_id = deputies.stands_for(actor, locked.instrument.organisation_id, now)
    if how.undo or for_id is not None:
        final_at = now + UNDO if how.undo else now
        values = {
            "reservation": locked.pk,
            "action": verdict.value,
            "reason": reason,
            "by": actor.person_id,
            "for": for_id,
            "at": now,
            "final_at": final_at,
            "told_at": None if how.undo else now,
            "job_at": final_at + _AFTER if how.undo else None,
        }
        with planned_once() as cursor:
            cursor.execute(_NOTE, values)
    if not how.undo:
        _tell(locked, verdict, reason, now)


def _tell(locked: Reservation, verdict: Verdict, reason: str, now: datetime) -> None:
    more = {"reason": reason} if verdict is Verdict.REJECT else {}
    notices.defer(locked, _SAID[verdict], now, **more)


def take_back(actor: Actor, reservation_id: int, now: datetime) -> None:
    """The request waits again, as if nothing had been decided; what was held is free.

    Raises NotFound, Forbidden ``decision.not_yours``, Refusal ``decision.told`` (too late, or told at once),
    ``booking.illegal_transition``, Conflict ``booking.just_taken`` when somebody has the rejected request's time by
    now, or ``booking.nobody_assists``.
    """
    reservation = seen_by(actor, reservation_id)
    deciders.require(reservation, actor)

    def work() -> None:
        locked = lock_row(reservation_id)
        row = RequestDecision.objects.filter(reservation=locked, taken_back_at=None).order_by("-pk").first()
        if row is not None and row.decided_by_id != actor.user_id:
            raise Forbidden.of("decision.not_yours")
        if row is None:
            raise Refusal.of("decision.told", undo_seconds=int(UNDO.total_seconds()))
        refuse_late_take_back(row.final_at, row.told_at is not None, now)
        if policy_for(locked.instrument).pending_blocks:
            assisting.anew_where_needed(locked, ZoneInfo(locked.instrument.site.time_zone), now)
        move(locked, Action.TAKE_BACK, actor, now)
        ports.money().on_release(locked, actor, Action.TAKE_BACK.value, now)
        row.taken_back_at = now
        row.save(update_fields=["taken_back_at"])

    mode = reservation.service_mode
    with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id, mode):
        transactions.run(work)


def tell(decision_id: int, now: datetime) -> bool:
    """Tell of one decision that cannot be taken back any more; whether this did so. Safe to repeat."""
    reservation_id = RequestDecision.objects.values_list("reservation_id", flat=True).get(pk=decision_id)

    def work() -> bool:
        locked = lock_row(reservation_id)
        row = RequestDecision.objects.get(pk=decision_id)
        if row.told_at is not None or row.taken_back_at is not None or now < row.final_at:
            return False
        row.told_at = now
        row.save(update_fields=["told_at"])
        if _still_stands(locked, Verdict(row.action)):
            _tell(locked, Verdict(row.action), row.reason, now)
        return True

    return transactions.run(work)


def _still_stands(locked: Reservation, verdict: Verdict) -> bool:
    """Who cancelled an approval within its first seconds is told of that alone."""
    if verdict is Verdict.REJECT:
        return locked.state == ReservationState.REJECTED
    return locked.state not in GIVEN_UP


def tell_due(now: datetime) -> int:
    """What a lost job left untold; returns how many. Safe to repeat."""
    due = RequestDecision.objects.filter(told_at=None, taken_back_at=None, final_at__lte=now).order_by("final_at")
    return each_parked(list(due.values_list("pk", flat=True)[:BATCH]), lambda pk: tell(pk, now), "decision")


def open_of(actor: Actor, now: datetime) -> Iterable[RequestDecision]:
    """What the actor decided and can still take back, the newest first."""
    if actor.user_id is None:
        return []
    rows = RequestDecision.objects.filter(decided_by_id=actor.user_id, told_at=None, taken_back_at=None, final_at__gt=now)
    return rows.select_related("reservation").order_by("-decided_at", "-pk")


def in_place_of(actor: Actor, reservation: Reservation) -> dict[datetime, str]:
    """When somebody of the lab decided about it in the place of whom; nothing for who may not see that."""
    rows = visible_to(RequestDecision.objects.filter(reservation=reservation), actor).exclude(decided_for=None)
    return {row.decided_at: str(row.decided_for) for row in rows.select_related("decided_for")}
