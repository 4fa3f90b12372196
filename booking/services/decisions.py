"""What was decided about a request can be taken back for a few seconds; only then is it told.

The decision itself counts at once: its money is held, its time is kept. What waits is the news, in a job that comes after those seconds;
who takes back leaves it nothing to tell. A decision that was made otherwise (over the API one by one) is told in its own transaction.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from booking import ports
from booking.models import RequestDecision, Reservation
from booking.rules.deciding import Verdict
from booking.rules.states import GIVEN_UP, Action, ReservationState
from booking.services import assisting, conflicts, deciders, decision_rows, notices, sample_decisions
from booking.services.context import policy_for
from booking.services.decision_rows import About, Decided, How
from booking.services.state_writing import lock_row, move, seen_by
from config.kernel.access import Actor, visible_to
from config.kernel.services import transactions
from config.kernel.services.parking import each_parked

BATCH = 500
_SAID = {Verdict.APPROVE: "approved", Verdict.REJECT: "rejected"}


def note(locked: Reservation, verdict: Verdict, actor: Actor, how: How, now: datetime, reason: str = "") -> None:
    """Tell of the decision, now or when it cannot be taken back any more; part of the transaction of the decision."""
    decision_rows.note(_about(locked), Decided(verdict, reason), actor, how, now)
    if not how.undo:
        _tell(locked, verdict, reason, now)


def _about(locked: Reservation) -> About:
    return About(locked.instrument.organisation_id, reservation_id=locked.pk)


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
        row = decision_rows.to_take_back(_about(locked), actor, now)
        if policy_for(locked.instrument).pending_blocks:
            assisting.anew_where_needed(locked, ZoneInfo(locked.instrument.site.time_zone), now)
        move(locked, Action.TAKE_BACK, actor, now)
        ports.money().on_release(locked, actor, Action.TAKE_BACK.value, now)
        decision_rows.taken_back(row, now)

    mode = reservation.service_mode
    with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id, mode):
        transactions.run(work)


def tell(decision_id: int, now: datetime) -> bool:
    """Tell of one decision that cannot be taken back any more; whether this did so. Safe to repeat."""
    decision = RequestDecision.objects.get(pk=decision_id)
    if decision.reservation_id is None:
        return sample_decisions.tell(decision, now)
    reservation_id = decision.reservation_id

    def work() -> bool:
        locked = lock_row(reservation_id)
        row = decision_rows.to_tell(decision_id, now)
        if row is None:
            return False
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


def in_place_of(actor: Actor, reservation: Reservation) -> dict[datetime, str]:
    """When somebody of the lab decided about it in the place of whom; nothing for who may not see that."""
    rows = visible_to(RequestDecision.objects.filter(reservation=reservation), actor).exclude(decided_for=None)
    return {row.decided_at: str(row.decided_for) for row in rows.select_related("decided_for")}
