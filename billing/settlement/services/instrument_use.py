"""What an instrument costs in words and how it was used in a year: billing's implementation of ``instruments.ports.UsePort``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Case, F, IntegerField, Q, Sum, When
from django.db.models.functions import Cast, Extract
from django.utils import translation

from billing.price_words import charging_standard
from billing.pricing import services as pricing
from billing.pricing.models import PriceVersion
from billing.pricing.rules.describe import describe
from billing.settlement.models import Charge
from booking.models import UsageSession
from booking.services.sessions import NOT_CHARGED
from instruments.ports import UseFacts

_HOURS = Decimal("0.1")


class InstrumentUse:
    """Reads prices, agreed sessions and charges: three queries whatever the number of instruments."""

    def facts_of(self, instrument_ids: Sequence[int], on: date, year: int) -> Mapping[int, UseFacts]:
        fees = _fee_texts(instrument_ids, on)
        minutes = _minutes(instrument_ids, year)
        incomes = _incomes(instrument_ids, year)
        return {
            pk: UseFacts(
                fee_text=fees.get(pk, ""),
                run_hours=_hours(minutes[pk][0]) if pk in minutes else None,
                service_hours=_hours(minutes[pk][1]) if pk in minutes else None,
                service_income_fen=incomes.get(pk, 0) if pk in minutes else None,
            )
            for pk in fees.keys() | minutes.keys()
        }


def _hours(minutes: int) -> Decimal:
    return (Decimal(minutes) / 60).quantize(_HOURS)


def _fee_texts(instrument_ids: Sequence[int], on: date) -> dict[int, str]:
    rows = (
        PriceVersion.objects.filter(instrument_id__in=instrument_ids, effective_from__lte=on)
        .order_by("instrument_id", "-effective_from")
        .distinct("instrument_id")
        .values_list("instrument_id", "pk")
    )
    with translation.override("zh-hans"):  # the national record is Chinese whoever exports it
        return {instrument_id: fee_text(version_id) for instrument_id, version_id in rows}


def fee_text(version_id: int) -> str:
    """A price version as one text in the current language, as the national record takes a charging standard."""
    return charging_standard(describe(pricing.schedule(version_id)))


def _minutes(instrument_ids: Sequence[int], year: int) -> dict[int, tuple[int, int]]:
    """Billable minutes in all, and those of other organisations than the owner; of past use that nobody was charged for, how long it
    was."""
    free = Q(billable_rule=NOT_CHARGED)
    length = Extract(F("actual_ends_at") - F("actual_starts_at"), "epoch") / 60
    minutes = Case(When(free, then=Cast(length, IntegerField())), default=F("billable_minutes"), output_field=IntegerField())
    billed = _of_year("agreed_at", "billable_starts_at", year)
    used = free & _of_year("agreed_at", "actual_starts_at", year)
    rows = (
        UsageSession.objects.filter(billed | used, reservation__instrument_id__in=instrument_ids)
        .values("reservation__instrument_id")
        .annotate(run=Sum(minutes), outside=Sum(minutes, filter=_OUTSIDE))
    )
    return {row["reservation__instrument_id"]: (row["run"] or 0, row["outside"] or 0) for row in rows.order_by()}


_OUTSIDE = ~Q(reservation__organisation_id=F("reservation__instrument__organisation_id"))


def _incomes(instrument_ids: Sequence[int], year: int) -> dict[int, int]:
    rows = (
        Charge.objects.filter(
            _of_year("reservation__session__agreed_at", "reservation__session__billable_starts_at", year),
            _OUTSIDE,
            reservation__instrument_id__in=instrument_ids,
        )
        .values_list("reservation__instrument_id")
        .annotate(total=Sum("gross_fen"))
    )
    return dict(rows.order_by())


def _of_year(agreed: str, starts: str, year: int) -> Q:
    """Agreed sessions whose billable time began in the local calendar year."""
    zone = ZoneInfo(settings.TIME_ZONE)
    first, after = (date(each, 1, 1) for each in (year, year + 1))
    begins, ends = (datetime.combine(day, time(), zone) for day in (first, after))
    return Q(**{f"{agreed}__isnull": False, f"{starts}__gte": begins, f"{starts}__lt": ends})
