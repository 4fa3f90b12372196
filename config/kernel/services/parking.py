"""Work that time brings about, thing by thing: one that fails is parked for people to look at, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from config.kernel.services import transactions

T = TypeVar("T")
logger = logging.getLogger(__name__)


def each_parked(things: Iterable[T], act: Callable[[T], object], what: str) -> int:
    """Do ``act`` with each thing in a transaction of its own; returns how many times it answered with something true.

    ``what`` names the things in the log of one that failed. Safe to repeat where ``act`` is: it looks again behind its own lock.
    """
    done = 0
    for thing in things:
        try:
            done += bool(transactions.run(lambda thing=thing: act(thing)))  # type: ignore[misc]
        except Exception:
            logger.exception("%s %s is parked: it could not be handled", what, thing)
    return done


def many_parked(
    things: Sequence[T],
    size: int,
    together: Callable[[Sequence[T]], tuple[int, Sequence[T]]],
    act: Callable[[T], object],
    what: str,
) -> int:
    """``each_parked``, but ``size`` things at a time in one transaction: ``together`` answers how many it has done and which it left, and
    ``act`` is tried with each of those. Where the transaction fails, with each of all: one that fails holds up no other."""
    done = 0
    for start in range(0, len(things), size):
        left = some = things[start : start + size]
        try:
            handled, left = transactions.run(lambda some=some: together(some))  # type: ignore[misc]
            done += handled
        except Exception:
            logger.warning("%d of %s are handled one by one: together they could not be", len(some), what, exc_info=True)
        done += each_parked(left, act, what)
    return done
