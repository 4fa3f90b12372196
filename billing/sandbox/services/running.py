"""Trying a programme on past sessions: asked for by an officer, worked by the worker, given up or taken up again at any point."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from billing.ledger.rules.documents import DocumentError
from billing.sandbox.models import RunState, SandboxRun
from billing.sandbox.rules.lanes import Beside, Here, Lane, Order
from billing.sandbox.rules.purses import Vouchers, issued_under, moved
from billing.sandbox.rules.report import report
from billing.sandbox.rules.simulation import size_of
from billing.sandbox.rules.variants import AGAINST, CAP_DOWN, CAP_UP, STEPS, TRIED, as_if_in_force, budget_of, variant_of
from billing.sandbox.services.reading import Reader, vouchers_of
from billing.subsidy.draft_models import ProgrammeDraft
from billing.subsidy.drafts import code_of
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.programme import parse_programme, read_programme
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.jobs import defer_once
from config.kernel.services.transactions import whole

TASK = "billing.sandbox_run"
QUEUE = "sandbox"
FEW = 20_000
"""Fewer sessions than this are not worth processes of their own."""
KEEP_SECONDS = 10.0
"""So often the state is written down, and at most so much work is done twice."""
LONGEST_DAYS = 3 * 366
MAX_STEP_PERCENT = 50
MAX_BUDGET_FEN = 10**14
LANES = 2
_WORKING = (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to try: a draft or a version, against another version, on which days, with which budget and steps."""

    first_on: date
    last_on: date
    draft_id: int | None = None
    version_id: int | None = None
    against_id: int | None = None
    budget_fen: int | None = None
    rate_step_percent: int = 10
    cap_step_percent: int = 20


@whole
def start(actor: Actor, asked: Asked, now: datetime) -> SandboxRun:
    """Keep the question and have the worker work on it. Raises NotFound, Forbidden, Refusal ``sandbox.*``."""
    actor.require(Role.PROGRAMME_OFFICER)
    Refusal.raise_any(_reasons(asked))
    draft = get_visible(ProgrammeDraft.objects.all(), actor, pk=asked.draft_id) if asked.draft_id else None
    version = (
        get_visible(ProgrammeVersion.objects.all(), actor, pk=asked.version_id) if asked.version_id and draft is None else None
    )
    against = get_visible(ProgrammeVersion.objects.all(), actor, pk=asked.against_id) if asked.against_id else None
    document = draft.document if draft is not None else version.document if version is not None else {}
    if draft is not None:
        _refuse_unsound(document)
    run = SandboxRun.objects.create(
        office_id=draft.office_id if draft is not None else min(actor.organisations(Role.PROGRAMME_OFFICER)),
        draft=draft,
        version=version,
        document=document,
        against=against,
        first_on=asked.first_on,
        last_on=asked.last_on,
        budget_fen=asked.budget_fen,
        rate_step_percent=asked.rate_step_percent,
        cap_step_percent=asked.cap_step_percent,
        created_by_id=actor.person_id,
        created_at=now,
    )
    after = {"code": code_of(document), "first_on": asked.first_on.isoformat(), "last_on": asked.last_on.isoformat()}
    audit.record(actor, "programme.try", run, now, after=after)
    _queue(run)
    return run


def _reasons(asked: Asked) -> list[Reason]:
    reasons = []
    if asked.last_on < asked.first_on:
        reasons.append(Reason("sandbox.days_reversed", {}, "last_on"))
    elif (asked.last_on - asked.first_on).days >= LONGEST_DAYS:
        reasons.append(Reason("sandbox.too_long", {"most": LONGEST_DAYS}, "last_on"))
    if asked.budget_fen is not None and not 0 <= asked.budget_fen <= MAX_BUDGET_FEN:
        reasons.append(Reason("sandbox.budget", {}, "budget"))
    for name in ("rate_step_percent", "cap_step_percent"):
        if not 1 <= getattr(asked, name) <= MAX_STEP_PERCENT:
            reasons.append(Reason("sandbox.step", {"most": MAX_STEP_PERCENT}, name))
    if not asked.draft_id and not asked.version_id:
        reasons.append(Reason("sandbox.nothing_to_try", {}, "what"))
    return reasons


def _refuse_unsound(document: Mapping[str, Any]) -> None:
    try:
        parse_programme({**document, "examples": []})
    except DocumentError as error:
        raise Refusal.of("sandbox.unsound", "what", count=len(error.faults)) from None


@whole
def cancel(actor: Actor, run_id: int, now: datetime) -> SandboxRun:
    """Stop the work; it may go on later (``resume``). Raises NotFound, Forbidden, Conflict ``sandbox.ended``."""
    run = _locked(actor, run_id)
    if run.state not in _WORKING:
        raise Conflict.of("sandbox.ended", "state")
    run.state, run.finished_at = RunState.CANCELLED, now
    run.save(update_fields=["state", "finished_at"])
    audit.record(actor, "programme.stop_trial", run, now)
    return run


@whole
def resume(actor: Actor, run_id: int, now: datetime) -> SandboxRun:
    """Go on with what was stopped or failed, from what was written down last. Raises NotFound, Forbidden, Conflict
    ``sandbox.not_stopped``."""
    run = _locked(actor, run_id)
    if run.state not in (RunState.CANCELLED, RunState.FAILED):
        raise Conflict.of("sandbox.not_stopped", "state")
    run.state, run.finished_at, run.problems = RunState.QUEUED, None, []
    run.done_sessions = _unpacked(run.checkpoint).get("done", 0)
    run.save(update_fields=["state", "finished_at", "problems", "done_sessions"])
    audit.record(actor, "programme.resume_trial", run, now)
    _queue(run)
    return run


