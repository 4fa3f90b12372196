"""What an owner proposes to change, what people report, and tables that came back: three things that wait for somebody."""

from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from instruments.models.instrument import Instrument
from instruments.models.organisation import Organisation
from instruments.models.resource import Resource


class ChangeState(models.TextChoices):
    """A proposed change's life; only drafts and submitted ones are open."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class InstrumentChange(models.Model):
    """A proposed change of a published instrument, or its publication (``{"published": true}``).

    ``values`` are the proposed fields and ``base`` what stood there when each was first proposed, both as the audit trail writes
    them (dates as ISO texts, ``site_id`` the place). The state is written only by ``instruments.services.instrument_reviews``.
    """

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="changes")
    state = models.CharField(max_length=20, choices=ChangeState.choices)
    values = models.JSONField(default=dict)
    base = models.JSONField(default=dict)
    base_updated_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instrument"], condition=models.Q(state__in=["draft", "submitted"]), name="change_one_open"
            ),
            models.CheckConstraint(condition=models.Q(state__in=ChangeState.values), name="change_state_known"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["accepted", "refused"])
                | models.Q(decided_at__isnull=False, decided_by__isnull=False, submitted_at__isnull=False),
                name="change_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("submitted_by")),
                name="change_two_people",
            ),
        ]
        indexes = [models.Index(fields=["state", "submitted_at"], name="change_by_state")]


class ResourceChange(models.Model):
    """A proposed change of a published resource of another kind, or its publication, as with ``InstrumentChange``.

    ``values`` and ``base`` hold fields of the core and of the typed part by name, which never share one (dates as ISO texts). The state is
    written only by ``instruments.services.resource_reviews``.
    """

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="changes")
    state = models.CharField(max_length=20, choices=ChangeState.choices)
    values = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    base = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resource"], condition=models.Q(state__in=["draft", "submitted"]), name="resource_change_one_open"
            ),
            models.CheckConstraint(condition=models.Q(state__in=ChangeState.values), name="resource_change_state_known"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["accepted", "refused"])
                | models.Q(decided_at__isnull=False, decided_by__isnull=False, submitted_at__isnull=False),
                name="resource_change_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("submitted_by")),
                name="resource_change_two_people",
            ),
        ]
        indexes = [models.Index(fields=["state", "submitted_at"], name="resource_change_by_state")]


class ProblemState(models.TextChoices):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SOLVED = "solved"


class InstrumentProblem(models.Model):
    """Something that somebody found wrong with an instrument. ``answer`` is what the lab says about it."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="problems")
    state = models.CharField(max_length=20, choices=ProblemState.choices, default=ProblemState.OPEN)
    text = models.TextField(max_length=2000)
    photo = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()
    answer = models.CharField(max_length=1000, blank=True)
    handled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(state__in=ProblemState.values), name="problem_state_known")]
        indexes = [models.Index(fields=["instrument", "state", "-reported_at"], name="problem_by_instrument")]


class InstrumentSheet(models.Model):
    """A table of an owner's instruments, or of its resources of one ``kind`` (empty: instruments), that was handed in to be looked at, and
    applied at most once."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, blank=True, default="", db_default="")
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
