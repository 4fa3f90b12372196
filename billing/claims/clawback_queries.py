"""Every read about claw-back notices and what came back that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.claims.asked_back import still_claimed
from billing.claims.models import ClaimLine, Clawback
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.rules.repaying import NoticeStanding
from billing.claims.rules.states import ClaimState
from billing.claims.rules.totals import Standing
from config.kernel.access import Actor, get_visible, visible_to


def _sum(rows: QuerySet[Any]) -> Any:
    of_notice = rows.filter(clawback_id=OuterRef("pk")).order_by().values("clawback_id")
    return Coalesce(Subquery(of_notice.annotate(fen=Sum("amount_fen")).values("fen")), 0)


def notices_visible(actor: Actor, *, claim_id: int | None = None, only_open: bool = False) -> QuerySet[Clawback]:
    """Claw-back notices without their content, the latest first, with what says where each stands (``standing``): all, those of a claim,
    those of which something is open or waits to be confirmed."""
    live, taken = Repayment.objects.filter(ended_at__isnull=True), ClaimLine.objects.filter(standing=Standing.INCLUDED)
    rows = visible_to(Clawback.objects.all(), actor).annotate(
        taken_fen=_sum(taken.exclude(claim__state=ClaimState.DRAFT)),
        planned_fen=_sum(taken.filter(claim__state=ClaimState.DRAFT)),
        repaid_fen=_sum(live.filter(confirmed_at__isnull=False)),
        waiting_fen=_sum(live.filter(confirmed_at__isnull=True)),
        still_claimed=still_claimed(),
    )
    if claim_id is not None:
        rows = rows.filter(claim_id=claim_id)
    if only_open:
        rows = rows.filter(still_claimed=True, total_fen__gt=F("repaid_fen") - F("taken_fen"))
    return rows.defer("content").select_related("payee", "programme", "claim").order_by("-pk")


def standing(notice: Any) -> NoticeStanding:
    """Where a notice from ``notices_visible`` stands."""
    sums = -notice.taken_fen, notice.repaid_fen, notice.waiting_fen, -notice.planned_fen
    return NoticeStanding(notice.total_fen, *sums, ended=not notice.still_claimed)


@dataclass(frozen=True, slots=True)
class SetOff:
    """What of a notice a claim takes off, in fen."""

    claim_id: int
    number: str
    state: str
    amount_fen: int


def notice_for(actor: Actor, pk: int) -> Clawback:
    """One notice as from ``notices_visible``, with its content and what came back (``repayments``). Raises NotFound."""
    people = ("recorded_by", "recorded_for", "confirmed_by", "confirmed_for", "ended_by")
    sent = Prefetch("refunds", SurplusRefund.objects.select_related(*people, "payment_list").order_by("pk"))
    moved = Prefetch("moved_to", Repayment.objects.select_related("clawback").order_by("pk"))
    rows = Repayment.objects.select_related(*people, "moved_from__clawback").prefetch_related(sent, moved)
    back = Prefetch("repayments", rows.order_by("pk"))
    notices = notices_visible(actor).defer(None).select_related("payee", "programme", "claim__batch__programme__issuer")
    return get_visible(notices.prefetch_related(back), actor, pk=pk)


def set_offs(notice: Clawback) -> list[SetOff]:
    """The claims off which a notice is taken, in order."""
    counted = Q(clawback=notice, standing=Standing.INCLUDED)
    lines = ClaimLine.objects.filter(counted).select_related("claim").order_by("pk")
    return [SetOff(line.claim_id, line.claim.number, line.claim.state, -line.amount_fen) for line in lines]


def waiting(actor: Actor) -> QuerySet[Repayment]:
    """Money that came back, as the actor may read it, and waits for a second person, the oldest first."""
    rows = visible_to(Repayment.objects.all(), actor).filter(confirmed_at__isnull=True, ended_at__isnull=True)
    return rows.select_related("clawback__payee", "recorded_by").order_by("pk")


def refunds_waiting(actor: Actor) -> QuerySet[SurplusRefund]:
    """What came too much, was sent back and waits for a second person, the oldest first."""
    rows = visible_to(SurplusRefund.objects.all(), actor).filter(confirmed_at__isnull=True, ended_at__isnull=True)
    return rows.select_related("repayment__clawback__payee", "recorded_by").order_by("pk")


def refunds_of(actor: Actor, repayment_id: int) -> QuerySet[SurplusRefund]:
    """What was sent back of one repayment, the first first. Raises NotFound."""
    row = get_visible(Repayment.objects.all(), actor, pk=repayment_id)
    return row.refunds.order_by("pk")


def free_fen(row: Repayment) -> int:
    """What of money that came too much was neither sent back nor taken for another notice, nor waits for that (fen)."""
    if row.confirmed_at is None or row.ended_at is not None:
        return 0
    back = sum(each.amount_fen for each in row.refunds.all() if each.ended_at is None)
    return row.too_much_fen - back - sum(each.received_fen for each in row.moved_to.all() if each.ended_at is None)


def surpluses(actor: Actor, notice: Clawback) -> list[tuple[Repayment, int]]:
    """Money of a notice's payee that came too much under its programme, the oldest first, with what is left of each (fen)."""
    rows = visible_to(Repayment.objects.all(), actor).filter(
        clawback__payee=notice.payee_id,
        clawback__programme=notice.programme_id,
        confirmed_at__isnull=False,
        ended_at__isnull=True,
        received_fen__gt=F("amount_fen"),
    )
    found = [
        (row, free_fen(row)) for row in rows.select_related("clawback").prefetch_related("refunds", "moved_to").order_by("pk")
    ]
    return [(row, left) for row, left in found if left > 0]
