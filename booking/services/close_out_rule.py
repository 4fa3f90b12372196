"""Whether a session's quality grade stands in the way of its charge."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from booking import ports
from booking.models import CloseOut, Reservation
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


def unconfirmed(reservation_ids: Sequence[int]) -> set[int]:
    """Those of them with a grade that waits for a second person, whether money depends on it or not."""
    rows = CloseOut.objects.filter(reservation__in=reservation_ids, confirmed_at__isnull=True).exclude(grade="")
    return set(rows.values_list("reservation_id", flat=True))
