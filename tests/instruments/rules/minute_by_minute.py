"""A slow, independent oracle for calendars: it walks through every minute and looks at the clock on the wall.

It shares with the rules only the zone data. Days are walked one by one, wall times are found by looking for them, seasons and
holidays by the date on the wall, and the holidays themselves are written down here as the State Council published them.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from config.kernel.time_range import TimeRange
from instruments.rules.opening import CalendarEntry, CalendarRules, EntryKind
from instruments.rules.recurrence import Recurrence

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
HOLIDAY_PLACES = [
    (SHANGHAI, date(2026, 10, 1)),
    (SHANGHAI, date(2026, 10, 10)),
    (URUMQI, date(2026, 5, 9)),
    (URUMQI, date(2026, 6, 21)),
    (NEW_YORK, date(2026, 10, 1)),
    (SHANGHAI, date(2027, 1, 1)),
]
HOLIDAYS = {date(2026, 10, day) for day in range(1, 8)} | {date(2026, 6, 19), date(2026, 6, 20), date(2026, 6, 21)}
MAKEUP_DAYS = {date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10)}
AUDIENCES = ("inside", "academic", "team", "firm")


def at(*parts: int) -> datetime:
    """A wall time."""
    return datetime(*parts)


class Clock:
    """What a wall clock shows at every minute of some days around ``around``."""

    def __init__(self, zone: ZoneInfo, around: date, days: int = 3) -> None:
        self.zone = zone
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


clock_of = cache(Clock)
"""The clock of a place and a day, made when a test first looks at it."""


def _in_month(repeat: Recurrence, first: date, day: date) -> bool:
    if (day.year * 12 + day.month - first.year * 12 - first.month) % repeat.interval:
        return False
    last = calendar.monthrange(day.year, day.month)[1]
    if repeat.nth is None:
        return any(day.day == wanted or (wanted == -1 and day.day == last) for wanted in repeat.month_days or (first.day,))
    if day.weekday() != repeat.weekdays[0]:
        return False
    return day.day + 7 > last if repeat.nth == -1 else (day.day - 1) // 7 + 1 == repeat.nth


def _matches(repeat: Recurrence, first: date, day: date, weekday: int) -> bool:
    """Whether the rule hits ``day``, were that a ``weekday``."""
    if repeat.frequency == "daily":
        return (day - first).days % repeat.interval == 0 and (not repeat.weekdays or weekday in repeat.weekdays)
    if repeat.frequency == "weekly":
        monday = first - first.weekday() * DAY
        in_step = (day - monday).days // 7 % repeat.interval == 0
        return in_step and weekday in (repeat.weekdays or (first.weekday(),))
    if repeat.frequency == "monthly":
        return _in_month(repeat, first, day)
    return (day.month, day.day) == (first.month, first.day) and (day.year - first.year) % repeat.interval == 0


def occurrence_days(entry: CalendarEntry, last: date, makeup_weekday: int | None = None) -> Iterator[date]:
    """Local start days of the entry, walked day by day up to ``last``, cancelled and moved ones included."""
    first = entry.starts_local.date()
    repeat = entry.recurrence
    if repeat is None:
        yield first
        return
    by_weekday = repeat.count is None and (repeat.frequency == "weekly" or (repeat.frequency == "daily" and repeat.weekdays))
    happened = 0
    day = first
    while day <= last and (repeat.until is None or day <= repeat.until):
        weekday = day.weekday()
        if makeup_weekday is not None and by_weekday and entry.kind is not EntryKind.CLOSURE and day in MAKEUP_DAYS:
            weekday = makeup_weekday
        if _matches(repeat, first, day, weekday):
            if repeat.count is not None and happened == repeat.count:
                return
            happened += 1
            yield day
        day += DAY


def minutes_of(entry: CalendarEntry, clock: Clock, makeup_weekday: int | None = None) -> set[datetime]:
    """Every minute of the clock's days within an occurrence of the entry."""
    length = entry.ends_local - entry.starts_local
    walls = [(moved.starts_local, moved.ends_local) for moved in entry.moved if moved.original_on not in entry.cancelled]
    replaced = entry.cancelled | {moved.original_on for moved in entry.moved}
    for day in occurrence_days(entry, clock.last_wall.date(), makeup_weekday):
        if day not in replaced:
            start = datetime.combine(day, entry.starts_local.time())
            walls.append((start, start + length))
    found: set[datetime] = set()
    for start, end in walls:
        if end <= clock.first_wall + DAY or start >= clock.last_wall - DAY:
            continue
        first = clock.start(start) if start > clock.first_wall else clock.minutes[0]
        last = clock.end(end) if end < clock.last_wall else clock.minutes[-1]
        found |= set(clock.minutes[(first - clock.minutes[0]) // MINUTE : (last - clock.minutes[0]) // MINUTE])
    return found


def open_minutes(
    rules: list[CalendarEntry] | CalendarRules, clock: Clock, window: TimeRange, audience: str | None = None
) -> set[datetime]:
    """The minutes of the window at which an audience finds it open; without one, those at which every audience does."""
    if not isinstance(rules, CalendarRules):
        rules = CalendarRules(tuple(rules))
    chinese = clock.zone in (SHANGHAI, URUMQI)
    makeup_weekday = rules.holidays.makeup_weekday if chinese else None
    walls = {minute: wall for minute, wall in zip(clock.minutes, clock.walls, strict=True)
             if window.starts_at <= minute < window.ends_at}  # fmt: skip
    happening = [(entry, minutes_of(entry, clock, makeup_weekday)) for entry in rules.entries]
    closed_days = HOLIDAYS if chinese and rules.holidays.closed else set()
    asked = [audience] if audience else AUDIENCES if any(entry.audiences for entry in rules.entries) else ["anybody"]
    return {
        minute for minute, wall in walls.items() if all(_is_open(happening, minute, wall, closed_days, each) for each in asked)
    }


def _is_open(
    happening: list[tuple[CalendarEntry, set[datetime]]], minute: datetime, wall: datetime, closed_days: set[date], audience: str
) -> bool:
    """Asks each priority from the highest down whether it has anything to say about this minute."""
    counting = [(entry, minutes) for entry, minutes in happening if not entry.audiences or audience in entry.audiences]
    if any(entry.kind is EntryKind.CLOSURE and minute in minutes for entry, minutes in counting):
        return False
    for priority in sorted({4, *(entry.priority for entry, _ in counting)}):
        level = [(entry, minutes) for entry, minutes in counting if entry.priority == priority]
        if priority == 4 and wall.date() in closed_days:
            return False
        if any(entry.kind is EntryKind.RESTRICTION and minute in minutes for entry, minutes in level):
            return False
        openings = [(entry, minutes) for entry, minutes in level if entry.kind is EntryKind.OPENING]
        in_season = [
            (entry.season, minutes)
            for entry, minutes in openings
            if entry.season is None or entry.season.first_on <= wall.date() <= entry.season.last_on
        ]
        if any(minute in minutes for _, minutes in in_season):
            return True
        if any(season is not None for season, _ in in_season):
            return False
    return False


def as_minutes(ranges: list[TimeRange]) -> set[datetime]:
    """The minutes of ranges that start and end on whole minutes."""
    found = set()
    for one in ranges:
        minute = one.starts_at
        while minute < one.ends_at:
            found.add(minute)
            minute += MINUTE
    return found
