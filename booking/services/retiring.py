"""An instrument is retired once nothing is booked on it any more: what becomes of each booking is the lab's to say, as in an outage."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Q

from booking.models import Reservation
from booking.rules.states import ReservationState
from config.kernel.errors import Reason


def reasons_against(instrument_ids: Collection[int], now: datetime) -> dict[int, Reason]:
    """``booking.ahead_of_retirement`` (``status``) for each of them with requests or bookings ahead, or a session that runs: one query."""
    ahead = Q(state__in=[ReservationState.REQUESTED, ReservationState.APPROVED], ends_at__gt=now)
    rows = Reservation.objects.filter(ahead | Q(state=ReservationState.IN_USE), instrument__in=instrument_ids)
    counts = rows.values_list("instrument").annotate(booked=Count("pk")).order_by()
    return {pk: Reason("booking.ahead_of_retirement", {"count": booked}, "status") for pk, booked in counts}
