"""Trying a programme on past sessions and commissioned tests: what was asked, how far it is, what came out."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.kernel.models.guards import no_truncate


class RunState(models.TextChoices):
    """``done``, ``cancelled`` and ``failed`` are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class SandboxRun(models.Model):
    """A programme document over the sessions and commissioned tests of a period, beside another version. Nothing of it touches money.

    ``document`` is what was tried, frozen (of a draft as it was then, or of ``version``); ``against`` what it is held against. Days are
    local days of the service, both included. ``budget_fen`` replaces the budget of the document's pools, in both. The steps are whole
    per cent by which main rate and limits are moved. ``vouchers_of``: the programme whose vouchers stand behind what is tried, in place of
    its own. ``checkpoint`` is a state of the work (compressed JSON), so that it goes
    on where it was written down last, also after somebody stopped it; ``result`` is what the page shows and the files hold.
    """

    office = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    draft = models.ForeignKey("billing.ProgrammeDraft", null=True, on_delete=models.PROTECT, related_name="runs")
    version = models.ForeignKey("billing.ProgrammeVersion", null=True, on_delete=models.PROTECT, related_name="+")
    document = models.JSONField()
    against = models.ForeignKey("billing.ProgrammeVersion", null=True, on_delete=models.PROTECT, related_name="+")
    vouchers_of = models.ForeignKey("billing.Programme", null=True, on_delete=models.PROTECT, related_name="+")
    first_on = models.DateField()
    last_on = models.DateField()
    budget_fen = models.BigIntegerField(null=True)
    rate_step_percent = models.PositiveSmallIntegerField()
    cap_step_percent = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.QUEUED)
    done_sessions = models.PositiveIntegerField(default=0)
    total_sessions = models.PositiveIntegerField(default=0)
    checkpoint = models.BinaryField(null=True)
    result = models.JSONField(null=True)
    problems = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(first_on__lte=F("last_on")), name="sandbox_run_days_in_order"),
            models.CheckConstraint(
                condition=(Q(state=RunState.DONE) & Q(result__isnull=False)) | (~Q(state=RunState.DONE) & Q(result__isnull=True)),
                name="sandbox_run_done_has_result",
            ),
        ]
        indexes = [models.Index(fields=["office", "-created_at"], name="sandbox_run_by_office")]
        triggers = [
            pgtrigger.ReadOnly(
                name="sandbox_run_question_fixed",
                exclude=["state", "done_sessions", "total_sessions", "checkpoint", "result", "problems", "finished_at"],
            ),
            pgtrigger.Protect(
                name="sandbox_run_ended",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["done", "cancelled", "failed"])
                & (pgtrigger.Q(old__state="done") | ~pgtrigger.Q(new__state="queued")),
            ),
            pgtrigger.Protect(name="sandbox_run_kept", operation=pgtrigger.Delete),
            no_truncate("sandbox_run_no_truncate"),
        ]
