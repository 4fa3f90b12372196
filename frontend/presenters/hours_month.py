"""A month of opening hours as a table, and the single occurrences of what comes again."""

from __future__ import annotations

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from config.kernel.time_range import TimeRange
from frontend import display
from instruments.hours_wording import AUDIENCE_NAMES, closed_words, holiday_words
from instruments.registry_wording import WEEKDAY_NAMES
from instruments.rules import statutory_holidays
from instruments.rules.audience import Audience
from instruments.rules.entries import CalendarEntry, HolidayRule, Occurrence, occurrences_on
from instruments.rules.opening import CalendarRules, ClosedCause, closed_stretches, open_ranges
from instruments.rules.wall_time import local_day, to_wall

AHEAD_DAYS = 120
#: Closed as the reader expects it on a day that is open at other hours.
_AS_EXPECTED = frozenset({ClosedCause.HOURS, ClosedCause.SEASON})


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of the preview: when it is open, why the rest is not as usual, and whether it is closed all day."""

    day: date
    label: str
    hours: list[str]
    reasons: list[str]
    is_today: bool


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    query: str
    current: bool


@dataclass(frozen=True, slots=True)
class Month:
    """``weeks`` hold seven days each, None outside of the month. ``unpublished``: the year's holidays are not known."""

    title: str
    weekdays: list[Promise | str]
    weeks: list[list[MonthDay | None]]
    previous_query: str
    next_query: str
    audiences: list[Choice]
    unpublished: int | None


@dataclass(frozen=True, slots=True)
class OccurrenceRow:
    """One occurrence of a repeated entry: where it was meant to be, where it is now (empty when cancelled)."""

    day: date
    planned: str
    now: str
    is_changed: bool
    starts_local: datetime | None
    ends_local: datetime | None


def month_view(rules: CalendarRules, zone: ZoneInfo, first: date, today: date, audience: str | None) -> Month:
    """The month that begins on ``first`` as it is for an audience (None: for everybody)."""
    weeks = [
        [_month_day(rules, zone, day, today, audience) if day.month == first.month else None for day in week]
        for week in Calendar().monthdatescalendar(first.year, first.month)
    ]
    takes_holidays = statutory_holidays.applies_in(zone.key) and rules.holidays != HolidayRule()
    before, after = (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(day=1)
    chosen = f"&for={audience}" if audience else ""
    audiences = [Choice(_("Everybody"), f"?month={first:%Y-%m}#month", audience is None)]
    audiences += [
        Choice(str(AUDIENCE_NAMES[each]), f"?month={first:%Y-%m}&for={each}#month", each == audience) for each in Audience
    ]
    return Month(
        title=display.month_words(first),
        weekdays=list(WEEKDAY_NAMES),
        weeks=weeks,
        previous_query=f"?month={before:%Y-%m}{chosen}#month",
        next_query=f"?month={after:%Y-%m}{chosen}#month",
        audiences=audiences if rules.depends_on_audience else [],
        unpublished=first.year if takes_holidays and not statutory_holidays.is_published(first.year) else None,
    )


def _month_day(rules: CalendarRules, zone: ZoneInfo, day: date, today: date, audience: str | None) -> MonthDay:
    label = f"{display.weekday(day)} {day:%m-%d}"
    try:
        window = local_day(day, zone)
    except ValueError:  # a day that the zone never had
        return MonthDay(day, label, [], [], is_today=False)
    hours = [_span_words(opened, window, zone) for opened in open_ranges(rules, zone, window, audience)]
    reasons = [
        closed_words(one.why) if one.range == window else f"{_span_words(one.range, window, zone)} {closed_words(one.why)}"
        for one in closed_stretches(rules, zone, window, audience)
        if one.why.cause not in _AS_EXPECTED or one.range == window
    ]
    makeup = statutory_holidays.makeup_days_between(day, day)
    if makeup and rules.holidays.makeup_weekday is not None and statutory_holidays.applies_in(zone.key):
        reasons.append(_("Make-up workday (%(holiday)s)") % {"holiday": holiday_words(makeup[day])})
    return MonthDay(day, label, hours, reasons, is_today=day == today)


def _span_words(one: TimeRange, window: TimeRange, zone: ZoneInfo) -> str:
    last = "24:00" if one.ends_at == window.ends_at else f"{to_wall(one.ends_at, zone):%H:%M}"
    return f"{to_wall(one.starts_at, zone):%H:%M}–{last}"


# --- Occurrences ------------------------------------------------------------------------------------------------------
def occurrence_rows(entry: CalendarEntry, today: date) -> list[OccurrenceRow]:
    """The occurrences of the next months, with what became of them."""
    last_on = today + timedelta(days=AHEAD_DAYS)
    return [_occurrence_row(entry, one) for one in occurrences_on(entry, today - timedelta(days=1), last_on)]


def _occurrence_row(entry: CalendarEntry, one: Occurrence) -> OccurrenceRow:
    length = entry.ends_local - entry.starts_local
    planned = datetime.combine(one.original_on, entry.starts_local.time())
    now = "" if one.starts_local is None or one.ends_local is None else display.range_words(one.starts_local, one.ends_local)
    return OccurrenceRow(
        day=one.original_on,
        planned=display.range_words(planned, planned + length),
        now=now,
        is_changed=one.is_changed,
        starts_local=one.starts_local or planned,
        ends_local=one.ends_local or planned + length,
    )
