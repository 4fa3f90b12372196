"""How another calendar's events take time here, how the pieces of that are numbered, and when it is read again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from config.kernel.time_range import TimeRange, merge

EVERY = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=24)

Of = TypeVar("Of", str, tuple[str, int])
"""What tells an event: its title, or that and its id."""


def free_pieces(events: Iterable[tuple[TimeRange, Of]], taken: Iterable[TimeRange]) -> list[tuple[TimeRange, Of]]:
    """What the events (time, and of what) take besides what is taken already: sorted, and no two pieces share time.

    Where events overlap, the one that starts first has the time. Taken time is cut out of an event; the rest of it still counts.
    """
    holes = merge(taken)
    pieces: list[tuple[TimeRange, Of]] = []
    place, until = 0, None
    for during, title in sorted(events):
        starts_at = during.starts_at if until is None else max(during.starts_at, until)
        if starts_at >= during.ends_at:
            continue
        until = during.ends_at
        while place < len(holes) and holes[place].ends_at <= starts_at:
            place += 1
        pieces += [(left, title) for left in _without(TimeRange(starts_at, until), holes[place:])]
    return pieces


def _without(whole: TimeRange, holes: Iterable[TimeRange]) -> Iterable[TimeRange]:
    cursor = whole.starts_at
    for hole in holes:
        if hole.starts_at >= whole.ends_at:
            break
        if hole.starts_at > cursor:
            yield TimeRange(cursor, hole.starts_at)
        cursor = max(cursor, hole.ends_at)
    if cursor < whole.ends_at:
        yield TimeRange(cursor, whole.ends_at)


def numbered(wanted: Iterable[TimeRange], standing: Mapping[TimeRange, int], used: Collection[int] = ()) -> dict[TimeRange, int]:
    """The numbers of all pieces of one thing, from 1 on, that programs which follow them know them again by.

    A piece that stays as it is keeps its number; the others, by start, take those of the ``standing`` ones that give way, then new ones.
    Those in ``used`` (of pieces that are over) are given to none.
    """
    pieces = sorted(wanted)
    kept = {piece: standing[piece] for piece in pieces if piece in standing}
    left = sorted(number for piece, number in standing.items() if piece not in kept)
    given = {*used, *standing.values()}
    fresh = (number for number in count(1) if number not in given)
    for piece in pieces:
        if piece not in kept:
            kept[piece] = left.pop(0) if left else next(fresh)
    return kept


def next_due(now: datetime, failures: int) -> datetime:
    """A quarter of an hour after a success, twice as long after each further failure, a day at most."""
    return now + min(EVERY * 2 ** min(failures, 10), LONGEST_WAIT)
