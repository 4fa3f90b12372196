"""Answering a request: how long an answer can be taken back, by when it was promised, and what about a request deserves a second look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from booking.rules.policy import BookingPolicy
from booking.rules.week_time import EVERY_DAY, WeekTime, parts_within
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange

UNDO = timedelta(seconds=10)
"""How long a decision of the inbox can be taken back; it is told after that."""
MOST_TOGETHER = 100
"""Requests that are decided with one call."""
REASON_LENGTH = 300
NIGHT = WeekTime(EVERY_DAY, 22 * 60, 6 * 60)


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Rivals(StrEnum):
    """What becomes of the other requests for the time of one that is approved."""

    DECLINE = "decline"
    KEEP = "keep"


class Risk(StrEnum):
    """What a manager should see before pressing a key."""

    SUSPENDED = "suspended"
    LEFT = "left"
    CONFLICT = "conflict"
    UNTRAINED = "untrained"
    OVER_QUOTA = "over_quota"
    NIGHT = "night"
    UNVERIFIED = "unverified"
    FIRST_TIME = "first_time"


class SampleRisk(StrEnum):
    """The same of a request for the test of samples. ``DAY_PASSED``: the samples should have come, so that its days are worked out anew."""

    SUSPENDED = "suspended"
    LEFT = "left"
    HAZARDS = "hazards"
    DAY_PASSED = "day_passed"
    UNVERIFIED = "unverified"
    FIRST_TIME = "first_time"


@dataclass(frozen=True, slots=True)
class Age:
    """How long a request waits. ``minutes`` of the promised ``promise_minutes`` have passed; ``overdue`` from the last of them on."""

    minutes: int
    promise_minutes: int

    @property
    def overdue(self) -> bool:
        return self.minutes >= self.promise_minutes

    @property
    def left_minutes(self) -> int:
        return max(0, self.promise_minutes - self.minutes)


def age_of(asked_at: datetime, policy: BookingPolicy, now: datetime) -> Age:
    """How long a request of ``asked_at`` waits, in elapsed time as the lab promises it."""
    return Age(max(0, int((now - asked_at).total_seconds()) // 60), policy.answer_minutes)


def is_at_night(during: TimeRange, zone: ZoneInfo) -> bool:
    """Whether any of it lies between 22:00 and 06:00 on the wall there."""
    return bool(parts_within([NIGHT], during, zone))


def refuse_late_take_back(final_at: datetime, told: bool, now: datetime) -> None:
    """Raises Refusal ``decision.told`` from the moment on at which the decision is told."""
    if told or now >= final_at:
        raise Refusal(Reason("decision.told", {"undo_seconds": int(UNDO.total_seconds())}))
