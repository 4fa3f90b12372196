"""What a calendar is made of: openings, restrictions and closures in wall time, and their occurrences as instants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

from config.kernel.time_range import TimeRange
from instruments.rules import statutory_holidays
from instruments.rules.recurrence import Recurrence
from instruments.rules.wall_time import end_instant, start_instant, to_wall

_DAY = timedelta(days=1)


class EntryKind(StrEnum):
    """``OPENING`` opens; ``RESTRICTION`` closes at its priority; ``CLOSURE`` is busy time and wins over everything."""

    OPENING = "opening"
    RESTRICTION = "restriction"
    CLOSURE = "closure"


class Priority(IntEnum):
    """What is usual for each layer, as RFC 7953 counts: 1 is the highest, 9 the lowest."""

    EXCEPTION = 3
    HOLIDAY = 4
    RESTRICTION = 5
    EXTRA = 6
    IMPORTANT_SEASON = 7
    SEASON = 8
    BASE = 9


HIGHEST_PRIORITY, LOWEST_PRIORITY = 1, 9


@dataclass(frozen=True, slots=True)
class Season:
    """Some local days, first and last included, on which other hours replace what lies below. Raises ValueError."""

    name: str
    first_on: date
    last_on: date

    def __post_init__(self) -> None:
        if self.last_on < self.first_on:
            raise ValueError("a season must not end before it starts")

    def within(self, zone: ZoneInfo, window: TimeRange) -> TimeRange | None:
        """The part of ``window`` that the season's days cover, from midnight to midnight."""
        starts_at = start_instant(datetime.combine(self.first_on, time.min), zone)
        ends_at = start_instant(datetime.combine(self.last_on, time.min) + _DAY, zone)
        return TimeRange(starts_at, ends_at).intersect(window) if starts_at < ends_at else None


@dataclass(frozen=True, slots=True)
class MovedOccurrence:
    """One occurrence that takes place at another time: ``original_on`` is the local day on which it would have started.

    Both times are wall times. Raises ValueError when one is aware or the end is not after the start.
    """

    original_on: date
    starts_local: datetime
    ends_local: datetime

    def __post_init__(self) -> None:
        _require_wall_window(self.starts_local, self.ends_local)


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """An opening, restriction or closure, in wall time of the site, once or again and again.

    ``starts_local`` and ``ends_local`` are the first occurrence; it may pass midnight or last for days, and keeps its
    length on the wall clock. ``cancelled`` and the moved occurrences name an occurrence by the local day on which it
    starts. A moved one takes place whatever the recurrence says now.

    ``priority`` is 1 (highest) to 9; ``audiences`` for whom it counts (empty: everybody); ``season`` the days on which an
    opening counts and replaces; ``reason`` what people read. Raises ValueError for an aware time, an end not after its
    start, a priority out of range, or a season of anything but an opening.
    """

    kind: EntryKind
    starts_local: datetime
    ends_local: datetime
    recurrence: Recurrence | None = None
    cancelled: frozenset[date] = field(default_factory=frozenset)
    moved: tuple[MovedOccurrence, ...] = ()
    priority: int = Priority.BASE
    audiences: frozenset[str] = field(default_factory=frozenset)
    season: Season | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        _require_wall_window(self.starts_local, self.ends_local)
        if not HIGHEST_PRIORITY <= self.priority <= LOWEST_PRIORITY:
            raise ValueError("a priority is 1 to 9")
        if self.season is not None and self.kind is not EntryKind.OPENING:
            raise ValueError("only an opening belongs to a season")

    @property
    def is_base(self) -> bool:
        """Whether it is one of the hours that hold for everybody when no other layer says anything."""
        plain = self.season is None and not self.audiences
        return self.kind is EntryKind.OPENING and plain and self.priority == Priority.BASE

    def counts_for(self, audience: str) -> bool:
        return not self.audiences or audience in self.audiences

    @property
    def replaced_days(self) -> frozenset[date]:
        """The local days whose occurrence is cancelled or takes place at another time."""
        return self.cancelled | {one.original_on for one in self.moved}


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """How a calendar takes statutory holidays.

    ``closed``: not open on them. ``makeup_weekday``: on a make-up workday it is open as on that weekday (0 = Monday), or,
    when None, as on the Saturday or Sunday that it is. Both mean nothing outside of China.
    """

    closed: bool = False
    makeup_weekday: int | None = None


NO_HOLIDAYS = HolidayRule()


