"""Price schedule versions."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.models.guards import append_only, no_truncate


class PriceVersion(models.Model):
    """One version of an instrument's price schedule, in force from ``effective_from`` (the site's local date) until the next one.

    A version has no end of its own, so versions cannot overlap or leave a gap. Immutable by trigger: a new price is a new version.
    ``document`` is checked by ``billing.pricing.rules.parse_schedule``.
    """

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="price_versions")
    effective_from = models.DateField()
    document = models.JSONField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instrument", "effective_from"], name="price_version_one_per_day")]
        triggers = [append_only("price_version_immutable"), no_truncate("price_version_no_truncate")]
