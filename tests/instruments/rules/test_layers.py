"""Layers over layers: seasons, audiences, restrictions, holidays, make-up workdays, priorities, and closures above all."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel.time_range import TimeRange, merge, subtract
from instruments.rules import statutory_holidays
from instruments.rules.audience import Audience, audience_of
from instruments.rules.opening import (
    CalendarEntry,
    CalendarRules,
    ClosedCause,
    EntryKind,
    HolidayRule,
    Priority,
    Season,
    WhyClosed,
    closed_stretches,
    open_ranges,
    why_closed,
)
from instruments.rules.recurrence import Recurrence
from instruments.rules.wall_time import local_day, start_instant, to_wall
from tests.instruments.rules.layer_strategies import DAILY, PLACES, entries_near, holiday_rules
from tests.instruments.rules.minute_by_minute import (
    AUDIENCES,
    NEW_YORK,
    SHANGHAI,
    URUMQI,
    as_minutes,
    at,
    clock_of,
    open_minutes,
)

WORKDAYS = Recurrence("weekly", weekdays=(0, 1, 2, 3, 4))
NINE_TO_FIVE = CalendarEntry(EntryKind.OPENING, at(2020, 1, 6, 9), at(2020, 1, 6, 17), WORKDAYS)
FIRMS = frozenset({"firm"})


@st.composite
def cases(draw):
    place = draw(st.sampled_from(PLACES))
    entries = draw(st.lists(entries_near(place[1]), min_size=1, max_size=5))
    holidays = draw(holiday_rules)
    starts_at = datetime.combine(place[1], time.min, tzinfo=UTC) + draw(st.integers(-24, 12)) * timedelta(hours=1)
    window = TimeRange(starts_at, starts_at + draw(st.integers(1, 30)) * timedelta(hours=1))
    return place, CalendarRules(tuple(entries), holidays), window


@settings(max_examples=200, deadline=None)
@given(cases(), st.none() | st.sampled_from(AUDIENCES))
def test_open_ranges_are_what_a_walk_minute_by_minute_through_all_layers_finds(case, audience):
    place, rules, window = case
    found = open_ranges(rules, place[0], window, audience)
    assert as_minutes(found) == open_minutes(rules, clock_of(*place), window, audience)
    assert all(one.ends_at < other.starts_at for one, other in pairwise(found))


@settings(max_examples=100, deadline=None)
@given(cases(), st.none() | st.sampled_from(AUDIENCES))
def test_what_is_not_open_is_closed_for_a_reason_and_for_one_only(case, audience):
    (zone, _), rules, window = case
    closed = closed_stretches(rules, zone, window, audience)
    assert merge(one.range for one in closed) == subtract([window], open_ranges(rules, zone, window, audience))
    assert all(one.range.ends_at <= other.range.starts_at for one, other in pairwise(closed))
    for one in closed[:3]:
        assert why_closed(rules, zone, one.range.starts_at, audience) == one.why
        for other in one.why.audiences:
            assert why_closed(rules, zone, one.range.starts_at, other) is None


@pytest.mark.parametrize(
    "broken",
    [
        lambda rules: replace(rules, holidays=HolidayRule()),
        lambda rules: CalendarRules(tuple(replace(entry, audiences=frozenset()) for entry in rules.entries), rules.holidays),
        lambda rules: CalendarRules(tuple(replace(entry, priority=9) for entry in rules.entries), rules.holidays),
        lambda rules: CalendarRules(tuple(replace(entry, season=None) for entry in rules.entries), rules.holidays),
    ],
    ids=["holidays", "audiences", "priorities", "seasons"],
)
def test_the_oracle_notices_when_a_kind_of_layer_is_left_out(broken):
    """A week around National Day whose every layer matters."""
    place = (SHANGHAI, date(2026, 10, 1))
    rules = CalendarRules(
        (
            NINE_TO_FIVE,
            CalendarEntry(EntryKind.OPENING, at(2026, 9, 28, 10), at(2026, 9, 28, 12), DAILY, season=Season("S", date(2026, 9, 30),
                          date(2026, 9, 30)), priority=Priority.SEASON),
            CalendarEntry(EntryKind.OPENING, at(2026, 9, 28, 20), at(2026, 9, 28, 23), DAILY,
                          audiences=frozenset({"inside"}), priority=Priority.EXTRA),
            CalendarEntry(EntryKind.OPENING, at(2026, 10, 1, 14), at(2026, 10, 1, 15), priority=Priority.EXCEPTION),
            CalendarEntry(EntryKind.RESTRICTION, at(2026, 10, 1, 14), at(2026, 10, 1, 15), priority=Priority.RESTRICTION),
        ),
        HolidayRule(closed=True),
    )  # fmt: skip
    window = TimeRange(datetime(2026, 9, 29, 4, tzinfo=UTC), datetime(2026, 10, 2, 4, tzinfo=UTC))
    expected = open_minutes(rules, clock_of(*place), window, "firm")
    assert as_minutes(open_ranges(rules, SHANGHAI, window, "firm")) == expected
    assert as_minutes(open_ranges(broken(rules), SHANGHAI, window, "firm")) != expected


# --- Examples that one can check by hand ------------------------------------------------------------------------------
def hours(rules: CalendarRules, day: date, audience: str | None = None, zone: ZoneInfo = SHANGHAI) -> list[tuple[int, int]]:
    """The open hours of a local day; 24 is midnight at its end."""
    found = open_ranges(rules, zone, local_day(day, zone), audience)
    return [(to_wall(one.starts_at, zone).hour, to_wall(one.ends_at, zone).hour or 24) for one in found]


def test_a_season_replaces_the_base_on_its_days_and_only_there():
    summer = Season("Summer", date(2026, 7, 13), date(2026, 8, 23))
    short = CalendarEntry(
        EntryKind.OPENING, at(2026, 7, 13, 9), at(2026, 7, 13, 12), Recurrence("weekly", weekdays=(0, 2)), season=summer,
        priority=Priority.SEASON,
    )  # fmt: skip
    rules = CalendarRules((NINE_TO_FIVE, short))
    assert hours(rules, date(2026, 7, 10)) == [(9, 17)]
    assert hours(rules, date(2026, 7, 13)) == [(9, 12)]
    assert hours(rules, date(2026, 7, 14)) == []
    assert why_closed(rules, SHANGHAI, start_instant(at(2026, 7, 14, 10), SHANGHAI)) == WhyClosed(ClosedCause.SEASON, "Summer")
    assert hours(rules, date(2026, 8, 24)) == [(9, 17)]


def test_a_season_cuts_the_nights_that_reach_over_its_edges():
    nights = CalendarEntry(EntryKind.OPENING, at(2026, 7, 1, 22), at(2026, 7, 2, 6), DAILY)
    season = CalendarEntry(
        EntryKind.OPENING, at(2026, 7, 10, 20), at(2026, 7, 11, 4), DAILY,
        season=Season("S", date(2026, 7, 10), date(2026, 7, 11)), priority=Priority.SEASON,
    )  # fmt: skip
    rules = CalendarRules((nights, season))
    assert hours(rules, date(2026, 7, 10)) == [(20, 24)]
    assert hours(rules, date(2026, 7, 11)) == [(0, 4), (20, 24)]
    assert hours(rules, date(2026, 7, 12)) == [(0, 6), (22, 24)]


def test_of_two_seasons_the_one_with_the_higher_priority_holds():
    def season(name: str, hour: int, priority: int) -> CalendarEntry:
        days = Season(name, date(2026, 7, 10), date(2026, 7, 20))
        start = at(2026, 7, 10, hour)
        return CalendarEntry(
            EntryKind.OPENING, start, start + timedelta(hours=2), DAILY, season=days, priority=priority, reason=name
        )

    rules = CalendarRules((season("Important", 10, 7), season("Long", 14, 8)))
    assert hours(rules, date(2026, 7, 13)) == [(10, 12)]
    same = CalendarRules((season("One", 10, 8), season("Other", 14, 8)))
    assert hours(same, date(2026, 7, 13)) == [(10, 12), (14, 16)]


def test_inside_users_have_the_nights_and_firms_only_workdays():
    nights = CalendarEntry(
        EntryKind.OPENING, at(2026, 1, 1, 19), at(2026, 1, 1, 23), DAILY,
        audiences=frozenset({"inside"}), priority=Priority.EXTRA,
    )  # fmt: skip
    saturday = CalendarEntry(EntryKind.OPENING, at(2026, 1, 3, 9), at(2026, 1, 3, 12), Recurrence("weekly"))
    no_firms = CalendarEntry(
        EntryKind.RESTRICTION, at(2026, 1, 3, 0), at(2026, 1, 5, 0), Recurrence("weekly"),
        audiences=FIRMS, priority=Priority.RESTRICTION, reason="Teaching",
    )  # fmt: skip
    rules = CalendarRules((NINE_TO_FIVE, saturday, nights, no_firms))
    monday, weekend = date(2026, 6, 1), date(2026, 6, 6)
    assert [hours(rules, monday, who) for who in ("inside", "firm", None)] == [[(9, 17), (19, 23)], [(9, 17)], [(9, 17)]]
    assert [hours(rules, weekend, who) for who in ("inside", "academic", "firm", None)] == [
        [(9, 12), (19, 23)], [(9, 12)], [], [],
    ]  # fmt: skip
    at_ten = start_instant(at(2026, 6, 6, 10), SHANGHAI)
    assert why_closed(rules, SHANGHAI, at_ten, "firm") == WhyClosed(ClosedCause.OTHERS_ONLY, "", ("inside", "academic", "team"))
    assert why_closed(rules, SHANGHAI, at_ten, "team") is None
    assert why_closed(rules, SHANGHAI, start_instant(at(2026, 6, 6, 15), SHANGHAI), "team") == WhyClosed(ClosedCause.HOURS)


def test_a_closure_wins_over_the_highest_priority_and_says_its_reason():
    opened = CalendarEntry(EntryKind.OPENING, at(2026, 6, 6, 9), at(2026, 6, 6, 17), priority=1)
    service = CalendarEntry(EntryKind.CLOSURE, at(2026, 6, 6, 12), at(2026, 6, 6, 13), priority=9, reason="Helium")
    rules = CalendarRules((opened, service))
    assert hours(rules, date(2026, 6, 6)) == [(9, 12), (13, 17)]
    noon = start_instant(at(2026, 6, 6, 12), SHANGHAI)
    assert why_closed(rules, SHANGHAI, noon) == WhyClosed(ClosedCause.CLOSURE, "Helium")


def test_national_day_2026_is_closed_where_the_calendar_says_so_and_may_be_opened_once():
    once = CalendarEntry(EntryKind.OPENING, at(2026, 10, 5, 10), at(2026, 10, 5, 12), priority=Priority.EXCEPTION)
    rules = CalendarRules((NINE_TO_FIVE, once), HolidayRule(closed=True))
    assert [hours(rules, date(2026, 10, day)) for day in (1, 2, 5, 7, 8)] == [[], [], [(10, 12)], [], [(9, 17)]]
    assert hours(replace(rules, holidays=HolidayRule()), date(2026, 10, 1)) == [(9, 17)]
    first = start_instant(at(2026, 10, 1, 10), SHANGHAI)
    assert why_closed(rules, SHANGHAI, first) == WhyClosed(ClosedCause.HOLIDAY, "national_day")


def test_a_makeup_saturday_is_open_as_on_the_chosen_weekday():
    friday_late = CalendarEntry(EntryKind.OPENING, at(2020, 1, 3, 19), at(2020, 1, 3, 21), Recurrence("weekly"))
    saturday = CalendarEntry(EntryKind.OPENING, at(2020, 1, 4, 6), at(2020, 1, 4, 8), Recurrence("weekly"))
    rules = CalendarRules((NINE_TO_FIVE, friday_late, saturday), HolidayRule(makeup_weekday=0))
    makeup = date(2026, 10, 10)
    assert hours(rules, makeup) == [(9, 17)]
    assert hours(replace(rules, holidays=HolidayRule(makeup_weekday=4)), makeup) == [(9, 17), (19, 21)]
    assert hours(replace(rules, holidays=HolidayRule()), makeup) == [(6, 8)]
    assert hours(rules, date(2026, 10, 17)) == [(6, 8)]


def test_hours_that_begin_in_the_week_of_a_makeup_day_hold_on_it():
    new = CalendarEntry(EntryKind.OPENING, at(2026, 10, 8, 8), at(2026, 10, 8, 10), WORKDAYS)
    ended = replace(NINE_TO_FIVE, recurrence=replace(WORKDAYS, until=date(2026, 10, 7)))
    rules = CalendarRules((new, ended), HolidayRule(makeup_weekday=0))
    assert hours(rules, date(2026, 10, 10)) == [(8, 10)]


def test_outside_of_china_there_are_no_chinese_holidays():
    rules = CalendarRules((NINE_TO_FIVE,), HolidayRule(closed=True, makeup_weekday=0))
    assert hours(rules, date(2026, 10, 1), zone=NEW_YORK) == [(9, 17)]
    assert hours(rules, date(2026, 10, 10), zone=NEW_YORK) == []
    assert hours(rules, date(2026, 10, 1), zone=URUMQI) == []


def test_holidays_that_are_not_published_yet_leave_the_weekday_rule():
    assert statutory_holidays.is_published(2026) and statutory_holidays.is_published(2004)
    assert not statutory_holidays.is_published(2003)
    unknown = next(year for year in range(2026, 2200) if not statutory_holidays.is_published(year))
    days = [date(unknown, 1, 1) + timedelta(days=offset) for offset in range(365)]
    rules = CalendarRules((NINE_TO_FIVE,), HolidayRule(closed=True, makeup_weekday=0))
    assert [hours(rules, day) for day in days[:20]] == [[(9, 17)] if day.weekday() < 5 else [] for day in days[:20]]
    assert statutory_holidays.holidays_between(days[0], days[-1]) == {}


def test_the_published_days_of_2026():
    october = statutory_holidays.holidays_between(date(2026, 9, 28), date(2026, 10, 31))
    assert october == {date(2026, 10, day): "national_day" for day in range(1, 8)}
    year = (date(2026, 1, 1), date(2026, 12, 31))
    assert set(statutory_holidays.makeup_days_between(*year)) == {
        date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10),
    }  # fmt: skip
    assert all(day.weekday() >= 5 for day in statutory_holidays.makeup_days_between(date(2004, 1, 1), date(2026, 12, 31)))


def test_every_customer_belongs_to_one_audience():
    assert audience_of("owner", is_owner=True) is Audience.INSIDE
    assert [audience_of(kind, is_owner=False) for kind in ("owner", "government", "team", "firm")] == [
        Audience.ACADEMIC, Audience.ACADEMIC, Audience.TEAM, Audience.FIRM,
    ]  # fmt: skip
    assert set(AUDIENCES) == set(Audience)


@pytest.mark.parametrize("priority", [0, 10, -1])
def test_a_priority_is_one_to_nine(priority):
    with pytest.raises(ValueError, match="1 to 9"):
        replace(NINE_TO_FIVE, priority=priority)


def test_seasons_have_days_and_belong_to_openings():
    with pytest.raises(ValueError, match="before it starts"):
        Season("S", date(2026, 2, 2), date(2026, 2, 1))
    with pytest.raises(ValueError, match="only an opening"):
        CalendarEntry(EntryKind.CLOSURE, at(2026, 1, 1, 9), at(2026, 1, 1, 10), season=Season("S", *[date(2026, 1, 1)] * 2))
