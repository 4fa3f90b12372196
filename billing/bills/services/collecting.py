"""What an owner can bill to a customer: agreed charges and fees that stand on no bill yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import BillLine
from billing.bills.rules.content import BillLine as ContentLine
from billing.bills.rules.content import Deduction, LineOf, LineTax
from billing.prepaid.models import PurchaseOrder
from billing.pricing.rules.tax import tax_told
from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Award, Charge
from billing.settlement.period_models import held
from billing.settlement.rules.statement import hours
from instruments.services.answer_time import zones_of_owners

DEDUCTED_NOW = "deducted_now"


@dataclass(frozen=True, slots=True)
class Open:
    """What can be billed to one customer up to a day, in fen. ``last_at``: when the latest of it was charged."""

    customer_id: int
    charges: int
    fees: int
    amount_fen: int
    last_at: datetime


def end_of(until_on: date) -> datetime:
    """The instant (UTC) at which the local day ``until_on`` is over."""
    return datetime.combine(until_on + timedelta(days=1), time(), ZoneInfo(settings.TIME_ZONE))


def billable_charges(on: Any) -> QuerySet[Any]:
    """The charges that are to be paid, stand on no bill that is not void and are not held back in the month of a day (``on``: a date, or
    where one stands)."""
    billed = BillLine.objects.filter(charge_id=OuterRef("pk"), voided=False)
    return Charge.objects.filter(~Exists(billed), ~held("charge", on), payable_now_fen__gt=0)


def billable_fees(on: Any) -> QuerySet[Any]:
    """The same of fees that have not fallen away whole; ``relieved`` is what of them has."""
    billed = BillLine.objects.filter(fee_id=OuterRef("pk"), voided=False)
    rows = BookingFee.objects.filter(~Exists(billed), ~held("fee", on))
    return rows.annotate(relieved=Coalesce(Sum("reliefs__amount_fen"), 0)).filter(gross_fen__gt=F("relieved"))


def open_charges(owner_id: int, until_on: date) -> QuerySet[Any]:
    """What can be billed (``billable_charges``) of other customers than the owner itself, charged up to and with a day."""
    of_owner = Q(reservation__instrument__organisation_id=owner_id) & ~Q(reservation__organisation_id=owner_id)
    of_owner |= Q(sample_job__lab_id=owner_id) & ~Q(sample_job__organisation_id=owner_id)
    rows = billable_charges(until_on).filter(of_owner, created_at__lt=end_of(until_on))
    return rows.annotate(customer=Coalesce("reservation__organisation_id", "sample_job__organisation_id"))


def open_fees(owner_id: int, until_on: date) -> QuerySet[Any]:
    """The same of fees (``billable_fees``)."""
    rows = billable_fees(until_on).filter(reservation__instrument__organisation_id=owner_id, created_at__lt=end_of(until_on))
    return rows.exclude(reservation__organisation_id=owner_id).annotate(customer=F("reservation__organisation_id"))


def open_by_customer(owner_id: int, until_on: date) -> list[Open]:
    """What can be billed, by customer, the largest amount first. Two queries."""
    found: dict[int, Open] = {}
    charges = open_charges(owner_id, until_on).values("customer").order_by()
    for row in charges.annotate(count=Count("pk"), amount=Sum("payable_now_fen"), last=Max("created_at")):
        found[row["customer"]] = Open(row["customer"], row["count"], 0, row["amount"], row["last"])
    for customer_id, gross_fen, relieved_fen, created_at in open_fees(owner_id, until_on).values_list(
        "customer", "gross_fen", "relieved", "created_at"
    ):
        had = found.get(customer_id, Open(customer_id, 0, 0, 0, created_at))
        amount = had.amount_fen + gross_fen - relieved_fen
        found[customer_id] = Open(customer_id, had.charges, had.fees + 1, amount, max(had.last_at, created_at))
    return sorted(found.values(), key=lambda one: (-one.amount_fen, one.customer_id))


def with_open(owner_id: int, customers: Collection[int], until_on: date) -> set[int]:
    """Those of some customers to whom anything can be billed, by their ids; two queries."""
    rows = (open_charges(owner_id, until_on), open_fees(owner_id, until_on))
    return {
        pk for each in rows for pk in each.filter(customer__in=customers).order_by().values_list("customer", flat=True).distinct()
    }


@dataclass(frozen=True, slots=True)
class Collected:
    """The charges and fees of one bill with their lines, in the order of the lines."""

    sources: tuple[Charge | BookingFee, ...]
    lines: tuple[ContentLine, ...]


def collect(owner_id: int, customer_id: int, until_on: date) -> Collected:
    """Everything that can be billed to a customer, in the order in which it was charged; a constant number of queries."""
    charges = list(
        open_charges(owner_id, until_on)
        .filter(customer=customer_id)
        .select_related("reservation__instrument__site", "sample_job__resource")
    )
    fees = list(open_fees(owner_id, until_on).filter(customer=customer_id).select_related("reservation__instrument__site"))
    sources: list[Charge | BookingFee] = sorted([*charges, *fees], key=lambda one: (one.created_at, one.pk))
    deductions = _deductions(charges)
    relieved = relieved_of([fee.pk for fee in fees])
    zone = zones_of_owners({owner_id})[owner_id]
    numbers = _order_numbers(sources)
    lines = tuple(
        replace(
            _charge_line(each, deductions.get(each.pk, ()), zone)
            if isinstance(each, Charge)
            else _fee_line(each, relieved.get(each.pk, 0)),
            purchase_order=numbers.get(_ordered(each), ""),
        )
        for each in sources
    )
    return Collected(tuple(sources), lines)


def _ordered(source: Charge | BookingFee) -> tuple[int | None, int | None]:
    """The booking or the sample job that a purchase-order number would be of, as the ids of both."""
    return source.reservation_id, source.sample_job_id if isinstance(source, Charge) else None


def _order_numbers(sources: Sequence[Charge | BookingFee]) -> dict[tuple[int | None, int | None], str]:
    """The customer's purchase-order number of each booking and sample job that has one; the latest counts. One query."""
    ordered = [_ordered(each) for each in sources]
    of_booking, of_job = ([pk for pk in ids if pk is not None] for ids in zip(*ordered, strict=True)) if ordered else ([], [])
    rows = PurchaseOrder.objects.filter(Q(reservation__in=of_booking) | Q(sample_job__in=of_job)).order_by("pk")
    return {
        (reservation, job): number for reservation, job, number in rows.values_list("reservation_id", "sample_job_id", "number")
    }


