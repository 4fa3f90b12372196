from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from booking.rules.downtime import Became, Choice, DowntimeKind
from config.kernel.time_range import TimeRange


class Downtime(models.Model):
    """Time in which an instrument is out of service, at no cost to anybody. Written by ``booking.services.downtime_rows`` (a new one) and
    ``downtimes``.

    It takes what is free of its range by occupancies of its own; bookings that stay keep their place in it. A breakdown says
    ``status_before``, the running state that comes back with its end; planned work may follow from a ``plan``. ``note`` is for the lab,
    ``words`` (``words_en``) went to the customers. It is open until ``closed_at``; ``closed_by`` is who said that it works again earlier
    (nobody: its time was over).
    """

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="downtimes")
    kind = models.CharField(max_length=12, choices=[(one.value, one.value) for one in DowntimeKind])
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)
    words = models.CharField(max_length=400, blank=True)
    words_en = models.CharField(max_length=400, blank=True)
    plan = models.ForeignKey("booking.MaintenancePlan", null=True, on_delete=models.SET_NULL, related_name="downtimes")
    status_before = models.CharField(max_length=30, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="downtime_has_length"),
            models.CheckConstraint(condition=Q(kind__in=[one.value for one in DowntimeKind]), name="downtime_kind_known"),
            models.UniqueConstraint(
                fields=["instrument"],
                condition=Q(kind=DowntimeKind.BREAKDOWN.value, closed_at=None),
                name="downtime_one_breakdown",
            ),
        ]
        indexes = [
            models.Index(fields=["ends_at"], condition=Q(closed_at=None), name="downtime_open"),
            models.Index(fields=["instrument", "-starts_at"], name="downtime_of_instrument"),
        ]

    @property
    def during(self) -> TimeRange:
        return TimeRange(self.starts_at, self.ends_at)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class DowntimeEffect(models.Model):
    """What the lab chose for a booking that a downtime hit, and what became of it; ``reasons`` say why nothing did (code and params)."""

    downtime = models.ForeignKey(Downtime, on_delete=models.CASCADE, related_name="effects")
    reservation = models.ForeignKey("booking.Reservation", on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(max_length=8, choices=[(one.value, one.value) for one in Choice], blank=True)
    became = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Became])
    reasons = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["downtime", "reservation"], name="downtime_effect_once"),
            models.CheckConstraint(condition=Q(became__in=[one.value for one in Became]), name="downtime_effect_known"),
        ]
