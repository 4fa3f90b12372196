"""From reviewed drafts to documents: handed over, released by a second person, issued one by one by the worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.month import alone
from billing.month.models import Draft, DraftLine, DraftRun, DraftState, RunState
from billing.month.outstanding import without_settled
from billing.month.services.acting import require_finance
from billing.settlement.rules.lines_digest import Expected, digest_of
from billing.settlement.rules.period import last_day
from billing.settlement.rules.series import Series
from billing.settlement.services import statements
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Busy, Conflict, Reason, Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.jobs import defer_once
from instruments.queries import actor_for

TASK = "billing.issue_month"
QUEUE = "documents"
_ISSUER = "programme_version__programme__issuer"


def hand_over(actor: Actor, run_id: int, now: datetime) -> DraftRun:
    """Say that the drafts are reviewed; nothing of them is changed from then on. Raises NotFound, Forbidden, Conflict
    ``month.not_open``."""
    changes: dict[str, Any] = {"handed_over_by_id": actor.user_id, "handed_over_at": now}
    return _move(actor, run_id, (RunState.OPEN,), RunState.HANDED_OVER, "month.hand_over", now, **changes)


def send_back(actor: Actor, run_id: int, reason: str, now: datetime) -> DraftRun:
    """Let the drafts be reviewed again, with a reason. Raises NotFound, Forbidden, Refusal ``bill.reason_*``, Conflict
    ``month.not_handed_over``."""
    text = issuing.checked_reason(reason)
    changes: dict[str, Any] = {"handed_over_by_id": None, "handed_over_at": None}
    return _move(actor, run_id, (RunState.HANDED_OVER,), RunState.OPEN, "month.send_back", now, reason=text, **changes)


def release(actor: Actor, run_id: int, now: datetime) -> DraftRun:
    """Have the worker issue every draft that is ready; by somebody else than the maker from the run's threshold on, and where it is reached
    with what the maker issued to the same side by hand.

    Raises NotFound, Forbidden, Refusal ``month.second_person`` / ``month.second_person_together``, Conflict ``month.not_handed_over``.
    """

    changes: dict[str, Any] = {"released_by_id": actor.user_id, "released_at": now}
    return _move(
        actor,
        run_id,
        (RunState.HANDED_OVER,),
        RunState.RELEASED,
        "month.release",
        now,
        before=lambda run: _refuse_maker(actor, run, now),
        after=_queue,
        **changes,
    )


def issue_again(actor: Actor, run_id: int, now: datetime) -> int:
    """Try the drafts again that failed and of which something is on no document yet, and nothing else; returns how many. Of a run over all
    offices together, from before each had its own, those of the actor's offices are tried, in the name of the actor, who did not make it
    where it needs a second person. Of a run that its maker released, another person who tries again releases what is left.

    Raises NotFound, Forbidden, Refusal ``month.second_person`` / ``month.second_person_together``, Conflict ``month.nothing_failed``.
    """

    def work() -> int:
        run = _locked(actor, run_id)
        if run.state != RunState.DONE:
            raise Conflict.of("month.nothing_failed")
        failed, releases = _failed(actor, run)
        count = Draft.objects.filter(pk__in=list(failed.values_list("pk", flat=True))).update(state=DraftState.READY, reason={})
        if not count:
            raise Conflict.of("month.nothing_failed")
        by: dict[str, Any] = {}
        if releases:
            _refuse_maker(actor, run, now)
            by = {"released_by_id": actor.user_id, "released_at": now}
        DraftRun.objects.filter(pk=run.pk).update(state=RunState.RELEASED, finished_at=None, **by)
        audit.record(actor, "month.issue_again", run, now, after={"drafts": count})
        _queue(run)
        return count

    return transactions.run(work)


def _move(
    actor: Actor,
    run_id: int,
    states: tuple[RunState, ...],
    to: RunState,
    action: str,
    now: datetime,
    *,
    before: Callable[[DraftRun], None] = lambda run: None,
    after: Callable[[DraftRun], object] = lambda run: None,
    reason: str = "",
    **changes: Any,
) -> DraftRun:
    def work() -> DraftRun:
        run = _locked(actor, run_id)
        if run.state not in states:
            raise Conflict.of("month.not_open" if RunState.OPEN in states else "month.not_handed_over")
        before(run)
        DraftRun.objects.filter(pk=run.pk).update(state=to, **changes)
        audit.record(actor, action, run, now, before={"state": run.state}, after={"state": to.value}, reason=reason)
        after(run)
        return DraftRun.objects.get(pk=run.pk)

    return transactions.run(work)


def why_not(actor: Actor, run: DraftRun, now: datetime) -> Reason | None:
    """Why another person than the actor, who made a run, has to take its next step: release what is ready, or try again what failed; None:
    the actor may. As ``release`` and ``issue_again`` decide it."""
    if run.made_by_id != actor.user_id:
        return None
    if run.state == RunState.DONE:
        failed, releases = _failed(actor, run)
        return alone.why_not(run, failed, now) if releases else None
    return alone.why_not(run, Draft.objects.filter(run=run, state=DraftState.READY), now)


def _failed(actor: Actor, run: DraftRun) -> tuple[QuerySet[Draft], bool]:
    """What of a run failed that the actor may try again, and whether whoever does releases it thereby: its maker had released it alone, or
    it is of a run over all offices."""
    failed = without_settled(Draft.objects.filter(run=run, state=DraftState.FAILED))
    if run.of_series == Series() and failed.filter(**{f"{_ISSUER}__isnull": False}).exists():
        own = Q(**{f"{_ISSUER}__in": actor.organisations(Role.FINANCE)})
        return failed.filter(own | Q(**{f"{_ISSUER}__isnull": True})), True
    return failed, run.released_by_id == run.made_by_id


def _refuse_maker(actor: Actor, run: DraftRun, now: datetime) -> None:
    """Raise Refusal ``month.second_person`` / ``month.second_person_together`` where somebody else than the maker has to release."""
    if run.made_by_id == actor.user_id:
        alone.refuse(run, now)


def _locked(actor: Actor, run_id: int) -> DraftRun:
    found = get_visible(DraftRun.objects.all(), actor, pk=run_id)
    require_finance(actor, found.of_series)
    return DraftRun.objects.select_for_update(no_key=True).get(pk=found.pk)


def _queue(run: DraftRun) -> None:
    name = f"month:{run.pk}"
    defer_once(TASK, name, queue=QUEUE, lock=name, run_id=run.pk)


def work(run_id: int, now: datetime) -> None:
    """The worker's part: issue what is ready, each in a transaction of its own, from wherever the work stopped. Nothing in another
    state."""
    run = DraftRun.objects.filter(pk=run_id, state=RunState.RELEASED).select_related("released_by").first()
    if run is None:
        return
    actor = actor_for(run.released_by)
    ready = Draft.objects.filter(run=run, state=DraftState.READY).order_by("position")
    for draft_id in list(ready.values_list("pk", flat=True)):
        issue_draft(draft_id, actor, now)
    left = Draft.objects.filter(run=run, state=DraftState.READY).exists()
    if not left:
        DraftRun.objects.filter(pk=run_id, state=RunState.RELEASED).update(state=RunState.DONE, finished_at=now)


def issue_draft(draft_id: int, actor: Actor, now: datetime) -> None:
    """Issue one draft exactly as it was reviewed; a refusal is kept with it, and the others go on. Nothing when it is not ready (any more).

    Raises Busy, so that the queue tries again.
    """

    def issue() -> None:
        draft = Draft.objects.select_for_update(of=("self",), no_key=True).select_related("run__made_by").get(pk=draft_id)
        if draft.state != DraftState.READY:
            return
        try:
            Draft.objects.filter(pk=draft.pk).update(
                state=DraftState.ISSUED, **transactions.run(lambda: _document(draft, actor, now))
            )
        except Busy:
            raise
        except Refusal as refusal:
            first = refusal.reasons[0]
            reason = {"code": first.code, "params": first.params}
            Draft.objects.filter(pk=draft.pk).update(state=DraftState.FAILED, reason=reason)

    transactions.run(issue)


def _document(draft: Draft, actor: Actor, now: datetime) -> dict[str, Any]:
    run = draft.run
    own = actor.user_id == run.made_by_id
    if run.owner_id is not None:
        asked = BillRequest(run.owner_id, draft.party_id, last_day(run.period_on), run.filters["due_days"])
        return {"bill": issuing.issue(actor, asked, now, expected=reviewed(draft), alone=own, made_by=run.made_by)}
    if draft.programme_version_id is None:
        raise ValueError("a draft of a statement has its programme")
    whose = (draft.programme_version_id, draft.party_id, run.period_on)
    issued = statements.issue(actor, *whose, now, expected=reviewed(draft), mode=draft.mode, alone=own, made_by=run.made_by)
    return {"statement": issued}


def reviewed(draft: Draft) -> Expected:
    """What was reviewed of a draft: how many lines, over how much (fen), and of which things."""
    rows = DraftLine.objects.filter(draft=draft, held__isnull=True).values_list("charge_id", "fee_id", "award_id", "amount_fen")
    kinds = ("charge", "fee", "award")
    lines = [(kind, pk, fen) for *ids, fen in rows for kind, pk in zip(kinds, ids, strict=True) if pk is not None]
    return Expected(draft.line_count, draft.total_fen, digest_of(lines))
