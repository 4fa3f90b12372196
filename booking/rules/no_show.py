"""What time alone brings about: missed reservations and requests that nobody answered.

Both ask "due and not handled?" rather than "is it exactly now?": a job that runs late or twice finds the same answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from config.kernel.time_range import TimeRange


def is_no_show(booked: TimeRange, checked_in_at: datetime | None, now: datetime, grace_minutes: int) -> bool:
    """Whether an approved reservation counts as missed: nobody checked in and the grace after its start is over.

    The grace never outlasts the booked range. Who checked in late, before it was marked, has not missed it.
    """
    last_moment = min(booked.starts_at + timedelta(minutes=grace_minutes), booked.ends_at)
    return checked_in_at is None and now >= last_moment


def is_due_expired(booked: TimeRange, now: datetime) -> bool:
    """Whether a request that still waits for the lab has lapsed, because its start has come."""
    return now >= booked.starts_at
