"""Which months of a series are closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Case, CharField, Exists, F, Max, OuterRef, QuerySet, Value, When
from django.db.models.functions import Cast, Concat, TruncMonth

from billing.settlement.period_models import ClosedPeriod
from billing.settlement.rules.period import last_day
from billing.settlement.rules.series import STATEMENTS, Series
from billing.subsidy.models import Programme

T = TypeVar("T")
_OFFICE = "programme_version__programme__issuer"


def closed_until(series: Series) -> date | None:
    """The last day of the last closed month; None: none is closed."""
    return _closed_until({series.key}).get(series.key)


def of_open_months(things: Iterable[T], month_of: Callable[[T], tuple[Series, date]]) -> list[T]:
    """Those of some things whose month (``month_of``: its series, and a day of it) takes new lines; one query."""
    months = [(each, *month_of(each)) for each in things]
    until = _closed_until({series.key for _, series, _ in months}) if months else {}
    return [each for each, series, day in months if day > until.get(series.key, date.min)]


def is_closed(series: Series, day: date) -> bool:
    """Whether the month of ``day`` takes no new line."""
    until = closed_until(series)
    return until is not None and day <= until


def share_period(series: Series) -> None:
    """Wait for whoever closes a month of the series, and have closing wait for this transaction: what ``is_closed`` says from here on
    holds until its end. The guards of lines share the same lock (``period_guards``)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [f"period:{series.key}"])


def _closed_until(keys: set[str]) -> dict[str, date]:
    rows = ClosedPeriod.objects.filter(series__in=keys).order_by().values_list("series").annotate(last=Max("period_on"))
    return {key: last_day(last) for key, last in rows}


def of_programme(programme: Programme) -> Series:
    """The series of the statements of a programme."""
    return Series(office_id=programme.issuer_id)


def of_office(rows: QuerySet[Any], series: Series) -> QuerySet[Any]:
    """Those awards or statements (whatever has a ``programme_version``) that are of an office's series."""
    return (
        rows.filter(**{_OFFICE: series.office_id})
        if series.office_id is not None
        else rows.filter(**{f"{_OFFICE}__isnull": True})
    )


def with_series(awards: QuerySet[Any]) -> QuerySet[Any]:
    """Awards with ``month_closed``: whether the month of their service is closed in the series of their programme."""
    key = Case(
        When(**{f"{_OFFICE}__isnull": True}, then=Value(STATEMENTS)),
        default=Concat(Value(f"{STATEMENTS}:"), Cast(F(f"{_OFFICE}_id"), CharField())),
        output_field=CharField(),
    )
    closed = ClosedPeriod.objects.filter(series=OuterRef("series_key"), period_on__gte=OuterRef("service_month"))
    return awards.annotate(series_key=key, service_month=TruncMonth("service_on")).annotate(month_closed=Exists(closed))
