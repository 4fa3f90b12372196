"""Opening hours in the reader's language: the layers of a calendar in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from billing.wording import several
from frontend import display
from instruments.hours_wording import audience_words
from instruments.registry_wording import WEEKDAY_NAMES
from instruments.rules import statutory_holidays
from instruments.rules.entries import (
    CalendarEntry,
    EntryKind,
    HolidayRule,
    Priority,
)
from instruments.rules.recurrence import Recurrence
from instruments.services.schedule_store import StoredCalendar, StoredEntry
from instruments.services.weekly_hours import WeeklyWindow, is_weekly_base, weekly_windows, windows_of

_NTHS: dict[int, Promise | str] = {
    1: pgettext_lazy("which of the month", "first"),
    2: pgettext_lazy("which of the month", "second"),
    3: pgettext_lazy("which of the month", "third"),
    4: pgettext_lazy("which of the month", "fourth"),
    5: pgettext_lazy("which of the month", "fifth"),
    -1: pgettext_lazy("which of the month", "last"),
}
_EVERY: dict[str, Promise | str] = {
    "daily": gettext_lazy("every day"),
    "weekly": gettext_lazy("every week on %(days)s"),
    "monthly": gettext_lazy("every month on %(day)s"),
    "yearly": gettext_lazy("every year, first on %(day)s"),
}
_EVERY_FEW: dict[str, Promise | str] = {
    "daily": gettext_lazy("every %(count)s days"),
    "weekly": gettext_lazy("every %(count)s weeks on %(days)s"),
    "monthly": gettext_lazy("every %(count)s months on %(day)s"),
    "yearly": gettext_lazy("every %(count)s years, first on %(day)s"),
}


@dataclass(frozen=True, slots=True)
class DayHours:
    """The opening hours of a day of the week; empty when closed."""

    weekday: Promise | str
    windows: list[str]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer in words: ``title``, ``when`` (lines), ``note`` (a reason that was typed). ``repeats``: has occurrences."""

    entry_id: int
    title: str
    when: list[str]
    note: str
    kind: str
    repeats: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """What can be said of a calendar from a local day on; ``holiday_words`` are sentences about statutory holidays."""

    week: list[DayHours]
    seasons: list[Layer]
    customers: list[Layer]
    exceptions: list[Layer]
    removed: list[Layer]
    holiday_words: list[str]

    @property
    def is_empty(self) -> bool:
        return not (self.week or self.seasons or self.customers)


# --- Layers in words --------------------------------------------------------------------------------------------------
def hours_view(calendar: StoredCalendar, zone: ZoneInfo, today: date) -> Hours:
    """All layers that still matter on or after ``today``."""
    standing = [one for one in calendar.entries if not _is_over(one.entry, today)]
    windows = weekly_windows(calendar.entries, today)
    return Hours(
        week=weekly_hours(windows) if windows else [],
        seasons=_seasons(standing),
        customers=[_customers(one) for one in standing if one.entry.audiences],
        exceptions=[_exception(one) for one in _by_start(standing) if _is_exception(one.entry)],
        removed=_removed(calendar.removed),
        holiday_words=holiday_sentences(calendar.holidays, zone, today),
    )


def weekly_hours(windows: Sequence[WeeklyWindow]) -> list[DayHours]:
    """Seven days with their windows in words."""
    return [
        DayHours(name, [window_words(window.opens, window.closes) for window in windows if window.weekday == weekday])
        for weekday, name in enumerate(WEEKDAY_NAMES)
    ]


def window_words(opens: time, closes: time) -> str:
    """A window of a day; one that ends at or before its start ends the next day."""
    if closes == time(0):
        return f"{opens:%H:%M}–24:00"
    if closes <= opens:
        return _("%(opens)s to %(closes)s the next day") % {"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"}
    return f"{opens:%H:%M}–{closes:%H:%M}"


def week_words(windows: Iterable[WeeklyWindow]) -> list[str]:
    """A line for all weekdays with the same hours: "Mon–Fri 09:00–17:00"."""
    weekdays_of: dict[tuple[time, time], list[int]] = {}
    for window in sorted(windows, key=lambda one: (one.weekday, one.opens)):
        weekdays_of.setdefault((window.opens, window.closes), []).append(window.weekday)
    return [f"{days_words(weekdays)} {window_words(*hours)}" for hours, weekdays in weekdays_of.items()]


