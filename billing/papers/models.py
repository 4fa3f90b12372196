"""The codes on issued papers."""

from __future__ import annotations

from django.db import models

from config.kernel.models.guards import append_only, no_truncate


class PaperCode(models.Model):
    """The code printed on one document (``kind``: a name of ``billing.papers.kinds``), given in the transaction that issues it.
    Append-only: a code never comes to mean another paper."""

    code = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=30)
    document_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "document_id"], name="paper_code_once")]
        triggers = [append_only("paper_code_append_only"), no_truncate("paper_code_no_truncate")]
