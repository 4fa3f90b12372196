"""Which customers a lab asks to pay before they book, what organisations let people and projects spend, and purchase-order numbers."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.kernel.models.guards import append_only, no_truncate


class PrepaidTerms(models.Model):
    """From ``set_at`` on an owner asks (or no longer ``asks``) that a booking is covered by prepaid money: of one customer, or (None) of
    every one for which it says nothing else. The latest row counts. Append-only."""

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    asks = models.BooleanField()
    reason = models.CharField(max_length=500)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="prepaid_terms_say_why"),
            models.CheckConstraint(condition=~Q(owner=F("customer")), name="prepaid_terms_between_two"),
        ]
        indexes = [models.Index(fields=["owner", "customer", "-id"], name="prepaid_terms_latest")]
        triggers = [append_only("prepaid_terms_append_only"), no_truncate("prepaid_terms_no_truncate")]


class SpendingLimit(models.Model):
    """What one member of an organisation, or one project of it, may spend on bookings that begin within these local days. What was
    promised and spent is on the limit's account; the amount changes there too. Only ``limit_fen`` and ``closed_at`` ever change."""

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="spending_limits")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    project = models.CharField(max_length=200, blank=True)
    limit_fen = models.BigIntegerField()
    valid_from = models.DateField()
    valid_until = models.DateField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(member__isnull=False, project="") | Q(member__isnull=True) & ~Q(project=""),
                name="spending_limit_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(limit_fen__gt=0, valid_from__lte=F("valid_until")), name="spending_limit_over_something"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation"], condition=Q(closed_at__isnull=True), name="spending_limit_by_organisation")
        ]
        triggers = [
            pgtrigger.ReadOnly(name="spending_limit_frozen", exclude=["limit_fen", "closed_at"]),
            pgtrigger.Protect(name="spending_limit_kept", operation=pgtrigger.Delete),
            no_truncate("spending_limit_no_truncate"),
        ]


class PurchaseOrder(models.Model):
    """The number of the customer's own purchase order for a booking or a sample job; the bill repeats it. The latest row counts (empty: it
    was taken away). Append-only."""

    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="purchase_orders")
    sample_job = models.ForeignKey("booking.SampleJob", null=True, on_delete=models.PROTECT, related_name="purchase_orders")
    number = models.CharField(max_length=60, blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["reservation", "-id"], name="purchase_order_latest"),
            models.Index(fields=["sample_job", "-id"], name="purchase_order_of_job"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(reservation__isnull=False, sample_job__isnull=True)
                | Q(reservation__isnull=True, sample_job__isnull=False),
                name="purchase_order_of_one_thing",
            )
        ]
        triggers = [append_only("purchase_order_append_only"), no_truncate("purchase_order_no_truncate")]
