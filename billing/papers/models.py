"""The codes on issued papers, and the files that were made of them."""

from __future__ import annotations

import pgtrigger
from django.db import models

from billing.papers.guards import KEPT_AS_STORED
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


class PaperFile(models.Model):
    """That a file was made for a document (``kind``: a name of ``billing.papers.kinds``; ``part``: its column) of just this content.
    Append-only; a stored file is of one document, and a document has one file in each column (or none yet)."""

    kind = models.CharField(max_length=30)
    document_id = models.BigIntegerField()
    part = models.CharField(max_length=20)
    file = models.OneToOneField("kernel.StoredFile", on_delete=models.PROTECT, related_name="paper")
    sha256 = models.CharField(max_length=64)
    content_sha256 = models.CharField(max_length=64)
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "document_id", "part"], name="paper_file_once")]
        triggers = [
            append_only("paper_file_append_only"),
            no_truncate("paper_file_no_truncate"),
            pgtrigger.Trigger(
                name="paper_file_as_stored",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=KEPT_AS_STORED,
            ),
        ]
