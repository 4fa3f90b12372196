"""Whose fault it is that booked time stays unused, where it is the customer's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from booking.rules.policy import BookingPolicy, free_until
from booking.rules.states import Action, ReservationState
from config.kernel.time_range import TimeRange


class Fault(StrEnum):
    """What the customer did: gave a promised time back too late, or did not come."""

    LATE_CANCEL = "late_cancel"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Release:
    """A reservation in state ``before`` that gives its time back. ``by_customer``: the customer's own side does it; ``imported``: a list
    of the lab's brought it, and the customer was never asked; ``free_until``: until when the customer was told that it may be given back
    (None: nobody was told)."""

    action: Action
    before: ReservationState
    by_customer: bool
    imported: bool = False
    free_until: datetime | None = None


def possible_fault(release: Release) -> Fault | None:
    """What the customer may be blamed for, whenever it is: nothing where the lab gives the time back, nor for what the lab had not
    promised yet, nor for what the customer had not asked for."""
    if release.imported or release.before is not ReservationState.APPROVED:
        return None
    if release.action is Action.MARK_NO_SHOW:
        return Fault.NO_SHOW
    return Fault.LATE_CANCEL if release.action is Action.CANCEL and release.by_customer else None


def fault_of(release: Release, policy: BookingPolicy, booked: TimeRange, now: datetime) -> Fault | None:
    """The customer's fault in it, if any: what they were told counts, and the policy where they were told nothing."""
    fault = possible_fault(release)
    if fault is not Fault.LATE_CANCEL:
        return fault
    until = release.free_until or free_until(booked.starts_at, policy.cancel_notice_minutes)
    return fault if now > until else None