def days_words(weekdays: Sequence[int]) -> str:
    """Some days of the week, ascending, neighbours joined: "Mon–Wed, Fri"."""
    runs: list[list[int]] = []
    for weekday in weekdays:
        if runs and runs[-1][-1] == weekday - 1:
            runs[-1].append(weekday)
        else:
            runs.append([weekday])
    words = [_day_name(run[0]) if len(run) == 1 else f"{_day_name(run[0])}–{_day_name(run[-1])}" for run in runs]
    return several(words)


def repeat_words(recurrence: Recurrence, first: datetime) -> str:
    """How often something comes again."""
    words = _frequency_words(recurrence, first)
    if recurrence.until is not None:
        return _("%(often)s, until %(day)s") % {"often": words, "day": display.date_words(recurrence.until)}
    if recurrence.count is not None:
        times = ngettext("%(count)s time", "%(count)s times", recurrence.count) % {"count": recurrence.count}
        return _("%(often)s, %(times)s") % {"often": words, "times": times}
    return words


def holiday_sentences(holidays: HolidayRule, zone: ZoneInfo, today: date) -> list[str]:
    """What the calendar does on statutory holidays and make-up workdays, and which of them nobody knows yet."""
    said = holiday_rule_sentences(holidays)
    if not said or not statutory_holidays.applies_in(zone.key):
        return []
    return said + [unpublished_words(year) for year in unpublished_years(today)]


def holiday_rule_sentences(holidays: HolidayRule) -> list[str]:
    """What a calendar does on statutory holidays and make-up workdays."""
    said = []
    if holidays.closed:
        said.append(_("Closed on statutory holidays."))
    if holidays.makeup_weekday is not None:
        said.append(
            _("On make-up workdays open as on a usual %(weekday)s.") % {"weekday": WEEKDAY_NAMES[holidays.makeup_weekday]}
        )
    return said


def unpublished_years(today: date) -> list[int]:
    """This year and, from October on, the next, when their holidays are not known."""
    years = (today.year, today.year + 1) if today.month >= 10 else (today.year,)
    return [year for year in years if not statutory_holidays.is_published(year)]


def unpublished_words(year: int) -> str:
    return _("The holidays of %(year)s are not published yet: until then every day follows the rule of its weekday.") % {
        "year": str(year)
    }


def _frequency_words(recurrence: Recurrence, first: datetime) -> str:
    every = _EVERY if recurrence.interval == 1 else _EVERY_FEW
    params: dict[str, Any] = {"count": recurrence.interval}
    if recurrence.frequency == "weekly":
        params["days"] = days_words(recurrence.weekdays or (first.weekday(),))
    elif recurrence.frequency == "yearly":
        params["day"] = display.date_words(first.date())
    elif recurrence.frequency == "monthly":
        params["day"] = _month_day_words(recurrence, first)
    return str(every[recurrence.frequency]) % params


def _month_day_words(recurrence: Recurrence, first: datetime) -> str:
    if recurrence.nth is not None:
        weekday = WEEKDAY_NAMES[recurrence.weekdays[0]]
        return _("the %(nth)s %(weekday)s") % {"nth": _NTHS[recurrence.nth], "weekday": weekday}
    words = [_("the last day") if day == -1 else _("day %(day)s") % {"day": day} for day in recurrence.month_days or (first.day,)]
    return several(words)


def layer_lines(entries: Sequence[CalendarEntry]) -> list[str]:
    """A line for each layer that some entries are of: what it is, when, and the reason that was typed."""
    week = [window for entry in entries if is_weekly_base(entry) for window in windows_of(entry)]
    stored = [StoredEntry(0, "", entry) for entry in entries]
    layers = [*_seasons(stored), *(_customers(one) for one in stored if one.entry.audiences)]
    layers += [_exception(one) for one in _by_start(stored) if _is_exception(one.entry)]
    lines = [_("%(title)s: %(when)s") % {"title": layer.title, "when": "; ".join(layer.when)} for layer in layers]
    noted = [f"{line} ({layer.note})" if layer.note else line for line, layer in zip(lines, layers, strict=True)]
    return [*week_words(week), *noted]


