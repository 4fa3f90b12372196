"""Changing the layers of a calendar: who may, what is refused, what is written down, and how it is undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.kernel.access import Actor, Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Instrument
from instruments.rules.entries import HolidayRule, Priority
from instruments.rules.opening import ClosedCause, open_ranges, why_closed
from instruments.rules.recurrence import Recurrence
from instruments.rules.wall_time import local_day, start_instant, to_wall
from instruments.services import opening_hours as hours
from instruments.services import schedule_store
from instruments.services.opening_hours import AudienceHours, OnceOrAgain, SeasonHours
from instruments.services.weekly_hours import WeeklyWindow

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")
wall = datetime.fromisoformat
WINTER = SeasonHours("Winter break", date(2027, 1, 18), date(2027, 2, 21), [WeeklyWindow(1, time(10), time(12))])
NIGHTS = AudienceHours(["inside"], True, range(7), time(20), time(23), date(2026, 11, 23))  # type: ignore[arg-type]


@pytest.fixture
def wang(cast: Any) -> Actor:
    return cast.actor("wang")


def open_hours(xrd: Instrument, day: date, audience: str | None = None) -> list[tuple[int, int]]:
    """The cast's instrument is open from 8 to 20 every day."""
    rules = schedule_store.rules_by_calendar([xrd.calendar_id])[xrd.calendar_id]
    found = open_ranges(rules, ZONE, local_day(day, ZONE), audience)
    return [(to_wall(one.starts_at, ZONE).hour, to_wall(one.ends_at, ZONE).hour or 24) for one in found]


def codes(refusal: Refusal) -> list[tuple[str, str]]:
    return [(reason.field, reason.code) for reason in refusal.reasons]


def test_a_season_holds_on_its_days_and_can_be_replaced_and_taken_back(cast: Any, wang: Actor) -> None:
    (entry,) = hours.set_season(wang, cast.xrd.pk, WINTER, cast.now)
    assert open_hours(cast.xrd, date(2027, 1, 19)) == [(10, 12)]
    assert open_hours(cast.xrd, date(2027, 1, 20)) == []
    longer = SeasonHours("Winter break", date(2027, 1, 18), date(2027, 2, 28),
                         [WeeklyWindow(2, time(9), time(11)), WeeklyWindow(3, time(14), time(16))])  # fmt: skip
    ids = hours.set_season(wang, cast.xrd.pk, longer, cast.now + timedelta(minutes=1), replaces=entry)
    assert [open_hours(cast.xrd, date(2027, 1, day)) for day in (19, 20, 21)] == [[], [(9, 11)], [(14, 16)]]
    hours.remove_entry(wang, cast.xrd.pk, ids[1], cast.now + timedelta(minutes=2))
    assert open_hours(cast.xrd, date(2027, 1, 19)) == [(8, 20)]
    hours.bring_back(wang, cast.xrd.pk, ids[0], cast.now + timedelta(minutes=3))
    assert open_hours(cast.xrd, date(2027, 1, 21)) == [(14, 16)]
    hours.bring_back(wang, cast.xrd.pk, entry, cast.now + timedelta(minutes=4))
    assert [open_hours(cast.xrd, date(2027, 1, day)) for day in (19, 21)] == [[(10, 12)], []], "the first version is back, alone"


def test_every_change_is_written_down(cast: Any, wang: Actor) -> None:
    (entry,) = hours.set_season(wang, cast.xrd.pk, WINTER, cast.now)
    written = AuditEntry.objects.get(action="instrument.season")
    assert written.after["ids"] == [entry]
    assert written.after["entries"][0]["season"] == ["Winter break", "2027-01-18", "2027-02-21"]
    hours.remove_entry(wang, cast.xrd.pk, entry, cast.now)
    assert AuditEntry.objects.get(action="instrument.reopen").before["entries"] == written.after["entries"]


