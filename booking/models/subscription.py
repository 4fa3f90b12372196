from __future__ import annotations

from django.conf import settings
from django.db import models


class CalendarSubscription(models.Model):
    """Another calendar of the lab, read again and again from its address; its events take time on ``calendar``.

    ``instrument`` is the one it was added to (its place gives the zone). It is read when ``due_at`` has come. ``read_until_at`` is how
    far ahead its events are known; ``crowded``: some of their time was taken by others when that was last looked at. ``fault_code`` is
    why the last attempt failed (empty: it did not), ``unread`` the events that could not be read: [line, title, code, params].
    """

    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.PROTECT, related_name="subscriptions")
    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    address = models.CharField(max_length=1000)
    enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    last_fetched_at = models.DateTimeField(null=True)
    last_ok_at = models.DateTimeField(null=True)
    read_until_at = models.DateTimeField(null=True)
    etag = models.CharField(max_length=200, blank=True)
    last_modified = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    crowded = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0)
    fault_code = models.CharField(max_length=80, blank=True)
    fault_params = models.JSONField(default=dict)
    unread = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "address"], name="subscription_once")]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(enabled=True), name="subscription_due")]

    def __str__(self) -> str:
        return self.title


class SubscribedEvent(models.Model):
    """One event, or one repetition, of a subscribed calendar that is not over. What of its time is free becomes an occupancy."""

    subscription = models.ForeignKey(CalendarSubscription, on_delete=models.CASCADE, related_name="events")
    uid = models.CharField(max_length=200)
    recurrence = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=200, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "uid", "recurrence"], name="subscribed_event_once"),
            models.CheckConstraint(condition=models.Q(starts_at__lt=models.F("ends_at")), name="subscribed_event_has_length"),
        ]
