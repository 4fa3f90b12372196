"""An instrument is retired once nothing is booked on it any more: what becomes of each booking is the lab's to say, as in an outage."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from booking.models import Reservation
from booking.rules.states import ReservationState
from config.kernel.errors import Refusal


def refuse_booked(instrument_id: int, now: datetime) -> None:
    """Raises Refusal ``booking.ahead_of_retirement`` (``status``) while requests or bookings lie ahead, or a session runs."""
    ahead = Q(state__in=[ReservationState.REQUESTED, ReservationState.APPROVED], ends_at__gt=now)
    booked = Reservation.objects.filter(ahead | Q(state=ReservationState.IN_USE), instrument=instrument_id).count()
    if booked:
        raise Refusal.of("booking.ahead_of_retirement", "status", count=booked)
