"""Whether a session's quality grade stands in the way of its charge."""

from __future__ import annotations

from booking import ports
from booking.models import CloseOut, Reservation
from config.kernel.errors import Reason


def reasons(reservation: Reservation) -> list[Reason]:
    """``close_out.confirm_first`` while a grade on which money depends waits for a second person."""
    graded = CloseOut.objects.filter(reservation=reservation, confirmed_at__isnull=True).exclude(grade="").exists()
    return [Reason("close_out.confirm_first")] if graded and ports.money().quality_counts(reservation) else []
