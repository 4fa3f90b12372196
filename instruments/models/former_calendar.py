"""The calendars that instruments have left. Append-only."""

from __future__ import annotations

from django.db import models

from config.kernel.models.guards import append_only, no_truncate
from instruments.models.instrument import Instrument


class FormerCalendar(models.Model):
    """A calendar on which an instrument was until it took another one at ``left_at``: what was over by then has stayed there."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="former_calendars")
    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.PROTECT, related_name="+")
    left_at = models.DateTimeField()

    class Meta:
        triggers = [append_only("former_calendar_append_only"), no_truncate("former_calendar_no_truncate")]
