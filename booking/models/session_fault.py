from __future__ import annotations

from django.db import models


class SessionFault(models.Model):
    """A fault of an instrument that the lab reported for whose session it stopped: they hear what the lab answers."""

    problem = models.OneToOneField("instruments.InstrumentProblem", primary_key=True, on_delete=models.CASCADE, related_name="+")
    reservation = models.ForeignKey("booking.Reservation", on_delete=models.PROTECT, related_name="faults")
