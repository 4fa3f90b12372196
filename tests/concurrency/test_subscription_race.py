"""A followed calendar is read while people book the same hours: one of the two has each minute, whoever comes first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from booking.models import CalendarSubscription, Occupancy, Reservation
from booking.services import reservations, subscription_refresh, subscriptions
from booking.services.reservations import ReservationRequest
from instruments.rules.ics_reading import read_ics
from instruments.services import ics_reader, schedule_store
from tests.concurrency.harness import at_once, overlapping_pairs, sql_run, tally, violations
from tests.instruments.calendars.ics import calendar, timed
from tests.kernel.services.neighbour import neighbour, says

HOURS = 8


@pytest.fixture(autouse=True)
def _reading(monkeypatch):
    monkeypatch.setattr(ics_reader, "read", read_ics)


def file_for(world) -> bytes:
    """An event in every hour that somebody else wants."""
    slots = [world.slot(9 + place, 1) for place in range(HOURS)]
    shape = "%Y%m%dT%H%M%SZ"
    return calendar(
        *[timed(f"{one.starts_at:{shape}}", f"{one.ends_at:{shape}}", uid=str(place)) for place, one in enumerate(slots)]
    )


def follow(world, server, settings) -> CalendarSubscription:
    settings.OUTBOUND_ALLOW = frozenset({("127.0.0.1", server.port)})
    return subscriptions.subscribe(world.manager(0), world.instruments[0].pk, server.url(), "Lab", world.cast.now)


def calls(world, subscription) -> list[Any]:
    """One reading of the calendar, and a booking of each of its hours."""

    def book(place: int) -> Any:
        request = ReservationRequest(world.instruments[0].pk, world.firms[place].pk, world.slot(9 + place, 1), "self_operated")
        return reservations.reserve(world.person(place), request, world.cast.now, idempotency_key=f"r{place}")

    readings = [lambda: subscription_refresh.refresh(subscription.pk, world.cast.now)]
    return [*[lambda place=place: book(place) for place in range(HOURS // 2)], *readings,
            *[lambda place=place: book(place) for place in range(HOURS // 2, HOURS)]]  # fmt: skip


def test_each_hour_goes_to_the_booking_or_to_the_calendar_and_never_to_both(committed_db, world, settings):
    with neighbour(says(file_for(world))) as server:
        subscription = follow(world, server, settings)
        outcomes = tally(at_once(calls(world, subscription)))
    assert set(outcomes) <= {"ok", "booking.just_taken", "booking.just_taken_none_left"}
    assert overlapping_pairs() == 0 and violations() == {}
    booked = Reservation.objects.count()
    blocked = Occupancy.objects.filter(source="subscribed", blocking=True)
    assert booked + outcomes["booking.just_taken"] + outcomes["booking.just_taken_none_left"] == HOURS
    hours = sum((one.during.upper - one.during.lower for one in blocked), timedelta())
    assert hours == timedelta(hours=HOURS - booked)
    assert len(subscription_refresh.conflicts(world.instruments[0].calendar_id, world.cast.now)) == booked


def test_two_readings_at_once_write_everything_once(committed_db, world, settings):
    with neighbour(says(file_for(world))) as server:
        subscription = follow(world, server, settings)
        outcomes = tally(at_once([lambda: subscription_refresh.refresh(subscription.pk, world.cast.now)] * 4))
    assert outcomes == {"ok": 4}
    assert Occupancy.objects.filter(source="subscribed").count() == subscription.events.count() == HOURS


def test_without_lock_and_guard_the_race_books_twice(committed_db, world, settings, monkeypatch):
    """Negative control: the reading looks, a booking comes, the reading writes what it saw to be free."""
    sql_run("ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap")
    monkeypatch.setattr(schedule_store, "lock_calendars", lambda calendars: None)
    really = subscription_refresh.free_pieces

    def look_and_wait(events: Any, taken: Any) -> Any:
        pieces = really(events, taken)
        at_once(calls(world, subscription)[: HOURS // 2])
        return pieces

    with neighbour(says(file_for(world))) as server:
        subscription = follow(world, server, settings)
        monkeypatch.setattr(subscription_refresh, "free_pieces", look_and_wait)
        subscription_refresh.refresh(subscription.pk, world.cast.now)
    assert overlapping_pairs() > 0
