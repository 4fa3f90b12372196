from __future__ import annotations

from django.conf import settings
from django.db import models


class NoticeSettings(models.Model):
    """How one person wants to be told; without a row the defaults of each group hold.

    ``channels``: group of events, or a single event that goes another way -> names of the channels besides the notice in the platform.
    Hours are wall time of ``time_zone``.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="notice_settings"
    )
    channels = models.JSONField(default=dict)
    digest = models.CharField(max_length=20, default="immediately")
    digest_hour = models.PositiveSmallIntegerField(default=8)
    digest_weekday = models.PositiveSmallIntegerField(default=0)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    time_zone = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(digest__in=["immediately", "daily", "weekly"]), name="notice_settings_digest_known"
            ),
            models.CheckConstraint(
                condition=models.Q(digest_hour__lte=23, digest_weekday__lte=6), name="notice_settings_hour_exists"
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="notice_settings_quiet_both",
            ),
        ]


class ChannelAddress(models.Model):
    """Where a channel other than e-mail reaches a person: a phone number, an account. Used once a code sent there came back.

    ``code_sha256`` is of the code that waits to come back, ``tries`` how often a wrong one came.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="channel_addresses")
    channel = models.CharField(max_length=30)
    address = models.CharField(max_length=200)
    code_sha256 = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "channel"], name="channel_address_once")]


class Notice(models.Model):
    """One piece of news for one person: what happened (``event``, ``params``), about what, and where to look (``path``).

    The words are made when somebody reads it, in the reader's language. ``lab`` is whose matter it is, where it is a lab's.
    ``needs_action`` ends when somebody has dealt with it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=80)
    group = models.CharField(max_length=40)
    needs_action = models.BooleanField()
    params = models.JSONField()
    path = models.CharField(max_length=400, blank=True)
    object_type = models.CharField(max_length=80, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    lab = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_by_person"),
            models.Index(fields=["user"], condition=models.Q(read_at__isnull=True), name="notice_unread"),
            models.Index(
                fields=["object_type", "object_id"],
                condition=models.Q(needs_action=True),
                name="notice_unsettled",
            ),
            models.Index(fields=["created_at"], name="notice_age"),
        ]


class DeliveryState(models.TextChoices):
    """``dropped``: not wanted or not possible any more when its time came."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class Delivery(models.Model):
    """One message on one channel: of a notice to its person, or (``notice`` is None) of a ready text to an address.

    (notice, channel) is what makes it one: however often its job runs, ``sent`` is written once. ``content`` holds a ready text until it
    was sent, and nothing afterwards; it may hold keys and is shown to nobody. ``message_id`` is chosen before the first attempt and
    stays, so that who gets a second copy after a crash can tell; messages that went together share it.
    """

    notice = models.ForeignKey(Notice, null=True, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=80)
    channel = models.CharField(max_length=30)
    address = models.CharField(max_length=254, blank=True)
    content = models.JSONField(null=True)
    digest = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    message_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel"], name="delivery_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sending", "sent", "failed", "dropped"]), name="delivery_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sent") | models.Q(sent_at__isnull=False, content__isnull=True),
                name="delivery_sent_is_bare",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["waiting", "sending"]), name="delivery_open"),
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
            models.Index(fields=["user", "channel", "due_at"], condition=models.Q(state="waiting"), name="delivery_of_person"),
            models.Index(fields=["message_id"], condition=~models.Q(message_id=""), name="delivery_by_message"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]
