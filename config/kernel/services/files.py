"""The storage door: every stored file goes in and out here, and is verified on the way out."""

from __future__ import annotations

import hashlib
from datetime import datetime

import pgtrigger
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from config.kernel.errors import Refusal
from config.kernel.models import StoredFile

#: The guard of the records of files, which only ``discard`` lifts, for one record.
KEPT = "kernel.StoredFile:stored_file_kept"


def store(content: bytes, *, file_name: str, media_type: str, user_id: int | None, now: datetime) -> StoredFile:
    """Write ``content`` under its SHA-256 and return its record. The bytes are on disk before the row exists."""
    digest = hashlib.sha256(content).hexdigest()
    path = f"{digest[:2]}/{digest[2:4]}/{digest}"
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(content))
    return StoredFile.objects.create(
        sha256=digest,
        size_bytes=len(content),
        media_type=media_type,
        file_name=file_name[:200],
        path=path,
        created_at=now,
        created_by_id=user_id,
    )


def read(stored: StoredFile) -> bytes:
    """The file's bytes. Raises Refusal ``files.damaged`` when they are not what was stored."""
    try:
        with default_storage.open(stored.path) as handle:
            content = bytes(handle.read())
    except FileNotFoundError:
        raise Refusal.of("files.missing", sha256=stored.sha256) from None
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise Refusal.of("files.damaged", sha256=stored.sha256)
    return content


def discard(stored: StoredFile) -> None:
    """Forget a file: its record, and once the transaction is through its bytes, where no other record names them. A file that any paper
    names is not forgotten (foreign keys)."""
    path = stored.path
    with pgtrigger.ignore(KEPT):
        stored.delete()
    transaction.on_commit(lambda: _drop(path))


def _drop(path: str) -> None:
    if not StoredFile.objects.filter(path=path).exists():
        default_storage.delete(path)
