"""What is stored through django-scheduler comes back as it was said, in wall time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schedule.models import Rule

from config.kernel.errors import NotFound, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import CalendarEntry as EntryRow
from instruments.rules.audience import Audience
from instruments.rules.opening import (
    CalendarEntry,
    CalendarRules,
    EntryKind,
    HolidayRule,
    MovedOccurrence,
    Season,
    open_ranges,
)
from instruments.rules.recurrence import NTHS, Recurrence
from instruments.rules.wall_time import end_instant, instants_showing, start_instant
from instruments.services import schedule_store as store
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

ZONES = ["Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Nuuk", "Asia/Kathmandu", "UTC"]
WEEKDAYS = Recurrence("weekly", weekdays=(0, 1, 2, 3, 4))
wall = datetime.fromisoformat  # times without a zone
NINE, FIVE = wall("2026-11-23T09:00"), wall("2026-11-23T17:00")

days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
walls = st.builds(
    lambda day, minute: datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute), days, st.integers(0, 1439)
)
lengths = st.integers(1, 3 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
recurrences = st.one_of(
    st.none(),
    st.builds(
        Recurrence,
        st.sampled_from(["daily", "weekly"]),
        st.integers(1, 4),
        st.lists(st.integers(0, 6), max_size=7).map(tuple),
        until=st.one_of(st.none(), days),
    ),
    st.builds(
        Recurrence, st.sampled_from(["daily", "weekly", "monthly", "yearly"]), st.integers(1, 4), count=st.integers(1, 500)
    ),
    st.builds(lambda nth, weekday: Recurrence("monthly", weekdays=(weekday,), nth=nth), st.sampled_from(NTHS), st.integers(0, 6)),
    st.builds(lambda day: Recurrence("monthly", month_days=(day, -1)), st.integers(1, 31)),
)
seasons = st.none() | st.builds(lambda day, length: Season("Summer", day, day + timedelta(days=length)), days, st.integers(0, 90))
moves = st.builds(lambda day, start, length: MovedOccurrence(day, start, start + length), days, walls, lengths)


@st.composite
def entries(draw: st.DrawFn) -> CalendarEntry:
    starts, kind = draw(walls), draw(st.sampled_from(EntryKind))
    moved = {one.original_on: one for one in draw(st.lists(moves, max_size=3))}
    cancelled = frozenset(draw(st.lists(days, max_size=3))) - set(moved)
    return CalendarEntry(
        kind,
        starts,
        starts + draw(lengths),
        draw(recurrences),
        cancelled,
        tuple(moved[day] for day in sorted(moved)),
        draw(st.integers(1, 9)),
        frozenset(draw(st.sets(st.sampled_from(Audience)))),
        draw(seasons) if kind is EntryKind.OPENING else None,
        draw(st.sampled_from(["", "annual service"])),
    )


def _shown(entry: CalendarEntry, zone: ZoneInfo) -> bool:
    """Whether the zone's clock shows every stored wall time, and shows the end after the start."""
    windows = [(entry.starts_local, entry.ends_local), *((one.starts_local, one.ends_local) for one in entry.moved)]
    return all(
        instants_showing(start, zone) and instants_showing(end, zone) and start_instant(start, zone) < end_instant(end, zone)
        for start, end in windows
    )


@given(entry=entries(), zone_name=st.sampled_from(ZONES))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_entry_comes_back_as_it_was_stored(entry: CalendarEntry, zone_name: str) -> None:
    calendar_id = store.create_calendar("round trip")
    try:
        entry_id = store.add_entry(calendar_id, zone_name, entry)
    except Refusal as refusal:
        assert refusal.reasons[0].code == "calendar.no_such_wall_time"
        assert not _shown(entry, ZoneInfo(zone_name))
        return
    stored = store.stored_entries_by_calendar([calendar_id])[calendar_id]
    assert stored == (store.StoredEntry(entry_id, zone_name, entry),)


def test_a_wall_time_that_the_clock_skips_is_refused_and_not_shifted() -> None:
    calendar_id = store.create_calendar("gap")
    skipped = wall("2026-03-29T01:30")
    with pytest.raises(Refusal) as refused:
        store.add_opening(calendar_id, "Europe/London", skipped, skipped + timedelta(hours=4))
    assert refused.value.reasons[0].code == "calendar.no_such_wall_time"
    store.add_opening(calendar_id, "Asia/Shanghai", skipped, skipped + timedelta(hours=4))


def test_nine_o_clock_stays_nine_o_clock_through_a_clock_change() -> None:
    calendar_id = store.create_calendar("weekdays")
    store.add_opening(calendar_id, "Europe/London", wall("2026-03-23T09:00"), wall("2026-03-23T17:00"), WEEKDAYS)
    zone = ZoneInfo("Europe/London")
    window = TimeRange(datetime(2026, 3, 27, tzinfo=zone), datetime(2026, 3, 31, tzinfo=zone))
    found = open_ranges(store.rules_by_calendar([calendar_id])[calendar_id], zone, window)
    assert [f"{one.starts_at:%d %H}" for one in found] == ["27 09", "30 08"]


