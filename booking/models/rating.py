from __future__ import annotations

from django.conf import settings
from django.db import models


class SessionRating(models.Model):
    """What the customer's people think of a session that was agreed, or of a sample job that is closed, once for each: 1 to 5 stars and
    a comment. It stands at ``instrument``, or at the test item of ``sample_job``.

    The lab may answer once; the operator may hide it with a reason, and then only the two sides and officials read it.
    """

    reservation = models.OneToOneField("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="rating")
    sample_job = models.OneToOneField("booking.SampleJob", null=True, on_delete=models.PROTECT, related_name="rating")
    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="ratings")
    stars = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=1000, blank=True)
    rated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    rated_at = models.DateTimeField()
    answer = models.CharField(max_length=1000, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)
    hidden_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    hidden_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(stars__range=(1, 5)), name="session_rating_1_to_5"),
            models.CheckConstraint(
                condition=models.Q(reservation__isnull=False, instrument__isnull=False, sample_job__isnull=True)
                | models.Q(reservation__isnull=True, instrument__isnull=True, sample_job__isnull=False),
                name="rating_of_one_service",
            ),
        ]
        indexes = [models.Index(fields=["instrument", "-rated_at"], name="rating_by_instrument")]
