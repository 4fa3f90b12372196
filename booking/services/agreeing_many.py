"""Use that time agrees to, many sessions in one transaction: the same rows as one by one, in a constant number of statements but for those
that tell people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from booking import ports
from booking.models import AgreedHow, Reservation, UsageSession
from booking.rules.states import Action, ReservationState
from booking.services import close_out_rule, notices
from booking.services.state_writing import lock_rows, move_many
from config.kernel.access import NOBODY

WAITING = (ReservationState.COMPLETED.value, ReservationState.ADJUSTMENT_REFUSED.value)
"""The states in which nothing but time is waited for."""


def agree(
    reservation_ids: Sequence[int], is_due: Callable[[Reservation, UsageSession], bool], now: datetime
) -> tuple[int, list[int]]:
    """Agree to and charge those of them that are due, behind their locks; returns how many, and the ids of those that have to be looked at
    by themselves. Part of the caller's transaction."""
    locked = {row.pk: row for row in lock_rows(reservation_ids) if row.state in WAITING}
    rows = UsageSession.objects.select_for_update(of=("self",)).filter(reservation__in=list(locked)).order_by("reservation_id")
    sessions = {session.reservation_id: session for session in rows}
    due = [pk for pk in reservation_ids if pk in sessions and is_due(locked[pk], sessions[pk])]
    unclear = close_out_rule.unconfirmed(due)
    pairs = [(locked[pk], sessions[pk]) for pk in due if pk not in unclear]
    charged = ports.money().on_agree_many(pairs, NOBODY, now) if pairs else []
    agreed = [reservation for (reservation, _), done in zip(pairs, charged, strict=True) if done]
    if agreed:
        move_many(agreed, Action.AGREE, NOBODY, now)
        of_agreed = UsageSession.objects.filter(reservation__in=[each.pk for each in agreed])
        of_agreed.update(agreed_at=now, agreed_how=AgreedHow.TIME)
    for reservation in agreed:
        notices.defer(reservation, "charged", now)
    done = {each.pk for each in agreed}
    return len(agreed), [pk for pk in due if pk not in done]
