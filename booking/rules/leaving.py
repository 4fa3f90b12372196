"""Whose fault it is that booked time stays unused, where it is the customer's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from booking.rules.policy import BookingPolicy, is_late_cancellation
from booking.rules.states import Action, ReservationState
from config.kernel.time_range import TimeRange


class Fault(StrEnum):
    """What the customer did: gave a promised time back too late, or did not come."""

    LATE_CANCEL = "late_cancel"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Release:
    """A reservation in state ``before`` that gives its time back. ``by_customer``: the customer's own side does it; ``imported``: a list
    of the lab's brought it, and the customer was never asked; ``moved_late``: it was their wish to move it when the old time could not be
    given back in time any more."""

    action: Action
    before: ReservationState
    by_customer: bool
    imported: bool = False
    moved_late: bool = False


def fault_of(release: Release, policy: BookingPolicy, booked: TimeRange, now: datetime) -> Fault | None:
    """The customer's fault in it, if any: never where the lab gives the time back, nor for what the lab had not promised yet,
    nor for what the customer had not asked for."""
    if release.imported or release.before is not ReservationState.APPROVED:
        return None
    if release.action is Action.MARK_NO_SHOW:
        return Fault.NO_SHOW
    if release.action is not Action.CANCEL or not release.by_customer:
        return None
    return Fault.LATE_CANCEL if release.moved_late or is_late_cancellation(policy, booked, now) else None
