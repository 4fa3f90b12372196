from __future__ import annotations

from django.db import models


class InstrumentPolicy(models.Model):
    """The booking policy of one instrument; minutes throughout, days for the horizon. Read as ``rules.policy.BookingPolicy``.

    ``licence_needed``: who works at it alone must hold a licence (``booking.queries.licences``).
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
    licence_needed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(granularity_minutes__gte=5)
                & models.Q(min_minutes__gte=models.F("granularity_minutes"))
                & models.Q(max_minutes__gte=models.F("min_minutes")),
                name="policy_lengths_make_sense",
            )
        ]
