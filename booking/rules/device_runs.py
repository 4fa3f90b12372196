"""From single events of a device to runs of the instrument, and from runs to reservations. Events may come late and out of order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from booking.rules.states import ReservationState
from config.kernel.time_range import TimeRange

LONG_OVER = timedelta(minutes=60)
"""Use that goes on for longer than this after the booked end is looked at by a person."""
COMMON_ENOUGH = timedelta(minutes=5)
"""A run belongs to a reservation with which it shares at least this, or half of its own length."""
SILENT = timedelta(minutes=45)
"""A run without a stop from which nothing was heard for so long is over in all likelihood."""


class EventKind(StrEnum):
    START = "start"
    STOP = "stop"
    HEARTBEAT = "heartbeat"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """``at`` is by our clock. ``key`` names the event for the caller."""

    key: int
    kind: EventKind
    at: datetime


@dataclass(slots=True)
class Run:
    """The instrument ran from ``starts_at``; ``ends_at`` is None while no stop is known. ``heard_at``: the last sign of life.

    ``started``: a start was told (False: only the stop, a sign of life or a count came). ``keys``: its events, in order of time.
    """

    starts_at: datetime
    ends_at: datetime | None
    heard_at: datetime
    started: bool
    keys: list[int] = field(default_factory=list)

    def during(self) -> TimeRange:
        """What is known of it; a run of no length counts as a second."""
        ends_at = self.ends_at or self.heard_at
        return TimeRange(self.starts_at, max(ends_at, self.starts_at + timedelta(seconds=1)))


_ORDER = {EventKind.START: 1, EventKind.HEARTBEAT: 2, EventKind.COUNTER: 2, EventKind.STOP: 3}


def runs_of(events: Iterable[DeviceEvent]) -> list[Run]:
    """The runs that a device's events tell of, in order of time, whatever order the events came in.

    A start begins a run and a stop ends it. A second start without a stop between them begins another run: the first one has no
    stop. A stop, sign of life or count without a start is a run of its own that nobody started.
    """
    runs: list[Run] = []
    open_run: Run | None = None
    for event in sorted(events, key=lambda one: (one.at, _ORDER[one.kind], one.key)):
        if open_run is None or event.kind is EventKind.START:
            open_run = Run(event.at, None, event.at, started=event.kind is EventKind.START)
            runs.append(open_run)
        open_run.keys.append(event.key)
        open_run.heard_at = event.at
        if event.kind is EventKind.STOP:
            open_run.ends_at = event.at
            open_run = None
    return runs


class ProblemKind(StrEnum):
    """Why somebody has to look at a run. ``missed``: it was used although it counts as missed. ``no_start``: a sign of life, a count
    or a stop alone, which may be a device that idles: it begins nobody's session."""

    NO_RESERVATION = "no_reservation"
    OVERLAPS_TWO = "overlaps_two"
    OUTSIDE = "outside"
    LONG_OVER = "long_over"
    NO_STOP = "no_stop"
    NO_START = "no_start"
    SKEW = "skew"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Booked:
    """A reservation that may be the reason for a run."""

    reservation_id: int
    during: TimeRange
    state: ReservationState


@dataclass(frozen=True, slots=True)
class Match:
    """The reservation of a run (None: none is sure), and what does not add up (None: nothing)."""

    reservation_id: int | None
    problem: ProblemKind | None = None


def may_be_use_of(run: Run, booked: TimeRange, early: timedelta) -> bool:
    """Whether somebody may say that a run was the use of a booking: it shares time with it, or with the ``early`` window before it."""
    return run.during().overlaps(TimeRange(booked.starts_at - early, booked.ends_at))


def match(run: Run, booked: Sequence[Booked], early: timedelta, now: datetime) -> Match:
    """Which reservation a run belongs to. ``early``: how long before a start its customer may begin.

    It belongs to the one it shares enough time with, or, when it shares none, to the one that it began shortly before. With two or
    more nothing is decided. What is found is flagged when the run began too early, went on for long after the booked end, has no
    stop and is silent, when nobody has come for the reservation yet and no start was told, or when it counts as missed.
    """
    during = run.during()
    found = [one for one in booked if _shares_enough(during, one.during)]
    if not found:
        found = [one for one in booked if one.during.starts_at - early <= during.starts_at < one.during.ends_at][:1]
    if not found:
        return Match(None, ProblemKind.NO_RESERVATION)
    if len(found) > 1:
        return Match(None, ProblemKind.OVERLAPS_TWO)
    (one,) = found
    return Match(one.reservation_id, _contradiction(run, one, early, now))


def _shares_enough(during: TimeRange, booked: TimeRange) -> bool:
    common = during.intersect(booked)
    return common is not None and (common.duration >= COMMON_ENOUGH or 2 * common.duration >= during.duration)


def _contradiction(run: Run, one: Booked, early: timedelta, now: datetime) -> ProblemKind | None:
    if one.state is ReservationState.NO_SHOW:
        return ProblemKind.MISSED
    if one.state is ReservationState.APPROVED and not run.started:
        return ProblemKind.NO_START
    if run.starts_at < one.during.starts_at - early:
        return ProblemKind.OUTSIDE
    if (run.ends_at or run.heard_at) > one.during.ends_at + LONG_OVER:
        return ProblemKind.LONG_OVER
    if run.ends_at is None and now >= run.heard_at + SILENT and now >= one.during.ends_at:
        return ProblemKind.NO_STOP
    return None
