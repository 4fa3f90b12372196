"""The days follow every change of time in its transaction, can be made anew, and a difference is found."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from booking.models import CalendarAvailability, DayAvailability, Occupancy
from booking.services import availability, maintenance, reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.installed_guards import missing_guards
from config.kernel.time_range import TimeRange
from instruments.models import Site
from instruments.ports import calendar_changed
from instruments.services import opening_hours, registry
from instruments.services.registry import InstrumentFields, SiteFields, WeeklyWindow
from tests.booking.availability.building import ALWAYS, days_of, every_day, free_of, instrument_with, occupy, switch_off

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def xrd(cast):
    """The cast's instrument, open from 8:00 to 20:00 every day, with its days computed."""
    availability.rebuild([cast.xrd.calendar_id], cast.now)
    return cast.xrd


def on(instrument, day: date) -> DayAvailability:
    return DayAvailability.objects.get(calendar_id=instrument.calendar_id, local_on=day)


WEDNESDAY = date(2026, 11, 25)


def test_the_days_reach_from_today_to_the_horizon(xrd, settings):
    rows = days_of(xrd.calendar_id)
    assert len(rows) == settings.AVAILABILITY_DAYS
    assert rows[0].local_on == date(2026, 11, 23)
    assert {row.longest_free_minutes for row in rows} == {12 * 60}
    known = CalendarAvailability.objects.get(pk=xrd.calendar_id)
    assert (known.first_on, known.ends_on) == (date(2026, 11, 23), date(2026, 11, 23) + settings.AVAILABILITY_DAYS * DAY)


def test_a_reservation_takes_its_time_and_a_refusal_gives_it_back(xrd, cast, slot):
    request = ReservationRequest(xrd.pk, cast.firm.pk, slot(10, 12), "self_operated")
    reserved = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    day = on(xrd, WEDNESDAY)
    assert free_of(day) == [slot(8, 10), slot(12, 20)]
    assert (day.longest_free_minutes, day.first_free_at, day.free_until) == (480, slot(8, 10).starts_at, slot(12, 20).ends_at)
    transitions.reject(cast.actor("wang"), reserved.reservation_id, cast.now, "maintenance")
    assert free_of(on(xrd, WEDNESDAY)) == [slot(8, 20)]
    assert list(availability.verify()) == []


def test_a_request_that_does_not_block_takes_nothing_until_it_is_approved(xrd, cast, slot, programmes):
    xrd.policy = reservations.booking_context.InstrumentPolicy.objects.create(instrument=xrd, pending_blocks=False)
    request = ReservationRequest(xrd.pk, cast.firm.pk, slot(10, 12), "self_operated")
    reserved = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    assert free_of(on(xrd, WEDNESDAY)) == [slot(8, 20)]
    transitions.approve(cast.actor("wang"), reserved.reservation_id, cast.now)
    assert free_of(on(xrd, WEDNESDAY)) == [slot(8, 10), slot(12, 20)]
    transitions.cancel(cast.actor("lin"), reserved.reservation_id, cast.now)
    assert free_of(on(xrd, WEDNESDAY)) == [slot(8, 20)]


def test_maintenance_takes_time_on_every_day_that_it_touches(xrd, cast, slot):
    during = TimeRange(slot(18, 20).starts_at, slot(9, 10, day=2).starts_at)
    maintenance.block(cast.actor("wang"), xrd.pk, during, "pump", cast.now)
    assert [row.longest_free_minutes for row in days_of(xrd.calendar_id)[1:6]] == [720, 600, 0, 660, 720]
    assert list(availability.verify()) == []


def test_changes_that_are_undone_leave_the_days_as_they_were(xrd, cast, slot):
    with pytest.raises(RuntimeError), transaction.atomic():
        occupy(xrd.calendar_id, slot(9, 10))
        raise RuntimeError
    assert free_of(on(xrd, WEDNESDAY)) == [slot(8, 20)]


