"""News for people: a job in the same transaction as the change, delivered by the worker afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from procrastinate.contrib.django import app

from booking.models import Reservation

TASK = "booking.notify"
QUEUE = "mail"
_silent: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silence() -> Iterator[None]:
    """Write nobody: for loading what happened long ago."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def defer(reservation: Reservation, event: str) -> None:
    """Queue the mail about ``event`` (requested, approved, rejected, cancelled, expired, no_show, figures_changed, charged)."""
    if _silent.get():
        return
    app.configure_task(TASK, queue=QUEUE).defer(reservation_id=reservation.pk, event=event)
