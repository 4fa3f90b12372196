"""What is written of a decision that can be taken back for a few seconds, about a request for time as about one for the test of samples."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from procrastinate.jobs import DEFAULT_QUEUE

from booking.models import RequestDecision
from booking.rules.deciding import UNDO, Verdict, refuse_late_take_back
from booking.services import deputies
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, Refusal
from config.kernel.statements import planned_once

TASK = "booking.tell_decision"
_AFTER = timedelta(seconds=1)
"""So much later than the last moment of taking back the job begins: clocks of several processes differ by less."""

#: The decision and, where it can be taken back, the job that tells of it, by the library's own function.
_NOTE = f"""
WITH decided AS (
    INSERT INTO booking_requestdecision
        (reservation_id, sample_job_id, action, reason, decided_by_id, decided_for_id, decided_at, final_at, told_at, taken_back_at, before)
    VALUES (%(reservation)s::bigint, %(sample_job)s::bigint, %(action)s, %(reason)s, %(by)s, %(for)s::bigint, %(at)s, %(final_at)s,
            %(told_at)s::timestamptz, NULL, %(before)s::jsonb)
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


AT_ONCE = How()
UNDOABLE = How(undo=True)


@dataclass(frozen=True, slots=True)
class About:
    """What is decided about: a reservation or a sample job of a lab."""

    lab_id: int
    reservation_id: int | None = None
    sample_job_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided, why not, and (a sample job) what it was promised before."""

    verdict: Verdict
    reason: str = ""
    before: dict[str, Any] | None = None


def note(about: About, said: Decided, actor: Actor, how: How, now: datetime) -> None:
    """Write the decision where it can be taken back, or where it was made in somebody's place; part of its transaction."""
    for_id = deputies.stands_for(actor, about.lab_id, now)
    if not how.undo and for_id is None:
        return
    final_at = now + UNDO if how.undo else now
    values = {
        "reservation": about.reservation_id,
        "sample_job": about.sample_job_id,
        "action": said.verdict.value,
        "reason": said.reason,
        "by": actor.person_id,
        "for": for_id,
        "at": now,
        "final_at": final_at,
        "told_at": None if how.undo else now,
        "before": None if said.before is None else json.dumps(said.before),
        "job_at": final_at + _AFTER if how.undo else None,
    }
    with planned_once() as cursor:
        cursor.execute(_NOTE, values)


def to_take_back(about: About, actor: Actor, now: datetime) -> RequestDecision:
    """What was decided last about a locked request, for who decided it.

    Raises Forbidden ``decision.not_yours``, Refusal ``decision.told`` (too late, or told at once).
    """
    rows = RequestDecision.objects.filter(reservation=about.reservation_id, sample_job=about.sample_job_id, taken_back_at=None)
    row = rows.order_by("-pk").first()
    if row is not None and row.decided_by_id != actor.user_id:
        raise Forbidden.of("decision.not_yours")
    if row is None:
        raise Refusal.of("decision.told", undo_seconds=int(UNDO.total_seconds()))
    refuse_late_take_back(row.final_at, row.told_at is not None, now)
    return row


def taken_back(row: RequestDecision, now: datetime) -> None:
    """Nothing is told of it."""
    row.taken_back_at = now
    row.save(update_fields=["taken_back_at"])


def to_tell(decision_id: int, now: datetime) -> RequestDecision | None:
    """The decision about a locked request, told from now on; None where it was told, taken back, or can be taken back still."""
    row = RequestDecision.objects.get(pk=decision_id)
    if row.told_at is not None or row.taken_back_at is not None or now < row.final_at:
        return None
    row.told_at = now
    row.save(update_fields=["told_at"])
    return row


def open_of(actor: Actor, now: datetime) -> Iterable[RequestDecision]:
    """What the actor decided and can still take back, the newest first."""
    if actor.user_id is None:
        return []
    rows = RequestDecision.objects.filter(decided_by_id=actor.user_id, told_at=None, taken_back_at=None, final_at__gt=now)
    return rows.order_by("-decided_at", "-pk")
