"""Money of payments that is kept for a customer until it is billed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.bills.guards import insert
from billing.payments import guards
from config.kernel.models.guards import append_only, no_truncate


class EntryKind(models.TextChoices):
    """``deposit``: kept; ``capture``: a bill was paid with it; ``withdraw``: it is free money of its payment again."""

    DEPOSIT = "deposit"
    CAPTURE = "capture"
    WITHDRAW = "withdraw"


class PrepaidEntry(models.Model):
    """A part of a payment that is kept as prepaid for ``customer`` at the payment's owner; one below zero says what became of it (``of``).
    ``bill``: which one it paid, or, kept again, which one gave it back. Append-only, and by trigger never more than is free of the payment,
    nor more taken than was kept."""

    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="prepaid")
    customer = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=EntryKind.choices)
    amount_fen = models.BigIntegerField()
    of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="used_by")
    bill = models.ForeignKey("billing.Bill", null=True, on_delete=models.PROTECT, related_name="prepaid")
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="deposit", of__isnull=True, amount_fen__gt=0)
                | Q(kind="capture", of__isnull=False, bill__isnull=False, amount_fen__lt=0)
                | Q(kind="withdraw", of__isnull=False, bill__isnull=True, amount_fen__lt=0) & ~Q(reason=""),
                name="prepaid_entry_keeps_or_uses",
            )
        ]
        indexes = [models.Index(fields=["customer", "-id"], name="prepaid_entry_by_customer")]
        triggers = [
            append_only("prepaid_entry_append_only"),
            no_truncate("prepaid_entry_no_truncate"),
            insert("prepaid_entry_fits", guards.PREPAID_FITS),
        ]