def test_two_seasons_may_share_days_only_when_one_wins(cast: Any, wang: Actor) -> None:
    hours.set_season(wang, cast.xrd.pk, WINTER, cast.now)
    festival = SeasonHours("Festival", date(2027, 2, 1), date(2027, 2, 10), [WeeklyWindow(0, time(9), time(10))])
    with pytest.raises(Refusal) as refused:
        hours.set_season(wang, cast.xrd.pk, festival, cast.now)
    assert codes(refused.value) == [("first_on", "calendar.seasons_overlap")]
    important = SeasonHours(festival.name, festival.first_on, festival.last_on, festival.windows, important=True)
    hours.set_season(wang, cast.xrd.pk, important, cast.now)
    assert [open_hours(cast.xrd, date(2027, 2, day)) for day in (1, 2, 16)] == [[(9, 10)], [], [(10, 12)]]


def test_nights_for_the_owners_people_and_workdays_only_for_firms(cast: Any, wang: Actor) -> None:
    hours.set_audience_hours(wang, cast.xrd.pk, NIGHTS, cast.now)
    weekends = AudienceHours(["firm", "team"], False, [5, 6], time(0), time(0), date(2026, 11, 23), reason="Teaching")
    hours.set_audience_hours(wang, cast.xrd.pk, weekends, cast.now)
    friday, saturday = date(2026, 11, 27), date(2026, 11, 28)
    assert [open_hours(cast.xrd, friday, who) for who in ("inside", "firm")] == [[(8, 23)], [(8, 20)]]
    assert [open_hours(cast.xrd, saturday, who) for who in ("inside", "academic", "firm")] == [[(8, 23)], [(8, 20)], []]


@pytest.mark.parametrize(
    ("recurrence", "closed_days"),
    [
        (None, [1]),
        (Recurrence("weekly", weekdays=(1,)), [1, 8, 15, 22, 29]),
        (Recurrence("monthly", month_days=(-1,)), [31]),
        (Recurrence("monthly", weekdays=(4,), nth=1), [4]),
        (Recurrence("weekly", weekdays=(1,), count=2), [1, 8]),
    ],
)
def test_a_closure_comes_again_as_it_says(cast: Any, wang: Actor, recurrence: Recurrence | None, closed_days: list[int]) -> None:
    fields = OnceOrAgain(wall("2026-12-01T00:00"), wall("2026-12-02T00:00"), "Calibration", recurrence)
    hours.close(wang, cast.xrd.pk, fields, cast.now)
    december = [date(2026, 12, day) for day in range(1, 32)]
    assert [day.day for day in december if not open_hours(cast.xrd, day)] == closed_days
    rules = schedule_store.rules_by_calendar([cast.xrd.calendar_id])[cast.xrd.calendar_id]
    why = why_closed(rules, ZONE, start_instant(datetime(2026, 12, closed_days[0], 10), ZONE))
    assert why is not None and (why.cause, why.name) == (ClosedCause.CLOSURE, "Calibration")


def test_one_occurrence_is_cancelled_moved_and_restored(cast: Any, wang: Actor) -> None:
    weekly = OnceOrAgain(wall("2026-12-01T08:00"), wall("2026-12-01T12:00"), "Calibration", Recurrence("weekly"))
    entry = hours.close(wang, cast.xrd.pk, weekly, cast.now)
    second, third = date(2026, 12, 8), date(2026, 12, 15)
    hours.cancel_occurrence(wang, cast.xrd.pk, entry, second, cast.now)
    assert open_hours(cast.xrd, second) == [(8, 20)]
    hours.move_occurrence(wang, cast.xrd.pk, entry, third, wall("2026-12-16T18:00"), wall("2026-12-16T20:00"), cast.now)
    assert [open_hours(cast.xrd, date(2026, 12, day)) for day in (15, 16)] == [[(8, 20)], [(8, 18)]]
    for day in (second, third):
        hours.restore_occurrence(wang, cast.xrd.pk, entry, day, cast.now)
    assert [open_hours(cast.xrd, day) for day in (second, third)] == [[(12, 20)], [(12, 20)]]
    assert AuditEntry.objects.filter(action="instrument.occurrence").count() == 4


