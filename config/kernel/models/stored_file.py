from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.models.guards import append_only, no_truncate


class StoredFile(models.Model):
    """A file behind the storage door, named by its content's SHA-256; never changed once written. Only ``files.discard`` forgets one."""

    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    file_name = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["sha256"], name="stored_file_by_hash")]
        triggers = [append_only("stored_file_kept"), no_truncate("stored_file_no_truncate")]
