"""Trying a programme on past sessions and commissioned tests: asked for by an officer, worked by the worker, given up or taken up again at
any point."""

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
from billing.sandbox.rules.purses import Vouchers, issued_under, lent, moved
from billing.sandbox.rules.report import report
from billing.sandbox.rules.simulation import size_of
from billing.sandbox.rules.spending import Spending, spending_of
from billing.sandbox.rules.variants import AGAINST, CAP_DOWN, CAP_UP, STEPS, TRIED, as_if_in_force, budget_of, variant_of
from billing.sandbox.rules.windows import batch_ends
from billing.sandbox.services.reading import Reader, versions_before, vouchers_of
from billing.subsidy.draft_models import ProgrammeDraft
from billing.subsidy.drafts import code_of
from billing.subsidy.figures import latest
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.figures import with_figures
from billing.subsidy.rules.priced_facts import EXTERNAL_INCOME, OF_OUTSIDE, SESSIONS, TAX
from billing.subsidy.rules.programme import Programme as ReadProgramme
from billing.subsidy.rules.programme import parse_programme, read_programme
from billing.subsidy.rules.questions import Question
from billing.vouchers.rules.backing import is_issued
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
KEEP_TIMES = 10
"""Where many awards wait for their batch a state is large: so many times as long as it takes to write one it is worked before the next."""
LONGEST_DAYS = 3 * 366
MAX_STEP_PERCENT = 50
MAX_BUDGET_FEN = 10**14
LANES = 2
_WORKING = (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to try: a draft or a version, against another version, on which days, with which budget and steps, and with the vouchers of
    which programme in place of its own."""

    first_on: date
    last_on: date
    draft_id: int | None = None
    version_id: int | None = None
    against_id: int | None = None
    budget_fen: int | None = None
    rate_step_percent: int = 10
    cap_step_percent: int = 20
    vouchers_of_id: int | None = None


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
    lender = get_visible(Programme.objects.all(), actor, pk=asked.vouchers_of_id) if asked.vouchers_of_id is not None else None
    if lender is not None and not any(is_issued(cap) for cap in read_programme(document).caps):
        raise Refusal.of("sandbox.no_vouchers_asked", "vouchers_of")
    run = SandboxRun.objects.create(
        office_id=draft.office_id if draft is not None else min(actor.organisations(Role.PROGRAMME_OFFICER)),
        draft=draft,
        version=version,
        document=document,
        against=against,
        vouchers_of=lender,
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
    run = SandboxRun.objects.select_related("against", "vouchers_of").get(pk=run_id)
    days, asked = (run.first_on, run.last_on), (_asked_of_service(run), _income_bases(run))
    reader = Reader(*days, *asked, run.created_at, _before(run), _taxed(run), _questions(run), _counted(run), _spending(run))
    kept = _unpacked(run.checkpoint)
    if not run.total_sessions:
        run.total_sessions = reader.count()
        SandboxRun.objects.filter(pk=run_id).update(total_sessions=run.total_sessions)
    vouchers = _vouchers(run)
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


def _vouchers(run: SandboxRun) -> dict[str, Vouchers]:
    """By the name of what is tried, and of what it is held against, the vouchers behind it."""
    codes = {name: code_of(document) for name, document in _documents(run).items()}
    lender = run.vouchers_of.code if run.vouchers_of is not None else codes[TRIED]
    found = vouchers_of({*codes.values(), lender}, run.created_at)
    made = {name: found.get(code, {}) for name, code in codes.items()}
    if run.vouchers_of is not None:
        made[TRIED] = lent(found.get(lender, {}), read_programme(as_if_in_force(run.document)))
    return made


def _asked_of_service(run: SandboxRun) -> frozenset[str]:
    """What the documents look at of a service that is told only where somebody looks; whose it is and what it was ordered with stand in
    each row."""
    looked_at = (programme.asks_of_service for programme in _programmes(run))
    return frozenset().union(*looked_at) - {"service.person", "service.order"}


def _taxed(run: SandboxRun) -> bool:
    """Whether one of the programmes asks for the tax, or what an owner earns without it."""
    return any({EXTERNAL_INCOME, TAX} & programme.asks_of_price for programme in _programmes(run))


def _counted(run: SandboxRun) -> bool:
    """Whether one of them asks for what the lines of a price count."""
    return any(programme.asks_of_price - OF_OUTSIDE - {TAX, SESSIONS} for programme in _programmes(run))


def _spending(run: SandboxRun) -> tuple[Spending, ...]:
    """Of each of the documents over which months it asks for spending; nothing where neither does."""
    found = tuple(spending_of(document) for document in _documents(run).values())
    return found if any(each.months for each in found) else ()


def _income_bases(run: SandboxRun) -> frozenset[str]:
    """The days by which those of the documents go that ask what the owner earned in the year before."""
    return frozenset(programme.validity.date_basis for programme in _programmes(run) if programme.asks_prior_income)


def _questions(run: SandboxRun) -> tuple[Question, ...]:
    """What the documents ask of whoever books; each is told only the answers to its own."""
    return tuple(each for programme in _programmes(run) for each in programme.asks)


def _before(run: SandboxRun) -> list[tuple[int, ...]]:
    """Of each of the documents the versions whose awards it is told as what other programmes here gave; nothing where none looks at that.
    One stands in the place of the other, and of the programme whose vouchers it borrows."""
    programmes = _programmes(run)
    if not any(programme.asks_of_others for programme in programmes):
        return []
    stood_for = {programme.code for programme in programmes} | ({run.vouchers_of.code} if run.vouchers_of is not None else set())
    return [versions_before(each, stood_for) if each.asks_of_others else () for each in programmes]


def _programmes(run: SandboxRun) -> list[ReadProgramme]:
    return [read_programme(as_if_in_force(document)) for document in _documents(run).values()]


def _orders(run: SandboxRun, states: Mapping[str, Any], vouchers: Mapping[str, Vouchers]) -> list[Order]:
    """What is run side by side: the document, the version it is held against, and the document with each step."""
    found: list[Order] = []
    spent_at = 0
    for place, (name, own) in enumerate(_documents(run).items()):
        document, issued = as_if_in_force(with_figures(own, latest(code_of(own)))), vouchers[name]
        ends = batch_ends(own, run.first_on, run.last_on)
        state = states.get(name)
        found.append(
            Order(
                name,
                document,
                run.budget_fen,
                full=True,
                state=state,
                vouchers=issued,
                ends=ends,
                given_at=2 * place,
                spent_at=spent_at,
            )
        )
        spent_at += len(spending_of(own).months)
    tried, issued = found[0].document, found[0].vouchers or {}
    worth = {CAP_DOWN: moved(issued, -run.cap_step_percent), CAP_UP: moved(issued, run.cap_step_percent)}
    for name in STEPS:
        document = variant_of(tried, name, run.rate_step_percent, run.cap_step_percent)
        own_state, own_vouchers = states.get(name), worth.get(name, issued)
        found.append(
            Order(name, document, run.budget_fen, full=False, state=own_state, vouchers=own_vouchers, ends=found[0].ends)
        )
    return found


def _lanes(orders: Sequence[Order], sessions: int) -> list[Lane]:
    if sessions < FEW:
        return [Here(orders)]
    return [Beside(orders[place::LANES]) for place in range(LANES)]


def _through(run: SandboxRun, reader: Reader, lanes: Sequence[Lane], kept: dict[str, Any]) -> dict[str, Any] | None:
    """All sessions that are left; None when it was cancelled meanwhile."""
    done, sizes, last = kept.setdefault("done", 0), kept.setdefault("sizes", {}), kept.setdefault("last", 0)
    starts = [tuple(kept.get("waiting_from", (done, last)))]
    facts = _reminded(reader, lanes, starts[0][1], last) if starts[0][0] < done else []
    starts.append((done, last))
    due = time.monotonic() + KEEP_SECONDS
    for piece in reader.pieces(last):
        facts += [size_of(parse_facts(document).applicant) for document in piece.facts]
        for lane in lanes:
            lane.feed(piece.facts, piece.services, piece.rows, piece.incomes)
        for row in piece.rows:
            sizes[str(row.customer)] = facts[row.facts]
        done += len(piece.rows)
        starts.append((done, piece.last))
        values: dict[str, Any] = {"done_sessions": done}
        began = time.monotonic()
        if began > due:
            kept |= {"done": done, "last": piece.last, "states": _states(lanes)}
            waiting = max(state.get("waiting", {}).get("rows", 0) for state in kept["states"].values())
            starts = _still_needed(starts, done - waiting)
            values["checkpoint"] = _packed(kept | {"waiting_from": starts[0]})
            due = time.monotonic() + KEEP_SECONDS + KEEP_TIMES * (time.monotonic() - began)
        if not SandboxRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(**values):
            return None
    return {name: state for lane in lanes for name, state in lane.ended().items()}


def _reminded(reader: Reader, lanes: Sequence[Lane], after: int, until: int) -> list[str]:
    """Read once more what awards that wait for their batch rest on; the sizes of the facts that came up."""
    facts: list[str] = []
    for piece in reader.pieces(after, until):
        facts += [size_of(parse_facts(document).applicant) for document in piece.facts]
        for lane in lanes:
            lane.remind(piece.facts, piece.services, piece.rows, piece.incomes)
    return facts


def _still_needed(starts: Sequence[tuple[int, int]], first: int) -> list[tuple[int, int]]:
    """From (services before, charge to read behind) of each piece on those from the piece that has the service ``first`` in it."""
    place = max(place for place, (before, _after) in enumerate(starts) if before <= first or place == 0)
    return list(starts[place:])


def _states(lanes: Sequence[Lane]) -> dict[str, Any]:
    return {name: state for lane in lanes for name, state in lane.states().items()}


def _finish(
    run: SandboxRun, states: Mapping[str, Any], sizes: Mapping[str, str], vouchers: Mapping[str, Vouchers], now: datetime
) -> None:
    tried = with_figures(run.document, latest(code_of(run.document)))
    own = budget_of(tried) if run.budget_fen is None else run.budget_fen
    budgets = {TRIED: own, **dict.fromkeys(STEPS, own)}
    if run.against is not None:
        against = with_figures(run.against.document, latest(code_of(run.against.document)))
        budgets[AGAINST] = budget_of(against) if run.budget_fen is None else run.budget_fen
    issued = {
        name: issued_under(read_programme(as_if_in_force(document)), vouchers[name]) for name, document in _documents(run).items()
    }
    by_windows = {name: bool(batch_ends(document, run.first_on, run.last_on)) for name, document in _documents(run).items()}
    result = report(states, sizes, budgets, issued, by_windows)
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
