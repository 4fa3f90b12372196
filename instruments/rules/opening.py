"""When an instrument is open, and why it is not: the layers of a calendar, laid over each other.

The semantics are those of RFC 7953 (calendar availability). A layer *covers* some time and says when in it the instrument
is open; where layers cover the same time, the one with the higher priority (the lower number) replaces the other:

=====================  =======================================  ========================================================
layer                  covers                                   says
=====================  =======================================  ========================================================
nothing                always                                   closed
base hours (9)         its windows                              open
season (8, 7)          its local days, midnight to midnight     open in its windows, closed beside them
hours for some (6)     its windows, for its audiences           open
restriction (5)        its windows, for its audiences           closed
statutory holiday (4)  the local day                            closed
opened once (3)        its window                               open
closure                its windows                              closed, whatever any priority says: it is busy time
=====================  =======================================  ========================================================

The numbers are the usual ones (``Priority``); an entry may carry another. At one priority seasons come first, openings of
all layers add up, and what closes wins. A window that reaches out of its season, or into a holiday, ends at that midnight.
Bookings and maintenance are occupancies and are taken off elsewhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from config.kernel.time_range import TimeRange, merge, subtract
from instruments.rules import statutory_holidays
from instruments.rules.audience import Audience
from instruments.rules.entries import (
    NO_HOLIDAYS,
    CalendarEntry,
    EntryKind,
    HolidayRule,
    MovedOccurrence,
    Priority,
    Season,
    expand,
)
from instruments.rules.wall_time import local_day, to_wall

__all__ = [
    "CalendarEntry",
    "CalendarRules",
    "ClosedCause",
    "ClosedStretch",
    "EntryKind",
    "HolidayRule",
    "MovedOccurrence",
    "Priority",
    "Season",
    "WhyClosed",
    "closed_stretches",
    "expand",
    "open_ranges",
    "ranges_open_to_anybody",
    "why_closed",
]

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CalendarRules:
    """Everything that decides when a calendar is open, in wall time of whatever zone it is asked for."""

    entries: tuple[CalendarEntry, ...] = ()
    holidays: HolidayRule = NO_HOLIDAYS

    @property
    def depends_on_audience(self) -> bool:
        return any(entry.audiences for entry in self.entries)

    @property
    def opens_at_all(self) -> bool:
        return any(entry.kind is EntryKind.OPENING for entry in self.entries)


class ClosedCause(StrEnum):
    """Which layer closes. ``OTHERS_ONLY``: it is open then, for other customers."""

    HOURS = "hours"
    SEASON = "season"
    HOLIDAY = "holiday"
    RESTRICTION = "restriction"
    CLOSURE = "closure"
    OTHERS_ONLY = "others_only"


@dataclass(frozen=True, slots=True)
class WhyClosed:
    """``name``: the season's name, the holiday's code, or the reason that was typed. ``audiences``: for whom it is open."""

    cause: ClosedCause
    name: str = ""
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosedStretch:
    range: TimeRange
    why: WhyClosed


#: A layer of paint: where it lies, and None where it opens, else why it closes.
_Coat = tuple[list[TimeRange], WhyClosed | None]
_OUT_OF_HOURS = WhyClosed(ClosedCause.HOURS)


def open_ranges(
    rules: CalendarRules | Iterable[CalendarEntry], zone: ZoneInfo, window: TimeRange, audience: str | None = None
) -> list[TimeRange]:
    """When it is open within ``window`` for an audience: sorted, disjoint, touching ones joined.

    Without an audience: when it is open for everybody, whoever they are. Plain entries are rules without holidays.
    """
    rules = _as_rules(rules)
    found: list[TimeRange] | None = None
    for each in _asked(rules, audience):
        opened: list[TimeRange] = []
        for ranges, why in _coats(rules, zone, window, each):
            opened = merge([*opened, *ranges]) if why is None else subtract(opened, ranges)
        found = opened if found is None else subtract(found, subtract([window], opened))
    return found or []


def ranges_open_to_anybody(rules: CalendarRules, zone: ZoneInfo, window: TimeRange) -> list[TimeRange]:
    """When it is open within ``window`` for at least one audience: where it can pay to ask for a customer's own opening."""
    audiences = tuple(Audience) if rules.depends_on_audience else (Audience.FIRM,)
    return merge(one for each in audiences for one in open_ranges(rules, zone, window, each))


