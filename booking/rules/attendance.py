"""When somebody may check in, and what the clock alone brings about: missed reservations and requests that nobody answered.

What is due is asked as "due and not handled?" rather than "is it exactly now?": a job that runs late or twice finds the same answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from config.kernel.time_range import TimeRange

EARLY_CHECK_IN = timedelta(minutes=60)


def check_in_opens_at(booked: TimeRange) -> datetime:
    """The first moment at which a session may be started; the last lies before the booked end."""
    return booked.starts_at - EARLY_CHECK_IN


def may_check_in(booked: TimeRange, now: datetime) -> bool:
    """Whether the session may be started now."""
    return check_in_opens_at(booked) <= now < booked.ends_at


def grace_ends_at(booked: TimeRange, grace_minutes: int) -> datetime:
    """From when on the lab may say that nobody came. The grace never outlasts the booked range."""
    return min(booked.starts_at + timedelta(minutes=grace_minutes), booked.ends_at)


def is_due_missed(booked: TimeRange, now: datetime) -> bool:
    """Whether an approved reservation counts as missed by time alone: not before its end, because somebody may still come."""
    return now >= booked.ends_at


def is_due_expired(booked: TimeRange, now: datetime) -> bool:
    """Whether a request that still waits for the lab has lapsed, because its start has come."""
    return now >= booked.starts_at
