"""Quotations, and the commission sheets that come of those that are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.ordering.guards import DRAFT_ONLY, WITHIN_LINE, frozen_by_state
from billing.ordering.rules.lines import LineKind
from billing.ordering.rules.quotations import QuotationState
from billing.ordering.rules.quotations import successors as quotation_successors
from billing.ordering.rules.sheets import SIGNED_STATES, Confidentiality, Method, ReportForm, SampleHandling, SheetState
from billing.ordering.rules.sheets import successors as sheet_successors
from billing.papers.guards import files_once
from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import RenderState
from booking.models import Reservation, SampleExtra, SampleJob
from booking.rules.enquiries import Side
from config.kernel.models.guards import append_only, no_truncate


def _one_of(field: str, values: list[str], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": values}), name=name)


def _ended_in(living: Sequence[str], name: str) -> models.CheckConstraint:
    """The end is noted exactly in the states that are not ``living``."""
    values = [str(state) for state in living]
    condition = Q(state__in=values, ended_at__isnull=True) | (~Q(state__in=values) & Q(ended_at__isnull=False))
    return models.CheckConstraint(condition=condition, name=name)


_SIGNED = sorted(state.value for state in SIGNED_STATES)
#: What the making of a PDF writes, in every state.
_RENDERED = ("render_state", "render_error", "pdf_id")
_ENDED = ("ended_by_id", "ended_at")


class OrderDocument(models.Model):
    """What quotation and commission sheet share: a frozen content and its PDF, made once by the worker.

    ``number`` and ``content`` are empty until the document is sent or issued.
    """

    number = models.CharField(max_length=60, null=True, unique=True)
    content = models.JSONField(null=True)
    content_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    render_state = models.CharField(max_length=12, choices=RenderState.choices, default=RenderState.QUEUED)
    render_error = models.CharField(max_length=300, blank=True)
    pdf = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class Quotation(OrderDocument):
    """A lab's offer in a thread. A draft is the lab's own; from ``sent`` on nothing but its fate changes.

    ``state`` is a value of ``QuotationState``, written only by ``billing.ordering.services.quotations``. ``valid_until`` is the last
    local day on which it can be accepted.
    """

    enquiry = models.ForeignKey("booking.Enquiry", on_delete=models.PROTECT, related_name="quotations")
    state = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    tax_note = models.CharField(max_length=300, blank=True)
    terms = models.TextField(blank=True)
    valid_until = models.DateField()
    total_fen = models.BigIntegerField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            _one_of("state", [state.value for state in QuotationState], "quotation_state_known"),
            models.CheckConstraint(condition=Q(total_fen__gte=0), name="quotation_not_negative"),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, number__isnull=True, content__isnull=True)
                | Q(sent_at__isnull=False, number__isnull=False, content__isnull=False),
                name="quotation_numbered_when_sent",
            ),
            _ended_in([QuotationState.DRAFT, QuotationState.SENT], "quotation_ended_with_its_state"),
        ]
        indexes = [models.Index(fields=["state", "valid_until"], name="quotation_by_validity")]
        triggers = [
            frozen_by_state(
                "quotation_frozen",
                quotation_successors(),
                {
                    state.value: ("state", "reason", *_ENDED, *_RENDERED) if state is QuotationState.SENT else _RENDERED
                    for state in QuotationState
                    if state is not QuotationState.DRAFT
                },
                (*_ENDED, "pdf_id"),
            ),
            files_once("quotation_files_once", "quotation", ("pdf",), at_once=False),
            pgtrigger.Protect(name="quotation_kept", operation=pgtrigger.Delete),
            no_truncate("quotation_no_truncate"),
        ]

    def __str__(self) -> str:
        return self.number or self.title


class QuotationLine(models.Model):
    """One line. ``published_fen`` is what the lab's price list said for one unit when the line was written; amounts in fen."""

    quotation = models.ForeignKey(Quotation, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20)
    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="+")
    resource = models.ForeignKey("instruments.Resource", null=True, on_delete=models.PROTECT, related_name="+")
    subject_name = models.CharField(max_length=500, blank=True)
    description = models.CharField(max_length=300, blank=True)
    quantity = models.DecimalField(max_digits=10, decimal_places=3)
    unit = models.CharField(max_length=20)
    unit_price_fen = models.BigIntegerField()
    published_fen = models.BigIntegerField(null=True)
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["quotation", "position"], name="quotation_line_position"),
            models.CheckConstraint(
                condition=Q(kind=LineKind.INSTRUMENT_TIME.value, instrument__isnull=False, resource__isnull=True)
                | Q(kind=LineKind.TEST.value, instrument__isnull=True, resource__isnull=False)
                | Q(kind=LineKind.OTHER.value, instrument__isnull=True, resource__isnull=True),
                name="quotation_line_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_price_fen__gte=0, amount_fen__gte=0), name="quotation_line_positive"
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gte=F("quantity") * F("unit_price_fen") - 1)
                & Q(amount_fen__lte=F("quantity") * F("unit_price_fen") + 1),
                name="quotation_line_adds_up",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="quotation_line_frozen",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=DRAFT_ONLY,
            ),
            no_truncate("quotation_line_no_truncate"),
        ]


