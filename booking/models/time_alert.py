from __future__ import annotations

from django.conf import settings
from django.db import models


class TimeAlert(models.Model):
    """Somebody wants to hear when a searched-for time becomes free.

    ``search`` are the fields of ``booking.rules.time_search.TimeSearch``, days as ISO text. It is over when it was answered
    (``notified_at``) or its last day has passed.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="time_alerts")
    search = models.JSONField()
    last_on = models.DateField()
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    notified_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["last_on"], condition=models.Q(notified_at__isnull=True), name="time_alert_waiting")]
