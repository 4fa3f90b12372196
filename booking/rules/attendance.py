"""When somebody may start, and what the clock alone brings about: missed reservations and requests that nobody answered.

What is due is asked as "due and not handled?" rather than "is it exactly now?": a job that runs late or twice finds the same answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange

EARLY_CHECK_IN_MINUTES = 60


class Arrival(StrEnum):
    """What somebody finds who comes for a reservation: too early, early (free time before the start is needed), in time or over."""

    TOO_EARLY = "too_early"
    EARLY = "early"
    IN_TIME = "in_time"
    OVER = "over"


def check_in_opens_at(booked: TimeRange, early_minutes: int = EARLY_CHECK_IN_MINUTES) -> datetime:
    """The first moment at which a session may be started; the last lies before the booked end."""
    return booked.starts_at - timedelta(minutes=early_minutes)


def may_check_in(booked: TimeRange, now: datetime, early_minutes: int = EARLY_CHECK_IN_MINUTES) -> bool:
    """Whether the session may be started now."""
    return check_in_opens_at(booked, early_minutes) <= now < booked.ends_at


def arrival(booked: TimeRange, now: datetime, early_minutes: int = EARLY_CHECK_IN_MINUTES) -> Arrival:
    """What somebody finds who comes ``now``."""
    if now >= booked.ends_at:
        return Arrival.OVER
    if now >= booked.starts_at:
        return Arrival.IN_TIME
    return Arrival.EARLY if may_check_in(booked, now, early_minutes) else Arrival.TOO_EARLY


def arrival_faults(booked: TimeRange, now: datetime, early_minutes: int, zone: ZoneInfo) -> list[Reason]:
    """Why nobody can start the session now, whoever does it; instants are ISO 8601 in ``zone``.

    Codes: ``booking.too_early_to_check_in`` (starts_at, early_minutes), ``booking.too_late_to_check_in`` (ends_at).
    """
    found = arrival(booked, now, early_minutes)
    if found is Arrival.TOO_EARLY:
        starts_at = booked.starts_at.astimezone(zone).isoformat()
        return [Reason("booking.too_early_to_check_in", {"starts_at": starts_at, "early_minutes": early_minutes})]
    if found is Arrival.OVER:
        return [Reason("booking.too_late_to_check_in", {"ends_at": booked.ends_at.astimezone(zone).isoformat()})]
    return []


def grace_ends_at(booked: TimeRange, grace_minutes: int) -> datetime:
    """From when on nobody is expected any more. The grace never outlasts the booked range."""
    return min(booked.starts_at + timedelta(minutes=grace_minutes), booked.ends_at)


def is_due_missed(booked: TimeRange, grace_minutes: int, now: datetime) -> bool:
    """Whether an approved reservation counts as missed by time alone, so that its time is free for others."""
    return now >= grace_ends_at(booked, grace_minutes)


def is_due_expired(booked: TimeRange, now: datetime) -> bool:
    """Whether a request that still waits for the lab has lapsed, because its start has come."""
    return now >= booked.starts_at
