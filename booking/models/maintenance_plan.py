from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from booking.rules.downtime import DowntimeKind


class MaintenancePlan(models.Model):
    """Work on an instrument that comes again: every so many months, hours of use, or both (what comes first). Written by
    ``booking.services.maintenance_plans``.

    It counts from ``since``, or from the end (early or not) of its last downtime that took place. ``reminded_at`` is set once for what
    is due next.
    """

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.CASCADE, related_name="maintenance_plans")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=[(one.value, one.value) for one in DowntimeKind])
    every_months = models.PositiveSmallIntegerField(null=True)
    every_hours = models.PositiveIntegerField(null=True)
    duration_minutes = models.PositiveIntegerField()
    remind_days = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(every_months__gte=1) | Q(every_hours__gte=1), name="maintenance_plan_comes_again"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[one.value for one in DowntimeKind if one is not DowntimeKind.BREAKDOWN]),
                name="maintenance_plan_is_planned",
            ),
            models.CheckConstraint(condition=Q(duration_minutes__gte=1), name="maintenance_plan_has_length"),
        ]  # fmt: skip
        indexes = [models.Index(fields=["instrument"], name="maintenance_plan_of")]

    def __str__(self) -> str:
        return self.name
