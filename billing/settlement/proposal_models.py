"""Documents that one person proposes by hand and another one issues: what all kinds of them have in common, and statements."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.settlement.rules.lines_digest import Expected
from config.kernel.models.guards import no_truncate


class ProposalState(models.TextChoices):
    """``waiting``: another person looks. ``withdrawn``: by who proposed it; ``sent_back``: by somebody else, with the reason;
    ``overtaken``: by nobody, nothing of it was left to issue (it went out another way, is held back, or fell away)."""

    WAITING = "waiting"
    ISSUED = "issued"
    SENT_BACK = "sent_back"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"


class Proposal(models.Model):
    """That ``proposed_by`` looked at a document over ``total_fen`` on ``line_count`` lines (``lines_sha256``: of which things, and how much
    of each; empty of those from before it was kept), and another person of the same finance is to issue just that. Nothing is issued where
    the lines are others by then."""

    line_count = models.PositiveIntegerField()
    total_fen = models.BigIntegerField()
    lines_sha256 = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=9, choices=ProposalState.choices, default=ProposalState.WAITING)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True

    @property
    def seen(self) -> Expected:
        """What was looked at when it was proposed."""
        return Expected(self.line_count, self.total_fen, self.lines_sha256)


def constraints(kind: str, document: str, once: list[str]) -> list[models.BaseConstraint]:
    """What always holds of the proposals of a kind of document: one at a time waits for the same (``once``), another person decides."""
    missing, there = {f"{document}__isnull": True}, {f"{document}__isnull": False}
    decided = {"decided_by__isnull": False, "decided_at__isnull": False}
    return [
        models.UniqueConstraint(fields=once, condition=Q(state="waiting"), name=f"{kind}_one_waits"),
        models.CheckConstraint(condition=Q(total_fen__gt=0, line_count__gt=0), name=f"{kind}_over_something"),
        models.CheckConstraint(
            condition=Q(state="waiting", decided_by__isnull=True, decided_at__isnull=True, **missing)
            | Q(state="issued", **decided, **there)
            | Q(state__in=("sent_back", "withdrawn"), **decided, **missing)
            | Q(state="overtaken", decided_by__isnull=True, decided_at__isnull=False, **missing),
            name=f"{kind}_decided_whole",
        ),
        models.CheckConstraint(
            condition=Q(decided_by__isnull=True)
            | Q(state="withdrawn", decided_by=F("proposed_by"))
            | Q(state__in=("issued", "sent_back")) & ~Q(decided_by=F("proposed_by")),
            name=f"{kind}_two_people",
        ),
        models.CheckConstraint(condition=~Q(state="sent_back", reason=""), name=f"{kind}_sent_back_says_why"),
    ]


def triggers(kind: str, document: str) -> list[Any]:
    """What is proposed stays, and is decided once."""
    return [
        pgtrigger.ReadOnly(name=f"{kind}_frozen", exclude=["state", "decided_by", "decided_at", "reason", document]),
        pgtrigger.Protect(
            name=f"{kind}_decided_once",
            operation=pgtrigger.Update,
            condition=pgtrigger.Q(old__decided_at__isnull=False),
        ),
        pgtrigger.Protect(name=f"{kind}_kept", operation=pgtrigger.Delete),
        no_truncate(f"{kind}_no_truncate"),
    ]


class StatementProposal(Proposal):
    """A settlement statement: of one programme version, payee, way of settlement and month (``period_on`` is its first day)."""

    programme_version = models.ForeignKey("billing.ProgrammeVersion", on_delete=models.PROTECT, related_name="+")
    payee = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    period_on = models.DateField()
    mode = models.CharField(max_length=30)
    statement = models.OneToOneField("billing.Statement", null=True, on_delete=models.PROTECT, related_name="proposal")

    class Meta:
        constraints = constraints("statement_proposal", "statement", ["programme_version", "payee", "period_on", "mode"])
        triggers = triggers("statement_proposal", "statement")
