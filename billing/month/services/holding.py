"""Leaving a line out of its draft, for this month or until somebody takes it in again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from billing.bills.services.issuing import checked_reason
from billing.month.models import Draft, DraftLine, DraftRun, DraftState, RunState
from billing.month.services.acting import require_finance
from billing.settlement.period_models import HeldBack
from billing.settlement.rules.period import next_month
from billing.settlement.rules.series import Series
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict
from config.kernel.services import audit, transactions

T = TypeVar("T")


def exclude(actor: Actor, line_id: int, reason: str, now: datetime) -> HeldBack:
    """Leave a line out until it is taken in again. Raises NotFound, Forbidden, Refusal ``bill.reason_*``, Conflict ``month.not_open`` /
    ``month.held_already``."""
    return _hold(actor, line_id, reason, now, postpone=False)


def postpone(actor: Actor, line_id: int, reason: str, now: datetime) -> HeldBack:
    """Leave a line to the next month. Raises as ``exclude``."""
    return _hold(actor, line_id, reason, now, postpone=True)


def take_in(actor: Actor, line_id: int, now: datetime) -> None:
    """Undo it: the line stands on its draft again. Raises NotFound, Forbidden, Conflict ``month.not_open`` / ``month.not_held``."""

    def work(line: DraftLine) -> None:
        if line.held is None:
            raise Conflict.of("month.not_held")
        HeldBack.objects.filter(pk=line.held.pk, lifted_at__isnull=True).update(lifted_by_id=actor.person_id, lifted_at=now)
        DraftLine.objects.filter(pk=line.pk).update(held=None)
        _sum_up(line.draft)
        audit.record(actor, "month.take_in", line.draft, now, before={"line": line.position, "reason": line.held.reason})

    _on_open_line(actor, line_id, work)


def _hold(actor: Actor, line_id: int, reason: str, now: datetime, *, postpone: bool) -> HeldBack:
    text = checked_reason(reason)

    def work(line: DraftLine) -> HeldBack:
        if line.held_id is not None:
            raise Conflict.of("month.held_already")
        run = line.draft.run
        until: date | None = next_month(run.period_on) if postpone else None
        held = HeldBack.objects.create(
            charge_id=line.charge_id,
            fee_id=line.fee_id,
            award_id=line.award_id,
            owner_id=run.owner_id,
            until_on=until,
            reason=text,
            held_by_id=actor.person_id,
            held_at=now,
        )
        DraftLine.objects.filter(pk=line.pk).update(held=held)
        _sum_up(line.draft)
        after = {"line": line.position, "until": until.isoformat() if until else None, "fen": line.amount_fen}
        audit.record(actor, "month.postpone" if postpone else "month.exclude", line.draft, now, after=after, reason=text)
        return held

    return _on_open_line(actor, line_id, work)


def _on_open_line(actor: Actor, line_id: int, work: Callable[[DraftLine], T]) -> T:
    def locked() -> T:
        found = get_visible(DraftLine.objects.select_related("draft__run"), actor, pk=line_id)
        require_finance(actor, Series(found.draft.run.owner_id))
        run = DraftRun.objects.select_for_update(no_key=True).get(pk=found.draft.run_id)
        line = DraftLine.objects.select_related("draft__run", "held").get(pk=found.pk)
        if run.state != RunState.OPEN or line.draft.state not in (DraftState.READY, DraftState.EMPTY, DraftState.PARKED):
            raise Conflict.of("month.not_open")
        return work(line)

    return transactions.run(locked)


def _sum_up(draft: Draft) -> None:
    """What the draft comes to without what is held back."""
    lines = DraftLine.objects.filter(draft=draft, held__isnull=True)
    names = ("gross", "deducted", "relieved", "refunded", "claims")
    totals = lines.aggregate(
        line_count=Count("pk"),
        prior_count=Count("pk", filter=Q(prior_period=True)),
        odd_count=Count("pk", filter=~Q(odd=[])),
        total_fen=Coalesce(Sum("amount_fen"), 0),
        **{f"{name}_fen": Coalesce(Sum(f"{name}_fen"), 0) for name in names},
    )
    odd: dict[str, int] = {}
    for codes in lines.exclude(odd=[]).values_list("odd", flat=True):
        for code in codes:
            odd[code] = odd.get(code, 0) + 1
    state = draft.state
    if state != DraftState.PARKED:
        state = DraftState.READY if totals["line_count"] else DraftState.EMPTY
    Draft.objects.filter(pk=draft.pk).update(**totals, odd=dict(sorted(odd.items())), state=state)
