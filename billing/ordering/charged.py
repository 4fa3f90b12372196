"""What of a commission's lines for other things was charged, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet

from billing.ordering.models import (
    CommissionCharge,
    CommissionReservation,
    CommissionSampleJob,
    CommissionSheet,
    QuotationLine,
)
from billing.ordering.rules.lines import LineKind, shown_quantity
from billing.ordering.rules.sheets import SheetState
from booking.models import Reservation, SampleJob
from booking.rules.samples import ExtraState, JobState
from booking.rules.states import GIVEN_UP
from config.kernel.access import Actor, visible_to

_WITHOUT_CHARGE = (JobState.REFUSED, JobState.CANCELLED, JobState.FAILED)
_HOLDS = (ExtraState.PROPOSED, ExtraState.AGREED)
#: As ``guards.LIVING_CHARGES`` has it for the database.
_LIVING = (Q(session_extra__state__in=_HOLDS) & ~Q(session_extra__reservation__state__in=[str(state) for state in GIVEN_UP])) | (
    Q(sample_extra__state__in=_HOLDS) & ~Q(sample_extra__job__state__in=_WITHOUT_CHARGE)
)


@dataclass(frozen=True, slots=True)
class OtherLine:
    """A line for other things, with the charges of it that hold."""

    line: QuotationLine
    charges: Sequence[CommissionCharge]

    @property
    def charged(self) -> Decimal:
        return sum((each.quantity for each in self.charges), Decimal(0))

    @property
    def left(self) -> Decimal:
        return self.line.quantity - self.charged

    @property
    def shown_left(self) -> str:
        return shown_quantity(self.left)

    @property
    def is_open(self) -> bool:
        """Whether something of it is still to be charged; what costs nothing never is."""
        return self.left > 0 and self.line.unit_price_fen > 0


def other_lines(sheet: CommissionSheet) -> list[OtherLine]:
    """The lines for other things of a sheet that the reader may see, in their order; two queries."""
    lines = QuotationLine.objects.filter(quotation__sheet=sheet, kind=LineKind.OTHER).order_by("position")
    rows = CommissionCharge.objects.filter(_LIVING, sheet=sheet).order_by("pk")
    rows = rows.select_related("session_extra__reservation", "sample_extra__job")
    found: dict[int, list[CommissionCharge]] = {}
    for row in rows:
        found.setdefault(row.line_id, []).append(row)
    return [OtherLine(line, found.get(line.pk, [])) for line in lines]


def is_under(sheet: CommissionSheet, reservation_id: int | None, sample_job_id: int | None) -> bool:
    """Whether the session, or the sample job, belongs to the sheet."""
    if sample_job_id is not None:
        return CommissionSampleJob.objects.filter(sheet=sheet, sample_job_id=sample_job_id).exists()
    return (
        reservation_id is not None and CommissionReservation.objects.filter(sheet=sheet, reservation_id=reservation_id).exists()
    )


def offered_to_session(actor: Actor, reservation: Reservation) -> tuple[CommissionSheet | None, list[OtherLine]]:
    """The sheet in force under which a session stands, with what of its lines can be charged."""
    return _offered(CommissionSheet.objects.filter(reservations__reservation=reservation), actor)


def offered_to_job(actor: Actor, job: SampleJob) -> tuple[CommissionSheet | None, list[OtherLine]]:
    """The same for a sample job."""
    return _offered(CommissionSheet.objects.filter(sample_jobs__sample_job=job), actor)


def _offered(rows: QuerySet[CommissionSheet], actor: Actor) -> tuple[CommissionSheet | None, list[OtherLine]]:
    sheet = visible_to(rows.filter(state=SheetState.IN_FORCE), actor).first()
    return sheet, [each for each in other_lines(sheet) if each.is_open] if sheet is not None else []
