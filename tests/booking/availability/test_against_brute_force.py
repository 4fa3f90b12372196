"""The days after any sequence of changes, against an oracle that walks through every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.range import TimestamptzRange

from booking.models import Occupancy
from booking.services import availability
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Site
from instruments.rules.opening import CalendarEntry, CalendarRules, EntryKind, HolidayRule, Season
from instruments.rules.recurrence import Recurrence
from instruments.services import schedule_store
from tests.booking.availability.building import days_of, free_of, instrument_with, occupy
from tests.instruments.rules.layer_strategies import PLACES, entries_near, holiday_rules
from tests.instruments.rules.minute_by_minute import AUDIENCES, DAY, DAYS, MINUTE, Clock, as_minutes, clock_of, open_minutes

pytestmark = pytest.mark.django_db

QUARTER = timedelta(minutes=15)


change_of_time = st.tuples(
    st.sampled_from(["take", "take", "take", "give", "toggle", "move"]),
    st.integers(0, 3 * 24 * 4),
    st.integers(1, 130),
    st.booleans(),
    st.integers(0, 9),
)
changes_of_time = st.lists(change_of_time, max_size=12)


@st.composite
def plain_calendars(draw: st.DrawFn):
    """A place at which clocks may change, and openings and closures around that day."""
    zone, day = draw(st.sampled_from(DAYS))
    entries = []
    for _ in range(draw(st.integers(1, 4))):
        starts = datetime.combine(day - draw(st.sampled_from([0, 1, 2, 7])) * DAY, time.min) + draw(st.integers(0, 95)) * QUARTER
        length = draw(st.integers(1, 192)) * QUARTER
        repeat = draw(st.sampled_from([None, Recurrence("daily"), Recurrence("weekly", weekdays=(0, 2, 3, 6))]))
        kind = draw(st.sampled_from([EntryKind.OPENING, EntryKind.OPENING, EntryKind.CLOSURE]))
        entries.append(CalendarEntry(kind, starts, starts + length, repeat))
    return zone, day, CalendarRules(tuple(entries))


@st.composite
def layered_calendars(draw: st.DrawFn):
    """The same with seasons, hours for some, restrictions, holidays, make-up workdays, priorities, moved and cancelled occurrences."""
    zone, day = draw(st.sampled_from(PLACES))
    entries = draw(st.lists(entries_near(day), min_size=1, max_size=5))
    return zone, day, CalendarRules(tuple(entries), draw(holiday_rules))


def apply_change(calendar_id: int, first: datetime, change: tuple) -> None:
    what, start, length, blocking, which = change
    during = TimeRange(first + start * QUARTER, first + (start + length) * QUARTER)
    rows = list(Occupancy.objects.filter(calendar_id=calendar_id).order_by("pk"))
    try:
        with transaction.atomic():
            if what == "take":
                occupy(calendar_id, during, blocking=blocking or start % 3 > 0)
            elif rows:
                row = rows[which % len(rows)]
                if what == "give":
                    row.delete()
                elif what == "toggle":
                    Occupancy.objects.filter(pk=row.pk).update(blocking=not row.blocking)
                else:
                    Occupancy.objects.filter(pk=row.pk).update(during=TimestamptzRange(during.starts_at, during.ends_at))
    except IntegrityError:  # somebody has the time
        pass


def longest_run(free: set[datetime], day: TimeRange, until: datetime) -> int:
    """The longest run of free minutes that starts on the day (or with it) and ends by ``until``."""
    longest = 0
    for minute in free:
        if day.starts_at <= minute < day.ends_at and (minute == day.starts_at or minute - MINUTE not in free):
            end = minute
            while end in free and end < until:
                end += MINUTE
            longest = max(longest, int((end - minute) / MINUTE))
    return longest


@given(plain_calendars(), changes_of_time)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_stored_day_is_what_walking_through_its_minutes_gives(cast, settings, calendar, changes):
    check(cast, settings, calendar, changes)


@given(layered_calendars(), changes_of_time)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_so_it_is_with_all_layers_for_whoever_they_are_open(cast, settings, calendar, changes):
    check(cast, settings, calendar, changes)


def check(cast: Any, settings: Any, calendar: tuple[ZoneInfo, date, CalendarRules], changes: list[tuple]) -> None:
    """Store the calendar, change what is taken before and after its days are computed, and compare them with the minutes."""
    settings.AVAILABILITY_DAYS = 4
    zone, day, rules = calendar
    with transaction.atomic():
        Site.objects.filter(pk=cast.site.pk).update(time_zone=zone.key)
        cast.site.time_zone = zone.key
        try:
            instrument = instrument_with(cast, rules.entries)
        except Refusal:  # a time that the zone's clock never shows cannot be stored
            transaction.set_rollback(True)
            return
        schedule_store.set_holidays(instrument.calendar_id, rules.holidays)
        first = datetime.combine(day - DAY, time(12), tzinfo=UTC)
        half = len(changes) // 2
        for change in changes[:half]:
            apply_change(instrument.calendar_id, first - 12 * 4 * QUARTER, change)
        availability.rebuild([instrument.calendar_id], first)
        for change in changes[half:]:
            apply_change(instrument.calendar_id, first - 12 * 4 * QUARTER, change)
        assert list(availability.verify([instrument.calendar_id])) == []
        check_days(instrument, clock_of(zone, day), rules)
        transaction.set_rollback(True)


def check_days(instrument: Instrument, clock: Clock, rules: CalendarRules) -> None:
    rows = days_of(instrument.calendar_id)
    assert len(rows) == 4
    window = TimeRange(rows[0].starts_at, rows[2].ends_at)
    taken: set[datetime] = set()
    for row in Occupancy.objects.filter(calendar_id=instrument.calendar_id, blocking=True):
        taken |= as_minutes([TimeRange(row.during.lower, row.during.upper)])
    free = open_to_anybody(rules, clock, window) - taken
    for row, after in pairwise(rows[:3]):
        bounds = TimeRange(row.starts_at, row.ends_at)
        own = {minute for minute in free if bounds.starts_at <= minute < bounds.ends_at}
        assert as_minutes(free_of(row)) == own
        assert row.longest_free_minutes == longest_run(free, bounds, after.ends_at)
        assert row.first_free_at == (min(own) if own else None)


def open_to_anybody(rules: CalendarRules, clock: Clock, window: TimeRange) -> set[datetime]:
    """The minutes at which at least one audience finds it open."""
    asked = AUDIENCES if any(entry.audiences for entry in rules.entries) else (None,)
    return set().union(*(open_minutes(rules, clock, window, each) for each in asked))


def test_the_days_are_for_anybody_in_season_and_closed_on_holidays(cast, settings):
    """A week of the National Day by hand: what each layer does to the stored days."""
    settings.AVAILABILITY_DAYS = 4
    first = datetime(2026, 9, 28, 22, tzinfo=UTC)  # 29 September in Xining
    firms = CalendarEntry(
        EntryKind.OPENING, datetime(2026, 9, 1, 18), datetime(2026, 9, 1, 20), Recurrence("daily"), priority=6,
        audiences=frozenset({"firm"}),
    )  # fmt: skip
    autumn = CalendarEntry(
        EntryKind.OPENING, datetime(2026, 9, 30, 8), datetime(2026, 9, 30, 10), Recurrence("daily"), priority=8,
        season=Season("Autumn", date(2026, 9, 30), date(2026, 10, 31)),
    )  # fmt: skip
    base = CalendarEntry(EntryKind.OPENING, datetime(2026, 9, 1, 9), datetime(2026, 9, 1, 17), Recurrence("daily"))
    instrument = instrument_with(cast, [base, autumn, firms])
    schedule_store.set_holidays(instrument.calendar_id, HolidayRule(closed=True))
    availability.rebuild([instrument.calendar_id], first)
    zone = ZoneInfo("Asia/Shanghai")
    hours = [
        [(each.starts_at.astimezone(zone).hour, each.ends_at.astimezone(zone).hour) for each in free_of(row)]
        for row in days_of(instrument.calendar_id)
    ]
    assert hours == [[(9, 17), (18, 20)], [(8, 10), (18, 20)], [], []]


def test_a_day_of_a_calendar_that_is_never_open_is_not_stored(cast):
    instrument = instrument_with(cast, [])
    availability.rebuild([instrument.calendar_id], cast.now)
    assert days_of(instrument.calendar_id) == []
    assert list(availability.verify()) == []
    assert schedule_store.stored_entries_by_calendar([instrument.calendar_id]) == {instrument.calendar_id: ()}
