"""When the use of an instrument counts as agreed, and what may be proposed instead of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange

NOTICE_BEFORE = timedelta(days=1)
"""Time alone never agrees without telling first: at least so long before."""


LONG_OVER = timedelta(minutes=60)
"""Beyond its booked end a session may well have been forgotten, not used."""


class Doubt(StrEnum):
    """Why the lab has to look at the times of a session before time agrees them."""

    OVERLAPS = "overlaps"
    ENDED_BY_NEXT = "ended_by_next"
    LONG_OVER = "long_over"


def doubt_of(booked: TimeRange, actual: TimeRange, others: Sequence[TimeRange], *, ended_by_next: bool = False) -> Doubt | None:
    """What does not add up about a session that is over. ``others``: the actual times of other sessions on its calendar;
    ``ended_by_next``: nobody ended it until the next session began."""
    if any(actual.overlaps(other) for other in others):
        return Doubt.OVERLAPS
    if ended_by_next:
        return Doubt.ENDED_BY_NEXT
    return Doubt.LONG_OVER if actual.ends_at >= booked.ends_at + LONG_OVER else None


@dataclass(frozen=True, slots=True)
class Review:
    """Where the agreement on one session stands. ``late_entered``: the lab wrote it down afterwards; ``imported``: its booking came with
    a list of the lab's. Time agrees neither of them: the customer never asked for it here. ``doubted``: its times do not add up, and
    the lab has not said yes to them."""

    until: datetime
    reminded_at: datetime | None = None
    late_entered: bool = False
    imported: bool = False
    doubted: bool = False

    @property
    def needs_a_person(self) -> bool:
        """Whether only somebody's yes, or a decision, agrees it."""
        return self.late_entered or self.imported or self.doubted


def review_until(ended_at: datetime, agree_after_days: int) -> datetime:
    """The end of the window in which both sides may look at the session."""
    return ended_at + timedelta(days=agree_after_days)


def reminder_is_due(review: Review, now: datetime) -> bool:
    """Whether the notice before the agreement by time has to go out now."""
    return not review.needs_a_person and review.reminded_at is None and now >= review.until - NOTICE_BEFORE


def agreement_is_due(review: Review, now: datetime) -> bool:
    """Whether time alone agrees: the window is over, and the notice went out a day ago or earlier."""
    if review.needs_a_person or review.reminded_at is None:
        return False
    return now >= review.until and now >= review.reminded_at + NOTICE_BEFORE


def had_part(ended_by: int | None, answered_by: int | None, opened_by: int | None) -> frozenset[int]:
    """Whoever cannot decide a dispute about a session: who ended it, who answered the wish about it, who opened the dispute."""
    return frozenset(one for one in (ended_by, answered_by, opened_by) if one is not None)


def proposal_faults(proposed: TimeRange | None, charged: TimeRange | None, booked: TimeRange, zone: ZoneInfo) -> list[Reason]:
    """Why ``proposed`` (None: nothing is charged) cannot stand for what would be charged (None: nothing).

    It lies within what was booked or is charged, so that the money held for the session covers it, and is not what stands there
    already. Codes: ``usage.proposal_same``, ``usage.proposal_outside`` (earliest_at, latest_at, ISO 8601 in ``zone``).
    """
    if proposed == charged:
        return [Reason("usage.proposal_same", {}, "starts_at")]
    if proposed is None:
        return []
    earliest = booked.starts_at if charged is None else min(charged.starts_at, booked.starts_at)
    latest = booked.ends_at if charged is None else max(charged.ends_at, booked.ends_at)
    if TimeRange(earliest, latest).contains(proposed):
        return []
    params = {"earliest_at": earliest.astimezone(zone).isoformat(), "latest_at": latest.astimezone(zone).isoformat()}
    return [Reason("usage.proposal_outside", params, "starts_at")]


def lessening_faults(proposed: TimeRange | None, charged: TimeRange | None, zone: ZoneInfo) -> list[Reason]:
    """Why the lab cannot charge ``proposed`` (None: nothing) instead of what stands there: it lies within that, so that nobody has to
    agree to it anew. Codes as ``proposal_faults``."""
    if charged is None or proposed == charged:
        return [Reason("usage.proposal_same", {}, "starts_at")]
    if proposed is None or charged.contains(proposed):
        return []
    params = {
        "earliest_at": charged.starts_at.astimezone(zone).isoformat(),
        "latest_at": charged.ends_at.astimezone(zone).isoformat(),
    }
    return [Reason("usage.proposal_outside", params, "starts_at")]
