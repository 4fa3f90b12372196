"""The contract that a service stands under: the commission sheet to which it is attached, once both sides have signed that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from django.utils import timezone

from booking.models import Reservation, SampleJob


class Contract(NamedTuple):
    """``number`` of the sheet; ``signed_on``: the local day of the second signature."""

    number: str
    signed_on: date


Look = Callable[[], Contract | None]
"""Looks for a contract when somebody asks for it."""


def none() -> Contract | None:
    """Of a service that is not booked yet."""
    return None


def of_reservation(reservation_id: int) -> Contract | None:
    """One query."""
    rows = Reservation.objects.filter(pk=reservation_id, commission__sheet__in_force_at__isnull=False)
    return signed(rows.values_list("commission__sheet__number", "commission__sheet__in_force_at").first())


def of_sample_job(job_id: int) -> Contract | None:
    """One query."""
    rows = SampleJob.objects.filter(pk=job_id, commission__sheet__in_force_at__isnull=False)
    return signed(rows.values_list("commission__sheet__number", "commission__sheet__in_force_at").first())


def signed(sheet: tuple[str | None, datetime | None] | None) -> Contract | None:
    """The contract that a sheet with this number makes, in force since then; None while it is not."""
    number, in_force_at = sheet or (None, None)
    return Contract(number, timezone.localdate(in_force_at)) if number and in_force_at else None
