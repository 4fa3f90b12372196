from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class BookingConsent(models.Model):
    """``giver`` lets a colleague of the same organisation, ``taker``, book in their name until the end of ``until_on`` (platform's zone).

    Ended by either of them. At most one is open for each pair in an organisation; what was booked under it stays.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    taker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    until_on = models.DateField()
    given_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "giver", "taker"], condition=Q(ended_at__isnull=True), name="consent_one_open"
            ),
            models.CheckConstraint(condition=~Q(giver=F("taker")), name="consent_two_people"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="consent_ended_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["taker", "organisation"], name="consent_by_taker")]
