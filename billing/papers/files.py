"""Writing down which file was made for which paper, before the paper is given it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.papers.kinds import kinds
from billing.papers.models import PaperFile
from config.kernel.models import StoredFile


def keep(document: Any, part: str, stored: StoredFile, now: datetime) -> StoredFile:
    """Bind a stored file to a document: ``part`` names the document's column. Part of the transaction that fills the column; the database
    fills it with no other file."""
    PaperFile.objects.create(
        kind=kind_of(type(document)),
        document_id=document.pk,
        part=part,
        file=stored,
        sha256=stored.sha256,
        content_sha256=document.content_sha256,
        kept_at=now,
    )
    return stored


def kind_of(model: type[Any]) -> str:
    """The name of the kind of paper that the rows of a model are."""
    return next(kind.name for kind in kinds().values() if kind.model is model)
