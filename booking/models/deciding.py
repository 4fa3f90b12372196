from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.time_range import TimeRange


class RequestDecision(models.Model):
    """What somebody of the lab decided about a request for time or for the test of samples, and could take back until ``final_at``; only
    then is it told.

    ``action`` is "approve" or "reject", ``decided_for`` the absent manager in whose place it was decided, ``before`` the promise that a
    sample job had (``booking.services.sample_days.kept_by``). Of a request at most one is neither told nor taken back. Written by
    ``booking.services.decision_rows``.
    """

    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="decisions")
    sample_job = models.ForeignKey("booking.SampleJob", null=True, on_delete=models.PROTECT, related_name="decisions")
    action = models.CharField(max_length=10)
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    final_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    taken_back_at = models.DateTimeField(null=True)
    before = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reservation__isnull=False, sample_job__isnull=True)
                | models.Q(reservation__isnull=True, sample_job__isnull=False),
                name="decision_of_one_thing",
            ),
            models.CheckConstraint(condition=models.Q(action__in=["approve", "reject"]), name="decision_known"),
            models.CheckConstraint(
                condition=models.Q(told_at__isnull=True) | models.Q(taken_back_at__isnull=True), name="decision_ends_once"
            ),
            models.UniqueConstraint(
                fields=["reservation"], condition=models.Q(told_at=None, taken_back_at=None), name="decision_one_open"
            ),
            models.UniqueConstraint(
                fields=["sample_job"], condition=models.Q(told_at=None, taken_back_at=None), name="decision_one_open_of_job"
            ),
        ]
        indexes = [
            models.Index(fields=["final_at"], condition=models.Q(told_at=None, taken_back_at=None), name="decision_to_tell"),
            models.Index(fields=["decided_by", "-decided_at"], name="decision_of_person"),
        ]


class RejectReason(models.Model):
    """A ready sentence with which a lab declines requests, in the order of ``place``; without any the house's are offered."""

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.CASCADE, related_name="reject_reasons")
    place = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)
    text_en = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "place"], name="reject_reason_place")]


class SuggestedTime(models.Model):
    """Another time beside the first one of a proposal of the lab: the customer takes one of them. Kept free like the first."""

    change = models.ForeignKey("booking.ReservationChange", on_delete=models.CASCADE, related_name="others")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(starts_at__lt=models.F("ends_at")), name="suggested_time_has_length"),
            models.UniqueConstraint(fields=["change", "starts_at", "ends_at"], name="suggested_time_once"),
        ]

    @property
    def during(self) -> TimeRange:
        return TimeRange(self.starts_at, self.ends_at)


class Delegation(models.Model):
    """``deputy`` answers requests of ``organisation`` in the place of ``manager`` in ``[starts_at, ends_at)``, unless it was ended before.

    ``also_manager``: the manager goes on being told of requests. Written by ``booking.services.deputies``.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.CASCADE, related_name="delegations")
    manager = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    deputy = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    also_manager = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(starts_at__lt=models.F("ends_at")), name="delegation_has_length"),
            models.CheckConstraint(condition=~models.Q(manager=models.F("deputy")), name="delegation_to_another"),
        ]
        indexes = [
            models.Index(fields=["organisation", "ends_at"], condition=models.Q(ended_at=None), name="delegation_running"),
            models.Index(fields=["deputy", "ends_at"], condition=models.Q(ended_at=None), name="delegation_of_deputy"),
        ]


class Escalation(models.Model):
    """A request waited longer than promised, and this was told to the lab: once in its life."""

    reservation = models.OneToOneField("booking.Reservation", on_delete=models.CASCADE, related_name="escalation")
    at = models.DateTimeField()
