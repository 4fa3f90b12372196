"""What firms received this year before or elsewhere, and what was subsidised already, loaded with evidence."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel.models.guards import append_only, no_truncate


class OpeningLoad(models.Model):
    """One hand-in: the table as it was, the paper behind it, and why."""

    table = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    evidence = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    row_count = models.PositiveIntegerField()
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()

    class Meta:
        triggers = [append_only("opening_load_append_only"), no_truncate("opening_load_no_truncate")]


class OpeningBalance(models.Model):
    """``amount_fen`` that an organisation had from a programme under one cap in ``year``, posted to the cap's account when loaded."""

    batch = models.ForeignKey(OpeningLoad, on_delete=models.PROTECT, related_name="balances")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    programme = models.ForeignKey("billing.Programme", on_delete=models.PROTECT, related_name="+")
    cap_id = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField()
    amount_fen = models.BigIntegerField()
    account = models.ForeignKey("billing.Account", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "programme", "cap_id", "year"], name="opening_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="opening_positive"),
        ]
        triggers = [append_only("opening_balance_append_only"), no_truncate("opening_balance_no_truncate")]


class SubsidisedItem(models.Model):
    """An invoice or a project that took a programme of an exclusive class already: it takes none of that class again."""

    batch = models.ForeignKey(OpeningLoad, on_delete=models.PROTECT, related_name="items")
    exclusive_class = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=[("invoice", "invoice"), ("project", "project")])
    reference = models.CharField(max_length=200)
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exclusive_class", "kind", "reference"], name="subsidised_once_per_class")]
        triggers = [append_only("subsidised_item_append_only"), no_truncate("subsidised_item_no_truncate")]
