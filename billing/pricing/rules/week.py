"""Which band of a price holds when: the local week cut into pieces, and days of other kinds where a price knows holidays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.pricing.rules.public_days import HOLIDAY, PublicDays

DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * DAY_MINUTES
_DAY = timedelta(days=1)
_KINDS = range(1, HOLIDAY + 1)


@dataclass(frozen=True, slots=True)
class BandTime:
    """When a band holds: the kinds of local days on which it starts (1 Monday to 7, HOLIDAY), and its minutes from local midnight;
    ``to_minute`` <= ``from_minute`` means the next day."""

    kinds: frozenset[int]
    from_minute: int
    to_minute: int

    @property
    def end(self) -> int:
        """The end in minutes from the midnight before its start."""
        return self.to_minute if self.to_minute > self.from_minute else self.to_minute + DAY_MINUTES


@dataclass(frozen=True, slots=True)
class DayBands:
    """One local day cut into pieces: piece ``i`` runs from ``starts[i]`` (seconds of the day) in band ``bands[i]``
    (index into ``PriceSchedule.bands``, -1 = standard) to the next start or midnight."""

    starts: tuple[int, ...]
    bands: tuple[int, ...]


BandsOn = Callable[[date], DayBands]
"""The pieces of a local day."""


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """A price that knows statutory holidays: as what weekday make-up workdays count (None: as their own), and the pieces of a day by
    the kinds of the day before it and of itself."""

    makeup_weekday: int | None
    pieces: Mapping[tuple[int, int], DayBands]

    def bands_on(self, days: PublicDays) -> BandsOn:
        """The pieces of any local day under these holidays."""

        def found(day: date) -> DayBands:
            before = days.kind_of(day - _DAY, self.makeup_weekday)
            return self.pieces[before, days.kind_of(day, self.makeup_weekday)]

        return found


def minute(wall_time: str) -> int:
    """Minutes from midnight of ``HH:MM``."""
    hours, minutes = wall_time.split(":")
    return int(hours) * 60 + int(minutes)


def band_time(document: Mapping[str, Any]) -> BandTime:
    """When a band of a document holds."""
    kinds = frozenset(document["weekdays"]) | ({HOLIDAY} if document.get("holidays") else frozenset())
    return BandTime(kinds, minute(document["from"]), minute(document["to"]))


def holiday_rule(document: Mapping[str, Any], times: Sequence[BandTime]) -> HolidayRule:
    """The part ``holidays`` of a document that was checked."""
    pieces = {pair: _day(0, sorted(_covering(times, *pair))) for pair in product(_KINDS, _KINDS)}
    return HolidayRule(document.get("makeup_weekday"), pieces)


def week_of(times: Sequence[BandTime]) -> tuple[DayBands, ...]:
    """The pieces of Monday to Sunday."""
    covered = sorted((first, last, place) for place, time in enumerate(times) for first, last in _week_ranges(time))
    return tuple(_day(day * DAY_MINUTES, covered) for day in range(7))


def overlap_faults(bands: Sequence[Mapping[str, Any]], *, holidays: bool) -> list[Fault]:
    """Bands that hold at the same time; with ``holidays`` on days of any kind after one of any other."""
    times = [band_time(each) for each in bands]
    found = _overlaps_of_week(times)
    if holidays:
        found |= {pair for kinds in product(_KINDS, _KINDS) for pair in _overlaps(list(_covering(times, *kinds)))}
    return [Fault(f"$.bands[{late}]", f"overlaps the band {bands[early]['code']!r}") for early, late in sorted(found)]


def _overlaps_of_week(times: Sequence[BandTime]) -> set[tuple[int, int]]:
    return _overlaps([(first, last, place) for place, time in enumerate(times) for first, last in _week_ranges(time)])


def _overlaps(covered: Sequence[tuple[int, int, int]]) -> set[tuple[int, int]]:
    """The pairs of bands (the earlier of the document first) of which stretches meet."""
    return {
        (min(one, other), max(one, other))
        for first, last, one in covered
        for start, end, other in covered
        if one != other and first < end and start < last
    }


def _covering(times: Sequence[BandTime], before: int, kind: int) -> Iterable[tuple[int, int, int]]:
    """The minutes of a day of ``kind`` after one of kind ``before`` that bands cover: what goes over midnight, and its own."""
    for place, time in enumerate(times):
        if before in time.kinds and time.end > DAY_MINUTES:
            yield 0, time.end - DAY_MINUTES, place
        if kind in time.kinds:
            yield time.from_minute, min(time.end, DAY_MINUTES), place


def _week_ranges(time: BandTime) -> list[tuple[int, int]]:
    """The minutes of the week (Monday 00:00 = 0) that a band covers, cut at the end of Sunday."""
    ranges = []
    for weekday in sorted(time.kinds - {HOLIDAY}):
        midnight = (weekday - 1) * DAY_MINUTES
        first, last = midnight + time.from_minute, midnight + time.end
        ranges.append((first, min(last, _WEEK_MINUTES)))
        if last > _WEEK_MINUTES:
            ranges.append((0, last - _WEEK_MINUTES))
    return ranges


def _day(midnight: int, covered: Sequence[tuple[int, int, int]]) -> DayBands:
    starts, bands, cursor = [], [], 0
    for first, last, place in covered:
        start, end = max(first - midnight, 0), min(last - midnight, DAY_MINUTES)
        if start >= end:
            continue
        if start > cursor:
            starts.append(cursor * 60)
            bands.append(-1)
        starts.append(start * 60)
        bands.append(place)
        cursor = end
    if cursor < DAY_MINUTES:
        starts.append(cursor * 60)
        bands.append(-1)
    return DayBands(tuple(starts), tuple(bands))
