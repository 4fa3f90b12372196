"""Where a payment provider and our books disagree, until it is settled or a person has said what became of it."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.ordering.guards import frozen_by_state
from billing.payments.rules.states import DIFFERENCE_NEXT, DifferenceState
from config.kernel.models.guards import no_truncate


class PaymentDifference(models.Model):
    """One disagreement about a session of the provider, in fen. ``code``: quarantined, paid, refunded, disputed, unknown, only_here or
    refund_lost; ``note``: more about it (``provider.*``). ``settled``: looking again found none; ``resolved``: a person looked, with the
    reason.

    The same disagreement (code, session, both amounts) is one row however often it is found."""

    code = models.CharField(max_length=20)
    session_ref = models.CharField(max_length=255)
    checkout = models.ForeignKey("billing.Checkout", null=True, on_delete=models.PROTECT, related_name="differences")
    provider_fen = models.BigIntegerField()
    ours_fen = models.BigIntegerField()
    note = models.CharField(max_length=100, blank=True)
    found_at = models.DateTimeField()
    state = models.CharField(max_length=10, default=DifferenceState.OPEN.value)
    reason = models.CharField(max_length=500, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "session_ref", "provider_fen", "ours_fen"],
                condition=~Q(state="settled"),
                name="payment_difference_once",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True, closed_by__isnull=True, reason="")
                | Q(state="settled", closed_at__isnull=False)
                | Q(state="resolved", closed_at__isnull=False, closed_by__isnull=False) & ~Q(reason=""),
                name="payment_difference_closed_why",
            ),
        ]
        indexes = [models.Index(fields=["state", "-found_at"], name="payment_difference_by_state")]
        triggers = [
            frozen_by_state(
                "payment_difference_forward",
                DIFFERENCE_NEXT,
                {"open": ("state", "reason", "closed_by_id", "closed_at"), "settled": ("state",), "resolved": ("state",)},
                ("id",),
            ),
            pgtrigger.Protect(name="payment_difference_kept", operation=pgtrigger.Delete),
            no_truncate("payment_difference_no_truncate"),
        ]