def test_only_what_happens_can_be_cancelled_moved_or_restored(cast: Any, wang: Actor) -> None:
    weekly = OnceOrAgain(wall("2026-12-01T08:00"), wall("2026-12-01T12:00"), "", Recurrence("weekly"))
    entry = hours.close(wang, cast.xrd.pk, weekly, cast.now)
    once = hours.close(wang, cast.xrd.pk, OnceOrAgain(wall("2026-12-01T08:00"), wall("2026-12-01T12:00")), cast.now)
    wednesday, tuesday = date(2026, 12, 2), date(2026, 12, 1)
    at = (wall("2026-12-03T08:00"), wall("2026-12-03T09:00"))
    for act in (
        lambda: hours.cancel_occurrence(wang, cast.xrd.pk, entry, wednesday, cast.now),
        lambda: hours.cancel_occurrence(wang, cast.xrd.pk, once, tuesday, cast.now),
        lambda: hours.move_occurrence(wang, cast.xrd.pk, entry, wednesday, *at, cast.now),
        lambda: hours.restore_occurrence(wang, cast.xrd.pk, entry, tuesday, cast.now),
    ):
        with pytest.raises(Refusal) as refused:
            act()
        assert codes(refused.value) == [("original_on", "calendar.no_such_occurrence")]
    with pytest.raises(Refusal) as refused:
        hours.move_occurrence(wang, cast.xrd.pk, entry, tuesday, at[1], at[0], cast.now)
    assert codes(refused.value) == [("ends_local", "calendar.end_before_start")]
    with pytest.raises(NotFound):
        hours.cancel_occurrence(wang, cast.xrd.pk, 10**9, tuesday, cast.now)


def test_an_occurrence_stays_within_its_season(cast: Any, wang: Actor) -> None:
    (entry,) = hours.set_season(wang, cast.xrd.pk, WINTER, cast.now)
    with pytest.raises(Refusal) as refused:
        hours.move_occurrence(
            wang, cast.xrd.pk, entry, date(2027, 1, 19), wall("2027-03-01T09:00"), wall("2027-03-01T10:00"), cast.now
        )
    assert codes(refused.value) == [("starts_local", "calendar.outside_season")]


def test_holidays_close_it_unless_it_is_opened_once(cast: Any, wang: Actor) -> None:
    hours.set_holidays(wang, cast.xrd.pk, HolidayRule(closed=True, makeup_weekday=0), cast.now)
    fifth = OnceOrAgain(wall("2026-10-05T10:00"), wall("2026-10-05T12:00"), "Open day")
    entry = hours.open_once(wang, cast.xrd.pk, fifth, cast.now)
    assert [open_hours(cast.xrd, date(2026, 10, day)) for day in (4, 5, 8)] == [[], [(10, 12)], [(8, 20)]]
    stored = schedule_store.stored_entries_by_calendar([cast.xrd.calendar_id])[cast.xrd.calendar_id]
    assert next(one.entry.priority for one in stored if one.id == entry) == Priority.EXCEPTION
    written = AuditEntry.objects.get(action="instrument.holidays")
    assert (written.before, written.after) == ({"closed": False, "makeup_weekday": None}, {"closed": True, "makeup_weekday": 0})


def test_the_usual_week_leaves_other_layers_alone(cast: Any, wang: Actor) -> None:
    hours.set_season(wang, cast.xrd.pk, WINTER, cast.now)
    hours.set_audience_hours(wang, cast.xrd.pk, NIGHTS, cast.now)
    hours.set_weekly_hours(wang, cast.xrd.pk, [WeeklyWindow(2, time(9), time(10))], date(2026, 12, 1), cast.now)
    assert open_hours(cast.xrd, date(2026, 12, 2), "inside") == [(9, 10), (20, 23)]
    assert open_hours(cast.xrd, date(2027, 1, 19)) == [(10, 12)]


