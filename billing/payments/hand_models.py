"""Money that finance wrote down by hand, until another person confirmed that it is there."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.bills.guards import insert, update
from billing.payments import guards
from billing.payments.rules.by_hand import Way
from config.kernel.models.guards import no_truncate

WAYS = [(each.value, each.value) for each in Way]


class HandEntry(models.Model):
    """Money in cash, by card terminal, by cheque, or on another bank's slip: written down by one person with its evidence, confirmed by
    another, with which it is a ``Payment`` and in the books. Ended before that it never counted; ended later it is undone, by a refund
    of its whole payment that says so.

    ``told_apart``: who wrote it down, or confirmed it, was shown money that may be the same and said that it is another.
    ``fingerprint``: of the row of a bank's list that a person said is this very money, so that no list brings it again.
    """

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    way = models.CharField(max_length=10, choices=WAYS)
    amount_fen = models.BigIntegerField()
    received_on = models.DateField()
    payer_name = models.CharField(max_length=200)
    reference = models.CharField(max_length=100)
    remark = models.CharField(max_length=300, blank=True)
    evidence = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    told_apart = models.BooleanField(default=False)
    fingerprint = models.CharField(max_length=64, null=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0) & ~Q(reference="") & ~Q(payer_name=""), name="hand_entry_whole"),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False) & ~Q(confirmed_by=F("recorded_by")),
                name="hand_entry_two_people",
            ),
            models.CheckConstraint(
                condition=Q(ended_by__isnull=True, ended_at__isnull=True, end_reason="")
                | Q(ended_by__isnull=False, ended_at__isnull=False) & ~Q(end_reason=""),
                name="hand_entry_ended_whole",
            ),
            models.UniqueConstraint(
                fields=["owner", "fingerprint"], condition=Q(ended_at__isnull=True), name="hand_entry_row_once"
            ),
        ]
        indexes = [models.Index(fields=["owner", "-received_on", "-id"], name="hand_entry_by_owner")]
        triggers = [
            insert("hand_entry_begins", guards.HAND_ENTRY_BEGINS),
            update("hand_entry_forward", guards.HAND_ENTRY_FORWARD),
            pgtrigger.Protect(name="hand_entry_kept", operation=pgtrigger.Delete),
            no_truncate("hand_entry_no_truncate"),
        ]

    @property
    def waits(self) -> bool:
        """Whether a second person has to confirm it."""
        return self.confirmed_at is None and self.ended_at is None
