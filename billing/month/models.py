"""A month of finance: runs of drafts with their lines, and exports of documents."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.month import guards
from billing.settlement.rules.series import Series, kept_series
from config.kernel.models.guards import no_truncate


class RunState(models.TextChoices):
    """``open``: drafts are reviewed. ``handed_over``: a second person looks. ``released``: documents are being issued. ``done``: every
    draft was tried. ``superseded``: a later run took its place. ``carried``: the month was closed; what was left goes to the next."""

    OPEN = "open"
    HANDED_OVER = "handed_over"
    RELEASED = "released"
    DONE = "done"
    SUPERSEDED = "superseded"
    CARRIED = "carried"


class DraftState(models.TextChoices):
    """``parked``: something does not add up, nothing is guessed. ``failed``: issuing was refused. ``empty``: all its lines are
    held back."""

    READY = "ready"
    PARKED = "parked"
    EMPTY = "empty"
    ISSUED = "issued"
    FAILED = "failed"


#: Runs that stand for their month now.
CURRENT = (RunState.OPEN, RunState.HANDED_OVER, RunState.RELEASED, RunState.DONE)
#: What of a run may change after it was made.
RUN_MOVES = ("state", "handed_over_by", "handed_over_at", "released_by", "released_at", "finished_at")


class DraftRun(models.Model):
    """The drafts of all payers (or payees) of one month and series, as they were found at ``made_at``.

    ``filters`` say what was asked for; counts and totals (fen) and ``content_sha256`` what was found. From ``second_from_fen`` on
    another person than the maker has to release it.
    """

    series = models.CharField(max_length=40)
    owner = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    period_on = models.DateField()
    revision = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.OPEN)
    filters = models.JSONField()
    draft_count = models.PositiveIntegerField()
    parked_count = models.PositiveIntegerField()
    line_count = models.PositiveIntegerField()
    total_fen = models.BigIntegerField()
    content_sha256 = models.CharField(max_length=64)
    second_from_fen = models.BigIntegerField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    handed_over_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    handed_over_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "period_on", "revision"], name="draft_run_revision"),
            models.UniqueConstraint(fields=["series", "period_on"], condition=Q(state__in=CURRENT), name="draft_run_one_current"),
            models.CheckConstraint(condition=Q(period_on__day=1), name="draft_run_of_a_month"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by__isnull=True)
                | Q(released_at__isnull=False, released_by__isnull=False),
                name="draft_run_released_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("released", "done")) | Q(released_at__isnull=False), name="draft_run_released_first"
            ),
            models.CheckConstraint(
                condition=Q(released_by__isnull=True) | Q(total_fen__lt=F("second_from_fen")) | ~Q(released_by=F("made_by")),
                name="draft_run_two_people",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="draft_run_frozen", exclude=list(RUN_MOVES)),
            pgtrigger.Protect(name="draft_run_kept", operation=pgtrigger.Delete),
            no_truncate("draft_run_no_truncate"),
        ]

    @property
    def of_series(self) -> Series:
        """Whose month it is."""
        return kept_series(self.series)

    @property
    def needs_second(self) -> bool:
        """Whether somebody else than its maker has to release it."""
        return bool(self.total_fen >= self.second_from_fen)


class Draft(models.Model):
    """What one payer's bill, or one payee's statement under a programme version in one way of settlement (``mode``, "" of a bill), would
    say. Amounts in fen, of the lines that are not held back; ``claims_fen`` is what programmes give for them in all. ``reason``: why it is
    parked or failed ({"code", "params"}).

    By trigger it is issued only once, under a run that was released.
    """

    run = models.ForeignKey(DraftRun, on_delete=models.PROTECT, related_name="drafts")
    party = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    programme_version = models.ForeignKey("billing.ProgrammeVersion", null=True, on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=30, blank=True, default="")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=DraftState.choices)
    reason = models.JSONField(default=dict)
    line_count = models.PositiveIntegerField()
    prior_count = models.PositiveIntegerField(default=0)
    odd_count = models.PositiveIntegerField(default=0)
    odd = models.JSONField(default=dict)
    gross_fen = models.BigIntegerField()
    deducted_fen = models.BigIntegerField()
    relieved_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField()
    claims_fen = models.BigIntegerField()
    total_fen = models.BigIntegerField()
    bill = models.OneToOneField("billing.Bill", null=True, on_delete=models.PROTECT, related_name="draft")
    statement = models.OneToOneField("billing.Statement", null=True, on_delete=models.PROTECT, related_name="draft")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "party", "programme_version", "mode"], nulls_distinct=False, name="draft_once_in_run"
            ),
            models.UniqueConstraint(fields=["run", "position"], name="draft_position"),
            models.CheckConstraint(
                condition=Q(state="issued", bill__isnull=False, statement__isnull=True)
                | Q(state="issued", bill__isnull=True, statement__isnull=False)
                | (~Q(state="issued") & Q(bill__isnull=True, statement__isnull=True)),
                name="draft_issued_as_one",
            ),
        ]
        indexes = [
            models.Index(fields=["run", "state", "position"], name="draft_by_state"),
            models.Index(fields=["run", "-odd_count", "position"], name="draft_by_oddness"),
        ]
        triggers = [
            guards.update("draft_issued_when_released", guards.DRAFT_MOVES),
            pgtrigger.Protect(name="draft_kept", operation=pgtrigger.Delete),
            no_truncate("draft_no_truncate"),
        ]


class DraftLine(models.Model):
    """One charge, fee or award of a draft. ``prior_period``: its use lies before the month. ``odd``: codes of ``rules.anomalies``.
    ``held``: finance left it out. Only that changes."""

    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    charge = models.ForeignKey("billing.Charge", null=True, on_delete=models.PROTECT, related_name="+")
    fee = models.ForeignKey("billing.BookingFee", null=True, on_delete=models.PROTECT, related_name="+")
    award = models.ForeignKey("billing.Award", null=True, on_delete=models.PROTECT, related_name="+")
    gross_fen = models.BigIntegerField()
    deducted_fen = models.BigIntegerField()
    relieved_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField()
    claims_fen = models.BigIntegerField()
    amount_fen = models.BigIntegerField()
    prior_period = models.BooleanField(default=False)
    odd = models.JSONField(default=list)
    held = models.ForeignKey("billing.HeldBack", null=True, on_delete=models.PROTECT, related_name="draft_lines")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draft", "position"], name="draft_line_position"),
            models.CheckConstraint(
                condition=Q(charge__isnull=False, fee__isnull=True, award__isnull=True)
                | Q(charge__isnull=True, fee__isnull=False, award__isnull=True)
                | Q(charge__isnull=True, fee__isnull=True, award__isnull=False),
                name="draft_line_of_one_thing",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="draft_line_frozen", exclude=["held"]),
            pgtrigger.Protect(name="draft_line_kept", operation=pgtrigger.Delete),
            no_truncate("draft_line_no_truncate"),
        ]


class ExportState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ItemState(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class MonthExport(models.Model):
    """An archive of a month's documents that the worker makes: their PDFs and workbooks with a manifest.

    ``turn_*`` say when the present turn of work began and how much was done by then: what its speed is measured from.
    ``content_sha256`` is the archive's own; it stays when the file goes at ``expires_at``, and the same is made again.
    """

    series = models.CharField(max_length=40)
    owner = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    period_on = models.DateField()
    state = models.CharField(max_length=10, choices=ExportState.choices, default=ExportState.QUEUED)
    total_count = models.PositiveIntegerField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    turn_at = models.DateTimeField(null=True)
    turn_done = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    archive = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.SET_NULL, related_name="+")
    content_sha256 = models.CharField(max_length=64, blank=True)
    archived_count = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(total_count__gt=0), name="month_export_of_something"),
            models.CheckConstraint(
                condition=~Q(state="done") | (Q(finished_at__isnull=False, expires_at__isnull=False) & ~Q(content_sha256="")),
                name="month_export_done_has_archive",
            ),
            models.UniqueConstraint(
                fields=["series", "period_on"], condition=Q(state__in=("queued", "running")), name="month_export_one_at_work"
            ),
        ]
        indexes = [models.Index(fields=["series", "-id"], name="month_export_by_series")]

    @property
    def of_series(self) -> Series:
        """Whose month it is."""
        return kept_series(self.series)

    @property
    def file_name(self) -> str:
        """What the archive is called when it is handed out."""
        return f"{self.series.replace(':', '-')}-{self.period_on:%Y-%m}.zip"


#: What an export may hold, by the fields of its items: bills or statements first, then what went with them.
DOCUMENTS = ("bill", "statement", "credit_note", "receipt", "payment_list", "clawback")


def _of_one_thing() -> Q:
    found = Q()
    for own in DOCUMENTS:
        found |= Q(**{f"{name}__isnull": name != own for name in DOCUMENTS})
    return found


class ExportItem(models.Model):
    """One document of an export, and whether its files are there. ``error``: the code of why not."""

    export = models.ForeignKey(MonthExport, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    bill = models.ForeignKey("billing.Bill", null=True, on_delete=models.PROTECT, related_name="export_items")
    statement = models.ForeignKey("billing.Statement", null=True, on_delete=models.PROTECT, related_name="export_items")
    credit_note = models.ForeignKey("billing.CreditNote", null=True, on_delete=models.PROTECT, related_name="export_items")
    receipt = models.ForeignKey("billing.Receipt", null=True, on_delete=models.PROTECT, related_name="export_items")
    payment_list = models.ForeignKey("billing.PaymentList", null=True, on_delete=models.PROTECT, related_name="export_items")
    clawback = models.ForeignKey("billing.Clawback", null=True, on_delete=models.PROTECT, related_name="export_items")
    state = models.CharField(max_length=8, choices=ItemState.choices, default=ItemState.WAITING)
    error = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["export", "position"], name="export_item_position"),
            models.CheckConstraint(condition=_of_one_thing(), name="export_item_of_one_thing"),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(error=""), name="export_item_failed_says_why"),
        ]
        indexes = [models.Index(fields=["export", "state"], name="export_item_by_state")]

    @property
    def kind(self) -> str:
        """Which of ``DOCUMENTS`` it is."""
        return next(name for name in DOCUMENTS if getattr(self, f"{name}_id") is not None)

    @property
    def document(self) -> Any:
        """The document itself."""
        return getattr(self, self.kind)
