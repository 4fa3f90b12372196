"""Reminders of bills, what a customer disputes, and what finance lets wait."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.bills.guards import insert
from billing.dunning import guards
from billing.dunning.rules.steps import Step
from billing.ordering.guards import frozen_by_state
from config.kernel.models.guards import append_only, no_truncate


class Reminder(models.Model):
    """That a customer was reminded of a bill, once for each step. ``open_fen`` was to pay then. From the last step on the customer makes
    no new bookings at the owner while the bill is open. Append-only."""

    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, related_name="reminders")
    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    step = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Step])
    open_fen = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bill", "step"], name="reminder_once"),
            models.CheckConstraint(condition=Q(open_fen__gt=0), name="reminder_of_something"),
        ]
        indexes = [models.Index(fields=["owner", "customer"], condition=Q(step="block"), name="reminder_blocking")]
        triggers = [append_only("reminder_append_only"), no_truncate("reminder_no_truncate")]


class BillDispute(models.Model):
    """The customer says why it does not owe a bill. While it is ``open`` nobody is reminded of the bill and nothing is blocked for it; the
    owner's finance answers."""

    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, related_name="customer_disputes")
    state = models.CharField(max_length=10, default="open")
    reason = models.CharField(max_length=500)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    answer = models.CharField(max_length=500, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bill"], condition=Q(state="open"), name="bill_dispute_one_open"),
            models.CheckConstraint(
                condition=Q(state="open", answer="", closed_by__isnull=True, closed_at__isnull=True) & ~Q(reason="")
                | Q(state="closed", closed_by__isnull=False, closed_at__isnull=False) & ~Q(answer="") & ~Q(reason=""),
                name="bill_dispute_answered",
            ),
        ]
        triggers = [
            frozen_by_state(
                "bill_dispute_forward",
                {"open": frozenset({"closed"}), "closed": frozenset()},
                {"open": ("state", "answer", "closed_by_id", "closed_at"), "closed": ("state",)},
                ("id",),
            ),
            pgtrigger.Protect(name="bill_dispute_kept", operation=pgtrigger.Delete),
            no_truncate("bill_dispute_no_truncate"),
        ]


class Exemption(models.Model):
    """Until the end of the local day ``until_on`` the owner lets a customer's bills wait: no reminders, no block. The latest row of the two
    counts, so one that ends on its first day ends an earlier one. Append-only."""

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    until_on = models.DateField()
    reason = models.CharField(max_length=500)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="exemption_says_why"),
            models.CheckConstraint(condition=~Q(owner=F("customer")), name="exemption_between_two"),
        ]
        indexes = [models.Index(fields=["owner", "customer", "-id"], name="exemption_latest")]
        triggers = [
            append_only("exemption_append_only"),
            no_truncate("exemption_no_truncate"),
            insert("exemption_by_other_side", guards.BY_THE_OWNERS_FINANCE),
        ]