def expand(entry: CalendarEntry, zone: ZoneInfo, window: TimeRange, holidays: HolidayRule = NO_HOLIDAYS) -> list[TimeRange]:
    """The entry's occurrences within ``window``, cut to it, by start; they may overlap when the entry does.

    Each end is converted from wall time on its own (``wall_time``), so 09:00 stays 09:00 through clock changes:

    * In a gap a wall time that does not exist shifts forward by the gap. A window over the whole gap loses the missing
      time; one from 02:30 in a gap from 02:00 to 03:00 starts at 03:30; one that comes out empty is left out that day.
    * In a fold a window starts with the first pass and ends with the last: from 01:30 covers both passes and all
      between, and until 01:30 ends with the second 01:30.
    """
    bounds = window if entry.season is None else entry.season.within(zone, window)
    if bounds is None:
        return []
    found = []
    for starts_local, ends_local in _occurrences(entry, zone, bounds, holidays):
        starts_at, ends_at = start_instant(starts_local, zone), end_instant(ends_local, zone)
        within = TimeRange(starts_at, ends_at).intersect(bounds) if starts_at < ends_at else None
        if within is not None:
            found.append(within)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a repeated entry happens: where it was meant to start, and what became of it (None: cancelled)."""

    original_on: date
    starts_local: datetime | None
    ends_local: datetime | None
    is_changed: bool


def occurrences_on(entry: CalendarEntry, first_on: date, last_on: date) -> list[Occurrence]:
    """The occurrences that were meant to start from ``first_on`` to ``last_on``, moved and cancelled ones among them."""
    length = entry.ends_local - entry.starts_local
    low, high = datetime.combine(first_on, time.min), datetime.combine(last_on, time.max)
    repeats = entry.recurrence.starts_between(entry.starts_local, low, high) if entry.recurrence else iter([entry.starts_local])
    starts = {start.date(): start for start in repeats if low <= start <= high}
    moved = {one.original_on: one for one in entry.moved if first_on <= one.original_on <= last_on}
    cancelled = {day for day in entry.cancelled if first_on <= day <= last_on}
    found = []
    for day in sorted({*starts, *moved, *cancelled}):
        if day in cancelled:
            found.append(Occurrence(day, None, None, is_changed=True))
        elif day in moved:
            found.append(Occurrence(day, moved[day].starts_local, moved[day].ends_local, is_changed=True))
        else:
            found.append(Occurrence(day, starts[day], starts[day] + length, is_changed=False))
    return found


def happens_on(entry: CalendarEntry, day: date) -> bool:
    """Whether an occurrence was meant to start on that local day, whatever became of it."""
    return bool(occurrences_on(entry, day, day))


def _occurrences(
    entry: CalendarEntry, zone: ZoneInfo, window: TimeRange, holidays: HolidayRule
) -> Iterator[tuple[datetime, datetime]]:
    """Wall-time pairs of every occurrence that can reach into ``window`` (and a few beside it)."""
    length = entry.ends_local - entry.starts_local
    low = to_wall(window.starts_at, zone) - length - _DAY
    high = to_wall(window.ends_at, zone) + _DAY
    if entry.recurrence is None:
        starts: Iterable[datetime] = [entry.starts_local]
    else:
        starts = entry.recurrence.starts_between(entry.starts_local, low, high)
        if holidays.makeup_weekday is not None and statutory_holidays.applies_in(zone.key):
            starts = _with_makeup_days(entry, entry.recurrence, starts, low.date(), high.date(), holidays.makeup_weekday)
    replaced = entry.replaced_days
    yield from ((start, start + length) for start in starts if start.date() not in replaced)
    yield from ((one.starts_local, one.ends_local) for one in entry.moved if one.original_on not in entry.cancelled)


def _with_makeup_days(
    entry: CalendarEntry, recurrence: Recurrence, starts: Iterable[datetime], low: date, high: date, as_weekday: int
) -> Iterable[datetime]:
    """``starts`` with those of make-up workdays as if these were another weekday; closures keep their real days."""
    if entry.kind is EntryKind.CLOSURE or not recurrence.follows_weekdays:
        return starts
    makeup_days = statutory_holidays.makeup_days_between(low, high)
    worked = [
        datetime.combine(day, entry.starts_local.time())
        for day in makeup_days
        if recurrence.happens_as(entry.starts_local, day, as_weekday)
    ]
    return [*(start for start in starts if start.date() not in makeup_days), *worked]


def _require_wall_window(starts_local: datetime, ends_local: datetime) -> None:
    if starts_local.tzinfo is not None or ends_local.tzinfo is not None:
        raise ValueError("a calendar entry is in wall time: its times are naive")
    if starts_local >= ends_local:
        raise ValueError("a calendar entry must end after it starts")
