from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.models.guards import append_only, no_truncate


class AuditEntry(models.Model):
    """Who did what to which object, when, with what before and after, and why. Append-only by trigger.

    Written by services in the same transaction as the change itself (``config.kernel.services.audit.record``).
    """

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=80)
    object_type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=40)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["object_type", "object_id"], name="audit_object")]
        triggers = [append_only("audit_append_only"), no_truncate("audit_no_truncate")]
