from __future__ import annotations

from django.conf import settings
from django.db import models


class PolicyLayer(models.Model):
    """What a lab says about booking for all its instruments (neither instrument nor class), a class of them, or one.

    ``said`` holds only what it says (``booking.rules.policy_layers.read_settings``); what is left open, other layers or the house
    decide. Written by ``booking.services.policies`` only, which keeps each instrument's ``InstrumentPolicy`` with it.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.CASCADE, related_name="policy_layers")
    class_code = models.CharField(max_length=6, blank=True)
    instrument = models.OneToOneField(
        "instruments.Instrument", null=True, blank=True, on_delete=models.CASCADE, related_name="policy_layer"
    )
    said = models.JSONField(default=dict)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "class_code"], condition=models.Q(instrument__isnull=True), name="policy_layer_once"
            ),
            models.CheckConstraint(
                condition=models.Q(instrument__isnull=True) | models.Q(class_code=""), name="policy_layer_for_one_thing"
            ),
        ]


class InstrumentPolicy(models.Model):
    """The booking policy that holds for one instrument, all layers taken together. Read as ``rules.policy.BookingPolicy``.

    Minutes throughout, days for the horizon. What is not a column stands in ``rules`` (``rules.policy_layers.rest_document``).
    """

    instrument = models.OneToOneField("instruments.Instrument", on_delete=models.CASCADE, related_name="policy")
    granularity_minutes = models.PositiveIntegerField(default=30)
    min_minutes = models.PositiveIntegerField(default=60)
    max_minutes = models.PositiveIntegerField(default=480)
    notice_minutes = models.PositiveIntegerField(default=120)
    horizon_days = models.PositiveIntegerField(default=60)
    buffer_before_minutes = models.PositiveIntegerField(default=0)
    buffer_after_minutes = models.PositiveIntegerField(default=0)
    approval_required = models.BooleanField(default=True)
    pending_blocks = models.BooleanField(default=True)
    cancel_notice_minutes = models.PositiveIntegerField(default=1440)
    no_show_grace_minutes = models.PositiveIntegerField(default=30)
    rules = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(granularity_minutes__gte=5)
                & models.Q(min_minutes__gte=models.F("granularity_minutes"))
                & models.Q(max_minutes__gte=models.F("min_minutes")),
                name="policy_lengths_make_sense",
            )
        ]
