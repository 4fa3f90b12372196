"""Making the drafts of a month: a dry run that writes nothing, and the run that keeps what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max

from billing.bills.services.issuing import DUE_DAYS, MOST_DUE_DAYS, MOST_LINES, local_day
from billing.month.models import CURRENT, Draft, DraftLine, DraftRun, DraftState, RunState
from billing.month.rules import drafts as rules
from billing.month.rules.drafts import Bounds, Change, Drafted, Figures
from billing.month.rules.lines import Line, Sums
from billing.month.services.acting import require_finance
from billing.month.services.reading import bill_lines, statement_lines
from billing.settlement.closed import is_closed
from billing.settlement.rules.period import first_day, is_over, last_day
from billing.settlement.rules.series import Series
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, transactions
from instruments.models import Organisation, OrganisationStatus

_BATCH = 2000
MOST_PARTIES = 5000


@dataclass(frozen=True, slots=True)
class RunRequest:
    """``period_on`` is any day of the month. ``parties``: only these payers or payees (none: all). ``due_days`` is for bills."""

    series: Series
    period_on: date
    due_days: int = DUE_DAYS
    parties: tuple[int, ...] = ()

    def filters(self) -> dict[str, Any]:
        """What was asked for, as it is kept with the run."""
        return {"due_days": self.due_days, "parties": sorted(self.parties)}


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would make now. ``changes``: how it differs from ``last``; ``sha256`` names it."""

    drafts: Sequence[Drafted]
    sums: Sums
    parked: int
    changes: Sequence[Change]
    last: DraftRun | None
    sha256: str


def dry_run(actor: Actor, asked: RunRequest, now: datetime) -> DryRun:
    """What ``make`` would keep now; writes nothing. A constant number of queries.

    Raises Forbidden, NotFound, Refusal ``month.not_over`` / ``month.closed`` / ``bill.due_days`` / ``month.too_many``.
    """
    require_finance(actor, asked.series)
    _refuse(asked, now)
    drafts = _found(asked, now)
    if len(drafts) > MOST_PARTIES:
        raise Refusal.of("month.too_many", "parties", count=len(drafts), most=MOST_PARTIES)
    last = last_run(asked.series, asked.period_on)
    before = figures_of_run(last) if last is not None else []
    return DryRun(
        drafts=drafts,
        sums=_together(draft.sums for draft in drafts if draft.fault is None),
        parked=sum(draft.fault is not None for draft in drafts),
        changes=rules.differences(before, [rules.figures_of(draft) for draft in drafts]),
        last=last,
        sha256=rules.fingerprint(drafts, asked.filters()),
    )


def make(actor: Actor, asked: RunRequest, now: datetime, *, expected: str | None = None) -> tuple[DraftRun, bool]:
    """Keep the drafts of a month as a run; what was found is the run that stands already when nothing changed. ``expected`` is the
    ``sha256`` of the dry run that was looked at. Returns the run and whether it is new.

    Raises what ``dry_run`` raises, Conflict ``month.figures_differ`` / ``month.under_way``.
    """

    def work() -> tuple[DraftRun, bool]:
        lock_month(asked.series)
        found = dry_run(actor, asked, now)
        if expected is not None and expected != found.sha256:
            raise Conflict(Reason("month.figures_differ", {"drafts": len(found.drafts), "total_fen": found.sums.total_fen}))
        last = found.last
        if last is not None and last.content_sha256 == found.sha256 and last.state in CURRENT:
            return last, False
        if last is not None and last.state in (RunState.HANDED_OVER, RunState.RELEASED):
            raise Conflict.of("month.under_way")
        return _keep(actor, asked, found, now), True

    return transactions.run(work)


