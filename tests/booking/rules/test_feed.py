"""Where a feed is cut, and what it says of that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.rules.feed import cut
from config.kernel.time_range import TimeRange

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass(frozen=True)
class One:
    during: TimeRange


ROWS = st.lists(
    st.tuples(st.integers(-60, 60), st.integers(1, 20)).map(
        lambda pair: One(TimeRange(NOW + timedelta(hours=pair[0]), NOW + timedelta(hours=sum(pair))))
    ),
    max_size=12,
)


def in_order(rows: list[One]) -> list[One]:
    to_come = sorted((one for one in rows if one.during.ends_at > NOW), key=lambda one: one.during.starts_at)
    over = sorted((one for one in rows if one.during.ends_at <= NOW), key=lambda one: one.during.ends_at, reverse=True)
    return to_come + over


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.integers(1, 12))
def test_a_feed_has_everything_of_the_time_for_which_it_says_so(rows, most):
    feed = cut(in_order(rows)[: most + 1], NOW, most)
    assert len(feed.rows) == min(len(rows), most)
    left_out = in_order(rows)[most:]
    assert bool(left_out) == (feed.whole_until is not None or feed.left_out_before is not None)
    if feed.whole_until is not None:
        assert all(one.during.starts_at >= feed.whole_until or one.during.ends_at <= NOW for one in left_out)
        assert all(one.during.ends_at > NOW for one in feed.rows), "nothing that is over takes the place of what is to come"
    if feed.left_out_before is not None:
        assert feed.left_out_before <= NOW and all(one.during.ends_at <= feed.left_out_before for one in left_out)
    starts = [one.during.starts_at for one in feed.rows]
    assert starts == sorted(starts)


def test_a_feed_that_is_full_to_the_last_place_is_whole():
    rows = [One(TimeRange(NOW + timedelta(hours=place), NOW + timedelta(hours=place + 1))) for place in range(3)]
    whole = cut(rows, NOW, 3)
    assert (whole.rows, whole.whole_until, whole.left_out_before) == (rows, None, None)
    assert cut(rows, NOW, 2).whole_until == rows[2].during.starts_at