class CommissionSheet(OrderDocument):
    """The order that an accepted quotation became (one each), and the evidence of the contract once both sides have signed.

    ``state`` is a value of ``SheetState``, written only by ``billing.ordering.services.sheets``. ``content`` copies the parties as they
    stood at issue. ``signed_pdf`` shows the signatures too.
    """

    quotation = models.OneToOneField(Quotation, on_delete=models.PROTECT, related_name="sheet")
    lab = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="commission_sheets")
    state = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    total_fen = models.BigIntegerField()
    terms = models.TextField(blank=True)
    confidentiality = models.CharField(max_length=20, default=Confidentiality.ORDINARY.value)
    confidentiality_note = models.CharField(max_length=500, blank=True)
    report_form = models.CharField(max_length=20, default=ReportForm.ELECTRONIC.value)
    report_note = models.CharField(max_length=500, blank=True)
    sample_handling = models.CharField(max_length=20, default=SampleHandling.RETURN.value)
    sample_note = models.CharField(max_length=500, blank=True)
    due_on = models.DateField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField(null=True)
    in_force_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    signed_pdf = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            _one_of("state", [state.value for state in SheetState], "commission_state_known"),
            _one_of("confidentiality", [each.value for each in Confidentiality], "commission_confidentiality_known"),
            _one_of("report_form", [each.value for each in ReportForm], "commission_report_form_known"),
            _one_of("sample_handling", [each.value for each in SampleHandling], "commission_sample_handling_known"),
            models.CheckConstraint(
                condition=Q(issued_at__isnull=True, number__isnull=True, content__isnull=True)
                | Q(issued_at__isnull=False, number__isnull=False, content__isnull=False),
                name="commission_numbered_when_issued",
            ),
            _ended_in([SheetState.DRAFT, SheetState.ISSUED, SheetState.IN_FORCE], "commission_ended_with_its_state"),
            models.CheckConstraint(
                condition=Q(state__in=_SIGNED, in_force_at__isnull=False) | (~Q(state__in=_SIGNED) & Q(in_force_at__isnull=True)),
                name="commission_in_force_with_its_state",
            ),
        ]
        indexes = [
            models.Index(fields=["lab", "state", "-created_at"], name="commission_by_lab"),
            models.Index(fields=["organisation", "-created_at"], name="commission_by_customer"),
        ]
        triggers = [
            frozen_by_state(
                "commission_frozen",
                sheet_successors(),
                {
                    SheetState.ISSUED.value: ("state", "in_force_at", "reason", *_ENDED, *_RENDERED),
                    SheetState.IN_FORCE.value: ("state", *_ENDED, *_RENDERED, "signed_pdf_id"),
                    SheetState.FINISHED.value: (*_RENDERED, "signed_pdf_id"),
                    SheetState.CANCELLED.value: _RENDERED,
                },
                (*_ENDED, "in_force_at", "pdf_id", "signed_pdf_id"),
            ),
            files_once("commission_files_once", "commission", ("pdf", "signed_pdf"), at_once=False),
            pgtrigger.Protect(name="commission_kept", operation=pgtrigger.Delete),
            no_truncate("commission_no_truncate"),
        ]

    def __str__(self) -> str:
        return self.number or self.title


