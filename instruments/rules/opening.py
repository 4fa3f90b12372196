"""When an instrument is open: calendar entries in wall time, expanded to ranges of instants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from config.kernel.time_range import TimeRange, subtract
from instruments.rules.recurrence import Recurrence
from instruments.rules.wall_time import end_instant, start_instant, to_wall

_MARGIN = timedelta(days=1)


class EntryKind(StrEnum):
    OPENING = "opening"
    CLOSURE = "closure"


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
    """An opening window or a closure, in wall time of the site, once or again and again.

    ``starts_local`` and ``ends_local`` are the first occurrence; it may pass midnight or last for days, and keeps its
    length on the wall clock. ``cancelled`` and the moved occurrences name an occurrence by the local day on which it
    starts. A moved one takes place whatever the recurrence says now. Raises ValueError for an aware time, or an end
    not after its start.
    """

    kind: EntryKind
    starts_local: datetime
    ends_local: datetime
    recurrence: Recurrence | None = None
    cancelled: frozenset[date] = field(default_factory=frozenset)
    moved: tuple[MovedOccurrence, ...] = ()

    def __post_init__(self) -> None:
        _require_wall_window(self.starts_local, self.ends_local)


def expand(entry: CalendarEntry, zone: ZoneInfo, window: TimeRange) -> list[TimeRange]:
    """The entry's occurrences within ``window``, cut to it, by start; they may overlap when the entry does.

    Each end is converted from wall time on its own (``wall_time``), so 09:00 stays 09:00 through clock changes:

    * In a gap a wall time that does not exist shifts forward by the gap. A window over the whole gap loses the missing
      time; one from 02:30 in a gap from 02:00 to 03:00 starts at 03:30; one that comes out empty is left out that day.
    * In a fold a window starts with the first pass and ends with the last: from 01:30 covers both passes and all
      between, and until 01:30 ends with the second 01:30.
    """
    found = []
    for starts_local, ends_local in _occurrences(entry, zone, window):
        starts_at, ends_at = start_instant(starts_local, zone), end_instant(ends_local, zone)
        within = TimeRange(starts_at, ends_at).intersect(window) if starts_at < ends_at else None
        if within is not None:
            found.append(within)
    return sorted(found)


def open_ranges(entries: Iterable[CalendarEntry], zone: ZoneInfo, window: TimeRange) -> list[TimeRange]:
    """When it is open within ``window``: all openings minus all closures; sorted, disjoint, touching ones joined.

    A closure always wins over an opening (as a busy period over availability in RFC 7953). Without any opening entry
    an instrument is closed.
    """
    expanded: dict[EntryKind, list[TimeRange]] = {EntryKind.OPENING: [], EntryKind.CLOSURE: []}
    for entry in entries:
        expanded[entry.kind] += expand(entry, zone, window)
    return subtract(expanded[EntryKind.OPENING], expanded[EntryKind.CLOSURE])


def _occurrences(entry: CalendarEntry, zone: ZoneInfo, window: TimeRange) -> Iterator[tuple[datetime, datetime]]:
    """Wall-time pairs of every occurrence that can reach into ``window`` (and a few beside it)."""
    length = entry.ends_local - entry.starts_local
    low = to_wall(window.starts_at, zone) - length - _MARGIN
    high = to_wall(window.ends_at, zone) + _MARGIN
    if entry.recurrence is not None:
        starts: Iterable[datetime] = entry.recurrence.starts_between(entry.starts_local, low, high)
    else:
        starts = [entry.starts_local]
    replaced = entry.cancelled | {one.original_on for one in entry.moved}
    yield from ((start, start + length) for start in starts if start.date() not in replaced)
    yield from ((one.starts_local, one.ends_local) for one in entry.moved if one.original_on not in entry.cancelled)


def _require_wall_window(starts_local: datetime, ends_local: datetime) -> None:
    if starts_local.tzinfo is not None or ends_local.tzinfo is not None:
        raise ValueError("a calendar entry is in wall time: its times are naive")
    if starts_local >= ends_local:
        raise ValueError("a calendar entry must end after it starts")
