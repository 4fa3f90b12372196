from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Webhook(models.Model):
    """An address of an organisation that hears of its events. ``events`` are codes.

    The secret of the signatures is not kept: it is made from the installation's secret key and ``nonce``; another nonce is another
    secret. ``dead_in_row`` counts deliveries given up since the last that arrived.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.CASCADE, related_name="webhooks")
    address = models.CharField(max_length=1000)
    events = models.JSONField()
    nonce = models.CharField(max_length=64)
    active = models.BooleanField(default=True)
    switched_off_why = models.CharField(max_length=20, blank=True)
    dead_in_row = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)


class WebhookState(models.TextChoices):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class WebhookDelivery(models.Model):
    """One event on its way to one address. ``uid`` is what the receiver sees as its id, the same in every attempt."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    event = models.CharField(max_length=80)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=WebhookState.choices, default=WebhookState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sending", "sent", "failed"]), name="webhook_delivery_state_known"
            )
        ]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="webhook_delivery_by_hook"),
            models.Index(fields=["due_at"], condition=models.Q(state__in=["waiting", "sending"]), name="webhook_delivery_open"),
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]
