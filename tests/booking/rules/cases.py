"""Policies and places shared by the tests of booking rules."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import strategies as st

from booking.rules.policy import BookingPolicy
from config.kernel.time_range import TimeRange
from tests.instruments.rules.minute_by_minute import DAYS

MINUTE = timedelta(minutes=1)

PLAIN = BookingPolicy(
    granularity_minutes=15,
    min_minutes=30,
    max_minutes=240,
    notice_minutes=0,
    horizon_days=14,
    buffer_before_minutes=0,
    buffer_after_minutes=0,
    approval_required=False,
    pending_blocks=False,
    cancel_notice_minutes=1440,
)


def policy(**changes) -> BookingPolicy:
    return replace(PLAIN, **changes)


def span(start: datetime, minutes: int) -> TimeRange:
    return TimeRange(start, start + minutes * MINUTE)


@st.composite
def policies(draw) -> BookingPolicy:
    granularity = draw(st.sampled_from([5, 10, 15, 30, 45, 60, 120, 1440]))
    shortest = draw(st.integers(0, 180))
    room = max(granularity, -(-shortest // granularity) * granularity)
    return policy(
        granularity_minutes=granularity,
        min_minutes=shortest,
        max_minutes=room + draw(st.integers(0, 300)),
        notice_minutes=draw(st.sampled_from([0, 0, 7, 60, 1440])),
        horizon_days=draw(st.integers(0, 3)),
        buffer_before_minutes=draw(st.sampled_from([0, 5, 20])),
        buffer_after_minutes=draw(st.sampled_from([0, 5, 30])),
    )


@st.composite
def places_and_times(draw):
    """(zone, day, now): a day on which a clock may change, and an instant from a day before to a day after."""
    zone, day = draw(st.sampled_from(DAYS))
    now = datetime.combine(day, time.min, tzinfo=UTC) + draw(st.integers(-1440, 1440)) * MINUTE
    return zone, day, now
