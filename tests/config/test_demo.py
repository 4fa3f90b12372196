"""What somebody who tries the demo must be able to do, whatever the hour of the first start."""

from __future__ import annotations

from datetime import UTC, datetime

from booking.rules.credit import EventKind, MeasureKind, PastEvent, Scope, policy_from, standing_of
from config.demo.training import CREDIT_RULES

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


def keeps_from_booking(missed: int) -> bool:
    """Whether the first lab's rules shut its printed researcher out, who cancelled late in the demo's story."""
    policy = policy_from(CREDIT_RULES, Scope.LAB)
    kinds = [EventKind.LATE_CANCEL, *[EventKind.NO_SHOW] * missed]
    found = standing_of(policy, Scope.LAB, [PastEvent(NOW, -policy.points[kind]) for kind in kinds], NOW)
    return MeasureKind.NO_BOOKING in {one.kind for one in found.measures}


def test_who_lets_both_sessions_of_the_first_day_pass_can_still_book() -> None:
    assert not keeps_from_booking(2)
    assert keeps_from_booking(3)  # the control: the rules do shut out
