"""*keep*: what the read model costs a reservation: the same service with its triggers on and off, in turns."""

from __future__ import annotations

from django.db import connection

from booking.services import availability, reservations
from booking.services.reservations import ReservationRequest
from config.kernel.time_range import TimeRange
from tests.bench.harness import NOW, Figure, hours_from_now, seconds_for, silent_garbage
from tests.bench.stage import Stage

TURNS, IN_A_TURN = 16, 25


def figures(stage: Stage) -> list[Figure]:
    """Mean time of one reserve on an instrument that is always open: each changes a day's row, and the one before where it must."""
    instrument = stage.instruments[-1]
    availability.rebuild([instrument.calendar_id], NOW)
    actor, slots = stage.cast.actor("lin"), hours_from_now()

    def reserve(key: str) -> None:
        request = ReservationRequest(instrument.pk, stage.cast.firm.pk, TimeRange(*next(slots)), "self_operated", "bench")
        reservations.reserve(actor, request, NOW, idempotency_key=key)

    for number in range(30):
        reserve(f"keep-warm-{number}")
    kept = without = 0.0
    with silent_garbage():
        for turn in range(TURNS):
            kept += seconds_for(lambda turn=turn: [reserve(f"keep-on-{turn}-{n}") for n in range(IN_A_TURN)])  # type: ignore[misc]
            _switch("DISABLE")
            without += seconds_for(lambda turn=turn: [reserve(f"keep-off-{turn}-{n}") for n in range(IN_A_TURN)])  # type: ignore[misc]
            _switch("ENABLE")
    count = TURNS * IN_A_TURN
    with_ms, without_ms = kept / count * 1000, without / count * 1000
    return [
        Figure(
            "reserve, days kept", with_ms, "ms", "<= 1.15x", with_ms <= 1.15 * without_ms, without_ms, "the same, triggers off"
        ),
    ]


def _switch(how: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'booking_occupancy'::regclass AND tgname LIKE '%availability%'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE booking_occupancy {how} TRIGGER "{name}"')
