"""Quotes, charges, awards and settlement statements."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.papers.guards import files_once
from billing.settlement.period_guards import STATEMENT_LINE_OPEN, before
from config.kernel.models.guards import append_only, no_truncate


class FrozenAssessment(models.Model):
    """What the engine was given and what it said, frozen. All amounts in fen.

    ``inputs`` (time range, zone, facts, prior balances, and by id and fingerprint the immutable price and programme versions) are
    enough to compute ``result`` again in a fresh process. payable_now = gross - deducted; final_cost = payable_now - refunded.
    """

    gross_fen = models.BigIntegerField()
    deducted_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField()
    payable_now_fen = models.BigIntegerField()
    final_cost_fen = models.BigIntegerField()
    estimate = models.BooleanField()
    inputs = models.JSONField()
    inputs_sha256 = models.CharField(max_length=64)
    result = models.JSONField()
    engine_version = models.CharField(max_length=20)
    created_at = models.DateTimeField()

    class Meta:
        abstract = True


def _amounts_add_up(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(gross_fen__gte=0, deducted_fen__gte=0, refunded_fen__gte=0, final_cost_fen__gte=0)
        & Q(payable_now_fen=F("gross_fen") - F("deducted_fen"))
        & Q(final_cost_fen=F("payable_now_fen") - F("refunded_fen")),
        name=name,
    )


def _of_one_thing(name: str) -> models.CheckConstraint:
    """Of a reservation or of a sample job."""
    return models.CheckConstraint(
        condition=Q(reservation__isnull=False, sample_job__isnull=True) | Q(reservation__isnull=True, sample_job__isnull=False),
        name=name,
    )


class Quote(FrozenAssessment):
    """The figures a customer was shown for a reservation or a sample job, pinned until ``valid_until`` (of a sample job: until the
    lab answers).

    Revision 1 is accepted by requesting. When the money is no longer there at approval, a new revision waits for the customer
    (``accepted_at`` empty) and nothing is approved until it is accepted. The revision with ``held_at`` is what was held at approval:
    its frozen balances and facts are what the charge is computed from.
    """

    attached = True
    """Whether the reservation may belong to a commission; told by ``quote_rows.quotes_of``."""

    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="quotes")
    sample_job = models.ForeignKey("booking.SampleJob", null=True, on_delete=models.PROTECT, related_name="quotes")
    revision = models.PositiveIntegerField()
    valid_until = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    held_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reservation", "revision"], name="quote_revision_unique"),
            models.UniqueConstraint(fields=["sample_job", "revision"], name="quote_revision_of_job"),
            _of_one_thing("quote_of_one_thing"),
            _amounts_add_up("quote_adds_up"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="quote_frozen", exclude=["accepted_at", "accepted_by"]),
            pgtrigger.Protect(name="quote_kept", operation=pgtrigger.Delete),
            no_truncate("quote_no_truncate"),
        ]


class Charge(FrozenAssessment):
    """A priced usage session, made once when the usage is agreed, or a sample job, made when it is closed. Append-only.

    A session rests on a ``price_version`` of its instrument; the frozen inputs of a sample job hold its price whole.
    """

    reservation = models.OneToOneField("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="charge")
    sample_job = models.OneToOneField("booking.SampleJob", null=True, on_delete=models.PROTECT, related_name="charge")
    price_version = models.ForeignKey("billing.PriceVersion", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            _amounts_add_up("charge_adds_up"),
            _of_one_thing("charge_of_one_thing"),
            models.CheckConstraint(
                condition=Q(reservation__isnull=True) | Q(price_version__isnull=False), name="charge_of_session_has_price"
            ),
        ]
        triggers = [append_only("charge_append_only"), no_truncate("charge_no_truncate")]


class Award(models.Model):
    """What one programme version gives for one charge in one way of settlement, and so to one payee.

    ``payers`` is a list of {"payer", "amount_fen"}.
    """

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="awards")
    programme_version = models.ForeignKey("billing.ProgrammeVersion", on_delete=models.PROTECT, related_name="awards")
    payee = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="awards")
    mode = models.CharField(max_length=30)
    total_fen = models.BigIntegerField()
    payers = models.JSONField()
    service_on = models.DateField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["charge", "programme_version", "mode"], name="award_once"),
            models.CheckConstraint(condition=Q(total_fen__gt=0), name="award_positive"),
        ]
        indexes = [models.Index(fields=["service_on", "payee"], name="award_by_month")]
        triggers = [append_only("award_append_only"), no_truncate("award_no_truncate")]


class NumberSeries(models.Model):
    """The last number given in a series; raised in the same transaction as the document, so numbers have no gap."""

    key = models.CharField(max_length=100, primary_key=True)
    last = models.PositiveIntegerField(default=0)


class RenderState(models.TextChoices):
    QUEUED = "queued"
    RENDERING = "rendering"
    DONE = "done"
    FAILED = "failed"


#: What the making of the files writes in a document that is frozen otherwise.
RENDERED = ("render_state", "render_percent", "render_error", "pdf", "xlsx")


class FrozenDocument(models.Model):
    """A numbered document: ``content`` is everything that its PDF and its XLSX show, frozen at issue; both files are made from it once,
    by the worker."""

    number: Any
    total_fen = models.BigIntegerField()
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=64, db_index=True)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    render_state = models.CharField(max_length=12, choices=RenderState.choices, default=RenderState.QUEUED)
    render_percent = models.PositiveSmallIntegerField(default=0)
    render_error = models.CharField(max_length=300, blank=True)
    pdf = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    xlsx = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.number)


class Statement(FrozenDocument):
    """A subsidy settlement statement: one payee, one programme version, one way of settlement, one month (``period_on`` is its first
    day)."""

    number = models.CharField(max_length=60, unique=True)
    programme_version = models.ForeignKey("billing.ProgrammeVersion", on_delete=models.PROTECT, related_name="statements")
    payee = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="statements")
    period_on = models.DateField()
    line_count = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["period_on", "payee"], name="statement_by_month")]
        triggers = [
            pgtrigger.ReadOnly(name="statement_frozen", exclude=list(RENDERED)),
            files_once("statement_files_once", "statement"),
            pgtrigger.Protect(name="statement_kept", operation=pgtrigger.Delete),
            no_truncate("statement_no_truncate"),
        ]


#: What a statement says is of its version, its payee and its way of settlement; looked at once for all lines that are written together.
_LINES_OF_ITS_KIND = """
PERFORM 1 FROM written w
  JOIN billing_award a ON a.id = w.award_id
  JOIN billing_statement s ON s.id = w.statement_id
 WHERE (a.programme_version_id, a.payee_id, a.mode)
       IS DISTINCT FROM (s.programme_version_id, s.payee_id, s.content -> 'programme' ->> 'mode');
IF FOUND THEN
    RAISE EXCEPTION 'a statement is of one version, one payee and one way of settlement' USING ERRCODE = '23514';
END IF;
RETURN NULL;
"""


class StatementLine(models.Model):
    """An award stands on one statement, once."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    award = models.OneToOneField(Award, on_delete=models.PROTECT, related_name="statement_line")
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["statement", "position"], name="statement_line_position")]
        triggers = [
            append_only("statement_line_append_only"),
            no_truncate("statement_line_no_truncate"),
            pgtrigger.Trigger(
                name="statement_line_of_its_kind",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                level=pgtrigger.Statement,
                referencing=pgtrigger.Referencing(new="written"),
                func=_LINES_OF_ITS_KIND,
            ),
            before("statement_line_open", pgtrigger.Insert, STATEMENT_LINE_OPEN),
        ]
