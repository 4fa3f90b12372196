"""Hours that come again every week: as windows that people type, and as the calendar entries that store them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from config.kernel.errors import Reason
from instruments.rules.entries import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.services.schedule_store import StoredEntry

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """Open every week on ``weekday`` (0 = Monday) from ``opens`` to ``closes`` in the site's wall time.

    ``closes`` at or before ``opens`` means the next day; midnight to midnight is the whole day.
    """

    weekday: int
    opens: time
    closes: time


def window_reasons(windows: Sequence[WeeklyWindow]) -> list[Reason]:
    """``calendar.weekday_unknown`` and ``calendar.windows_overlap`` (over midnight and the week's end too)."""
    reasons = [
        Reason("calendar.weekday_unknown", {"weekday": window.weekday}, "windows")
        for window in windows
        if not 0 <= window.weekday <= 6
    ]
    week = 7 * 1440
    spans = sorted(_span(window) for window in windows)
    wrapped = [*spans, *((start + week, end + week) for start, end in spans[:1])]
    for (_, end), (start, _) in pairwise(wrapped):
        if start < end:
            weekday, minute = divmod(start % week, 1440)
            shown = f"{minute // 60:02d}:{minute % 60:02d}"
            reasons.append(Reason("calendar.windows_overlap", {"weekday": weekday, "time": shown}, "windows"))
    return reasons


def weekly_entries(
    windows: Iterable[WeeklyWindow], first_on: date, last_on: date | None = None, **layer: Any
) -> list[CalendarEntry]:
    """One opening for all weekdays with the same hours, from a local day on; ``layer`` are further fields of the entry."""
    weekdays_of: dict[tuple[time, time], list[int]] = {}
    for window in windows:
        weekdays_of.setdefault((window.opens, window.closes), []).append(window.weekday)
    return [
        weekly_entry(weekdays, opens, closes, first_on, last_on, **layer)
        for (opens, closes), weekdays in sorted(weekdays_of.items())
    ]


def weekly_entry(
    weekdays: Sequence[int], opens: time, closes: time, first_on: date, last_on: date | None = None, **layer: Any
) -> CalendarEntry:
    """An opening on these weekdays from ``first_on`` to ``last_on`` (both included)."""
    first = next(day for day in (first_on + _DAY * i for i in range(7)) if day.weekday() in weekdays)
    starts = datetime.combine(first, opens)
    ends = datetime.combine(first if closes > opens else first + _DAY, closes)
    entry = CalendarEntry(EntryKind.OPENING, starts, ends, Recurrence("weekly", weekdays=tuple(weekdays), until=last_on))
    return replace(entry, **layer)


def weekly_windows(stored: Iterable[StoredEntry], local_day: date | None = None) -> list[WeeklyWindow]:
    """The base hours valid on a local day (those without an end when none is named), by weekday and hour."""
    found = [
        window
        for one in stored
        if is_weekly_base(one.entry) and _holds_on(one.entry, local_day)
        for window in windows_of(one.entry)
    ]
    return sorted(found, key=lambda window: (window.weekday, window.opens))


def windows_of(entry: CalendarEntry) -> list[WeeklyWindow]:
    """The windows of an entry that comes again every week."""
    weekdays = entry.recurrence.weekdays if entry.recurrence is not None else ()
    return [
        WeeklyWindow(weekday, entry.starts_local.time(), entry.ends_local.time())
        for weekday in weekdays or (entry.starts_local.weekday(),)
    ]


def is_weekly_base(entry: CalendarEntry) -> bool:
    """Whether it belongs to the week that holds when no other layer says anything."""
    recurrence = entry.recurrence
    return (
        entry.is_base
        and recurrence is not None
        and recurrence.frequency == "weekly"
        and recurrence.interval == 1
        and recurrence.count is None
    )


def shown_window(window: WeeklyWindow) -> list[Any]:
    """As the audit trail keeps it."""
    return [window.weekday, f"{window.opens:%H:%M}", f"{window.closes:%H:%M}"]


def _holds_on(entry: CalendarEntry, local_day: date | None) -> bool:
    until = entry.recurrence.until if entry.recurrence is not None else None
    if local_day is None:
        return until is None
    in_its_first_week = entry.starts_local.date() <= local_day + _DAY * 6
    return in_its_first_week and (until is None or local_day <= until)


def _span(window: WeeklyWindow) -> tuple[int, int]:
    """Minutes since Monday 00:00; the end may lie in the next week."""
    start = window.weekday * 1440 + window.opens.hour * 60 + window.opens.minute
    length = (window.closes.hour - window.opens.hour) * 60 + window.closes.minute - window.opens.minute
    return start, start + (length if length > 0 else length + 1440)