def test_time_over_midnight_is_seen_from_the_day_on_which_it_starts(cast, slot):
    lab = instrument_with(cast, [ALWAYS])
    availability.rebuild([lab.calendar_id], cast.now)
    occupy(lab.calendar_id, slot(6, 22))  # Wednesday: free until 6:00 and from 22:00
    occupy(lab.calendar_id, slot(5, 23, day=1))  # Thursday: free until 5:00 and from 23:00
    assert on(lab, WEDNESDAY).longest_free_minutes == 7 * 60
    assert on(lab, WEDNESDAY).free_until == slot(4, 5, day=1).ends_at
    row = occupy(lab.calendar_id, slot(1, 2, day=1))
    assert on(lab, WEDNESDAY).longest_free_minutes == 6 * 60  # from midnight to six
    assert on(lab, WEDNESDAY).continues_until == slot(0, 1, day=1).ends_at
    row.delete()
    assert on(lab, WEDNESDAY).longest_free_minutes == 7 * 60
    assert list(availability.verify()) == []


def test_several_rows_changed_by_one_statement_are_followed_together(xrd, cast, slot):
    other = instrument_with(cast, [every_day(datetime(2025, 1, 6, 9), datetime(2025, 1, 6, 17))])
    availability.rebuild([other.calendar_id], cast.now)
    for hour in (9, 12, 15):
        occupy(xrd.calendar_id, slot(hour, hour + 1), blocking=False)
        occupy(other.calendar_id, slot(hour, hour + 1), blocking=False)
    Occupancy.objects.update(blocking=True)
    assert free_of(on(xrd, WEDNESDAY)) == [slot(8, 9), slot(10, 12), slot(13, 15), slot(16, 20)]
    assert free_of(on(other, WEDNESDAY)) == [slot(10, 12), slot(13, 15), slot(16, 17)]
    Occupancy.objects.all().delete()
    assert list(availability.verify()) == []


# --- Opening hours ----------------------------------------------------------------------------------------------------
def test_new_opening_hours_and_closures_are_in_the_days_at_once(cast):
    manager, now = cast.actor("wang"), timezone.now()
    today = now.astimezone(timezone.get_default_timezone()).date()
    place = registry.create_site(manager, cast.lab.pk, SiteFields(name="Annex"), now)
    instrument = registry.create_instrument(manager, place.pk, InstrumentFields(name="SEM"), now)
    assert days_of(instrument.calendar_id) == []
    windows = [WeeklyWindow(weekday, time(9), time(17)) for weekday in range(7)]
    registry.set_weekly_hours(manager, instrument.pk, windows, today, now)
    assert {row.longest_free_minutes for row in days_of(instrument.calendar_id)} == {480}
    noon = datetime.combine(today + 2 * DAY, time(12))
    entry = registry.close_between(manager, instrument.pk, noon, noon + DAY, "floor", now)
    assert [row.longest_free_minutes for row in days_of(instrument.calendar_id)[1:5]] == [480, 180, 300, 480]
    opening_hours.remove_entry(manager, instrument.pk, entry, now)
    assert {row.longest_free_minutes for row in days_of(instrument.calendar_id)} == {480}
    assert list(availability.verify()) == []


def test_a_move_to_a_place_with_another_clock_moves_the_days(cast):
    manager, now = cast.actor("wang"), timezone.now()
    availability.rebuild([cast.xrd.calendar_id], now)
    far = registry.create_site(manager, cast.lab.pk, SiteFields(name="Kashgar", time_zone="Asia/Urumqi"), now)
    registry.update_instrument(manager, cast.xrd.pk, {"site_id": far.pk}, now)
    assert days_of(cast.xrd.calendar_id)[0].starts_at.hour == 18  # midnight there is two hours later
    assert list(availability.verify()) == []


