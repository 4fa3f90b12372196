"""Internal charge slips of a month, by group, as pages, API and the finance office's file read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet, Sum

from billing.settlement.slip_models import InternalSlip
from config.kernel.access import Actor, get_visible, visible_to


@dataclass(frozen=True, slots=True)
class GroupSum:
    """What a group used in a month. ``group_id`` and ``name`` are empty for sessions without a card. Amounts in fen."""

    organisation_id: int
    group_id: int | None
    name: str
    slips: int
    total_fen: int
    open_fen: int


def slips_visible(actor: Actor) -> QuerySet[InternalSlip]:
    """The latest first, each with its group, card and reservation."""
    rows = InternalSlip.objects.select_related("organisation", "group", "fund_card", "charge__reservation", "fee", "relief__fee")
    return visible_to(rows, actor).order_by("-issued_at", "-pk")


def slip_for(actor: Actor, slip_id: int) -> InternalSlip:
    """One slip. Raises NotFound."""
    return get_visible(slips_visible(actor), actor, pk=slip_id)


def slips_of(actor: Actor, reservation_id: int) -> list[InternalSlip]:
    """The slips of a reservation that the actor may see, the first one first: of its session, or of its fee and what of it fell away."""
    of = Q(charge__reservation_id=reservation_id)
    of |= Q(fee__reservation_id=reservation_id) | Q(relief__fee__reservation_id=reservation_id)
    return list(slips_visible(actor).filter(of).order_by("pk"))


def slip_of_samples(actor: Actor, job_id: int) -> InternalSlip | None:
    """The slip of a sample job, where there is one that the actor may see."""
    return slips_visible(actor).filter(charge__sample_job_id=job_id).first()


def months(actor: Actor) -> Sequence[date]:
    """The first days of the months in which there are slips, the latest first."""
    rows = visible_to(InternalSlip.objects.all(), actor)
    return list(rows.order_by("-period_on").values_list("period_on", flat=True).distinct()[:120])


def of_month(actor: Actor, period_on: date, group_id: int | None = None) -> QuerySet[InternalSlip]:
    """The slips of a month, of one group or of all, in the order of their numbers."""
    rows = slips_visible(actor).filter(period_on=period_on.replace(day=1))
    if group_id is not None:
        rows = rows.filter(group_id=group_id)
    return rows.order_by("organisation_id", "number", "pk")


def sums_of_month(actor: Actor, period_on: date) -> list[GroupSum]:
    """What each group used in a month; one query."""
    rows = visible_to(InternalSlip.objects.filter(period_on=period_on.replace(day=1)), actor)
    grouped = (
        rows.values("organisation_id", "group_id", "group__name")
        .annotate(slips=Count("pk"), total=Sum("total_fen"), covered=Sum("covered_fen"))
        .order_by("group__name", "organisation_id", "group_id")
    )
    return [
        GroupSum(
            row["organisation_id"],
            row["group_id"],
            row["group__name"] or "",
            row["slips"],
            row["total"],
            row["total"] - row["covered"],
        )
        for row in grouped
    ]
