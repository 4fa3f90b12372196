"""Who assists in several sessions that are arranged together: each has somebody, where that can be at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from booking.rules.assistance import Helper, in_turn
from config.kernel.time_range import TimeRange

#: So many that were given already may be given to others for the sake of one more.
_MOVED = 4


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


def one_by_one(sessions: Sequence[Session]) -> list[int | None]:
    """Who assists in each, in their order; None where nobody can besides what those before it were given.

    Up to ``_MOVED`` of those that lie beside one are given to somebody else where that makes room for it: all of a handful at the same time
    are served where that can be.
    """
    given: list[int | None] = []
    for session in sessions:
        had = [(index, sessions[index], helper_id) for index, helper_id in enumerate(given) if helper_id is not None]
        moved = [one for one in had if one[1].occupied.overlaps(session.occupied)][-_MOVED:]
        fixed = [(one, helper_id) for index, one, helper_id in had if index not in {each[0] for each in moved}]
        some = [*(replace(one, kept_id=helper_id) for _index, one, helper_id in moved), session]
        found = arranged([replace(one, helpers=tuple(_with(who, one, fixed) for who in one.helpers)) for one in some])
        given.append(None if found is None else found[-1])
        for (index, _session, _helper_id), helper_id in zip(moved, found or [], strict=False):
            given[index] = helper_id
    return given
