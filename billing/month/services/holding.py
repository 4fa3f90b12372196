"""Leaving a line out of its draft, for this month or until somebody takes it in again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import TypeVar

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import BillLine
from billing.bills.services.issuing import checked_reason
from billing.claims.models import ClaimLine
from billing.claims.rules.states import SUBMITTED
from billing.claims.rules.totals import LineKind, Standing
from billing.ledger.services import Source
from billing.month.models import Draft, DraftLine, DraftRun, DraftState, RunState
from billing.month.services.acting import require_finance
from billing.payments.services import prepaying
from billing.settlement.fee_models import BookingFee
from billing.settlement.models import Award, Charge, StatementLine
from billing.settlement.period_models import HeldBack
from billing.settlement.rules.period import next_month
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict
from config.kernel.services import audit, transactions

T = TypeVar("T")
#: Runs of which nothing is reviewed or issued any more.
_PAST = (RunState.DONE, RunState.SUPERSEDED, RunState.CARRIED)
_REVIEWED = (DraftState.READY, DraftState.EMPTY, DraftState.PARKED)


def exclude(actor: Actor, line_id: int, reason: str, now: datetime) -> HeldBack:
    """Leave a line out until it is taken in again; prepaid money that was kept for it is free for other bookings.

    Raises NotFound, Forbidden, Refusal ``bill.reason_*``, Conflict ``month.not_open`` / ``month.held_already``.
    """
    return _hold(actor, line_id, reason, now, postpone=False)


def postpone(actor: Actor, line_id: int, reason: str, now: datetime) -> HeldBack:
    """Leave a line to the next month. Raises as ``exclude``."""
    return _hold(actor, line_id, reason, now, postpone=True)


def take_in(actor: Actor, line_id: int, now: datetime) -> None:
    """Undo it: the line stands on its draft again. Where the drafts are past review the draft stays as it is, and the next ones take the
    line. Raises NotFound, Forbidden, Conflict ``month.not_open`` (with a second person, being issued) / ``month.not_held``."""

    def work(line: DraftLine) -> None:
        if line.held is None or not _lift(line.held.pk, actor, now):
            raise Conflict.of("month.not_held")
        if line.draft.run.state == RunState.OPEN:
            DraftLine.objects.filter(pk=line.pk).update(held=None)
            _sum_up(line.draft)
        audit.record(actor, "month.take_in", line.draft, now, before={"line": line.position, "reason": line.held.reason})

    _on_line(actor, line_id, (RunState.OPEN, *_PAST), work)


def _hold(actor: Actor, line_id: int, reason: str, now: datetime, *, postpone: bool) -> HeldBack:
    text = checked_reason(reason)

    def work(line: DraftLine) -> HeldBack:
        if line.held_id is not None:
            raise Conflict.of("month.held_already")
        run = line.draft.run
        _free(line, run.period_on, actor, now)
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
        if until is None and line.charge_id is not None and run.owner_id is not None:
            source = Source("held_back", held.pk, "month_exclude", actor_id=actor.user_id)
            prepaying.let_go(run.owner_id, line.draft.party_id, line.charge_id, source, now)
        after = {"line": line.position, "until": until.isoformat() if until else None, "fen": line.amount_fen}
        audit.record(actor, "month.postpone" if postpone else "month.exclude", line.draft, now, after=after, reason=text)
        return held

    return _on_line(actor, line_id, (RunState.OPEN,), work)


def _lift(held_id: int, actor: Actor, now: datetime) -> bool:
    """Whether it was held back until now."""
    found = HeldBack.objects.filter(pk=held_id, lifted_at__isnull=True)
    return bool(found.update(lifted_by_id=actor.person_id, lifted_at=now))


def _free(line: DraftLine, period_on: date, actor: Actor, now: datetime) -> None:
    """See that what the line is for can be held back: no document took it since, and nobody holds it back any more (what was postponed to
    this month is over, and gives way)."""
    thing, taken = _thing_of(line)
    if taken:
        raise Conflict.of("month.taken")
    before = HeldBack.objects.filter(lifted_at__isnull=True, **thing).first()
    if before is None:
        return
    if before.until_on is None or before.until_on > period_on:
        raise Conflict.of("month.held_already")
    _lift(before.pk, actor, now)


def _thing_of(line: DraftLine) -> tuple[dict[str, int], bool]:
    """Lock what the line is for, as the database's guard does; which it is, and whether a document has it."""
    if line.charge_id is not None:
        Charge.objects.select_for_update(no_key=True).get(pk=line.charge_id)
        return {"charge_id": line.charge_id}, BillLine.objects.filter(charge_id=line.charge_id, voided=False).exists()
    if line.fee_id is not None:
        BookingFee.objects.select_for_update(no_key=True).get(pk=line.fee_id)
        return {"fee_id": line.fee_id}, BillLine.objects.filter(fee_id=line.fee_id, voided=False).exists()
    if line.award_id is None:
        raise ValueError("a line of a draft is for one thing")
    Award.objects.select_for_update(no_key=True).get(pk=line.award_id)
    stated = StatementLine.objects.filter(award_id=line.award_id).exists()
    return {"award_id": line.award_id}, stated or _claimed(line.award_id)


def _claimed(award_id: int) -> bool:
    rows = ClaimLine.objects.filter(award_id=award_id, kind=LineKind.AWARD, standing=Standing.INCLUDED)
    return rows.filter(claim__state__in=SUBMITTED).exists()


def _on_line(actor: Actor, line_id: int, states: Collection[str], work: Callable[[DraftLine], T]) -> T:
    def locked() -> T:
        found = get_visible(DraftLine.objects.select_related("draft__run"), actor, pk=line_id)
        require_finance(actor, found.draft.run.of_series)
        run = DraftRun.objects.select_for_update(no_key=True).get(pk=found.draft.run_id)
        line = DraftLine.objects.select_related("draft__run", "held").get(pk=found.pk)
        if run.state not in states or (run.state == RunState.OPEN and line.draft.state not in _REVIEWED):
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
