"""One booking of the demo's story that the lab has approved."""

from __future__ import annotations

from datetime import datetime

from booking.models import Reservation
from booking.rules.states import ReservationState
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.demo.source import words
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument


def approved(
    person: Actor, manager: Actor, customer_id: int, instrument: Instrument, during: TimeRange, at: datetime
) -> int | None:
    """Asked for and approved at ``at``, with assistance where there is any; the reservation's id, None where the instrument cannot be had
    then."""
    mode = "assisted" if "assisted" in instrument.service_modes else (instrument.service_modes or ["assisted"])[0]
    request = ReservationRequest(instrument.pk, customer_id, during, mode, words("people")["purposes"][0])
    key = f"demo-approved-{instrument.pk}-{customer_id}-{during.starts_at}"
    try:
        pk = reservations.reserve(person, request, at, idempotency_key=key).reservation_id
        if Reservation.objects.get(pk=pk).state == ReservationState.REQUESTED:
            transitions.approve(manager, pk, at)
    except Refusal:
        return None
    return pk
