"""Booked, actual and billable time: three different things, and how the third follows from the first two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from config.kernel.time_range import TimeRange

_MINUTE = timedelta(minutes=1)
_NOTHING = timedelta(0)


class BillableBasis(StrEnum):
    BOOKED = "booked"
    ACTUAL_WITHIN_BOOKED_ROUNDED_UP = "actual_within_booked_rounded_up"
    OVERAGE = "overage"


@dataclass(frozen=True, slots=True)
class BillableRule:
    """What a lab charges for, and to how many minutes it rounds actual time up (not used for booked time alone).

    Raises ValueError for a step below one minute.
    """

    basis: BillableBasis = BillableBasis.BOOKED
    round_up_minutes: int = 1

    def __post_init__(self) -> None:
        if self.round_up_minutes < 1:
            raise ValueError("the rounding step is at least one minute")


DEFAULT_BILLABLE_RULE = BillableRule()
"""Charging by reservation: what was kept free for somebody is paid for, used or not."""
AS_USED = BillableRule(BillableBasis.ACTUAL_WITHIN_BOOKED_ROUNDED_UP)
"""Whatever the lab's rule: what a broken instrument kept somebody from is not paid for."""


@dataclass(frozen=True, slots=True)
class Billable:
    """What is charged for a usage session.

    ``range`` is None when nothing is charged; it begins within the booked range and ends there too, unless the lab charges for
    overage: what lies beyond the booked end is priced and never subsidised, because nobody approved it. ``minutes`` is its
    length, a started minute counting whole. ``overrun_minutes`` is actual use outside the booked range, before or after it,
    likewise rounded, whether it is charged or not. ``reason`` is ``usage.booked``, ``usage.actual``, ``usage.not_measured``,
    ``usage.outside_booking`` or ``usage.overage``.
    """

    range: TimeRange | None
    minutes: int
    rule: BillableRule
    reason: str
    overrun_minutes: int


def derive_billable(booked: TimeRange, actual: TimeRange | None, rule: BillableRule = DEFAULT_BILLABLE_RULE) -> Billable:
    """The billable time of one session; ``actual`` is None when nothing was measured.

    * ``booked``: the booked range, whatever was measured.
    * ``actual_within_booked_rounded_up``: the part of the actual use inside the booked range, its length rounded up to
      the rule's step and never beyond the booked range: it grows towards the booked end first, then towards the booked
      start. Without a measurement it is the booked range; with use only outside, nothing but the overrun.
    * ``overage``: the booked range and the use beyond its end, rounded up to the rule's step. Who came early pays nothing more.
    """
    outside = _NOTHING if actual is None else actual.duration - _common(booked, actual)
    billed, reason = _billed_range(booked, actual, rule)
    return Billable(
        range=billed,
        minutes=0 if billed is None else _steps(billed.duration, 1),
        rule=rule,
        reason=reason,
        overrun_minutes=_steps(outside, 1),
    )


def _billed_range(booked: TimeRange, actual: TimeRange | None, rule: BillableRule) -> tuple[TimeRange | None, str]:
    if rule.basis is BillableBasis.BOOKED:
        return booked, "usage.booked"
    if actual is None:
        return booked, "usage.not_measured"
    if rule.basis is BillableBasis.OVERAGE:
        return _with_overage(booked, actual, rule)
    inside = booked.intersect(actual)
    if inside is None:
        return None, "usage.outside_booking"
    length = _MINUTE * rule.round_up_minutes * _steps(inside.duration, rule.round_up_minutes)
    ends_at = min(inside.starts_at + length, booked.ends_at)
    return TimeRange(max(ends_at - length, booked.starts_at), ends_at), "usage.actual"


def _with_overage(booked: TimeRange, actual: TimeRange, rule: BillableRule) -> tuple[TimeRange, str]:
    if actual.ends_at <= booked.ends_at:
        return booked, "usage.booked"
    beyond = _steps(actual.ends_at - booked.ends_at, rule.round_up_minutes) * rule.round_up_minutes
    return TimeRange(booked.starts_at, booked.ends_at + _MINUTE * beyond), "usage.overage"


def _common(one: TimeRange, other: TimeRange) -> timedelta:
    common = one.intersect(other)
    return _NOTHING if common is None else common.duration


def _steps(duration: timedelta, step_minutes: int) -> int:
    """How many steps cover ``duration``: a started step counts whole."""
    return -(-duration // (_MINUTE * step_minutes))
