"""Who assists in several sessions that are arranged together: each has somebody, where that can be at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from booking.rules.assistance import Helper, in_turn
from config.kernel.time_range import TimeRange


@dataclass(frozen=True, slots=True)
class Session:
    """A session that needs somebody: its time, that with its buffers (``occupied``), the ``week`` whose minutes the ``helpers`` who may
    assist in it were counted in, and who has it already (``kept_id``)."""

    during: TimeRange
    occupied: TimeRange
    week: TimeRange
    helpers: tuple[Helper, ...]
    kept_id: int | None = None


def arranged(sessions: Sequence[Session]) -> list[int] | None:
    """Who assists in each of ``sessions``, by id, so that nobody is in two places at a time; None where there is no such way.

    Everybody is asked in the order of ``in_turn``, with what this arrangement gives them; of the ways that serve all it is the first.
    Exact, and meant for a handful: n sessions cost n! steps at worst, however many people there are.
    """
    return next(_ways(sessions, ()), None)


def _ways(sessions: Sequence[Session], given: tuple[int, ...]) -> Iterator[list[int]]:
    if len(given) == len(sessions):
        yield list(given)
        return
    session, earlier = sessions[len(given)], list(zip(sessions, given, strict=False))
    able = in_turn([_with(one, session, earlier) for one in session.helpers], session.during, session.occupied, session.kept_id)
    # Each later session takes one person at most, so of as many people as there are sessions left one does for all that can be done.
    for one in able[: len(sessions) - len(given)]:
        yield from _ways(sessions, (*given, one.id))


def _with(helper: Helper, session: Session, earlier: Sequence[tuple[Session, int]]) -> Helper:
    """The person as they would be with what they were given before."""
    own = [one for one, helper_id in earlier if helper_id == helper.id]
    minutes = sum(one.occupied.seconds // 60 for one in own if one.occupied.overlaps(session.week))
    return replace(helper, busy=(*helper.busy, *(one.occupied for one in own)), week_minutes=helper.week_minutes + minutes)
