"""A request that waits longer than the lab promises is told to all who can do something about it, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, Exists, ExpressionWrapper, IntegerField, OuterRef, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Greatest
from django.urls import reverse

from booking.models import Escalation, LabEntry, LeaderApproval, Reservation, ReservationChange
from booking.rules.changes import ChangeState, Side
from booking.rules.deciding import age_of
from booking.rules.policy_layers import HOUSE
from booking.rules.spending import LeaderState
from booking.rules.states import ReservationState
from booking.services import notices
from booking.services.context import policy_for
from booking.services.state_writing import lock_row
from config.kernel.access import Role
from config.kernel.services.parking import each_parked
from instruments.services.notices import News, holders, tell

OVERDUE, OVERDUE_TO_HEADS = "lab.request_overdue", "lab.request_overdue_for_heads"
BATCH = 500


def escalate_due(now: datetime) -> int:
    """Tell of every request that waits longer than promised and that nobody was told of yet; returns how many. Safe to repeat."""
    return each_parked(list(_overdue(now).values_list("pk", flat=True)[:BATCH]), lambda pk: _escalate(pk, now), "request")


def due_at(since: Any, instrument: str) -> ExpressionWrapper:
    """When an answer that is waited for ``since`` then is due, as the lab of ``instrument`` (a path) promises it."""
    said = Cast(KeyTextTransform("answer_minutes", f"{instrument}__policy__rules"), IntegerField())
    promised = Coalesce(said, Value(HOUSE.answer_minutes)) * Value(timedelta(minutes=1))
    return ExpressionWrapper(since + promised, output_field=DateTimeField())


def _overdue(now: datetime) -> QuerySet[Reservation]:
    waiting = Reservation.objects.filter(state=ReservationState.REQUESTED, escalation=None, starts_at__gt=now)
    # As an annotation, so that an instrument without a policy of its own stays in: a filter would join it away.
    since = Greatest("created_at", "leader_approval__decided_at", "entry__agreed_at")
    waiting = waiting.annotate(due_at=due_at(since, "instrument"))
    return (
        waiting.exclude(Exists(_proposed()))
        .exclude(leader_approval__state=LeaderState.WAITING)
        .exclude(Exists(LabEntry.objects.filter(reservation=OuterRef("pk"), agreed_at=None)))
        .filter(due_at__lte=now)
        .order_by("starts_at", "pk")
    )


def _proposed() -> QuerySet[ReservationChange]:
    """That the lab has answered with other times."""
    return ReservationChange.objects.filter(reservation_id=OuterRef("pk"), state=ChangeState.OPEN, side=Side.LAB)


def _escalate(reservation_id: int, now: datetime) -> bool:
    """Unless somebody has answered in between."""
    locked = lock_row(reservation_id)
    asked = LeaderApproval.objects.filter(reservation=locked).first()
    if asked is not None and asked.state == LeaderState.WAITING:
        return False
    entry = LabEntry.objects.filter(reservation=locked).first()
    if entry is not None and entry.waits:
        return False
    moments = [locked.created_at, asked.decided_at if asked else None, entry.agreed_at if entry else None]
    since = max(moment for moment in moments if moment is not None)
    age = age_of(since, policy_for(locked.instrument), now)
    proposed = locked.changes.filter(state=ChangeState.OPEN, side=Side.LAB).exists()
    if locked.state != ReservationState.REQUESTED or not age.overdue or proposed:
        return False
    _row, made = Escalation.objects.get_or_create(reservation=locked, defaults={"at": now})
    if made:
        _tell(locked, now)
    return made


def _tell(locked: Reservation, now: datetime) -> None:
    """All managers, who is away included; and the heads of the institution, who may not see bookings, without a way there."""
    lab = locked.instrument.organisation_id
    managers, params = holders(Role.LAB_MANAGER, lab), notices.params_of(locked)
    path = reverse("reservation_detail", kwargs={"pk": locked.pk})
    tell(News(OVERDUE, params, path, locked, lab), managers, now)
    tell(News(OVERDUE_TO_HEADS, params, "", locked, lab), holders(Role.FIRM_ADMIN, lab) & ~managers, now)
