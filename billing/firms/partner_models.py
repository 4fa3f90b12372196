"""Regions that recognise each other's vouchers, and the providers they list."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.kernel.models.guards import append_only, no_truncate


class RecognitionMode(models.TextChoices):
    """How a service across regions is settled; in both the home region of the firm pays."""

    REFUND = "refund"
    """通用: the firm pays in full and claims at home."""
    REDEEM = "redeem"
    """通兑: the firm pays its own part and the provider redeems the rest from the home region."""


class PartnerRegion(models.Model):
    """A region with which vouchers are recognised, from ``valid_from`` to ``valid_to`` (included; None: open).

    ``region_code`` is a GB/T 2260 code; ``platform_id`` names its platform for good and everywhere, such as ``CN-310000``.
    """

    region_code = models.CharField(max_length=6, unique=True)
    platform_id = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    mode = models.CharField(max_length=10, choices=RecognitionMode.choices)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    basis = models.CharField(max_length=300)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name="partner_region_days_in_order"
            )
        ]
        triggers = [
            pgtrigger.Protect(name="partner_region_kept", operation=pgtrigger.Delete),
            no_truncate("partner_region_no_truncate"),
        ]

    def __str__(self) -> str:
        return self.name


class PartnerList(models.Model):
    """One hand-in of a partner's providers; the latest one is the list."""

    region = models.ForeignKey(PartnerRegion, on_delete=models.PROTECT, related_name="lists")
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    row_count = models.PositiveIntegerField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        triggers = [append_only("partner_list_append_only"), no_truncate("partner_list_no_truncate")]


class PartnerProvider(models.Model):
    """A provider on a partner's list; days included (None: open)."""

    batch = models.ForeignKey(PartnerList, on_delete=models.PROTECT, related_name="rows")
    uscc = models.CharField(max_length=18, db_index=True)
    name = models.CharField(max_length=200)
    from_on = models.DateField()
    to_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "uscc"], name="partner_provider_once"),
            models.CheckConstraint(
                condition=Q(to_on__isnull=True) | Q(to_on__gte=F("from_on")), name="partner_provider_days_in_order"
            ),
        ]
        triggers = [append_only("partner_provider_append_only"), no_truncate("partner_provider_no_truncate")]
