"""What was taken back of awards after they stood on a statement, and the papers that did it.

What gives back lies with bills and claims, which know settlements, not the other way round; so it is reached by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from billing.papers.kinds import issue_day
from billing.settlement.models import Statement
from billing.settlement.rules.statement import TakenBack


def of_statement(statement_id: int) -> list[TakenBack]:
    """What was taken back of the lines of a statement since it was issued, the oldest first; one query."""
    return _read(Q(award__statement_line__statement=statement_id))


def untold(programme_id: int, payee_id: int, mode: str) -> list[TakenBack]:
    """What was taken back of earlier statements of a payee under a programme in one way of settlement and stands on no later one yet;
    two queries."""
    earlier = Statement.objects.filter(programme_version__programme=programme_id, payee=payee_id, content__programme__mode=mode)
    told = earlier.filter(content__has_key="taken_back").values_list("content__taken_back", flat=True)
    known = {each["reversal"] for rows in told for each in rows}
    of = Q(award__programme_version__programme=programme_id, award__payee=payee_id, award__mode=mode)
    return [each for each in _read(of) if each.reversal not in known]


def _reversals() -> QuerySet[Any]:
    rows: QuerySet[Any] = apps.get_model("billing", "AwardReversal")._default_manager.filter(claimed=True)
    return rows


def _read(which: Q) -> list[TakenBack]:
    related = (
        "award__statement_line__statement",
        "award__charge__reservation",
        "award__charge__sample_job",
        "credit_note",
        "clawback",
    )
    rows = _reversals().filter(which, award__statement_line__isnull=False).select_related(*related)
    heavy = ("inputs", "result")
    rows = rows.defer(
        *("award__statement_line__statement__content", "credit_note__content", "clawback__content"),
        *(f"award__charge__{name}" for name in heavy),
    )
    return [_taken_back(row, row.created_at) for row in rows.order_by("pk")]


def _taken_back(row: Any, at: datetime) -> TakenBack:
    line, charge = row.award.statement_line, row.award.charge
    clawback = getattr(row, "clawback", None)
    numbers = [paper.number for paper in (row.credit_note, clawback) if paper is not None]
    return TakenBack(
        reversal=row.pk,
        statement=line.statement.number,
        position=line.position,
        reference=str(charge.reservation or charge.sample_job),
        cause=row.cause,
        papers=tuple(numbers),
        on=issue_day(at),
        amount_fen=row.amount_fen,
    )
