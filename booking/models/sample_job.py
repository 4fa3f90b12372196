"""Commissioned tests counted in samples: the job, its samples, and everything that both sides agree on about it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from booking.rules.numbers import format_sample_reference
from booking.rules.sample_codes import shown
from booking.rules.samples import (
    Direction,
    ExtraKind,
    ExtraState,
    JobState,
    Remains,
    RemainsWish,
    SampleState,
)
from booking.rules.service_facts import Said
from config.kernel.models.guards import append_only, no_truncate


def _one_of(field: str, values: type, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": [value.value for value in values]}), name=name)  # type: ignore[attr-defined]


class SampleJob(models.Model):
    """Samples that ``organisation`` sends to ``lab`` for the test item ``resource``.

    ``state`` is a value of ``booking.rules.samples.JobState``, written only by ``booking.services.sample_jobs``. Days are local days of
    the lab: ``arrive_on`` when the samples are expected, ``promised_on`` when the result is (None until the lab names one, where it says
    no turnaround), ``first_promised_on`` what the customer was shown when asking. ``elements`` counts what is measured in each sample
    where that is what costs. ``fund_card`` is what the customer pays with, where it named one. ``close_due_at`` is when the job closes
    by itself.
    """

    resource = models.ForeignKey("instruments.Resource", on_delete=models.PROTECT, related_name="sample_jobs")
    lab = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="sample_jobs_received")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="sample_jobs")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    fund_card = models.ForeignKey("instruments.FundCard", null=True, on_delete=models.PROTECT, related_name="sample_jobs")
    state = models.CharField(max_length=20)
    sample_count = models.PositiveIntegerField()
    elements = models.PositiveIntegerField(default=1)
    note = models.TextField(blank=True)
    hazards = models.CharField(max_length=300, blank=True)
    research_project = models.CharField(max_length=200, blank=True)
    service_direction = models.CharField(max_length=12, blank=True)
    service_kind = models.CharField(max_length=30, blank=True, db_default="", default="")
    settlement = models.CharField(max_length=40, blank=True, db_default="", default="")
    rate = models.CharField(max_length=8, blank=True, db_default="", default="")
    answers = models.TextField(blank=True, db_default="", default="")
    fund_source = models.CharField(max_length=4, blank=True)
    remains_wish = models.CharField(max_length=10)
    arrive_on = models.DateField()
    first_promised_on = models.DateField(null=True)
    promised_on = models.DateField(null=True)
    asked_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)
    reported_at = models.DateTimeField(null=True)
    close_due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            _one_of("state", JobState, "sample_job_state_known"),
            _one_of("remains_wish", RemainsWish, "sample_job_wish_known"),
            models.CheckConstraint(condition=models.Q(sample_count__gte=1, elements__gte=1), name="sample_job_has_samples"),
            models.CheckConstraint(
                condition=models.Q(state=JobState.REPORTED.value, close_due_at__isnull=False)
                | (~models.Q(state=JobState.REPORTED.value) & models.Q(close_due_at__isnull=True)),
                name="sample_job_closes_when_reported",
            ),
            models.CheckConstraint(
                condition=models.Q(state=JobState.CLOSED.value, closed_at__isnull=False)
                | (~models.Q(state=JobState.CLOSED.value) & models.Q(closed_at__isnull=True)),
                name="sample_job_closed_at_its_end",
            ),
        ]
        indexes = [
            models.Index(fields=["lab", "state", "promised_on"], name="sample_job_of_lab"),
            models.Index(fields=["organisation", "-asked_at"], name="sample_job_of_customer"),
            models.Index(fields=["close_due_at"], condition=models.Q(state="reported"), name="sample_job_to_close"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """What people read out on the phone and write on the parcel; the year as of a reservation."""
        return format_sample_reference(timezone.localtime(self.asked_at).year, self.pk)

    @property
    def said(self) -> Said:
        """What was said to programmes that ask, the kind of service as it was when it was asked for."""
        return Said(self.service_kind, self.settlement, self.rate, self.answers)


class Sample(models.Model):
    """One sample with its label: ``code`` is unique on the platform, ``name`` is what the customer calls it."""

    job = models.ForeignKey(SampleJob, on_delete=models.PROTECT, related_name="samples")
    position = models.PositiveIntegerField()
    code = models.CharField(max_length=9, unique=True)
    name = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, default=SampleState.EXPECTED.value)
    remains = models.CharField(max_length=10, default=Remains.WITH_LAB.value)
    kept_until = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="sample_position"),
            _one_of("state", SampleState, "sample_state_known"),
            _one_of("remains", Remains, "sample_remains_known"),
            models.CheckConstraint(
                condition=models.Q(remains=Remains.KEPT.value, kept_until__isnull=False)
                | (~models.Q(remains=Remains.KEPT.value) & models.Q(kept_until__isnull=True)),
                name="sample_kept_until",
            ),
        ]

    @property
    def label(self) -> str:
        """The code as it stands on the label."""
        return shown(self.code)


class SampleStepTaken(models.Model):
    """One step of a job's history, or (``sample``) of one of its samples. Append-only by trigger."""

    job = models.ForeignKey(SampleJob, on_delete=models.PROTECT, related_name="steps")
    sample = models.ForeignKey(Sample, null=True, on_delete=models.PROTECT, related_name="steps")
    action = models.CharField(max_length=20)
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="sample_step_by_job")]
        triggers = [append_only("sample_step_append_only"), no_truncate("sample_step_no_truncate")]


