"""A slow, independent oracle for calendars: it walks through every minute and looks at the clock on the wall.

It shares with the rules only the zone data. Days are walked one by one, wall times are found by looking for them.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from config.kernel.time_range import TimeRange
from instruments.rules.opening import CalendarEntry, EntryKind

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

SHANGHAI = ZoneInfo("Asia/Shanghai")
URUMQI = ZoneInfo("Asia/Urumqi")
NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")

GAPS = [
    (SHANGHAI, date(1986, 5, 4)),
    (SHANGHAI, date(1990, 4, 15)),
    (NEW_YORK, date(2026, 3, 8)),
    (LONDON, date(2026, 3, 29)),
    (LORD_HOWE, date(2026, 10, 4)),
]
FOLDS = [
    (SHANGHAI, date(1986, 9, 14)),
    (SHANGHAI, date(1991, 9, 15)),
    (NEW_YORK, date(2026, 11, 1)),
    (LONDON, date(2026, 10, 25)),
    (LORD_HOWE, date(2026, 4, 5)),
]
PLAIN_DAYS = [
    (URUMQI, date(2026, 7, 1)),
    (SHANGHAI, date(2028, 2, 29)),
    (NEW_YORK, date(2024, 2, 29)),
    (SHANGHAI, date(2026, 12, 31)),
    (LONDON, date(2027, 1, 1)),
]
DAYS = GAPS + FOLDS + PLAIN_DAYS


def at(*parts: int) -> datetime:
    """A wall time."""
    return datetime(*parts)


class Clock:
    """What a wall clock shows at every minute of some days around ``around``."""

    def __init__(self, zone: ZoneInfo, around: date, days: int = 3) -> None:
        middle = datetime(around.year, around.month, around.day, tzinfo=UTC)
        count = 2 * days * 24 * 60
        self.minutes = [middle - days * DAY + n * MINUTE for n in range(count)]
        self.walls = [minute.astimezone(zone).replace(tzinfo=None, fold=0) for minute in self.minutes]
        self._shown: dict[datetime, list[datetime]] = {}
        for minute, wall in zip(self.minutes, self.walls, strict=True):
            self._shown.setdefault(wall, []).append(minute)

    @property
    def first_wall(self) -> datetime:
        return self.walls[0]

    @property
    def last_wall(self) -> datetime:
        return self.walls[-1]

    def shown(self, wall: datetime) -> list[datetime]:
        return self._shown.get(wall, [])

    def start(self, wall: datetime) -> datetime:
        while not self.shown(wall):
            wall += self._jump_over(wall)
        return self.shown(wall)[0]

    def end(self, wall: datetime) -> datetime:
        if len(self.shown(wall)) == 2 and len(self.shown(wall - MINUTE)) == 2:
            return self.shown(wall)[1]
        return self.start(wall)

    def _jump_over(self, missing: datetime) -> timedelta:
        return next(after - before - MINUTE for before, after in pairwise(self.walls) if before < missing < after)


def occurrence_days(entry: CalendarEntry, last: date) -> Iterator[date]:
    """Local start days of the entry, walked day by day up to ``last``, cancelled and moved ones included."""
    first = entry.starts_local.date()
    repeat = entry.recurrence
    if repeat is None:
        yield first
        return
    monday = first - first.weekday() * DAY
    happened = 0
    day = first
    while day <= last and (repeat.until is None or day <= repeat.until):
        if repeat.frequency == "daily":
            in_step = (day - first).days % repeat.interval == 0
            on_weekday = not repeat.weekdays or day.weekday() in repeat.weekdays
        else:
            in_step = (day - monday).days // 7 % repeat.interval == 0
            on_weekday = day.weekday() in (repeat.weekdays or (first.weekday(),))
        if in_step and on_weekday:
            if repeat.count is not None and happened == repeat.count:
                return
            happened += 1
            yield day
        day += DAY


def minutes_of(entry: CalendarEntry, clock: Clock) -> set[datetime]:
    """Every minute of the clock's days within an occurrence of the entry."""
    length = entry.ends_local - entry.starts_local
    walls = [(moved.starts_local, moved.ends_local) for moved in entry.moved if moved.original_on not in entry.cancelled]
    replaced = entry.cancelled | {moved.original_on for moved in entry.moved}
    for day in occurrence_days(entry, clock.last_wall.date()):
        if day not in replaced:
            start = datetime.combine(day, entry.starts_local.time())
            walls.append((start, start + length))
    found: set[datetime] = set()
    for start, end in walls:
        if end <= clock.first_wall + DAY or start >= clock.last_wall - DAY:
            continue
        first = clock.start(start) if start > clock.first_wall else clock.minutes[0]
        last = clock.end(end) if end < clock.last_wall else clock.minutes[-1]
        found |= {minute for minute in clock.minutes if first <= minute < last}
    return found


def open_minutes(entries: list[CalendarEntry], clock: Clock, window: TimeRange) -> set[datetime]:
    found: dict[EntryKind, set[datetime]] = {EntryKind.OPENING: set(), EntryKind.CLOSURE: set()}
    for entry in entries:
        found[entry.kind] |= minutes_of(entry, clock)
    opened = found[EntryKind.OPENING] - found[EntryKind.CLOSURE]
    return {minute for minute in opened if window.starts_at <= minute < window.ends_at}


def as_minutes(ranges: list[TimeRange]) -> set[datetime]:
    """The minutes of ranges that start and end on whole minutes."""
    found = set()
    for one in ranges:
        minute = one.starts_at
        while minute < one.ends_at:
            found.add(minute)
            minute += MINUTE
    return found
