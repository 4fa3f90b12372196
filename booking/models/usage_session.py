from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from booking.rules.outcome import Outcome
from booking.rules.review import Doubt
from config.kernel.time_range import TimeRange


class Means(models.TextChoices):
    """By which way something was told: by the lab, on a phone at the instrument, by a device, afterwards, or because the next session
    began and nobody had ended this one."""

    LAB = "lab"
    PHONE = "phone"
    DEVICE = "device"
    AFTERWARDS = "afterwards"
    NEXT = "next"


class AgreedHow(models.TextChoices):
    """``lab``: as it was before both sides were asked."""

    LAB = "lab"
    BOTH_SIDES = "both_sides"
    TIME = "time"
    ADJUSTMENT = "adjustment"
    DECISION = "decision"


class UsageSession(models.Model):
    """The actual use behind a reservation. Booked, actual and billable time are three things and all are kept.

    ``billable_minutes`` and the billable range (none: nothing is charged) follow from ``billable_rule`` (``booking.rules.usage``, or
    ``adjusted`` / ``decided`` by people). Each side says yes on its own; ``agreed_at`` is set once: from then on there is a charge.
    ``doubt``: what does not add up about its times; until the lab says yes to them, time does not agree it.
    A ``late_entered`` one was written down by the lab afterwards, with ``evidence`` and a reason (``note``).
    """

    reservation = models.OneToOneField("booking.Reservation", on_delete=models.PROTECT, related_name="session")
    booked_starts_at = models.DateTimeField()
    booked_ends_at = models.DateTimeField()
    actual_starts_at = models.DateTimeField()
    actual_ends_at = models.DateTimeField(null=True)
    billable_starts_at = models.DateTimeField(null=True)
    billable_ends_at = models.DateTimeField(null=True)
    billable_minutes = models.PositiveIntegerField(null=True)
    billable_rule = models.CharField(max_length=40, blank=True)
    outcome = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Outcome], default=Outcome.PENDING.value)
    overrun_minutes = models.PositiveIntegerField(default=0)
    started_by_means = models.CharField(max_length=12, choices=Means.choices, default=Means.LAB)
    ended_by_means = models.CharField(max_length=12, choices=Means.choices, blank=True)
    checked_in_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    checked_out_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_ticks = models.JSONField(default=list)
    review_until = models.DateTimeField(null=True, db_index=True)
    reminded_at = models.DateTimeField(null=True)
    customer_agreed_at = models.DateTimeField(null=True)
    customer_agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lab_agreed_at = models.DateTimeField(null=True)
    lab_agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField(null=True, db_index=True)
    agreed_how = models.CharField(max_length=12, choices=AgreedHow.choices, blank=True)
    late_entered = models.BooleanField(default=False)
    evidence = models.CharField(max_length=1000, blank=True)
    note = models.CharField(max_length=500, blank=True)
    doubt = models.CharField(
        max_length=16, blank=True, db_default="", default="", choices=[(one.value, one.value) for one in Doubt]
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(actual_ends_at__isnull=True) | Q(actual_ends_at__gte=F("actual_starts_at")),
                name="session_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True) | Q(billable_minutes__isnull=False), name="session_agreed_has_billable"
            ),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True, agreed_how="") | (Q(agreed_at__isnull=False) & ~Q(agreed_how="")),
                name="session_agreed_somehow",
            ),
            models.CheckConstraint(
                condition=Q(billable_starts_at__isnull=True, billable_ends_at__isnull=True)
                | Q(billable_ends_at__gt=F("billable_starts_at")),
                name="session_billable_has_length",
            ),
            models.CheckConstraint(
                condition=Q(late_entered=False) | ~Q(evidence=""), name="session_late_entry_has_evidence"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=[one.value for one in Outcome]), name="session_outcome_known"
            ),
        ]  # fmt: skip

    @property
    def booked(self) -> TimeRange:
        return TimeRange(self.booked_starts_at, self.booked_ends_at)

    @property
    def actual(self) -> TimeRange | None:
        """None while the session runs, and for one without length."""
        ended = self.actual_ends_at
        return TimeRange(self.actual_starts_at, ended) if ended is not None and ended > self.actual_starts_at else None

    @property
    def billable(self) -> TimeRange | None:
        """None when nothing is charged, and before the end."""
        if self.billable_starts_at is None or self.billable_ends_at is None:
            return None
        return TimeRange(self.billable_starts_at, self.billable_ends_at)
