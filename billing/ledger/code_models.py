"""The account codes of an institution's own chart of accounts."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.models.guards import append_only, no_truncate


class AccountCodes(models.Model):
    """What an institution's accounting programme calls our accounts: ``codes`` by the key of an account, or by how keys begin (of several
    the longest counts). The latest row counts. Append-only."""

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    codes = models.JSONField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organisation", "-id"], name="account_codes_latest")]
        triggers = [append_only("account_codes_append_only"), no_truncate("account_codes_no_truncate")]