class SampleDay(models.Model):
    """So many samples of a job are measured on a local day of the lab; ``daily_capacity`` is what the lab said then (None: no limit)."""

    job = models.ForeignKey(SampleJob, on_delete=models.CASCADE, related_name="days")
    resource = models.ForeignKey("instruments.Resource", on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    samples = models.PositiveIntegerField()
    daily_capacity = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "day"], name="sample_day_once"),
            models.CheckConstraint(condition=models.Q(samples__gte=1), name="sample_day_positive"),
        ]
        indexes = [models.Index(fields=["resource", "day"], name="sample_day_by_item")]


class SampleExtra(models.Model):
    """A charge beyond what was agreed, proposed by the lab and only in force once the customer said yes. ``amount_fen`` in fen."""

    job = models.ForeignKey(SampleJob, on_delete=models.PROTECT, related_name="extras")
    kind = models.CharField(max_length=10)
    words = models.CharField(max_length=300)
    amount_fen = models.BigIntegerField()
    state = models.CharField(max_length=10, default=ExtraState.PROPOSED.value)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            _one_of("kind", ExtraKind, "sample_extra_kind_known"),
            _one_of("state", ExtraState, "sample_extra_state_known"),
            models.CheckConstraint(condition=models.Q(amount_fen__gt=0), name="sample_extra_positive"),
            models.CheckConstraint(
                condition=models.Q(state=ExtraState.PROPOSED.value, answered_at__isnull=True)
                | (~models.Q(state=ExtraState.PROPOSED.value) & models.Q(answered_at__isnull=False)),
                name="sample_extra_answered",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=ExtraState.AGREED.value)
                | (models.Q(answered_by__isnull=False) & ~models.Q(answered_by=models.F("proposed_by"))),
                name="sample_extra_agreed_by_another",
            ),
        ]


class SampleReport(models.Model):
    """A report of the lab; a later one takes the place of the one before. The file is known by its content. Append-only."""

    job = models.ForeignKey(SampleJob, on_delete=models.PROTECT, related_name="reports")
    position = models.PositiveIntegerField()
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="sample_report_position")]
        triggers = [append_only("sample_report_append_only"), no_truncate("sample_report_no_truncate")]


class SampleParcel(models.Model):
    """A parcel with samples on its way to the lab, or with what is left of them on its way back. Append-only."""

    job = models.ForeignKey(SampleJob, on_delete=models.PROTECT, related_name="parcels")
    direction = models.CharField(max_length=10)
    carrier = models.CharField(max_length=100)
    number = models.CharField(max_length=100)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [
            _one_of("direction", Direction, "sample_parcel_direction_known"),
            models.UniqueConstraint(fields=["job", "direction", "number"], name="sample_parcel_once"),
        ]
        triggers = [append_only("sample_parcel_append_only"), no_truncate("sample_parcel_no_truncate")]