def _seasons(standing: Iterable[StoredEntry]) -> list[Layer]:
    of_seasons = [one for one in standing if one.entry.season is not None]
    groups: dict[object, list[StoredEntry]] = {}
    for one in of_seasons:
        groups.setdefault((one.entry.season, one.entry.priority, one.removed_at), []).append(one)
    return [_season(same) for same in sorted(groups.values(), key=_first_day)]


def _first_day(same: Sequence[StoredEntry]) -> date:
    season = same[0].entry.season
    return season.first_on if season else date.min


def _season(same: Sequence[StoredEntry]) -> Layer:
    season = same[0].entry.season
    assert season is not None
    days = _("%(first)s to %(last)s") % {"first": display.date_words(season.first_on), "last": display.date_words(season.last_on)}
    windows = [window for one in same for window in windows_of(one.entry)]
    note = _("Wins over other seasons") if same[0].entry.priority == Priority.IMPORTANT_SEASON else ""
    return Layer(same[0].id, season.name, [days, *week_words(windows)], note, "season", repeats=len(same) == 1)


def _customers(one: StoredEntry) -> Layer:
    entry = one.entry
    words = audience_words(entry.audiences)
    only, without = _("Also open for %(customers)s"), _("Closed for %(customers)s")
    title = (only if entry.kind is EntryKind.OPENING else without) % {"customers": words}
    when = week_words(windows_of(entry)) if entry.recurrence else [display.range_words(entry.starts_local, entry.ends_local)]
    if entry.recurrence is not None and entry.recurrence.until is not None:
        when.append(_("until %(day)s") % {"day": display.date_words(entry.recurrence.until)})
    return Layer(one.id, title, when, entry.reason, "customers", entry.recurrence is not None)


def _exception(one: StoredEntry) -> Layer:
    entry = one.entry
    title = _("Open exceptionally") if entry.kind is EntryKind.OPENING else _("Closed")
    when = [display.range_words(entry.starts_local, entry.ends_local)]
    if entry.recurrence is not None:
        when = [_length_words(entry), repeat_words(entry.recurrence, entry.starts_local)]
    return Layer(one.id, title, when, entry.reason, "exception", entry.recurrence is not None)


def _length_words(entry: CalendarEntry) -> str:
    """The hours of a repeated entry without its first day; a longer one with it."""
    if entry.ends_local - entry.starts_local <= timedelta(days=1):
        return window_words(entry.starts_local.time(), entry.ends_local.time())
    return display.range_words(entry.starts_local, entry.ends_local)


def _removed(removed: Iterable[StoredEntry]) -> list[Layer]:
    """What can be brought back, the latest first; the usual week is not removed but replaced."""
    rows = list(removed)
    layers = [*_seasons(rows), *(_customers(one) for one in rows if one.entry.audiences)]
    layers += [_exception(one) for one in rows if _is_exception(one.entry)]
    at = {one.id: one.removed_at for one in rows}
    return sorted(layers, key=lambda layer: str(at[layer.entry_id]), reverse=True)


def _is_exception(entry: CalendarEntry) -> bool:
    return not entry.audiences and entry.season is None and not is_weekly_base(entry)


def _is_over(entry: CalendarEntry, today: date) -> bool:
    if entry.season is not None:
        return entry.season.last_on < today
    changed = [one.ends_local.date() for one in entry.moved]
    if entry.recurrence is None:
        return max([entry.ends_local.date(), *changed]) < today
    until = entry.recurrence.until
    length = entry.ends_local - entry.starts_local
    return until is not None and max([until + length, *changed]) < today


def _by_start(stored: Iterable[StoredEntry]) -> list[StoredEntry]:
    return sorted(stored, key=lambda one: (one.entry.starts_local, one.id))


def _day_name(weekday: int) -> str:
    return display.weekday(date(2024, 1, 1 + weekday))  # a week that began on a Monday
