from __future__ import annotations

from django.conf import settings
from django.db import models


class ReservationSeries(models.Model):
    """Reservations that were asked for together on one instrument, by a rule: every Tuesday at nine, ten times.

    ``rule`` is the document of ``booking.rules.series.SeriesRule``, ``zone`` the zone in whose wall time it is read, ``planned`` how many
    times the rule means. Its reservations have ``series`` and an ``ordinal``; times that could not be had, or were not wanted, have none.
    Written once by ``booking.services.series``; what becomes of it later are changes of its reservations.
    """

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    rule = models.JSONField()
    zone = models.CharField(max_length=64)
    planned = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["requested_by", "-created_at"], name="series_of_person")]


class ReservationGroup(models.Model):
    """Reservations of several instruments that were asked for together, all or none. Written once by ``booking.services.together``."""

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
