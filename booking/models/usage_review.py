"""What the customer wants otherwise about a session, and who decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Answer(models.TextChoices):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class UsageAdjustment(models.Model):
    """The customer's wish to be charged for another time (none: for nothing), once per session, and the lab's answer.

    ``before_*`` is what would have been charged when it was asked. ``escalated_at``: that it waits too long was told, once.
    """

    session = models.OneToOneField("booking.UsageSession", on_delete=models.PROTECT, related_name="adjustment")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    before_starts_at = models.DateTimeField(null=True)
    before_ends_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=Answer.choices, default=Answer.OPEN)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=1000, blank=True)
    escalated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True, ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="adjustment_has_length",
            ),
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True, answered_by__isnull=True)
                | (Q(state__in=["accepted", "refused"]) & Q(answered_at__isnull=False, answered_by__isnull=False)),
                name="adjustment_answered_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(answer=""), name="adjustment_refused_with_reason"),
        ]


class Decision(models.TextChoices):
    """What was decided: what stands there is charged, what the customer proposed, or nothing."""

    AS_MEASURED = "as_measured"
    AS_PROPOSED = "as_proposed"
    NOTHING = "nothing"


class UsageDispute(models.Model):
    """The customer does not agree; a second person of the lab or the owner's finance decides, with a reason. ``escalated_at``: that it
    waits too long was told, once."""

    session = models.OneToOneField("booking.UsageSession", on_delete=models.PROTECT, related_name="dispute")
    reason = models.CharField(max_length=1000)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    decision = models.CharField(max_length=12, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=1000, blank=True)
    escalated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(decision="") & ~Q(decision_reason="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="dispute_decided_with_reason",
            ),
            models.CheckConstraint(condition=~Q(decided_by=F("opened_by")), name="dispute_two_people"),
        ]
