"""What an imported calendar file would close: each row of the file against what is closed already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from config.kernel.errors import Reason
from instruments.rules.ics_reading import REFUSED, TAKEN, IcsRow
from instruments.rules.wall_time import to_wall

NEW, CHANGED, KNOWN, TAKEN_BACK, SKIPPED = "new", "changed", "known", "taken_back", "skipped"
FATES = (NEW, CHANGED, TAKEN_BACK, KNOWN, SKIPPED, REFUSED)
WRITTEN = frozenset({NEW, CHANGED, TAKEN_BACK})

Key = tuple[str, str]
WallTimes = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class KnownClosure:
    """A closure that happens once; ``key`` names the event that it was imported from, if it was."""

    entry_id: int
    times: WallTimes
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What becomes of one row: ``by_calendar`` has a fate for each calendar, ``replaces`` the entry that goes where one does.

    ``starts_local`` and ``ends_local`` are wall times of the place. ``fate`` sums it up: what changes anywhere comes first.
    """

    row: IcsRow
    starts_local: datetime | None
    ends_local: datetime | None
    by_calendar: Mapping[int, str] = field(default_factory=dict)
    replaces: Mapping[int, int] = field(default_factory=dict)
    reason: Reason | None = None

    @property
    def fate(self) -> str:
        if not self.by_calendar:
            return self.row.fate
        return min(self.by_calendar.values(), key=FATES.index)


def plan(rows: Iterable[IcsRow], closures: Mapping[int, Iterable[KnownClosure]], zone: ZoneInfo) -> list[PlannedRow]:
    """Each row's fate on each calendar: ``closures`` are those that happen once, by calendar id."""
    rows = list(rows)
    in_file = {row.key for row in rows}
    by_key = {calendar: {one.key: one for one in known if one.key} for calendar, known in closures.items()}
    times = {calendar: {one.times for one in known if one.key not in in_file} for calendar, known in closures.items()}
    return [_planned(row, by_key, times, zone) for row in rows]


def wall_times(row: IcsRow, zone: ZoneInfo) -> WallTimes | None:
    """When the row closes, in wall time: a stretch that ends when the clock was put back meanwhile is as long as it lasts."""
    if row.during is None:
        return None
    starts, ends = to_wall(row.during.starts_at, zone), to_wall(row.during.ends_at, zone)
    return starts, ends if ends > starts else starts + row.during.duration


def _planned(
    row: IcsRow, by_key: Mapping[int, Mapping[Key, KnownClosure]], times: Mapping[int, set[WallTimes]], zone: ZoneInfo
) -> PlannedRow:
    walls = wall_times(row, zone)
    starts, ends = walls or (to_wall(row.starts_at, zone) if row.starts_at else None, None)
    if row.cancelled:
        replaces = {calendar: known[row.key].entry_id for calendar, known in by_key.items() if row.key in known}
        return PlannedRow(row, starts, ends, dict.fromkeys(replaces, TAKEN_BACK), replaces, row.reason)
    if row.fate != TAKEN or walls is None:
        return PlannedRow(row, starts, ends, reason=row.reason)
    fates, replaces = {}, {}
    reason = None
    for calendar, known in by_key.items():
        same = known.get(row.key)
        if same is None:
            fates[calendar] = KNOWN if walls in times[calendar] else NEW
        elif same.times == walls:
            fates[calendar] = KNOWN
        else:
            fates[calendar], replaces[calendar] = CHANGED, same.entry_id
            was = {"from": f"{same.times[0]:%Y-%m-%d %H:%M}", "to": f"{same.times[1]:%Y-%m-%d %H:%M}"}
            reason = Reason("closures.was", was)
    if reason is None and set(fates.values()) == {KNOWN}:
        reason = Reason("closures.known")
    return PlannedRow(row, starts, ends, fates, replaces, reason)
