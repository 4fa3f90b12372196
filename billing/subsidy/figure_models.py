"""The figure of a limit that a document leaves to the administrator: one person asks for it, another one sets it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel.models.decisions import ASKED, decided_once, two_people

SOURCE = "cap_figure"


class CapFigure(models.Model):
    """``limit_fen`` for one cap of a programme, asked for under ``version`` with a reason. ``year``: of a yearly cap, the year it is for.
    ``counts_for``: which figure it is, the same under every version that shares it; one of them waits for the second person at a time.
    The one that was set last counts; rows are the history."""

    class State(models.TextChoices):
        ASKED = "asked"
        SET = "set"
        REFUSED = "refused"

    version = models.ForeignKey("billing.ProgrammeVersion", on_delete=models.PROTECT, related_name="figures")
    cap_id = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField(null=True)
    counts_for = models.CharField(max_length=200)
    limit_fen = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(limit_fen__gte=0), name="cap_figure_not_negative"),
            *two_people("cap_figure", "set"),
            models.UniqueConstraint(fields=["counts_for"], condition=Q(state=ASKED), name="cap_figure_one_waits"),
        ]
        indexes = [models.Index(fields=["version", "cap_id"], name="cap_figure_by_cap")]
        triggers = decided_once("cap_figure")
