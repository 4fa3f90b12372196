"""Who keeps something derived from a calendar hears of every change of it, in the same transaction and once for each service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection

from instruments import ports
from instruments.rules.opening import HolidayRule, MovedOccurrence
from instruments.rules.recurrence import Recurrence
from instruments.services import registry
from instruments.services import schedule_store as store
from instruments.services.registry import WeeklyWindow
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MONDAY_NINE = datetime.fromisoformat("2026-11-23T09:00")  # a wall time


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[int]]]:
    calls: list[list[int]] = []

    def listener(calendar_ids: Sequence[int]) -> None:
        assert connection.in_atomic_block
        calls.append(list(calendar_ids))

    monkeypatch.setattr(ports, "_calendar_listeners", [])
    ports.register_calendar_listener(listener)
    ports.register_calendar_listener(listener)
    yield calls


def daily(calendar_id: int) -> int:
    return store.add_opening(
        calendar_id, "Asia/Shanghai", MONDAY_NINE, MONDAY_NINE + timedelta(hours=8), Recurrence(frequency="daily")
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda calendar, entry: daily(calendar),
        lambda calendar, entry: store.add_closure(calendar, "Asia/Shanghai", MONDAY_NINE, MONDAY_NINE + timedelta(hours=1)),
        lambda calendar, entry: store.remove_entry(calendar, entry, NOW),
        lambda calendar, entry: store.set_holidays(calendar, HolidayRule(closed=True)),
        lambda calendar, entry: store.end_entry(calendar, entry, date(2026, 12, 1)),
        lambda calendar, entry: store.end_entry(calendar, entry, date(2026, 11, 1)),
        lambda calendar, entry: store.cancel_occurrence(calendar, entry, date(2026, 11, 24)),
        lambda calendar, entry: store.restore_occurrence(calendar, entry, date(2026, 11, 24)),
        lambda calendar, entry: store.move_occurrence(
            calendar,
            entry,
            MovedOccurrence(date(2026, 11, 24), MONDAY_NINE + timedelta(days=9), MONDAY_NINE + timedelta(days=9, hours=1)),
        ),
    ],
)
def test_every_change_of_a_stored_entry_is_told(heard: list[list[int]], change: Callable[[int, int], object]) -> None:
    calendar = store.create_calendar("XRD")
    entry = daily(calendar)
    heard.clear()
    change(calendar, entry)
    assert heard == [[calendar]]


def test_reading_and_renaming_tell_nothing(heard: list[list[int]]) -> None:
    calendar = store.create_calendar("XRD")
    store.rename_calendar(calendar, "SEM")
    store.rules_by_calendar([calendar])
    with store.changing([calendar]):
        pass
    assert heard == []


def test_a_service_tells_once_after_its_last_change(heard: list[list[int]], cast: SimpleNamespace) -> None:
    heard.clear()
    windows = [WeeklyWindow(weekday, time(9 + weekday), time(18)) for weekday in range(3)]
    registry.set_weekly_hours(cast.actor("wang"), cast.xrd.pk, windows, date(2026, 11, 23), cast.now)
    assert heard == [[cast.xrd.calendar_id]]


def test_a_change_that_is_undone_is_not_told(heard: list[list[int]]) -> None:
    calendar = store.create_calendar("XRD")
    with pytest.raises(RuntimeError), store.changing([calendar]):
        daily(calendar)
        raise RuntimeError
    assert heard == []
    daily(calendar)
    assert heard == [[calendar]]