def lock_month(series: Series) -> None:
    """Wait for whoever makes, releases or closes in a series."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"month:{series.key}"])


def last_run(series: Series, period_on: date) -> DraftRun | None:
    """The latest run of a month."""
    return DraftRun.objects.filter(series=series.key, period_on=first_day(period_on)).order_by("-revision").first()


def figures_of_run(run: DraftRun) -> list[Figures]:
    """What each party of a run came to."""
    rows = Draft.objects.filter(run=run).values_list(
        "party_id", "programme_version_id", "mode", "line_count", "total_fen", "state"
    )
    return [
        Figures(party_id, version_id, mode, lines, total_fen, state == DraftState.PARKED)
        for party_id, version_id, mode, lines, total_fen, state in rows
    ]


def _refuse(asked: RunRequest, now: datetime) -> None:
    if not is_over(first_day(asked.period_on), local_day(now)):
        raise Refusal.of("month.not_over", "month")
    if is_closed(asked.series, asked.period_on):
        raise Refusal.of("month.closed", "month")
    if not 0 <= asked.due_days <= MOST_DUE_DAYS:
        raise Refusal.of("bill.due_days", "due_days", most=MOST_DUE_DAYS)


def _found(asked: RunRequest, now: datetime) -> list[Drafted]:
    today, month = local_day(now), first_day(asked.period_on)
    lines: list[Line]
    if asked.series.owner_id is not None:
        lines = bill_lines(asked.series.owner_id, last_day(month), today, asked.parties)
    else:
        lines = statement_lines(asked.series, month, today, asked.parties)
    parties = {line.party_id for line in lines}
    suspended = Organisation.objects.filter(pk__in=parties, status=OrganisationStatus.SUSPENDED).values_list("pk", flat=True)
    return rules.drafts_of(lines, Bounds(MOST_LINES, month, frozenset(suspended)))


def _together(sums: Iterable[Sums]) -> Sums:
    rows = [(each.lines, each.gross_fen, each.deducted_fen, each.relieved_fen, each.refunded_fen, each.claims_fen, each.total_fen)
            for each in sums]  # fmt: skip
    return Sums(*(sum(column) for column in zip(*rows, strict=True))) if rows else Sums()


def _keep(actor: Actor, asked: RunRequest, found: DryRun, now: datetime) -> DraftRun:
    month = first_day(asked.period_on)
    rows = DraftRun.objects.filter(series=asked.series.key, period_on=month)
    rows.filter(state__in=CURRENT).update(state=RunState.SUPERSEDED)
    run = DraftRun.objects.create(
        series=asked.series.key,
        owner_id=asked.series.owner_id,
        period_on=month,
        revision=(rows.aggregate(last=Max("revision"))["last"] or 0) + 1,
        filters=asked.filters(),
        draft_count=len(found.drafts),
        parked_count=found.parked,
        line_count=found.sums.lines,
        total_fen=found.sums.total_fen,
        content_sha256=found.sha256,
        second_from_fen=settings.SECOND_PERSON_FROM_FEN,
        made_by_id=actor.person_id,
        made_at=now,
    )
    drafts = Draft.objects.bulk_create(
        [_draft_row(run, place, draft) for place, draft in enumerate(found.drafts, start=1)], batch_size=_BATCH
    )
    lines = [
        _line_row(row, place, line, month)
        for row, draft in zip(drafts, found.drafts, strict=True)
        for place, line in enumerate(draft.lines, start=1)
    ]
    DraftLine.objects.bulk_create(lines, batch_size=_BATCH)
    after = {"period": month.isoformat(), "drafts": run.draft_count, "parked": run.parked_count, "total_fen": run.total_fen}
    audit.record(actor, "month.run", run, now, after=after)
    return run


def _draft_row(run: DraftRun, place: int, draft: Drafted) -> Draft:
    return Draft(
        run=run,
        party_id=draft.party_id,
        programme_version_id=draft.version_id,
        mode=draft.mode,
        position=place,
        state=DraftState.PARKED if draft.fault else DraftState.READY,
        reason=draft.fault.as_json() if draft.fault else {},
        line_count=draft.sums.lines,
        prior_count=draft.prior_count,
        odd_count=draft.odd_count,
        odd=dict(draft.odd),
        gross_fen=draft.sums.gross_fen,
        deducted_fen=draft.sums.deducted_fen,
        relieved_fen=draft.sums.relieved_fen,
        refunded_fen=draft.sums.refunded_fen,
        claims_fen=draft.sums.claims_fen,
        total_fen=draft.sums.total_fen,
    )


def _line_row(draft: Draft, place: int, line: Line, month: date) -> DraftLine:
    return DraftLine(
        draft=draft,
        position=place,
        gross_fen=line.gross_fen,
        deducted_fen=line.deducted_fen,
        relieved_fen=line.relieved_fen,
        refunded_fen=line.refunded_fen,
        claims_fen=line.claims_fen,
        amount_fen=line.amount_fen,
        prior_period=line.service_on < month,
        odd=list(line.odd),
        **{f"{line.thing}_id": line.thing_id},
    )
