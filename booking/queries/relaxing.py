"""Nothing is free: which filter stands in the way most, and what there would be without it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from booking.queries.candidates import FEW, Candidates, earliest, matching
from booking.rules.time_search import LONGEST_DAYS, SHORTEST_MINUTES, TimeSearch

#: Beyond so many nobody cares how many exactly.
COUNTED = 50
_LATER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Relaxed:
    """``search`` would find ``count`` instruments (or ``more``). ``what`` is a filter of the search that is left out, or ``days`` (two
    more weeks) or ``duration`` (the longest that there is)."""

    what: str
    search: TimeSearch
    count: int
    more: bool


@dataclass(frozen=True, slots=True)
class Blocked:
    """``matching``: how many bookable instruments there are but for time (``many``: at least so many); ``calculating`` of them are
    being calculated. ``ways`` out of it, the widest first."""

    matching: int
    many: bool
    calculating: int
    ways: list[Relaxed]

    @property
    def blocking(self) -> str:
        """The filter whose removal gives most; empty when none of them alone gives anything."""
        return next((way.what for way in self.ways if way.what not in ("days", "duration")), "")


def blocked(search: TimeSearch, now: datetime) -> Blocked:
    """Why nothing was found."""
    count, calculating, longest = matching(search, now)
    tries = [(name, search.without(name)) for name in search.active]
    if (search.last_on - search.first_on) + _LATER < timedelta(days=LONGEST_DAYS):
        tries.append(("days", replace(search, last_on=search.last_on + _LATER)))
    ways = [_way(what, relaxed, earliest(relaxed, now, COUNTED + 1)) for what, relaxed in tries]
    ways += _shorter(search, now, longest)
    found = sorted((way for way in ways if way.count), key=lambda way: -way.count)
    return Blocked(min(count, FEW), count > FEW, calculating, found)


def _shorter(search: TimeSearch, now: datetime, longest: int) -> list[Relaxed]:
    """The longest of some shorter lengths for which there is something."""
    most = min(longest, search.duration_minutes - 1)
    lengths = dict.fromkeys(minutes // 30 * 30 for minutes in (most, most * 3 // 4, most // 2, most // 4, 60))
    for minutes in sorted((one for one in lengths if SHORTEST_MINUTES <= one <= most), reverse=True):
        shorter = replace(search, duration_minutes=minutes)
        way = _way("duration", shorter, earliest(shorter, now, COUNTED + 1))
        if way.count:
            return [way]
    return []


def _way(what: str, search: TimeSearch, candidates: Candidates) -> Relaxed:
    return Relaxed(what, search, min(len(candidates.rows), COUNTED), len(candidates.rows) > COUNTED)
