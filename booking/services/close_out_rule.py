"""Whether a session's quality grade stands in the way of its charge."""

from __future__ import annotations

from django.db import connection

from booking import ports
from booking.models import Reservation
from config.kernel.errors import Reason

_UNCONFIRMED = """
SELECT EXISTS (SELECT FROM booking_closeout WHERE reservation_id = %s AND confirmed_at IS NULL AND grade <> '')
"""


def reasons(reservation: Reservation) -> list[Reason]:
    """``close_out.confirm_first`` while a grade on which money depends waits for a second person."""
    with connection.cursor() as cursor:
        cursor.execute(_UNCONFIRMED, [reservation.pk])
        (graded,) = cursor.fetchone()
    return [Reason("close_out.confirm_first")] if graded and ports.money().quality_counts(reservation) else []
