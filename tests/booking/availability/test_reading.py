"""What cards and facets ask of the read model."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.models import Downtime
from booking.queries.availability import Wish, bookable_within, calculating, free_within, next_free
from booking.services import availability
from instruments.models import CatalogueEntry, Instrument
from instruments.services import catalogue
from tests.booking.availability.building import ALWAYS, instrument_with, occupy

pytestmark = pytest.mark.django_db


def test_the_next_free_time_of_many_wishes_is_one_query(cast, slot):
    night = instrument_with(cast, [ALWAYS])
    never = instrument_with(cast, [], "Never open")
    availability.rebuild([cast.xrd.calendar_id, night.calendar_id, never.calendar_id], cast.now)

    def found(minutes, since=cast.now):
        calendars = {1: cast.xrd.calendar_id, 2: night.calendar_id, 3: never.calendar_id}
        return next_free({key: Wish(pk, minutes, since) for key, pk in calendars.items()})

    assert found(60) == {1: cast.now, 2: cast.now}
    assert found(60, slot(7, 8).starts_at) == {1: slot(8, 9).starts_at, 2: slot(7, 8).starts_at}
    occupy(cast.xrd.calendar_id, slot(8, 19, day=-2))  # Monday, until 19:00
    occupy(night.calendar_id, slot(0, 23, day=-2))
    with CaptureQueriesContext(connection) as queries:
        assert found(120) == {1: slot(8, 9, day=-1).starts_at, 2: slot(23, 24, day=-2).starts_at}
    assert len(queries) == 1
    assert found(13 * 60) == {2: slot(23, 24, day=-2).starts_at}


def test_instruments_can_be_cut_down_to_those_free_within_some_days(cast, slot):
    availability.rebuild([cast.xrd.calendar_id], cast.now)
    occupy(cast.xrd.calendar_id, slot(8, 20, day=-2))
    occupy(cast.xrd.calendar_id, slot(8, 20, day=-1))

    def found(days: int, minutes: int = 60) -> bool:
        return Instrument.objects.filter(free_within(days, cast.now, minutes)).exists()

    assert [found(days) for days in (1, 2, 3)] == [False, False, True]
    assert not found(30, 13 * 60)
    later = free_within(3, cast.now, 60, after_days=2)
    assert Instrument.objects.filter(later).exists()
    occupy(cast.xrd.calendar_id, slot(8, 20, day=0))
    assert not Instrument.objects.filter(later).exists()  # what is free on the day after does not count
    evening = cast.now + timedelta(days=2, hours=10, minutes=30)  # Wednesday 19:30
    assert not Instrument.objects.filter(free_within(1, evening, 60)).exists()


def test_what_does_not_run_has_no_next_time_until_it_comes_back(cast, slot):
    availability.rebuild([cast.xrd.calendar_id], cast.now)
    entries = CatalogueEntry.objects.filter(instrument=cast.xrd)

    def found() -> bool:
        return entries.filter(bookable_within(7, cast.now)).exists()

    assert found()
    cast.xrd.status = "under_repair"
    cast.xrd.save()
    catalogue.refresh_instruments([cast.xrd.pk], cast.now)
    assert not found()
    assert entries.filter(free_within(7, cast.now)).exists()  # its calendar alone says nothing
    during = slot(8, 20, day=-2)
    Downtime.objects.create(
        instrument=cast.xrd,
        kind="breakdown",
        starts_at=during.starts_at,
        ends_at=during.ends_at,
        status_before="normal",
        made_by=cast.users["wang"],
        made_at=cast.now,
    )
    assert found()


def test_the_keys_index_answers_from_when_something_is_free_without_the_rows():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef('booking_dayavailability_pkey'::regclass)")
        (definition,) = cursor.fetchone()
    assert definition.endswith(
        "(calendar_id, local_on) INCLUDE (longest_free_minutes, free_until, first_free_at, starts_at, ends_at)"
    )


def test_calendars_that_are_being_calculated_are_named(cast):
    availability.rebuild([cast.xrd.calendar_id], cast.now)
    assert calculating([cast.xrd.calendar_id]) == set()
    availability.mark_calculating([cast.xrd.calendar_id], cast.now)
    assert calculating([cast.xrd.calendar_id]) == {cast.xrd.calendar_id}
