"""Price schedule versions of instruments, price versions of test items."""

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


class TestItemPrice(models.Model):
    """One version of a test item's price, in force from ``effective_from`` (a local date) until the next one; of several that start
    on one day the one published last counts. Immutable by trigger: a new price is a new version.

    ``amount_fen`` is for one ``unit``; None is a price on request. ``class_fen`` holds what classes of customers pay instead.
    """

    __test__ = False  # not a test of pytest's

    test_item = models.ForeignKey("instruments.TestItem", on_delete=models.PROTECT, related_name="price_versions")
    effective_from = models.DateField()
    unit = models.CharField(max_length=20)
    amount_fen = models.BigIntegerField(null=True)
    class_fen = models.JSONField(default=dict)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_fen__isnull=True) | models.Q(amount_fen__gte=0), name="test_item_price_not_negative"
            )
        ]
        indexes = [models.Index(fields=["test_item", "effective_from", "id"], name="test_item_price_in_force")]
        triggers = [append_only("test_item_price_immutable"), no_truncate("test_item_price_no_truncate")]
