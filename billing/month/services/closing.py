"""Closing a month: it takes no new line from then on. What comes late goes to the next month; what was wrong is corrected by a credit
note."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import Bill
from billing.bills.services.issuing import local_day
from billing.month.models import CURRENT, Draft, DraftRun, DraftState, RunState
from billing.month.services.acting import require_finance
from billing.month.services.running import lock_month
from billing.settlement.closed import is_closed, of_office
from billing.settlement.models import Statement
from billing.settlement.period_models import ClosedPeriod
from billing.settlement.rules.period import first_day, is_over, last_day
from billing.settlement.rules.series import Series
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit, transactions


def close(actor: Actor, series: Series, period_on: date, now: datetime) -> ClosedPeriod:
    """Close the month of ``period_on`` and all before it. There is no way back.

    Raises Forbidden, NotFound, Refusal ``month.not_over``, Conflict ``month.closed`` / ``month.under_way``.
    """
    require_finance(actor, series)
    month = first_day(period_on)
    if not is_over(month, local_day(now)):
        raise Refusal.of("month.not_over", "month")

    def work() -> ClosedPeriod:
        lock_month(series)
        _wait_for_issuing(series)
        if is_closed(series, month):
            raise Conflict.of("month.closed", "month")
        runs = DraftRun.objects.filter(series=series.key, period_on__lte=month)
        if runs.filter(state__in=(RunState.HANDED_OVER, RunState.RELEASED)).exists():
            raise Conflict.of("month.under_way")
        row = ClosedPeriod.objects.create(
            series=series.key,
            owner_id=series.owner_id,
            period_on=month,
            totals=totals_of(series, month),
            closed_by_id=actor.person_id,
            closed_at=now,
        )
        runs.filter(state__in=CURRENT).exclude(state=RunState.DONE).update(state=RunState.CARRIED)
        audit.record(actor, "month.close", row, now, after={"period": month.isoformat(), **row.totals})
        return row

    return transactions.run(work)


def _wait_for_issuing(series: Series) -> None:
    """Have the lock alone that whoever issues shares (``period_guards``), so that the totals hold what they commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"period:{series.key}"])


def totals_of(series: Series, month: date) -> dict[str, Any]:
    """What was issued for a month, and which drafts of it are left to the next one; amounts in fen."""
    rows: Any
    if series.owner_id is not None:
        rows = Bill.objects.filter(owner_id=series.owner_id, until_on__range=(month, last_day(month)), void__isnull=True)
    else:
        rows = of_office(Statement.objects.filter(period_on=month), series)
    issued = rows.aggregate(documents=Count("pk"), lines=Coalesce(Sum("line_count"), 0), total_fen=Coalesce(Sum("total_fen"), 0))
    drafts = Draft.objects.filter(run__series=series.key, run__period_on=month, run__state__in=CURRENT)
    left = drafts.exclude(state=DraftState.ISSUED).aggregate(left=Count("pk"), left_fen=Coalesce(Sum("total_fen"), 0))
    return {**issued, **left}
