"""Every read about quotations and commission sheets that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from billing.ordering.models import (
    CommissionReservation,
    CommissionSampleJob,
    CommissionSheet,
    CommissionSignature,
    Quotation,
    QuotationLine,
)
from billing.ordering.rules.quotations import QuotationState, is_over
from billing.ordering.rules.sheets import SheetEvent, SheetState, events_from
from billing.ordering.services.quotations import local_today
from billing.ordering.services.sample_links import lines_for
from billing.ordering.services.sheets import signed_by, signing_sides
from booking.models import Enquiry, Reservation, SampleJob
from booking.rules.enquiries import Side
from booking.rules.states import ReservationState
from booking.services.enquiry_sides import acting_side, own_sides
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import NotFound, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import files
from instruments.models import Instrument, Resource, ResourceKind

MOST_OFFERED = 300
MOST_LINKABLE = 20
#: Reservations that can still belong to a commission.
_LIVING = (ReservationState.REQUESTED, ReservationState.APPROVED, ReservationState.IN_USE, ReservationState.COMPLETED,
           ReservationState.AGREED)  # fmt: skip


def quotations_visible(actor: Actor) -> QuerySet[Quotation]:
    """The quotations that the actor reads, newest first."""
    rows = Quotation.objects.select_related("enquiry__lab", "enquiry__organisation", "enquiry__asked_by", "created_by", "sent_by",
                                            "ended_by", "pdf", "sheet")  # fmt: skip
    return visible_to(rows, actor).order_by("-created_at", "-pk")


def quotation_for(actor: Actor, quotation_id: int) -> Quotation:
    """One quotation with its lines. Raises NotFound."""
    lines = QuotationLine.objects.order_by("position")
    return get_visible(quotations_visible(actor).prefetch_related(Prefetch("lines", lines)), actor, pk=quotation_id)


def quotations_of(actor: Actor, enquiry_id: int) -> list[Quotation]:
    """The quotations of a thread in the order in which they were made."""
    return list(quotations_visible(actor).filter(enquiry_id=enquiry_id).order_by("pk"))


def binds_until_today(quotation: Quotation, now: datetime) -> bool:
    """Whether a sent quotation can still be accepted."""
    return quotation.state == QuotationState.SENT and not is_over(quotation.valid_until, local_today(now))


def may_quote(actor: Actor, enquiry: Enquiry) -> bool:
    """Whether the actor writes quotations in the thread; people of one house have no order with each other."""
    return enquiry.organisation_id != enquiry.lab_id and Side.LAB in own_sides(actor, enquiry.organisation_id, enquiry.lab_id)


def is_customer(actor: Actor, enquiry: Enquiry) -> bool:
    """Whether the actor accepts and declines what is offered in the thread."""
    return Side.CUSTOMER in own_sides(actor, enquiry.organisation_id, enquiry.lab_id)


def own_instruments(actor: Actor, lab_id: int) -> list[Instrument]:
    """The lab's instruments that a line can be about, by name."""
    rows = visible_to(Instrument.objects.filter(organisation_id=lab_id), actor)
    return list(rows.order_by("name_pinyin", "pk")[:MOST_OFFERED])


def own_tests(actor: Actor, lab_id: int) -> list[Resource]:
    """The lab's test items that a line can be about, by name."""
    rows = visible_to(Resource.objects.filter(organisation_id=lab_id, kind=ResourceKind.TEST_ITEM), actor)
    return list(rows.order_by("name_pinyin", "pk")[:MOST_OFFERED])


def sheets_visible(actor: Actor) -> QuerySet[CommissionSheet]:
    """The commission sheets that the actor reads, newest first."""
    rows = CommissionSheet.objects.select_related("quotation__enquiry", "lab", "organisation", "created_by", "issued_by", "ended_by",
                                                  "pdf", "signed_pdf")  # fmt: skip
    return visible_to(rows, actor).order_by("-created_at", "-pk")


