"""What an owner of instruments earned from customers outside in a year: declared by it, confirmed by an officer, kept for good."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel.models.decisions import declared_decided, declared_once


class OwnerIncome(models.Model):
    """The figure of a calendar ``year``, with its evidence; it counts once an officer of the region confirmed it.

    Rows are never changed or deleted: a correction is the next ``position`` of the year, and the confirmed one with the highest counts.
    ``known_fen``: what the platform itself had charged to customers outside in that year when the figure was declared.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="incomes")
    year = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    income_fen = models.BigIntegerField()
    known_fen = models.BigIntegerField()
    note = models.CharField(max_length=500, blank=True)
    evidence = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    declared_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    confirmed = models.BooleanField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "year", "position"], name="owner_income_position"),
            models.UniqueConstraint(
                fields=["organisation", "year"], condition=Q(decided_at__isnull=True), name="owner_income_one_waits"
            ),
            models.CheckConstraint(condition=Q(income_fen__gte=0), name="owner_income_not_negative"),
            *declared_decided("owner_income", "confirmed"),
        ]
        triggers = declared_once("owner_income", "confirmed")