def closed_stretches(
    rules: CalendarRules | Iterable[CalendarEntry], zone: ZoneInfo, window: TimeRange, audience: str | None = None
) -> list[ClosedStretch]:
    """What ``open_ranges`` leaves of ``window``, each stretch with the layer that closes it; sorted and disjoint.

    Time in which other customers may come is said to be theirs, unless a closure takes it from everybody.
    """
    rules = _as_rules(rules)
    groups = tuple(Audience) if rules.depends_on_audience else (audience or Audience.FIRM,)
    verdicts = {each: _Verdicts(_coats(rules, zone, window, each)) for each in groups}
    own = [verdicts[each] for each in (groups if audience is None else (audience,))]
    edges = sorted({window.starts_at, window.ends_at, *(edge for each in verdicts.values() for edge in each.edges)})
    stretches: list[ClosedStretch] = []
    for starts_at, ends_at in pairwise(edges):
        whys = [found for each in own if (found := each.at(starts_at)) is not None]
        if whys:
            open_for = tuple(each for each in groups if verdicts[each].at(starts_at) is None)
            why = WhyClosed(ClosedCause.OTHERS_ONLY, "", open_for) if open_for else whys[0]
            _append(stretches, TimeRange(starts_at, ends_at), why)
    return stretches


def why_closed(
    rules: CalendarRules | Iterable[CalendarEntry], zone: ZoneInfo, instant: datetime, audience: str | None = None
) -> WhyClosed | None:
    """Why it is not open at an instant; None when it is open."""
    found = closed_stretches(rules, zone, TimeRange(instant, instant + _MOMENT), audience)
    return found[0].why if found else None


class _Verdicts:
    """What the topmost coat says at any instant of a window."""

    def __init__(self, coats: Iterable[_Coat]) -> None:
        painted = [(merge(ranges), why) for ranges, why in coats]
        self._coats = [(ranges, [one.starts_at for one in ranges], why) for ranges, why in reversed(painted)]

    @property
    def edges(self) -> Iterator[datetime]:
        for ranges, _, _ in self._coats:
            for one in ranges:
                yield from (one.starts_at, one.ends_at)

    def at(self, instant: datetime) -> WhyClosed | None:
        for ranges, starts, why in self._coats:
            place = bisect_right(starts, instant) - 1
            if place >= 0 and instant < ranges[place].ends_at:
                return why
        return _OUT_OF_HOURS


def _as_rules(rules: CalendarRules | Iterable[CalendarEntry]) -> CalendarRules:
    return rules if isinstance(rules, CalendarRules) else CalendarRules(tuple(rules))


def _asked(rules: CalendarRules, audience: str | None) -> Sequence[str]:
    if audience is not None:
        return (audience,)
    return tuple(Audience) if rules.depends_on_audience else (Audience.FIRM,)


def _coats(rules: CalendarRules, zone: ZoneInfo, window: TimeRange, audience: str) -> Iterator[_Coat]:
    """The layers that count for an audience, from the lowest to the topmost."""
    counting = [entry for entry in rules.entries if entry.counts_for(audience)]
    closures = [entry for entry in counting if entry.kind is EntryKind.CLOSURE]
    holidays = _holiday_coats(rules, zone, window)
    levels = {entry.priority for entry in counting if entry.kind is not EntryKind.CLOSURE}
    for level in sorted(levels | ({int(Priority.HOLIDAY)} if holidays else set()), reverse=True):
        at_level = [entry for entry in counting if entry.priority == level]
        openings = [entry for entry in at_level if entry.kind is EntryKind.OPENING]
        yield from _season_coats(openings, zone, window)
        yield [one for entry in openings for one in expand(entry, zone, window, rules.holidays)], None
        for entry in at_level:
            if entry.kind is EntryKind.RESTRICTION:
                yield expand(entry, zone, window, rules.holidays), WhyClosed(ClosedCause.RESTRICTION, entry.reason)
        if level == Priority.HOLIDAY:
            yield from holidays
    for entry in closures:
        yield expand(entry, zone, window), WhyClosed(ClosedCause.CLOSURE, entry.reason)


def _season_coats(openings: Iterable[CalendarEntry], zone: ZoneInfo, window: TimeRange) -> Iterator[_Coat]:
    for season in dict.fromkeys(entry.season for entry in openings):
        covered = season.within(zone, window) if season is not None else None
        if season is not None and covered is not None:
            yield [covered], WhyClosed(ClosedCause.SEASON, season.name)


def _holiday_coats(rules: CalendarRules, zone: ZoneInfo, window: TimeRange) -> list[_Coat]:
    if not rules.holidays.closed or not statutory_holidays.applies_in(zone.key):
        return []
    first_on, last_on = to_wall(window.starts_at, zone).date(), to_wall(window.ends_at, zone).date()
    coats: list[_Coat] = []
    for day, code in statutory_holidays.holidays_between(first_on, last_on).items():
        covered = local_day(day, zone).intersect(window)
        if covered is not None:
            coats.append(([covered], WhyClosed(ClosedCause.HOLIDAY, code)))
    return coats


def _append(stretches: list[ClosedStretch], stretch: TimeRange, why: WhyClosed) -> None:
    """Lengthen the stretch before when it touches and has the same reason."""
    before = stretches[-1] if stretches else None
    if before is not None and before.range.ends_at == stretch.starts_at and before.why == why:
        stretches[-1] = ClosedStretch(TimeRange(before.range.starts_at, stretch.ends_at), why)
    else:
        stretches.append(ClosedStretch(stretch, why))
