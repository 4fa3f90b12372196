"""How another calendar's events take time here, and when it is read again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from config.kernel.time_range import TimeRange, merge

EVERY = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=24)

Piece = tuple[TimeRange, str]


def free_pieces(events: Iterable[Piece], taken: Iterable[TimeRange]) -> list[Piece]:
    """What the events (time and title) take besides what is taken already: sorted, and no two pieces share time.

    Where events overlap, the one that starts first has the time. Taken time is cut out of an event; the rest of it still counts.
    """
    holes = merge(taken)
    pieces: list[Piece] = []
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


def next_due(now: datetime, failures: int) -> datetime:
    """A quarter of an hour after a success, twice as long after each further failure, a day at most."""
    return now + min(EVERY * 2 ** min(failures, 10), LONGEST_WAIT)
