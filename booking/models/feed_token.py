from __future__ import annotations

from django.conf import settings
from django.db import models


class FeedKind(models.TextChoices):
    MINE = "mine"
    LAB = "lab"


class FeedToken(models.Model):
    """The key in the address of a person's private calendar: who holds it reads what that person may see now.

    Only its SHA-256 is kept; the address is shown once. ``mine``: what the person booked; ``lab``: all bookings of the labs that the
    person manages, or of the one ``lab``.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feed_tokens")
    kind = models.CharField(max_length=10, choices=FeedKind.choices)
    lab = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    key_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lab__isnull=True) | models.Q(kind=FeedKind.LAB.value), name="feed_of_lab_for_the_lab"
            )
        ]
