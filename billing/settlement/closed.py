"""Which months of a series are closed."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.db.models import Max

from billing.settlement.period_models import ClosedPeriod
from billing.settlement.rules.period import last_day
from billing.settlement.rules.series import Series


def closed_until(series: Series) -> date | None:
    """The last day of the last closed month; None: none is closed."""
    last: date | None = ClosedPeriod.objects.filter(series=series.key).aggregate(last=Max("period_on"))["last"]
    return last_day(last) if last is not None else None


def is_closed(series: Series, day: date) -> bool:
    """Whether the month of ``day`` takes no new line."""
    until = closed_until(series)
    return until is not None and day <= until


def share_period(series: Series) -> None:
    """Wait for whoever closes a month of the series, and have closing wait for this transaction: what ``is_closed`` says from here on
    holds until its end. The guards of lines share the same lock (``period_guards``)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [f"period:{series.key}"])
