"""Bills that one person proposes by hand and another one issues."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.kernel.models.guards import no_truncate


class ProposalState(models.TextChoices):
    """``waiting``: another person looks. ``withdrawn``: by who proposed it; ``sent_back``: by somebody else, with the reason."""

    WAITING = "waiting"
    ISSUED = "issued"
    SENT_BACK = "sent_back"
    WITHDRAWN = "withdrawn"


class BillProposal(models.Model):
    """That ``proposed_by`` looked at a bill over ``total_fen`` on ``line_count`` lines, for what was charged up to and with the local day
    ``until_on``, and another person of the same finance is to issue just that. Nothing is issued where the figures are others by then."""

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    until_on = models.DateField()
    due_days = models.PositiveSmallIntegerField()
    line_count = models.PositiveIntegerField()
    total_fen = models.BigIntegerField()
    state = models.CharField(max_length=9, choices=ProposalState.choices, default=ProposalState.WAITING)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    bill = models.OneToOneField("billing.Bill", null=True, on_delete=models.PROTECT, related_name="proposal")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "customer"], condition=Q(state="waiting"), name="bill_proposal_one_waits"),
            models.CheckConstraint(condition=Q(total_fen__gt=0, line_count__gt=0), name="bill_proposal_over_something"),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_by__isnull=True, decided_at__isnull=True, bill__isnull=True)
                | Q(state="issued", decided_by__isnull=False, decided_at__isnull=False, bill__isnull=False)
                | Q(state__in=("sent_back", "withdrawn"), decided_by__isnull=False, decided_at__isnull=False, bill__isnull=True),
                name="bill_proposal_decided_whole",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(state="withdrawn", decided_by=F("proposed_by"))
                | Q(state__in=("issued", "sent_back")) & ~Q(decided_by=F("proposed_by")),
                name="bill_proposal_two_people",
            ),
            models.CheckConstraint(condition=~Q(state="sent_back", reason=""), name="bill_proposal_sent_back_says_why"),
        ]
        indexes = [models.Index(fields=["owner", "-id"], name="bill_proposal_by_owner")]
        triggers = [
            pgtrigger.ReadOnly(name="bill_proposal_frozen", exclude=["state", "decided_by", "decided_at", "reason", "bill"]),
            pgtrigger.Protect(
                name="bill_proposal_decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__decided_at__isnull=False),
            ),
            pgtrigger.Protect(name="bill_proposal_kept", operation=pgtrigger.Delete),
            no_truncate("bill_proposal_no_truncate"),
        ]