def _locked(actor: Actor, run_id: int) -> SandboxRun:
    run = get_visible(SandboxRun.objects.select_for_update(of=("self",)), actor, pk=run_id)
    actor.require_in(run.office_id, Role.PROGRAMME_OFFICER)
    return run


def _queue(run: SandboxRun) -> None:
    defer_once(TASK, f"{TASK}:{run.pk}", queue=QUEUE, lock=f"{TASK}:{run.pk}", run_id=run.pk)


def work(run_id: int, now: datetime) -> None:
    """The worker's part: from where it stopped to the end, or until somebody cancels. Nothing in another state."""
    started = SandboxRun.objects.filter(pk=run_id, state__in=_WORKING).update(state=RunState.RUNNING)
    if not started:
        return
    run = SandboxRun.objects.select_related("against").get(pk=run_id)
    reader = Reader(run.first_on, run.last_on, _asked_of_service(run))
    kept = _unpacked(run.checkpoint)
    if not run.total_sessions:
        run.total_sessions = reader.count()
        SandboxRun.objects.filter(pk=run_id).update(total_sessions=run.total_sessions)
    vouchers = vouchers_of((code_of(document) for document in _documents(run).values()), run.created_at)
    lanes = _lanes(_orders(run, kept.get("states", {}), vouchers), run.total_sessions)
    try:
        states = _through(run, reader, lanes, kept)
    finally:
        for lane in lanes:
            lane.close()
    if states is not None:
        _finish(run, states, kept["sizes"], vouchers, now)


def give_up(run_id: int, now: datetime) -> None:
    """Say that the platform failed with it, after the last attempt."""
    SandboxRun.objects.filter(pk=run_id, state__in=_WORKING).update(
        state=RunState.FAILED, problems=[{"code": "sandbox.gave_up", "params": {}}], finished_at=now
    )


def _documents(run: SandboxRun) -> dict[str, Mapping[str, Any]]:
    """The document that is tried, and that of the version it is held against."""
    return {TRIED: run.document} | ({AGAINST: run.against.document} if run.against is not None else {})


def _asked_of_service(run: SandboxRun) -> frozenset[str]:
    """What the documents look at of a service that is told only where somebody looks; whose it is stands in each row."""
    looked_at = (read_programme(as_if_in_force(document)).asks_of_service for document in _documents(run).values())
    return frozenset().union(*looked_at) - {"service.person"}


def _orders(run: SandboxRun, states: Mapping[str, Any], vouchers: Mapping[str, Vouchers]) -> list[Order]:
    """What is run side by side: the document, the version it is held against, and the document with each step."""
    found = []
    for name, own in _documents(run).items():
        document, issued = as_if_in_force(own), vouchers.get(code_of(own))
        found.append(Order(name, document, run.budget_fen, full=True, state=states.get(name), vouchers=issued))
    tried, issued = found[0].document, found[0].vouchers or {}
    worth = {CAP_DOWN: moved(issued, -run.cap_step_percent), CAP_UP: moved(issued, run.cap_step_percent)}
    for name in STEPS:
        document = variant_of(tried, name, run.rate_step_percent, run.cap_step_percent)
        own_state, own_vouchers = states.get(name), worth.get(name, issued)
        found.append(Order(name, document, run.budget_fen, full=False, state=own_state, vouchers=own_vouchers))
    return found


def _lanes(orders: Sequence[Order], sessions: int) -> list[Lane]:
    if sessions < FEW:
        return [Here(orders)]
    return [Beside(orders[place::LANES]) for place in range(LANES)]


def _through(run: SandboxRun, reader: Reader, lanes: Sequence[Lane], kept: dict[str, Any]) -> dict[str, Any] | None:
    """All sessions that are left; None when it was cancelled meanwhile."""
    done, sizes = kept.setdefault("done", 0), kept.setdefault("sizes", {})
    facts: list[str] = []
    written = time.monotonic()
    for piece in reader.pieces(kept.setdefault("last", 0)):
        facts += [size_of(parse_facts(document).applicant) for document in piece.facts]
        for lane in lanes:
            lane.feed(piece.facts, piece.services, piece.rows)
        for row in piece.rows:
            sizes[str(row.customer)] = facts[row.facts]
        done += len(piece.rows)
        values: dict[str, Any] = {"done_sessions": done}
        if time.monotonic() - written > KEEP_SECONDS:
            kept |= {"done": done, "last": piece.last, "states": _states(lanes)}
            values["checkpoint"] = _packed(kept)
            written = time.monotonic()
        if not SandboxRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(**values):
            return None
    return _states(lanes)


def _states(lanes: Sequence[Lane]) -> dict[str, Any]:
    return {name: state for lane in lanes for name, state in lane.states().items()}


def _finish(
    run: SandboxRun, states: Mapping[str, Any], sizes: Mapping[str, str], vouchers: Mapping[str, Vouchers], now: datetime
) -> None:
    own = budget_of(run.document) if run.budget_fen is None else run.budget_fen
    budgets = {TRIED: own, **dict.fromkeys(STEPS, own)}
    if run.against is not None:
        budgets[AGAINST] = budget_of(run.against.document) if run.budget_fen is None else run.budget_fen
    issued = {
        name: issued_under(read_programme(as_if_in_force(document)), vouchers.get(code_of(document), {}))
        for name, document in _documents(run).items()
    }
    result = report(states, sizes, budgets, issued)
    SandboxRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
        state=RunState.DONE,
        result=result,
        done_sessions=result["totals"][TRIED]["sessions"],
        problems=[],
        checkpoint=None,
        finished_at=now,
    )


def _packed(kept: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(kept, separators=(",", ":")).encode(), 1)


def _unpacked(checkpoint: bytes | memoryview | None) -> dict[str, Any]:
    return json.loads(zlib.decompress(bytes(checkpoint))) if checkpoint else {}
