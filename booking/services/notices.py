"""News for people: a job in the same transaction as the change, delivered by the worker afterwards."""

from __future__ import annotations

from procrastinate.contrib.django import app

from booking.models import Reservation
from config.kernel.services.silence import is_silent, silence

__all__ = ["QUEUE", "TASK", "defer", "silence"]
TASK = "booking.notify"
QUEUE = "mail"


def defer(reservation: Reservation, event: str) -> None:
    """Queue the mail about ``event``, one of ``services.mails.SUBJECTS``."""
    if is_silent():
        return
    app.configure_task(TASK, queue=QUEUE).defer(reservation_id=reservation.pk, event=event)
