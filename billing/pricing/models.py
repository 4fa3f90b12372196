"""Price schedule versions of instruments, price versions of test items; families that share one schedule; drafts."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.models.guards import append_only, no_truncate


class PriceFamily(models.Model):
    """Several instruments, or several test items, of one lab that share a schedule: it is published for all of them at once, one version
    each, and each of them keeps its own history."""

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="price_families")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="price_family_name_once")]

    def __str__(self) -> str:
        return self.name


def _one_of(*names: str) -> models.Q:
    """Exactly one of the columns is filled."""
    found = models.Q()
    for chosen in names:
        found |= models.Q(**{f"{name}__isnull": name != chosen for name in names})
    return found


class PriceFamilyMember(models.Model):
    """An instrument or a test item in a family; each is in one at most."""

    family = models.ForeignKey(PriceFamily, on_delete=models.CASCADE, related_name="members")
    instrument = models.OneToOneField(
        "instruments.Instrument", null=True, on_delete=models.CASCADE, related_name="price_family_member"
    )
    test_item = models.OneToOneField(
        "instruments.TestItem", null=True, on_delete=models.CASCADE, related_name="price_family_member"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_one_of("instrument", "test_item"), name="price_family_member_is_one_thing")
        ]


class PriceDraft(models.Model):
    """A price that is being written for an instrument, a test item or a family: what was typed, as it was typed, so that nothing of it is
    lost. ``revision`` counts the savings; who saves says which one was seen."""

    instrument = models.OneToOneField("instruments.Instrument", null=True, on_delete=models.CASCADE, related_name="price_draft")
    test_item = models.OneToOneField("instruments.TestItem", null=True, on_delete=models.CASCADE, related_name="price_draft")
    family = models.OneToOneField(PriceFamily, null=True, on_delete=models.CASCADE, related_name="draft")
    typed = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_one_of("instrument", "test_item", "family"), name="price_draft_is_for_one_thing")
        ]


class PriceVersion(models.Model):
    """One version of an instrument's price schedule, in force from ``effective_from`` (the site's local date) until the next one.

    A version has no end of its own, so versions cannot overlap or leave a gap. Immutable by trigger: a new price is a new version.
    ``document`` is checked by ``billing.pricing.rules.parse_schedule``. ``cost_sheet`` is the cost recovery that the lab wrote
    down with it, ``family`` the family it was published for.

    Or what two sides agreed on in a line of a quotation (``agreed_line``): no price list, and in force only for what is priced by it.
    """

    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="price_versions")
    agreed_line = models.OneToOneField("billing.QuotationLine", null=True, on_delete=models.PROTECT, related_name="agreed_price")
    effective_from = models.DateField()
    document = models.JSONField()
    cost_sheet = models.JSONField(null=True)
    family = models.ForeignKey(PriceFamily, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "effective_from"], name="price_version_one_per_day"),
            models.CheckConstraint(condition=_one_of("instrument", "agreed_line"), name="price_version_listed_or_agreed"),
        ]
        triggers = [append_only("price_version_immutable"), no_truncate("price_version_no_truncate")]


class TestItemPrice(models.Model):
    """One version of a test item's price, in force from ``effective_from`` (a local date) until the next one. Immutable by trigger: a new
    price is a new version. One that starts on the same day corrects the one before it: its ``revision`` is one higher, and the highest
    counts; two that correct the same one cannot both stand.

    ``amount_fen`` is for one ``unit``; None is a price on request. ``class_fen`` holds what classes of customers pay instead.
    ``document`` is the whole schedule where the price is one (``billing.pricing.rules.counted``); then ``unit``, ``amount_fen`` (the
    highest rate) and ``class_fen`` follow from it. ``cost_sheet`` and ``family`` as for instruments.
    """

    __test__ = False  # not a test of pytest's

    test_item = models.ForeignKey("instruments.TestItem", on_delete=models.PROTECT, related_name="price_versions")
    effective_from = models.DateField()
    revision = models.PositiveSmallIntegerField(default=1)
    unit = models.CharField(max_length=20)
    amount_fen = models.BigIntegerField(null=True)
    class_fen = models.JSONField(default=dict)
    document = models.JSONField(null=True)
    cost_sheet = models.JSONField(null=True)
    family = models.ForeignKey(PriceFamily, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test_item", "effective_from", "revision"], name="test_item_price_one_per_day"),
            models.CheckConstraint(
                condition=models.Q(amount_fen__isnull=True) | models.Q(amount_fen__gte=0), name="test_item_price_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(document__isnull=True) | models.Q(amount_fen__isnull=False), name="test_item_price_of_schedule"
            ),
        ]
        triggers = [append_only("test_item_price_immutable"), no_truncate("test_item_price_no_truncate")]
