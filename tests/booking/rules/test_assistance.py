"""Who assists: chosen by who is there and who does least, and free times are those of one and the same person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from booking.rules.assistance import Helper, free_with, in_turn
from booking.rules.policy import BookingPolicy
from booking.rules.slots import free_ranges, nearest_alternatives
from config.kernel.time_range import TimeRange

MORNING = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
BEFORE = MORNING - timedelta(days=5)
POLICY = BookingPolicy(
    granularity_minutes=30, min_minutes=60, max_minutes=480, notice_minutes=0, horizon_days=60, buffer_before_minutes=0,
    buffer_after_minutes=0, approval_required=True, pending_blocks=True, cancel_notice_minutes=0, no_show_grace_minutes=30,
)  # fmt: skip


def span(first: float, last: float) -> TimeRange:
    return TimeRange(MORNING + timedelta(hours=first), MORNING + timedelta(hours=last))


def helper(pk: int, **more) -> Helper:
    return Helper(id=pk, calendar_id=100 + pk, person_id=200 + pk, **more)


def test_who_is_at_work_and_has_nothing_else_is_asked_in_order_of_the_weeks_minutes_then_of_ids():
    least, most, same = helper(9, week_minutes=60), helper(1, week_minutes=300), helper(4, week_minutes=60)
    away = helper(2, busy=(span(11, 12),))
    after_work = helper(3, works=(span(0, 9.5), span(13, 20)))
    found = in_turn([most, away, least, after_work, same], span(9, 11), span(8.5, 11.5))
    assert [one.id for one in found] == [4, 9, 1]
    assert [one.id for one in in_turn([most, least, same], span(9, 11), span(9, 11), kept_id=1)] == [1, 4, 9]
    # Beside the buffers, and at work for the session itself alone, both can.
    assert [one.id for one in in_turn([away, replace(after_work, works=(span(9, 11),))], span(9, 11), span(8, 11))] == [2, 3]
    assert in_turn([away], span(9, 11), span(9, 11.25)) == [] and in_turn([], span(9, 11), span(9, 11)) == []


def test_free_times_are_those_in_which_one_and_the_same_person_can_assist():
    opening, busy = [span(8, 20)], [span(12, 13)]
    early, late = helper(1, works=(span(8, 11),)), helper(2, works=(span(10, 18),), busy=(span(14, 15),))
    free = free_with([early, late], opening, busy, POLICY, BEFORE)
    assert free == [span(8, 11), span(10, 12), span(13, 14), span(15, 18)]
    # Nobody is there from 9 to 12, though somebody is at each moment.
    assert span(9, 12) not in [whole for whole in free if whole.contains(span(9, 12))]
    found = nearest_alternatives(span(9, 12), free, POLICY, UTC, BEFORE, count=2)
    assert found == [span(8, 11), span(15, 18)]
    # A time that two can have is offered once; and who works whenever it is open leaves all that is free.
    assert nearest_alternatives(span(10, 11), free, POLICY, UTC, BEFORE, count=3) == [
        span(10, 11),
        span(9.5, 10.5),
        span(10.5, 11.5),
    ]
    assert free_with([helper(3), early], opening, busy, POLICY, BEFORE) == free_ranges(opening, busy, POLICY, BEFORE)
    assert free_with([], opening, busy, POLICY, BEFORE) == []
