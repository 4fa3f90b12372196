"""What the programmes of today would pay of a quotation, line by line: an estimate for the customer before anything is ordered.

The prices are those offered. Nothing is kept and nothing is promised: a subsidy is promised with the booking or the samples, under the
programmes and budgets of their day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from billing.ordering.models import Quotation, QuotationLine
from billing.pricing import services as pricing
from billing.pricing.rules.agreed import agreed_document
from billing.pricing.rules.samples import MOST_SAMPLES, UNITS_OF_TIME, SamplePrice
from billing.pricing.rules.schedule import TIME_UNITS, PriceSchedule, compile_schedule
from billing.settlement.queries import local_today
from billing.settlement.services import assessing, sample_quotes
from billing.settlement.services.assessing import Pins, Plan, Prepared
from billing.settlement.services.gathering import Gathered, gather
from billing.settlement.services.sample_quotes import Around, SamplePlan
from billing.subsidy import services as subsidy
from billing.subsidy.rules.assess import Assessment
from billing.vouchers.usable import usable
from booking.rules.service_facts import UNSAID, said_of_test
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import CatalogueEntry, Instrument, Organisation, Resource
from instruments.rules.spending import is_in_house
from instruments.rules.wall_time import local_day

#: Longer than this no line is looked at as one use.
_LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class LineEstimate:
    """A line with its figures; ``assessment`` is None where no programme can be tried on it (other things, parts of a sample)."""

    line: QuotationLine
    assessment: Assessment[Any] | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """All lines and the four numbers of the whole (fen); a line without an assessment counts in full."""

    lines: tuple[LineEstimate, ...]
    gross_fen: int
    deducted_fen: int
    refunded_fen: int

    @property
    def payable_now_fen(self) -> int:
        return self.gross_fen - self.deducted_fen

    @property
    def final_cost_fen(self) -> int:
        return self.payable_now_fen - self.refunded_fen


@dataclass(frozen=True, slots=True)
class _Known:
    """What is loaded once for all lines. ``schedules`` by instrument, ``places`` of tests by resource."""

    customer: Organisation
    today: date
    now: datetime
    version_ids: tuple[int, ...]
    gathered: Gathered
    instruments: Mapping[int, Instrument]
    listed: Mapping[int, int]
    schedules: Mapping[int, PriceSchedule]
    resources: Mapping[int, Resource]
    places: Mapping[int, str]


def estimate_of(quotation: Quotation, lines: Sequence[QuotationLine], now: datetime) -> Estimate | None:
    """The estimate of a quotation that the caller may read; None for an owner's own people, and where no programme pays anything. The
    statements do not grow with the number of lines. Each line is looked at alone, as one use of today."""
    enquiry = quotation.enquiry
    if is_in_house(enquiry.organisation_id, enquiry.lab_id):
        return None
    known = _known(enquiry.organisation, enquiry.lab_id, lines, now)
    plans = [_planned(line, known) for line in lines]
    rows = tuple(LineEstimate(line, _assessed(each)) for line, each in zip(lines, _balanced(plans), strict=True))
    found = [row.assessment for row in rows if row.assessment is not None]
    made = Estimate(
        rows,
        sum(line.amount_fen for line in lines),
        sum(each.deducted_fen for each in found),
        sum(each.refunded_fen for each in found),
    )
    return made if made.final_cost_fen < made.gross_fen else None


def _known(customer: Organisation, lab_id: int, lines: Sequence[QuotationLine], now: datetime) -> _Known:
    today = local_today(now)
    ids = tuple(subsidy.version_ids_in_force(today, today))
    vouchers = usable(customer.pk, [subsidy.in_force(version_id).programme for version_id in ids])
    instruments = Instrument.objects.select_related("site", "organisation").in_bulk(_ids(line.instrument_id for line in lines))
    resources = Resource.objects.select_related("organisation", "test_item").in_bulk(_ids(line.resource_id for line in lines))
    listed = pricing.version_ids_in_force(list(instruments), today)
    schedules = pricing.schedules(set(listed.values()))
    places = CatalogueEntry.objects.filter(resource__in=resources).values_list("resource_id", "region_code")
    return _Known(
        customer=customer,
        today=today,
        now=now,
        version_ids=ids,
        gathered=replace(gather(customer, [lab_id]), vouchers=vouchers),
        instruments=instruments,
        listed=listed,
        schedules={pk: schedules[version_id] for pk, version_id in listed.items()},
        resources=resources,
        places=dict.fromkeys(resources, "") | dict(places),
    )


def _ids(values: Iterable[int | None]) -> list[int]:
    return sorted({pk for pk in values if pk is not None})


def _planned(line: QuotationLine, known: _Known) -> Plan | SamplePlan | None:
    if line.instrument_id is not None and line.instrument_id in known.listed and line.unit in TIME_UNITS:
        return _time(line, known, known.instruments[line.instrument_id])
    if line.resource_id is not None and line.unit not in UNITS_OF_TIME:
        return _test(line, known, known.resources[line.resource_id])
    return None


def _time(line: QuotationLine, known: _Known, instrument: Instrument) -> Plan | None:
    listed = known.schedules[instrument.pk]
    agreed = compile_schedule(agreed_document(listed.document, line.unit, line.unit_price_fen))
    length = timedelta(seconds=int(line.quantity * agreed.unit_minutes * 60))
    if length > _LONGEST:
        return None
    starts_at = local_day(known.today, ZoneInfo(instrument.site.time_zone)).starts_at
    pins = Pins(known.listed[instrument.pk], known.version_ids)
    during = TimeRange(starts_at, starts_at + length)
    return assessing.plan(instrument, known.customer, during, known.now, pins, agreed, gathered=known.gathered)


def _test(line: QuotationLine, known: _Known, resource: Resource) -> SamplePlan | None:
    count = int(line.quantity)
    if line.quantity != Decimal(count) or not 1 <= count <= MOST_SAMPLES:
        return None
    return sample_quotes.plan(
        resource,
        known.customer,
        count,
        1,
        known.today,
        known.today,
        price=SamplePrice(line.unit, line.unit_price_fen),
        version_ids=known.version_ids,
        around=Around(known.gathered, known.places),
        said=said_of_test(resource.test_item.service_kind, UNSAID),
    )


def _balanced(plans: Sequence[Plan | SamplePlan | None]) -> list[Any]:
    """The engine's inputs of each plan under the balances of this moment."""
    loaded, known = assessing.with_what_is_known(plans)
    balanced = [each and each.with_balances(known) for each in loaded]
    return [each.inputs if isinstance(each, Prepared) else each for each in balanced]


def _assessed(inputs: Any) -> Assessment[Any] | None:
    if inputs is None:
        return None
    try:
        assessment: Assessment[Any] = inputs.assess()
    except Refusal:  # the lab has no price for such customers
        return None
    return assessment