def broken(**changes: Any) -> SeasonHours:
    return SeasonHours(**({name: getattr(WINTER, name) for name in ("name", "first_on", "last_on", "windows")} | changes))


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda *a: hours.set_season(a[0], a[1], broken(name=" "), a[2]), [("name", "name.empty")]),
        (
            lambda *a: hours.set_season(a[0], a[1], broken(last_on=date(2027, 1, 1), windows=[]), a[2]),
            [("last_on", "calendar.end_before_start"), ("windows", "calendar.season_without_hours")],
        ),
        (
            lambda *a: hours.set_season(a[0], a[1], broken(first_on=date(1900, 1, 1)), a[2]),
            [("first_on", "calendar.year_out_of_range")],
        ),
        (
            lambda *a: hours.set_audience_hours(
                a[0], a[1], AudienceHours(["dean"], True, [9], time(9), time(10), date(2026, 1, 2), date(2026, 1, 1)), a[2]
            ),
            [
                ("audiences", "calendar.audience_unknown"),
                ("weekdays", "calendar.weekday_unknown"),
                ("last_on", "calendar.end_before_start"),
            ],
        ),
        (
            lambda *a: hours.close(a[0], a[1], OnceOrAgain(wall("2026-12-02T00:00"), wall("2026-12-01T00:00")), a[2]),
            [("ends_local", "calendar.end_before_start")],
        ),
        (
            lambda *a: hours.set_holidays(a[0], a[1], HolidayRule(makeup_weekday=7), a[2]),
            [("makeup_weekday", "calendar.weekday_unknown")],
        ),
    ],
)
def test_what_means_nothing_is_refused_with_every_reason(
    cast: Any, wang: Actor, act: Callable[..., Any], expected: list[tuple[str, str]]
) -> None:
    before = schedule_store.rules_by_calendar([cast.xrd.calendar_id])
    with pytest.raises(Refusal) as refused:
        act(wang, cast.xrd.pk, cast.now)
    assert codes(refused.value) == expected
    assert schedule_store.rules_by_calendar([cast.xrd.calendar_id]) == before


def test_only_its_managers_change_the_layers(cast: Any, wang: Actor) -> None:
    entry = hours.close(wang, cast.xrd.pk, OnceOrAgain(wall("2026-12-01T08:00"), wall("2026-12-01T12:00")), cast.now)
    draft = Instrument.objects.filter(pk=cast.xrd.pk)
    lin, pk, now = cast.actor("lin"), cast.xrd.pk, cast.now
    acts: list[Callable[[], Any]] = [
        lambda: hours.set_season(lin, pk, WINTER, now),
        lambda: hours.set_audience_hours(lin, pk, NIGHTS, now),
        lambda: hours.close(lin, pk, OnceOrAgain(wall("2026-12-01T08:00"), wall("2026-12-01T12:00")), now),
        lambda: hours.open_once(lin, pk, OnceOrAgain(wall("2026-12-01T08:00"), wall("2026-12-01T12:00")), now),
        lambda: hours.set_holidays(lin, pk, HolidayRule(closed=True), now),
        lambda: hours.remove_entry(lin, pk, entry, now),
        lambda: hours.bring_back(lin, pk, entry, now),
        lambda: hours.cancel_occurrence(lin, pk, entry, date(2026, 12, 1), now),
        lambda: hours.restore_occurrence(lin, pk, entry, date(2026, 12, 1), now),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    draft.update(published=False)
    for act in acts:
        with pytest.raises(NotFound):
            act()


def test_what_was_removed_long_ago_does_not_come_back(cast: Any, wang: Actor) -> None:
    entry = hours.close(wang, cast.xrd.pk, OnceOrAgain(wall("2026-12-01T08:00"), wall("2026-12-01T12:00")), cast.now)
    hours.remove_entry(wang, cast.xrd.pk, entry, cast.now)
    with pytest.raises(NotFound):
        hours.bring_back(wang, cast.xrd.pk, entry, cast.now + timedelta(days=hours.KEPT_DAYS + 1))


def test_the_operator_may_change_them_too(cast: Any) -> None:
    assert cast.actor("zhou").has(Role.OPERATOR)
    hours.set_holidays(cast.actor("zhou"), cast.xrd.pk, HolidayRule(closed=True), cast.now)
