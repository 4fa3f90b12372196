"""What instruments and campus systems tell us: keys, single events, and the runs that follow from them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from booking.rules.device_runs import EventKind, ProblemKind, Run
from config.kernel.time_range import TimeRange

KINDS = [(one.value, one.value) for one in EventKind]
PROBLEMS = [(one.value, one.value) for one in ProblemKind]


class DeviceKey(models.Model):
    """With what a device or a campus system speaks for one instrument, or for all of a lab (``instrument`` empty).

    Only the SHA-256 is kept; the key itself is shown once. ``skew_seconds``: how far its clock was behind ours when it last spoke.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="device_keys")
    name = models.CharField(max_length=100)
    key_sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    skew_seconds = models.IntegerField(null=True)


class RunState(models.TextChoices):
    """``open``: somebody has to look; ``attached``, ``entered`` and ``ignored`` are what a person made of it."""

    MATCHED = "matched"
    OPEN = "open"
    ATTACHED = "attached"
    ENTERED = "entered"
    IGNORED = "ignored"


class DeviceRun(models.Model):
    """The instrument ran; which reservation that was for, or what does not add up.

    ``problem`` says why it is open, or was until a person decided. ``reservation`` of an open one is a guess.
    """

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="device_runs")
    device = models.CharField(max_length=100, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField()
    started = models.BooleanField()
    skew_seconds = models.IntegerField(default=0)
    state = models.CharField(max_length=10, choices=RunState.choices)
    problem = models.CharField(max_length=20, choices=PROBLEMS, blank=True)
    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="device_runs")
    noticed_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")), name="device_run_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(state="open") | ~Q(problem=""), name="device_run_open_has_problem"),
            models.CheckConstraint(
                condition=Q(state__in=["matched", "open"], decided_at__isnull=True)
                | Q(state__in=["attached", "entered", "ignored"], decided_at__isnull=False, decided_by__isnull=False),
                name="device_run_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["matched", "attached", "entered"]) | Q(reservation__isnull=False),
                name="device_run_belongs_somewhere",
            ),
            models.CheckConstraint(condition=~Q(state="ignored") | ~Q(reason=""), name="device_run_ignored_with_reason"),
        ]
        indexes = [
            models.Index(fields=["instrument", "starts_at"], name="device_run_by_instrument"),
            models.Index(fields=["noticed_at"], condition=Q(state="open"), name="device_run_open"),
        ]

    @property
    def told(self) -> Run:
        """As the rules know it."""
        return Run(self.starts_at, self.ends_at, self.heard_at, self.started)

    @property
    def during(self) -> TimeRange | None:
        """What is known of its length; None for a single moment."""
        ends_at = self.ends_at or self.heard_at
        return TimeRange(self.starts_at, ends_at) if ends_at > self.starts_at else None


class DeviceEvent(models.Model):
    """One event as a device told it, once per its own ``event_id``. ``device_at`` is by the device's clock, ``at`` by ours."""

    key = models.ForeignKey(DeviceKey, on_delete=models.PROTECT, related_name="events")
    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="+")
    device = models.CharField(max_length=100, blank=True)
    event_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=KINDS)
    device_at = models.DateTimeField()
    at = models.DateTimeField()
    arrived_at = models.DateTimeField()
    skew_seconds = models.IntegerField()
    value = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    run = models.ForeignKey(DeviceRun, null=True, on_delete=models.PROTECT, related_name="events")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "device", "event_id"], name="device_event_once"),
            models.CheckConstraint(condition=Q(kind__in=[one.value for one in EventKind]), name="device_event_kind_known"),
        ]
        indexes = [models.Index(fields=["instrument", "device", "at"], name="device_event_by_time")]
