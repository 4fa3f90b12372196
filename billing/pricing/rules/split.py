"""Cutting a session at the edges of its price bands, in the wall time of the site.

The band is chosen by the wall clock; what is billed is time that really passed. On the night the clock springs forward
the skipped hour costs nothing, on the night it falls back the repeated hour is paid twice (architecture.md section 4).
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billing.pricing.rules.marginal import NO_STEPS, Cut, cut_at
from billing.pricing.rules.public_days import NO_PUBLIC_DAYS, PublicDays
from billing.pricing.rules.schedule import PriceSchedule
from billing.pricing.rules.week import BandsOn, DayBands
from config.kernel.time_range import TimeRange

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_DAY_SECONDS = 86_400

#: A stretch of a session within one band: start, end (UTC) and the band's index, -1 outside every band.
Stretch = tuple[datetime, datetime, int]


def split(schedule: PriceSchedule, time_range: TimeRange, zone: ZoneInfo, days: PublicDays = NO_PUBLIC_DAYS) -> list[Cut]:
    """The session cut at the edges of its bands and where marginal steps end, in order."""
    if not schedule.step_ends:
        return [(start, end, band, NO_STEPS) for start, end, band in split_by_band(schedule, time_range, zone, days)]
    cuts: list[Cut] = []
    for start, end, band in split_by_band(schedule, time_range, zone, days):
        cuts += cut_at(schedule.step_ends, start - time_range.starts_at, start, end, band)
    return cuts


def split_by_band(
    schedule: PriceSchedule, time_range: TimeRange, zone: ZoneInfo, days: PublicDays = NO_PUBLIC_DAYS
) -> list[Stretch]:
    """The session as consecutive stretches, each within one band and none touching another of the same band.

    ``days``: the statutory holidays, as far as the price knows holidays.
    """
    start, end = time_range.starts_at, time_range.ends_at
    if not schedule.bands:
        return [(start, end, -1)]
    if schedule.holidays is not None:
        return _merged(_careful(schedule.holidays.bands_on(days), start, end, zone))
    local_start = start.astimezone(zone)
    same_offset = local_start.utcoffset() == end.astimezone(zone).utcoffset()
    if same_offset and end - start <= _DAY:
        return _walk(schedule.week, local_start, start, end)
    week = schedule.week
    return _merged(_careful(lambda day: week[day.weekday()], start, end, zone))


def _walk(week: tuple[DayBands, ...], local: datetime, start: datetime, end: datetime) -> list[Stretch]:
    """Cut a session of at most a day during which the clock does not jump: plain arithmetic on the second of the day."""
    second = local.hour * 3600 + local.minute * 60 + local.second
    weekday = local.weekday()
    day = week[weekday]
    place = bisect_right(day.starts, second) - 1
    midnight = start - timedelta(seconds=second, microseconds=local.microsecond)
    stretches: list[Stretch] = []
    while True:
        last = place + 1 == len(day.starts)
        cut = midnight + timedelta(seconds=_DAY_SECONDS if last else day.starts[place + 1])
        until = cut if cut < end else end
        if stretches and stretches[-1][2] == day.bands[place]:
            stretches[-1] = (stretches[-1][0], until, day.bands[place])
        else:
            stretches.append((start, until, day.bands[place]))
        if until == end:
            return stretches
        start = until
        place += 1
        if last:
            weekday, place, midnight = (weekday + 1) % 7, 0, cut
            day = week[weekday]


def _careful(bands_on: BandsOn, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Stretch]:
    """Cut at every instant that could be an edge, in any zone and over any jump of the clock."""
    cuts = {start, end, *_jumps(start, end, zone)}
    day, last_day = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last_day:
        cuts.update(cut for cut in _edges(bands_on(day), day, zone) if start < cut < end)
        day += _DAY
    ordered = sorted(cuts)
    for first, last in itertools.pairwise(ordered):
        local = first.astimezone(zone)
        bands = bands_on(local.date())
        second = local.hour * 3600 + local.minute * 60 + local.second
        yield first, last, bands.bands[bisect_right(bands.starts, second) - 1]


def _edges(bands: DayBands, day: date, zone: ZoneInfo) -> Iterator[datetime]:
    for second in bands.starts:
        wall = datetime.combine(day, time(second // 3600, second % 3600 // 60), tzinfo=zone)
        yield wall.astimezone(UTC)
        yield wall.replace(fold=1).astimezone(UTC)


def _jumps(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants within the range at which the zone's offset changes, to the second."""
    before = start
    while before < end:
        after = min(before + _HOUR, end)
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield _jump_between(before, after, zone)
        before = after


def _jump_between(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second in (low, high] with the offset of ``high``."""
    offset = high.astimezone(zone).utcoffset()
    low = low.replace(microsecond=0)
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high


def _merged(stretches: Iterator[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for start, end, band in stretches:
        if merged and merged[-1][2] == band:
            merged[-1] = (merged[-1][0], end, band)
        else:
            merged.append((start, end, band))
    return merged
