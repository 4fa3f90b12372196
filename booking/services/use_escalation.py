"""What a customer said about a session and the lab has not answered in the time that it promises is told to all who can do something.

A wish for other times that waits keeps the session from being charged for ever; so does a dispute. Each is told once, by the promise that
holds for requests.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, QuerySet
from django.urls import reverse

from booking.models import Answer, Reservation, UsageAdjustment, UsageDispute
from booking.rules.deciding import age_of
from booking.rules.states import ReservationState
from booking.services import notices
from booking.services.context import policy_for
from booking.services.escalation import BATCH, due_at
from booking.services.state_writing import lock_row
from config.kernel.access import Role
from config.kernel.services.parking import each_parked
from instruments.services.notices import News, holders, tell

OVERDUE, OVERDUE_TO_HEADS = "lab.use_overdue", "lab.use_overdue_for_heads"
Waiting = UsageAdjustment | UsageDispute


def escalate_due(now: datetime) -> int:
    """Tell of every wish for other times and every dispute that waits longer than promised and of which nobody was told yet; returns how
    many. Safe to repeat."""
    asked = _overdue(UsageAdjustment.objects.filter(state=Answer.OPEN), "asked_at", now)
    disputed = _overdue(UsageDispute.objects.filter(decision=""), "opened_at", now)
    return each_parked([*asked, *disputed], lambda row: _escalate(row, now), "answer about use")


def _overdue(rows: QuerySet[Waiting], since: str, now: datetime) -> list[Waiting]:
    rows = rows.filter(escalated_at=None).select_related("session")
    # As an annotation, so that an instrument without a policy of its own stays in: a filter would join it away.
    rows = rows.annotate(due_at=due_at(F(since), "session__reservation__instrument"))
    return list(rows.filter(due_at__lte=now).order_by("pk")[:BATCH])


def _escalate(found: Waiting, now: datetime) -> bool:
    """Unless somebody has answered in between."""
    locked = lock_row(found.session.reservation_id)
    row = type(found).objects.get(pk=found.pk)
    since = row.asked_at if isinstance(row, UsageAdjustment) else row.opened_at
    waits_in = ReservationState.ADJUSTING if isinstance(row, UsageAdjustment) else ReservationState.DISPUTED
    overdue = age_of(since, policy_for(locked.instrument), now).overdue
    if row.escalated_at is not None or locked.state != waits_in or not overdue:
        return False
    row.escalated_at = now
    row.save(update_fields=["escalated_at"])
    _tell(locked, row.reason, now)
    return True


def _tell(locked: Reservation, reason: str, now: datetime) -> None:
    """All managers, who is away included; and the owner's finance and the heads of the institution, without a way there."""
    lab = locked.instrument.organisation_id
    managers, params = holders(Role.LAB_MANAGER, lab), notices.params_of(locked) | {"reason": reason}
    tell(News(OVERDUE, params, reverse("reservation_detail", kwargs={"pk": locked.pk}), locked, lab), managers, now)
    others = holders(Role.FIRM_ADMIN, lab) | holders(Role.OWNER_FINANCE, lab)
    tell(News(OVERDUE_TO_HEADS, params, "", locked, lab), others & ~managers, now)