def test_many_changes_at_once_are_left_to_the_worker_and_say_so(cast, monkeypatch):
    monkeypatch.setattr(availability, "AT_ONCE", 1)
    ids = [instrument_with(cast, [ALWAYS], f"SEM {number}").calendar_id for number in range(3)]
    calendar_changed(ids)
    assert set(CalendarAvailability.objects.filter(calculating_since__isnull=False).values_list("pk", flat=True)) == set(ids)
    assert ProcrastinateJob.objects.filter(task_name=availability.TASK).count() == 1
    assert not DayAvailability.objects.filter(calendar_id__in=ids).exists()
    assert list(availability.verify()) == []  # they say themselves that they are not up to date
    assert availability.calculate_waiting(cast.now) == 3
    assert CalendarAvailability.objects.filter(calculating_since__isnull=False).count() == 0
    assert {row.longest_free_minutes for row in DayAvailability.objects.filter(calendar_id__in=ids)} == {2880, 1440}


def test_a_calendar_that_belongs_to_nothing_does_not_keep_the_worker_busy(cast):
    loose = registry.schedule_store.create_calendar("loose")
    availability.mark_calculating([loose], cast.now)
    assert availability.calculate_waiting(cast.now) == 1
    assert not CalendarAvailability.objects.filter(pk=loose).exists()


# --- Making anew and comparing ----------------------------------------------------------------------------------------
def test_the_next_night_rolls_the_days_on(xrd, cast, slot, settings):
    occupy(xrd.calendar_id, slot(10, 12))
    assert availability.rebuild_all(cast.now + DAY) == 2  # one day goes, one comes
    rows = days_of(xrd.calendar_id)
    assert (rows[0].local_on, len(rows)) == (date(2026, 11, 24), settings.AVAILABILITY_DAYS)
    assert availability.rebuild_all(cast.now + DAY) == 0
    assert free_of(on(xrd, WEDNESDAY)) == [slot(8, 10), slot(12, 20)]


def test_with_the_trigger_off_the_difference_is_found_and_put_right(xrd, cast, slot):
    switch_off()
    assert any("availability_follows" in problem for problem in missing_guards())
    row = occupy(xrd.calendar_id, slot(10, 12))
    (found,) = availability.verify()
    assert (found.calendar_id, found.local_on) == (xrd.calendar_id, WEDNESDAY)
    with pytest.raises(CommandError, match="1 days differ"):
        call_command("availability", "verify", stdout=StringIO())
    out = StringIO()
    call_command("availability", "rebuild", calendar=[xrd.calendar_id], stdout=out)
    availability.rebuild([xrd.calendar_id], cast.now)
    assert list(availability.verify()) == []
    Occupancy.objects.filter(pk=row.pk).update(blocking=False)
    assert len(list(availability.verify())) == 1
    availability.rebuild([xrd.calendar_id], cast.now)
    row.delete()
    assert list(availability.verify()) == []


@pytest.mark.parametrize("harm", ["DELETE FROM booking_dayavailability WHERE local_on = '2026-11-25'",
                                  "UPDATE booking_dayavailability SET free = '{}' WHERE local_on = '2026-11-25'",
                                  "UPDATE booking_dayavailability SET opening = '{}' WHERE local_on = '2026-11-25'"])  # fmt: skip
def test_a_row_that_somebody_harmed_is_found(xrd, harm):
    with connection.cursor() as cursor:
        cursor.execute(harm)
    assert [found.local_on for found in availability.verify([xrd.calendar_id])] == [WEDNESDAY]


def test_closures_stored_behind_its_back_are_found(xrd, cast, monkeypatch):
    monkeypatch.setattr("instruments.ports._calendar_listeners", [])
    registry.schedule_store.add_closure(
        xrd.calendar_id, cast.site.time_zone, datetime(2026, 11, 25, 9), datetime(2026, 11, 25, 11)
    )
    assert [found.local_on for found in availability.verify()] == [WEDNESDAY]


def test_another_clock_at_the_site_is_found(xrd, cast):
    Site.objects.filter(pk=cast.site.pk).update(time_zone="Asia/Urumqi")
    assert len(list(availability.verify())) == len(days_of(xrd.calendar_id))


def test_the_command_verifies_quietly_what_is_right(xrd):
    out = StringIO()
    call_command("availability", "verify", stdout=out)
    assert "every day is what its calendar says" in out.getvalue()
