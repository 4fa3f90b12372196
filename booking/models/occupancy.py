from __future__ import annotations

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models

from booking.models.availability import keep_day_availability


class OccupancySource(models.TextChoices):
    RESERVATION = "reservation"
    MAINTENANCE = "maintenance"
    SUBSCRIBED = "subscribed"
    CHANGE = "change"


class Occupancy(models.Model):
    """What takes time on a calendar, buffers included.

    ``during`` is half-open. Blocking occupancies of one calendar never overlap: the exclusion constraint
    ``occupancy_no_overlap`` (made in a migration, core PostgreSQL only) refuses it whoever writes.
    """

    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.PROTECT, related_name="occupancies")
    during = DateTimeRangeField()
    blocking = models.BooleanField(default=True)
    source = models.CharField(max_length=20, choices=OccupancySource.choices)
    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="occupancies")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = keep_day_availability()
