"""*keep*: what the triggers of the occupancies cost a reservation, those of the read model and the one that holds a booking on its
instrument's calendar: the same service with them on and off, in turns; and the same on a calendar that two instruments share. The days are
measured in each synthetic country too (``in_a_country``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from django.db import connection
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from booking.models import Occupancy
from booking.services import availability, calendar_sharing, reservations
from booking.services.reservations import ReservationRequest
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange
from instruments.models import CalendarEntry, Instrument, Membership
from instruments.queries import actor_for
from tests.bench.harness import NOW, Figure, hours_from_now, seconds_for, silent_garbage
from tests.bench.stage import Stage, add_instrument

TURNS, IN_A_TURN, WARM = 16, 25, 30
DAYS, OWN_CALENDAR = "%availability%", "%on_own_calendar%"


def figures(stage: Stage) -> list[Figure]:
    """Mean time of one reserve on an instrument that is always open: each changes a day's row, and the one before where it must."""
    instrument = stage.instruments[-1]
    availability.rebuild([instrument.calendar_id], NOW)
    reserve = _on_stage(stage, instrument)
    return [
        _compared("reserve, days kept", reserve, reserve, DAYS, "the same, triggers off"),
        _compared("reserve, held on its calendar", reserve, reserve, OWN_CALENDAR, "the same, trigger off"),
        _on_a_shared_one(stage),
    ]


def in_a_country(instruments: int) -> Figure:
    """The same in the current database, which holds a country, on an instrument of it that is always open and that nobody has booked."""
    now = timezone.now()
    membership = Membership.objects.select_related("user").get(user__email="nation@jishi.example")
    instrument = _never_booked(now)
    name = f"reserve, days kept, {instruments:,} instruments"
    slots = hours_from_now(now.replace(minute=0, second=0, microsecond=0))
    reserve = _reserving(actor_for(membership.user), membership.organisation_id, instrument, slots, now)
    return _compared(name, reserve, reserve, DAYS, "the same, triggers off")


def _never_booked(now: datetime) -> Instrument:
    always_open = CalendarEntry.objects.filter(event__end=F("event__start") + timedelta(days=1)).values("calendar_id")
    booked = Occupancy.objects.filter(calendar=OuterRef("calendar"), during__overlap=(now, None))
    found = Instrument.objects.filter(
        calendar_id__in=always_open,
        status="normal",
        training_needed=False,
        policy__approval_required=True,
        policy__horizon_days=60,
    )
    return found.filter(~Exists(booked)).latest("pk")


def _on_a_shared_one(stage: Stage) -> Figure:
    """Two more instruments on one calendar, against one that has its own; both as new as the other."""
    wang, lab, many = stage.cast.actor("wang"), stage.cast.lab, len(stage.instruments)
    alone, first, second = (add_instrument(stage.cast, many + 100 + place, lab) for place in range(3))
    calendar_sharing.share(wang, second.pk, first.pk, NOW)
    second.refresh_from_db()
    availability.rebuild([alone.calendar_id, second.calendar_id], NOW)
    shared, own = _on_stage(stage, second), _on_stage(stage, alone)
    return _compared("reserve on a shared calendar", shared, own, "", "the same, one of its own")


def _on_stage(stage: Stage, instrument: Instrument) -> Callable[[str], None]:
    return _reserving(stage.cast.actor("lin"), stage.cast.firm.pk, instrument, hours_from_now(), NOW)


def _reserving(
    actor: Actor, customer_id: int, instrument: Instrument, slots: Iterator[tuple[datetime, datetime]], now: datetime
) -> Callable[[str], None]:
    """A call that books the next of the slots."""

    def reserve(key: str) -> None:
        request = ReservationRequest(instrument.pk, customer_id, TimeRange(*next(slots)), "self_operated", "bench")
        reservations.reserve(actor, request, now, idempotency_key=f"{instrument.pk} {key}")

    return reserve


def _compared(name: str, measured: Callable[[str], None], base: Callable[[str], None], triggers: str, baseline_is: str) -> Figure:
    """Both in turns, so that a busy moment of the machine falls on both; ``triggers`` (a LIKE pattern) are off for the base."""
    for number in range(WARM):
        measured(f"{name} warm {number}")
        base(f"{name} base warm {number}")
    took = without = 0.0
    with silent_garbage():
        for turn in range(TURNS):
            took += seconds_for(partial(_turn, measured, f"{name} {turn}"))
            _switch("DISABLE", triggers)
            without += seconds_for(partial(_turn, base, f"{name} base {turn}"))
            _switch("ENABLE", triggers)
    count = TURNS * IN_A_TURN
    took_ms, without_ms = took / count * 1000, without / count * 1000
    return Figure(name, took_ms, "ms", "<= 1.15x", took_ms <= 1.15 * without_ms, without_ms, baseline_is)


def _turn(reserve: Callable[[str], None], key: str) -> None:
    for number in range(IN_A_TURN):
        reserve(f"{key} {number}")


def _switch(how: str, triggers: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'booking_occupancy'::regclass AND tgname LIKE %s", [triggers]
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE booking_occupancy {how} TRIGGER "{name}"')