def relieved_of(fee_ids: Sequence[int]) -> dict[int, int]:
    """What of each fee (by its id) has fallen away, in fen; none of those of which nothing has."""
    fallen = FeeRelief.objects.filter(fee__in=fee_ids).order_by().values("fee").annotate(fen=Sum("amount_fen"))
    return {row["fee"]: row["fen"] for row in fallen}


def _deductions(charges: Iterable[Charge]) -> dict[int, tuple[Deduction, ...]]:
    """What each programme pays at once, by charge."""
    found: dict[int, list[Deduction]] = {}
    rows = Award.objects.filter(charge__in=[charge.pk for charge in charges], mode=DEDUCTED_NOW).order_by("pk")
    for charge_id, code, amount in rows.values_list("charge_id", "programme_version__programme__code", "total_fen"):
        found.setdefault(charge_id, []).append(Deduction(code, amount))
    return {pk: tuple(each) for pk, each in found.items()}


def _charged_on(created_at: datetime) -> date:
    return created_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _charge_line(charge: Charge, deductions: tuple[Deduction, ...], zone_of_lab: ZoneInfo) -> ContentLine:
    if charge.reservation is None:
        return _job_line(charge, deductions, zone_of_lab)
    reservation, instrument = charge.reservation, charge.reservation.instrument
    zone = ZoneInfo(charge.inputs["zone"])
    starts_at, ends_at = (datetime.fromisoformat(charge.inputs[name]) for name in ("starts_at", "ends_at"))
    return ContentLine(
        of=LineOf.SESSION,
        source_id=charge.pk,
        place_id=reservation.pk,
        reference=reservation.reference,
        subject=instrument.name,
        subject_en=instrument.name_en,
        inner_id=instrument.inner_id,
        starts_at=starts_at.astimezone(zone),
        ends_at=ends_at.astimezone(zone),
        zone=zone.key,
        quantity=hours(int((ends_at - starts_at).total_seconds())),
        unit="hour",
        charged_on=_charged_on(charge.created_at),
        gross_fen=charge.gross_fen,
        deductions=deductions,
        relieved_fen=0,
        amount_fen=charge.payable_now_fen,
        tax=_tax(charge),
    )


def _job_line(charge: Charge, deductions: tuple[Deduction, ...], zone: ZoneInfo) -> ContentLine:
    job = charge.sample_job
    if job is None:
        raise ValueError("a charge is of a reservation or of a sample job")
    received = job.received_at or job.asked_at
    return ContentLine(
        of=LineOf.SAMPLE_JOB,
        source_id=charge.pk,
        place_id=job.pk,
        reference=job.reference,
        subject=job.resource.name,
        subject_en=job.resource.name_en,
        inner_id=job.resource.inner_id,
        starts_at=received.astimezone(zone),
        ends_at=(job.tested_at or received).astimezone(zone),
        zone=zone.key,
        quantity=str(Decimal(charge.inputs["samples"])),
        unit="sample",
        charged_on=_charged_on(charge.created_at),
        gross_fen=charge.gross_fen,
        deductions=deductions,
        relieved_fen=0,
        amount_fen=charge.payable_now_fen,
        tax=_tax(charge),
    )


def _tax(charge: Charge) -> LineTax | None:
    """The tax in the fee, as the working of the charge says it; None where the price names no rate."""
    told = tax_told((step["key"], step["params"]) for step in charge.result["priced"]["steps"])
    return LineTax(told.rate, told.amount_fen) if told is not None else None


def _fee_line(fee: BookingFee, relieved_fen: int) -> ContentLine:
    reservation, instrument = fee.reservation, fee.reservation.instrument
    zone = ZoneInfo(instrument.site.time_zone)
    return ContentLine(
        of=LineOf.FEE,
        source_id=fee.pk,
        place_id=reservation.pk,
        reference=reservation.reference,
        subject=instrument.name,
        subject_en=instrument.name_en,
        inner_id=instrument.inner_id,
        starts_at=fee.starts_at.astimezone(zone),
        ends_at=fee.ends_at.astimezone(zone),
        zone=zone.key,
        quantity=hours(int((fee.ends_at - fee.starts_at).total_seconds())),
        unit="hour",
        charged_on=_charged_on(fee.created_at),
        gross_fen=fee.gross_fen,
        deductions=(),
        relieved_fen=relieved_fen,
        amount_fen=fee.gross_fen - relieved_fen,
        fee_kind=fee.kind,
    )
