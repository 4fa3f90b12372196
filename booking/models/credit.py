from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.models.guards import append_only, no_truncate


class CreditRules(models.Model):
    """How a lab (or, without one, the platform) keeps credit points: the document that ``booking.rules.credit.policy_from`` reads."""

    organisation = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="credit_rules")
    document = models.JSONField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation"], nulls_distinct=False, name="credit_rules_once")]


class CreditEvent(models.Model):
    """Something that gave or took points, or took an earlier event back (``reverses``). Append-only by trigger.

    ``lab_points`` count under the lab's rules, ``platform_points`` under the platform's; both are signed and were fixed when it
    happened. ``reservation`` is its source; a manual event, and one for a licence, has ``note`` and ``made_by`` instead.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="credit_events")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="credit_events")
    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="+")
    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="credit_events")
    kind = models.CharField(max_length=20)
    lab_points = models.IntegerField()
    platform_points = models.IntegerField()
    at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversal")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reservation", "kind"],
                condition=models.Q(reservation__isnull=False, reverses__isnull=True) & ~models.Q(kind="manual"),
                name="credit_event_once",
            ),
            models.CheckConstraint(
                condition=models.Q(reservation__isnull=False) | (models.Q(made_by__isnull=False) & ~models.Q(note="")),
                name="credit_event_has_source",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        "late",
                        "left_early",
                        "overtime",
                        "booked_over",
                        "no_show",
                        "no_feedback",
                        "late_cancel",
                        "manual",
                        "used",
                        "licence",
                    ]
                ),
                name="credit_event_kind_known",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "at"], name="credit_event_by_person"),
            models.Index(fields=["organisation", "-at"], name="credit_event_by_lab"),
        ]
        triggers = [append_only("credit_event_append_only"), no_truncate("credit_event_no_truncate")]


class CreditAppeal(models.Model):
    """The person says why an event should not count; once. ``state`` is a value of ``booking.rules.credit.AppealState``."""

    event = models.OneToOneField(CreditEvent, on_delete=models.PROTECT, related_name="appeal")
    text = models.CharField(max_length=1000)
    made_at = models.DateTimeField()
    state = models.CharField(max_length=20, default="open")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["open", "granted", "refused"]), name="appeal_state_known"),
            models.CheckConstraint(
                condition=models.Q(state="open", decided_by__isnull=True)
                | (~models.Q(state="open") & models.Q(decided_by__isnull=False)),
                name="appeal_decided_by_somebody",
            ),
        ]


class AccessListEntry(models.Model):
    """Somebody who may not book (``deny``), or to whom measures of credit do not apply (``allow``), at a lab or one instrument.

    ``organisation`` None: everywhere, set by the operator. It is about one ``person`` or all of one ``customer``, until ``until`` or
    until it is taken away (``ended_at``).
    """

    organisation = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="access_list")
    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="access_list")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="access_listed")
    customer = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="access_listed")
    verdict = models.CharField(max_length=10)
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=True) ^ models.Q(customer__isnull=True), name="access_list_about_one"
            ),
            models.CheckConstraint(condition=models.Q(verdict__in=["deny", "allow"]), name="access_list_verdict_known"),
            models.CheckConstraint(
                condition=models.Q(instrument__isnull=True) | models.Q(organisation__isnull=False),
                name="access_list_instrument_of_lab",
            ),
        ]
        indexes = [
            models.Index(fields=["person"], condition=models.Q(ended_at=None), name="access_list_by_person"),
            models.Index(fields=["customer"], condition=models.Q(ended_at=None), name="access_list_by_customer"),
        ]
