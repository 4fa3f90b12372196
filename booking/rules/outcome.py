"""How a session went against its booking, in one word that people and statistics share."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from config.kernel.time_range import TimeRange

TOLERANCE = timedelta(minutes=5)
"""Nobody is late, early or over for less than this."""


class Outcome(StrEnum):
    """``pending``: the session is not over; ``missed``: nobody came; ``fault``: the instrument broke down."""

    PENDING = "pending"
    NORMAL = "normal"
    LATE = "late"
    LEFT_EARLY = "left_early"
    OVERTIME = "overtime"
    LATE_OVERTIME = "late_overtime"
    LATE_LEFT_EARLY = "late_left_early"
    MISSED = "missed"
    FAULT = "fault"


_BY_ENDS: dict[tuple[bool, bool, bool], Outcome] = {
    (False, False, False): Outcome.NORMAL,
    (True, False, False): Outcome.LATE,
    (False, True, False): Outcome.LEFT_EARLY,
    (False, False, True): Outcome.OVERTIME,
    (True, False, True): Outcome.LATE_OVERTIME,
    (True, True, False): Outcome.LATE_LEFT_EARLY,
}


def outcome_of(booked: TimeRange, actual: TimeRange | None, tolerance: timedelta = TOLERANCE) -> Outcome:
    """The outcome of a session that is over; ``actual`` is None when it had no length that could be measured."""
    if actual is None:
        return Outcome.MISSED
    late = actual.starts_at - booked.starts_at > tolerance
    early = booked.ends_at - actual.ends_at > tolerance
    over = actual.ends_at - booked.ends_at > tolerance
    return _BY_ENDS[late, early, over]