def sheet_for(actor: Actor, sheet_id: int) -> CommissionSheet:
    """One sheet with its signatures, reservations and lines. Raises NotFound."""
    signatures = CommissionSignature.objects.select_related("signed_by", "scan").order_by("signed_at", "pk")
    links = CommissionReservation.objects.select_related("reservation__instrument__site").order_by("reservation__starts_at", "pk")
    lines = QuotationLine.objects.order_by("position")
    jobs = CommissionSampleJob.objects.select_related("sample_job__resource").order_by("pk")
    rows = sheets_visible(actor).prefetch_related(
        Prefetch("signatures", signatures),
        Prefetch("reservations", links),
        Prefetch("quotation__lines", lines),
        Prefetch("sample_jobs", jobs),
    )
    return get_visible(rows, actor, pk=sheet_id)


def sheet_of(actor: Actor, quotation: Quotation) -> CommissionSheet | None:
    """What an accepted quotation became."""
    return visible_to(CommissionSheet.objects.filter(quotation=quotation), actor).first()


def sheets_for_samples(actor: Actor, job: SampleJob) -> list[CommissionSheet]:
    """The commission sheets of the job's two sides that price its test item and can still take something, newest first."""
    return sheets_for_test(actor, job.resource, [job.organisation_id])


def sheets_for_test(actor: Actor, resource: Resource, customer_ids: Sequence[int]) -> list[CommissionSheet]:
    """The commission sheets between customers and a test item's lab that price it and can still take something, newest first."""
    rows = sheets_visible(actor).filter(
        organisation_id__in=customer_ids,
        lab_id=resource.organisation_id,
        state__in=[state.value for state in SheetState if SheetEvent.LINK in events_from(state)],
        quotation__in=lines_for(resource.pk).values("quotation_id"),
    )
    return list(rows[:MOST_LINKABLE])


def sheet_of_samples(actor: Actor, job: SampleJob) -> CommissionSheet | None:
    """The commission sheet that a sample job belongs to, when the actor may see it."""
    return sheets_visible(actor).filter(sample_jobs__sample_job=job).first()


def linkable_reservations(actor: Actor, sheet: CommissionSheet) -> list[Reservation]:
    """Reservations of the same two sides that belong to no commission yet, the latest first."""
    rows = Reservation.objects.filter(
        organisation_id=sheet.organisation_id,
        instrument__organisation_id=sheet.lab_id,
        state__in=_LIVING,
        commission__isnull=True,
    )
    return list(visible_to(rows, actor).select_related("instrument__site").order_by("-starts_at", "-pk")[:50])


def sheet_of_reservation(actor: Actor, reservation: Reservation) -> CommissionSheet | None:
    """The commission that a reservation belongs to."""
    return visible_to(CommissionSheet.objects.filter(reservations__reservation=reservation), actor).first()


def side_of(actor: Actor, sheet: CommissionSheet) -> Side | None:
    """On which side the actor acts, None for those who only read."""
    return acting_side(actor, sheet.organisation_id, sheet.lab_id)


def acts_for_lab(actor: Actor, sheet: CommissionSheet) -> bool:
    """Whether the actor does what is the lab's: also somebody who acts on both sides."""
    return Side.LAB in own_sides(actor, sheet.organisation_id, sheet.lab_id)


def may_sign_for(actor: Actor, sheet: CommissionSheet) -> tuple[Side, ...]:
    """The sides that the actor's signature would bind now."""
    return signing_sides(actor, sheet, signed_by(sheet.signatures.all()))


def document(stored: StoredFile | None) -> tuple[StoredFile, bytes]:
    """A PDF and its verified bytes. Raises Refusal ``order.not_ready``, ``files.*``."""
    if stored is None:
        raise Refusal.of("order.not_ready")
    return stored, files.read(stored)


def scan_for(actor: Actor, sheet_id: int, side: str) -> tuple[StoredFile, bytes]:
    """The scan with which a side signed. Raises NotFound, Refusal ``files.*``."""
    rows = CommissionSignature.objects.select_related("scan").filter(scan__isnull=False)
    found = get_visible(rows, actor, sheet_id=sheet_id, side=side)
    if found.scan is None:
        raise NotFound.of("access.not_found", model="scan")
    return found.scan, files.read(found.scan)
