from __future__ import annotations

from django.conf import settings
from django.db import models


class UsageSession(models.Model):
    """The actual use behind a reservation. Booked, actual and billable time are three things and all are kept.

    ``billable_minutes`` follows from ``billable_rule`` (``booking.rules.usage``). ``agreed_at`` is set once: from then on there is
    a charge.
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
    checked_in_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    checked_out_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField(null=True, db_index=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(actual_ends_at__isnull=True) | models.Q(actual_ends_at__gte=models.F("actual_starts_at")),
                name="session_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(agreed_at__isnull=True) | models.Q(billable_minutes__isnull=False),
                name="session_agreed_has_billable",
            ),
        ]
