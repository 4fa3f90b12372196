"""Nothing is free: which filter stands in the way most, and what there would be without it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from booking.queries.candidates import FEW, Candidates, earliest, matching
from booking.queries.finding import confirmed
from booking.rules.time_search import LONGEST_DAYS, SHORTEST_MINUTES, TimeSearch
from config.kernel.access import Actor
from instruments.models import Organisation

#: Of each way so many of the earliest instruments are looked at in their calendars; of more it is said that there are more.
LOOKED_AT = 12
#: Which way is wider is told among so many.
_COMPARED = 50
_LATER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Relaxed:
    """``search`` would find ``count`` instruments, each looked at (or ``more``). ``left_out`` are the filters of the search that are left
    out; none where ``what`` is ``days`` (two more weeks) or ``duration`` (the longest that there is). ``what`` is otherwise the one filter,
    or ``filters`` for several that block together."""

    what: str
    search: TimeSearch
    count: int
    more: bool
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocked:
    """``matching``: how many bookable instruments there are but for time (``many``: at least so many); ``calculating`` of them are
    being calculated. ``ways`` out of it, the widest first, a shorter length last."""

    matching: int
    many: bool
    calculating: int
    ways: list[Relaxed]

    @property
    def blocking(self) -> tuple[str, ...]:
        """The filter whose removal gives most, or those that block together; none where none of them gives anything."""
        return next((way.left_out for way in self.ways if way.left_out), ())


@dataclass(frozen=True, slots=True)
class _Try:
    """A way that may lead somewhere."""

    what: str
    search: TimeSearch
    left_out: tuple[str, ...] = ()


def blocked(actor: Actor, search: TimeSearch, now: datetime, customer: Organisation | None = None) -> Blocked:
    """Why nothing was found, for the customer where there is one. A way leads to something that was looked at itself: of all ways at
    once, and once more for several filters together where no single one is enough."""
    count, calculating, longest = matching(search, now)
    tries = [_Try(name, search.without(name), (name,)) for name in search.active]
    if (search.last_on - search.first_on) + _LATER < timedelta(days=LONGEST_DAYS):
        tries.append(_Try("days", replace(search, last_on=search.last_on + _LATER)))
    found = _ways(actor, [*tries, *_shorter(search, longest)], now, customer)
    ways = [way for way in found if way.what != "duration"]
    if not any(way.left_out for way in ways):
        ways += _ways(actor, _together(search), now, customer)[:1]
    lengths = (way for way in found if way.what == "duration")
    longest_way = max(lengths, key=lambda way: way.search.duration_minutes, default=None)
    return Blocked(min(count, FEW), count > FEW, calculating, [*ways, *([longest_way] if longest_way else [])])


def _together(search: TimeSearch) -> list[_Try]:
    """Several filters at once: the place with each other one, then all but the words, then all."""
    active = search.active
    pairs = [{"region_code", name} for name in active] if "region_code" in active else []
    several = [tuple(name for name in active if name in names) for names in (*pairs, {*active} - {"text"}, {*active})]
    return [_Try("filters", _without(search, names), names) for names in dict.fromkeys(several) if len(names) > 1]


def _without(search: TimeSearch, names: Iterable[str]) -> TimeSearch:
    for name in names:
        search = search.without(name)
    return search


def _shorter(search: TimeSearch, longest: int) -> list[_Try]:
    """Some shorter lengths for which there may be something."""
    most = min(longest, search.duration_minutes - 1)
    lengths = dict.fromkeys(minutes // 30 * 30 for minutes in (most, most * 3 // 4, most // 2, most // 4, 60))
    return [
        _Try("duration", replace(search, duration_minutes=minutes)) for minutes in lengths if SHORTEST_MINUTES <= minutes <= most
    ]


def _ways(actor: Actor, tries: Sequence[_Try], now: datetime, customer: Organisation | None) -> list[Relaxed]:
    """Those of the tries that lead to something, the widest first; of several filters the fewest first. One look for all of them."""
    seeming = [earliest(one.search, now, _COMPARED) for one in tries]
    looked = [(one.search, found.rows[:LOOKED_AT]) for one, found in zip(tries, seeming, strict=True)]
    counts = confirmed(actor, looked, now, customer)
    ways = [(_way(one, count, found), len(found.rows)) for one, found, count in zip(tries, seeming, counts, strict=True) if count]
    return [way for way, wide in sorted(ways, key=lambda each: (max(len(each[0].left_out), 1), -each[0].count, -each[1]))]


def _way(one: _Try, count: int, seeming: Candidates) -> Relaxed:
    return Relaxed(one.what, one.search, count, len(seeming.rows) > LOOKED_AT, one.left_out)
