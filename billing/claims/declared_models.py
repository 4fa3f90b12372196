"""What a payee declares with a claim about one of its awards, where the programme asks."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.claims import guards
from config.kernel.models.guards import no_truncate


class ClaimDeclaration(models.Model):
    """``amounts``: fen by the path of the fact. What was wrong is declared again, as the next ``position`` of the award: the last one
    counts. A file of the claim shows what it says, unless nothing was received.

    It is applied once, when the claim is handed in: ``less_fen`` of the award go back (``reversal``, None where nothing does), worked out
    by ``engine`` in ``steps``; ``unmet`` are the conditions of the programme that do not hold with it.
    """

    claim = models.ForeignKey("billing.Claim", on_delete=models.PROTECT, related_name="declarations")
    award = models.ForeignKey("billing.Award", on_delete=models.PROTECT, related_name="declarations")
    position = models.PositiveIntegerField()
    amounts = models.JSONField()
    evidence = models.ForeignKey("billing.ClaimEvidence", null=True, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    less_fen = models.BigIntegerField(default=0)
    reversal = models.OneToOneField("billing.AwardReversal", null=True, on_delete=models.PROTECT, related_name="declaration")
    engine = models.CharField(max_length=20, blank=True)
    steps = models.JSONField(default=list)
    unmet = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim", "award", "position"], name="claim_declaration_position"),
            models.UniqueConstraint(
                fields=["claim", "award"], condition=Q(applied_at__isnull=False), name="claim_declaration_applied_once"
            ),
            models.CheckConstraint(
                condition=Q(less_fen=0, reversal__isnull=True)
                | Q(less_fen__gt=0, reversal__isnull=False, applied_at__isnull=False),
                name="claim_declaration_gives_back",
            ),
        ]
        triggers = [
            guards.insert("claim_declaration_by_maker", guards.EVIDENCE_BY_MAKER),
            pgtrigger.ReadOnly(
                name="claim_declaration_frozen", exclude=["applied_at", "less_fen", "reversal", "engine", "steps", "unmet"]
            ),
            pgtrigger.Protect(
                name="claim_declaration_applies_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__applied_at__isnull=False),
            ),
            pgtrigger.Protect(name="claim_declaration_kept", operation=pgtrigger.Delete),
            no_truncate("claim_declaration_no_truncate"),
        ]