def test_a_rule_is_stored_once_and_shared() -> None:
    before = Rule.objects.count()
    for name in ("a", "b", "c"):
        store.add_opening(store.create_calendar(name), "Asia/Shanghai", NINE, FIVE, WEEKDAYS)
    assert Rule.objects.count() == before + 1


def test_calendars_may_have_the_same_name() -> None:
    assert len(set(store.create_calendars(["SEM", "SEM", ""]))) == 3


def test_all_entries_of_many_calendars_are_read_with_one_query() -> None:
    calendars = store.create_calendars([f"c{i}" for i in range(20)])
    for calendar_id in calendars[:-1]:
        entry_id = store.add_opening(calendar_id, "Asia/Shanghai", NINE, FIVE, WEEKDAYS)
        store.cancel_occurrence(calendar_id, entry_id, date(2026, 11, 25))
        store.add_closure(calendar_id, "Asia/Shanghai", NINE, FIVE, reason="power cut")
        store.set_holidays(calendar_id, HolidayRule(closed=True))
    with CaptureQueriesContext(connection) as queries:
        found = store.rules_by_calendar(calendars)
    assert len(queries) == 1
    assert [len(found[calendar_id].entries) for calendar_id in calendars] == [2] * 19 + [0]
    assert [found[calendar_id].holidays.closed for calendar_id in calendars] == [True] * 19 + [False]


def test_one_occurrence_can_be_cancelled_moved_and_restored() -> None:
    calendar_id = store.create_calendar("exceptions")
    entry_id = store.add_opening(calendar_id, "Asia/Shanghai", NINE, FIVE, WEEKDAYS)
    day = date(2026, 11, 25)
    moved = MovedOccurrence(day, wall("2026-11-28T08:00"), wall("2026-11-28T12:00"))

    store.cancel_occurrence(calendar_id, entry_id, day)
    assert store.rules_by_calendar([calendar_id])[calendar_id].entries[0].cancelled == {day}
    store.move_occurrence(calendar_id, entry_id, moved)
    (entry,) = store.rules_by_calendar([calendar_id])[calendar_id].entries
    assert (entry.cancelled, entry.moved) == (frozenset(), (moved,))
    store.restore_occurrence(calendar_id, entry_id, day)
    (entry,) = store.rules_by_calendar([calendar_id])[calendar_id].entries
    assert (entry.cancelled, entry.moved) == (frozenset(), ())


def test_a_removed_entry_counts_for_nothing_until_it_is_brought_back_whole() -> None:
    mine, other = store.create_calendars(["mine", "other"])
    entry_id = store.add_opening(mine, "Asia/Shanghai", NINE, FIVE, WEEKDAYS)
    store.cancel_occurrence(mine, entry_id, date(2026, 11, 25))
    rules = store.rules_by_calendar([mine])
    with pytest.raises(NotFound):
        store.remove_entry(other, entry_id, NOW)
    store.remove_entry(mine, entry_id, NOW)
    assert store.rules_by_calendar([mine]) == {mine: CalendarRules()}
    assert not EntryRow.objects.filter(calendar_id=mine).exists()
    stored = store.stored_calendars([mine], removed_since=NOW)[mine]
    assert (stored.entries, [one.id for one in stored.removed]) == ((), [entry_id])
    assert store.stored_calendars([mine], removed_since=NOW + timedelta(seconds=1))[mine].removed == ()
    with pytest.raises(NotFound):
        store.remove_entry(mine, entry_id, NOW)
    store.bring_back_entry(mine, entry_id)
    assert store.rules_by_calendar([mine]) == rules
    for calendar_id in (mine, other):
        with pytest.raises(NotFound):
            store.bring_back_entry(calendar_id, entry_id)


def test_how_holidays_are_taken_is_kept_once_for_each_calendar() -> None:
    calendar_id = store.create_calendar("holidays")
    for rule in (HolidayRule(closed=True, makeup_weekday=0), HolidayRule(makeup_weekday=4), HolidayRule(closed=True)):
        store.set_holidays(calendar_id, rule)
        assert store.rules_by_calendar([calendar_id])[calendar_id].holidays == rule


@pytest.mark.parametrize(
    "values",
    [
        {"priority": 0},
        {"priority": 10},
        {"season_name": "Summer"},
        {"season_name": "Summer", "season_first_on": date(2026, 7, 2), "season_last_on": date(2026, 7, 1)},
        {"kind": "closure", "season_name": "S", "season_first_on": date(2026, 7, 1), "season_last_on": date(2026, 7, 2)},
    ],
)
def test_the_database_refuses_layers_that_mean_nothing(values: dict[str, Any]) -> None:
    calendar_id = store.create_calendar("guarded")
    entry_id = store.add_opening(calendar_id, "Asia/Shanghai", NINE, FIVE)
    with pytest.raises(IntegrityError), transaction.atomic():
        EntryRow.objects.filter(pk=entry_id).update(**values)