class CommissionSignature(models.Model):
    """That one side signed, who did, and exactly what (``content_sha256``). A scan of sealed paper is kept with it. Append-only."""

    sheet = models.ForeignKey(CommissionSheet, on_delete=models.PROTECT, related_name="signatures")
    side = models.CharField(max_length=10)
    method = models.CharField(max_length=10)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    signed_at = models.DateTimeField()
    content_sha256 = models.CharField(max_length=64)
    scan = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    scan_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sheet", "side"], name="commission_signed_once_by_a_side"),
            models.UniqueConstraint(fields=["sheet", "signed_by"], name="commission_signed_by_two_people"),
            _one_of("side", [side.value for side in Side], "commission_signature_side_known"),
            models.CheckConstraint(
                condition=Q(method=Method.SCAN.value, scan__isnull=False) | Q(method=Method.SYSTEM.value, scan__isnull=True),
                name="commission_scan_is_kept",
            ),
        ]
        triggers = [append_only("commission_signature_append_only"), no_truncate("commission_signature_no_truncate")]


class CommissionReservation(models.Model):
    """A reservation that belongs to a commission. It is taken off again only while the sheet is not signed by both sides."""

    sheet = models.ForeignKey(CommissionSheet, on_delete=models.PROTECT, related_name="reservations")
    reservation = models.OneToOneField("booking.Reservation", on_delete=models.PROTECT, related_name="commission")
    linked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    linked_at = models.DateTimeField()

    class Meta:
        triggers = [
            pgtrigger.Protect(name="commission_reservation_unchanged", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="commission_reservation_kept",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func="""
                    PERFORM 1 FROM billing_commissionsheet s WHERE s.id = OLD.sheet_id AND s.state IN ('draft', 'issued');
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'append-only: the sheet is signed' USING ERRCODE = '23001';
                    END IF;
                    RETURN OLD;
                """,
            ),
            no_truncate("commission_reservation_no_truncate"),
        ]


class CommissionSampleJob(models.Model):
    """A sample job that belongs to a commission and is priced by it. Append-only: who does not want it calls the job off."""

    sheet = models.ForeignKey(CommissionSheet, on_delete=models.PROTECT, related_name="sample_jobs")
    sample_job = models.OneToOneField("booking.SampleJob", on_delete=models.PROTECT, related_name="commission")
    linked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    linked_at = models.DateTimeField()

    class Meta:
        triggers = [append_only("commission_sample_job_append_only"), no_truncate("commission_sample_job_no_truncate")]


class CommissionCharge(models.Model):
    """So much of a sheet's line for other things was charged, as an extra of a session or of a sample job under the sheet: both sides
    signed for it. What is declined or taken back, and what ends without a charge, is free again. Append-only; the extra has the state.
    """

    sheet = models.ForeignKey(CommissionSheet, on_delete=models.PROTECT, related_name="charges")
    line = models.ForeignKey(QuotationLine, on_delete=models.PROTECT, related_name="charges")
    session_extra = models.OneToOneField("billing.SessionExtra", null=True, on_delete=models.PROTECT, related_name="by_order")
    sample_extra = models.OneToOneField("booking.SampleExtra", null=True, on_delete=models.PROTECT, related_name="by_order")
    quantity = models.DecimalField(max_digits=10, decimal_places=3)
    charged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    charged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(session_extra__isnull=False, sample_extra__isnull=True)
                | Q(session_extra__isnull=True, sample_extra__isnull=False),
                name="commission_charge_of_one_extra",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="commission_charge_of_something"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="commission_charge_within_line",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                declare=[("agreed", "numeric"), ("taken", "numeric")],
                func=WITHIN_LINE,
            ),
            append_only("commission_charge_append_only"),
            no_truncate("commission_charge_no_truncate"),
        ]

    @property
    def extra(self) -> SessionExtra | SampleExtra:
        """What is charged: one of the two."""
        if self.session_extra is not None:
            return self.session_extra
        return cast("SampleExtra", self.sample_extra)

    @property
    def about(self) -> Reservation | SampleJob:
        """The session or the sample job with which it is charged."""
        return self.session_extra.reservation if self.session_extra is not None else cast("SampleExtra", self.sample_extra).job
