"""What a device's clock says against ours."""

from __future__ import annotations

from datetime import datetime, timedelta

TOLERATED = timedelta(minutes=2)
"""The network and slow programs: not worth a correction."""
SUSPICIOUS = timedelta(minutes=10)
"""A clock that is further off is shown to the lab, and its runs are not matched without a person."""

MEASURABLE = timedelta(days=60 * 365)
"""A clock that is further off has no time at all."""


def is_measurable(skew: timedelta) -> bool:
    """Whether anything can be made of the times of this clock."""
    return abs(skew) <= MEASURABLE


def skew(sent_at: datetime, arrived_at: datetime) -> timedelta:
    """How far the device's clock is behind ours (negative: ahead). ``sent_at`` is what the device took for now when it sent."""
    return arrived_at - sent_at


def corrected(moment: datetime, skew: timedelta) -> datetime:
    """When something happened by our clock; a moment at the end of the calendar, which cannot be corrected, is what was told."""
    if abs(skew) <= TOLERATED:
        return moment
    try:
        return moment + skew
    except OverflowError:
        return moment


def is_suspicious(skew: timedelta) -> bool:
    """Whether a person has to look before times of this clock count."""
    return abs(skew) > SUSPICIOUS
