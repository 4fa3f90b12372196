"""What takes a programme of an exclusive class here: a project or an invoice, from the moment money is promised for it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from config.kernel.models.guards import no_truncate


class TakenOnce(models.Model):
    """``reference`` (as ``once.reference_of`` compares it) takes a programme of ``exclusive_class`` for ``source_type`` / ``source_id``
    (as of the ledger's transfers).

    ``asks``: the programme's rules ask whether it was subsidised already, and it was not: that is so once only. ``ended_at``: the promise
    was given up, and what was awarded is not; an award leaves it empty for good.
    """

    exclusive_class = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=[("invoice", "invoice"), ("project", "project")])
    reference = models.CharField(max_length=200)
    programme_version = models.ForeignKey("billing.ProgrammeVersion", on_delete=models.PROTECT, related_name="+")
    source_type = models.CharField(max_length=30)
    source_id = models.BigIntegerField()
    asks = models.BooleanField()
    taken_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["exclusive_class", "kind", "reference"],
                condition=Q(asks=True, ended_at__isnull=True),
                name="taken_once_per_class",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "reference"], condition=Q(ended_at__isnull=True), name="taken_by_reference"),
            models.Index(fields=["source_type", "source_id"], condition=Q(ended_at__isnull=True), name="taken_by_source"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="taken_once_frozen", exclude=["ended_at"]),
            pgtrigger.Protect(
                name="taken_once_ends_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_at__isnull=False)
            ),
            pgtrigger.Protect(name="taken_once_kept", operation=pgtrigger.Delete),
            no_truncate("taken_once_no_truncate"),
        ]
