"""A lab's booking rules: every broken one is named, and what a reason suggests clears it."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.policy import broken_rules, free_until, satisfies
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from tests.booking.rules.cases import MINUTE, PLAIN, places_and_times, policies, policy, span
from tests.instruments.rules.minute_by_minute import LONDON, SHANGHAI

NOW = datetime(2026, 5, 4, 0, 10, tzinfo=UTC)
NINE = datetime(2026, 5, 5, 1, tzinfo=UTC)


def codes(*arguments) -> list[str]:
    return [reason.code for reason in broken_rules(*arguments)]


@st.composite
def requests(draw):
    zone, _, now = draw(places_and_times())
    start = now + draw(st.integers(-600, 6000)) * MINUTE + timedelta(seconds=draw(st.sampled_from([0, 0, 0, 30])))
    return zone, now, TimeRange(start, start + timedelta(seconds=draw(st.integers(1, 700)) * 30))


def expected_codes(rules, requested: TimeRange, zone, now: datetime) -> set[str]:
    """Every rule asked anew, in the plainest way."""
    minutes = requested.duration / MINUTE
    lead = (requested.starts_at - now) / MINUTE
    start, end = requested.starts_at.astimezone(zone), requested.ends_at.astimezone(zone)
    days_ahead = (start.date() - now.astimezone(zone).date()).days
    answers = {
        "booking.in_the_past": lead < 0,
        "booking.too_soon": rules.notice_minutes > 0 and lead < rules.notice_minutes,
        "booking.beyond_horizon": days_ahead > rules.horizon_days,
        "booking.too_short": minutes < rules.min_minutes,
        "booking.too_long": minutes > rules.max_minutes,
        "booking.off_grid": bool(start.second or (start.hour * 60 + start.minute) % rules.granularity_minutes),
        "booking.end_off_grid": bool(end.second or (end.hour * 60 + end.minute) % rules.granularity_minutes),
    }
    return {code for code, broken in answers.items() if broken}


@settings(max_examples=300, deadline=None)
@given(policies(), requests())
def test_every_broken_rule_is_named_once_and_no_other(rules, request_):
    zone, now, requested = request_
    found = codes(rules, requested, zone, now)
    assert len(found) == len(set(found))
    assert set(found) == expected_codes(rules, requested, zone, now)
    assert satisfies(rules, requested, zone, now) == (not found)


def mended(requested: TimeRange, reason: Reason) -> list[TimeRange]:
    """The request changed only as the reason suggests; a moved start keeps the length."""
    suggested = {key: value for key, value in reason.params.items() if key in {"earliest", "latest", "before", "after"}}
    instants = [datetime.fromisoformat(value) for value in suggested.values()]
    if reason.code == "booking.end_off_grid":
        return [TimeRange(requested.starts_at, end) for end in instants if end > requested.starts_at]
    if instants:
        return [TimeRange(start, start + requested.duration) for start in instants]
    length = reason.params.get("min_minutes") or reason.params["max_minutes"]
    return [span(requested.starts_at, length)]


@settings(max_examples=300, deadline=None)
@given(policies(), requests())
def test_doing_what_a_reason_suggests_clears_that_reason(rules, request_):
    zone, now, requested = request_
    for reason in broken_rules(rules, requested, zone, now):
        assert reason.field in {"starts_at", "ends_at"}
        for other in mended(requested, reason):
            assert reason.code not in codes(rules, other, zone, now)


def test_all_rules_can_be_broken_together_as_far_as_they_can_meet():
    rules = policy(notice_minutes=60, min_minutes=60)
    early = TimeRange(NOW - 7 * MINUTE, NOW - 6 * MINUTE)
    assert codes(rules, early, SHANGHAI, NOW) == [
        "booking.in_the_past",
        "booking.too_soon",
        "booking.too_short",
        "booking.off_grid",
        "booking.end_off_grid",
    ]
    late = span(NOW + timedelta(days=30), 1441)
    assert codes(rules, late, SHANGHAI, NOW) == [
        "booking.beyond_horizon",
        "booking.too_long",
        "booking.off_grid",
        "booking.end_off_grid",
    ]


@pytest.mark.parametrize(
    ("rules", "kept", "broken", "code", "params"),
    [
        (
            policy(granularity_minutes=1),
            span(NOW, 60),
            span(NOW - MINUTE, 60),
            "booking.in_the_past",
            {"earliest": "2026-05-04T08:10:00+08:00"},
        ),
        (
            policy(notice_minutes=1, granularity_minutes=1),
            span(NOW + MINUTE, 60),
            span(NOW, 60),
            "booking.too_soon",
            {"earliest": "2026-05-04T08:11:00+08:00", "notice_minutes": 1},
        ),
        (
            policy(notice_minutes=50),
            span(NOW + 50 * MINUTE, 60),
            span(NOW + 35 * MINUTE, 60),
            "booking.too_soon",
            {"earliest": "2026-05-04T09:00:00+08:00", "notice_minutes": 50},
        ),
        (
            policy(horizon_days=1),
            span(datetime(2026, 5, 5, 15, 45, tzinfo=UTC), 60),
            span(datetime(2026, 5, 5, 16, 0, tzinfo=UTC), 60),
            "booking.beyond_horizon",
            {"latest": "2026-05-05T23:45:00+08:00", "horizon_days": 1},
        ),
        (policy(), span(NINE, 30), span(NINE, 15), "booking.too_short", {"min_minutes": 30, "minutes": 15}),
        (policy(), span(NINE, 240), span(NINE, 255), "booking.too_long", {"max_minutes": 240, "minutes": 255}),
        (
            policy(granularity_minutes=30),
            span(NINE, 60),
            TimeRange(NINE + 7 * MINUTE, NINE + 60 * MINUTE),
            "booking.off_grid",
            {"before": "2026-05-05T09:00:00+08:00", "after": "2026-05-05T09:30:00+08:00", "granularity_minutes": 30},
        ),
        (
            policy(granularity_minutes=30),
            span(NINE, 60),
            span(NINE, 67),
            "booking.end_off_grid",
            {"before": "2026-05-05T10:00:00+08:00", "after": "2026-05-05T10:30:00+08:00", "granularity_minutes": 30},
        ),
    ],
)
def test_each_rule_holds_at_its_limit_and_breaks_alone_just_beyond(rules, kept, broken, code, params):
    assert broken_rules(rules, kept, SHANGHAI, NOW) == []
    (reason,) = broken_rules(rules, broken, SHANGHAI, NOW)
    assert (reason.code, reason.params) == (code, params)


def test_lengths_are_elapsed_time_through_a_repeated_hour():
    start = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)
    now = start - timedelta(days=1)
    wall_says_two_hours = span(start, 180)
    assert codes(policy(max_minutes=120), wall_says_two_hours, LONDON, now) == ["booking.too_long"]
    assert codes(policy(max_minutes=180), wall_says_two_hours, LONDON, now) == []


def test_the_horizon_ends_with_a_local_day_whatever_its_length():
    now = datetime.combine(date(2026, 10, 24), time(12), tzinfo=UTC)
    rules = policy(horizon_days=1)
    assert rules.horizon(LONDON, now) == datetime(2026, 10, 26, 0, 0, tzinfo=UTC)


def test_what_a_reservation_occupies_includes_its_buffers():
    rules = policy(buffer_before_minutes=10, buffer_after_minutes=20)
    assert rules.occupied(span(NINE, 60)) == span(NINE - 10 * MINUTE, 90)


def test_a_booking_may_be_given_back_until_the_cancel_notice_before_its_start():
    assert free_until(NINE, 60) == NINE - 60 * MINUTE
    assert free_until(NINE, 0) == NINE


def least(reason: Reason) -> int:
    return reason.params.get("minimum") or reason.params.get("shortest_minutes", 0)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"notice_minutes": -1, "horizon_days": -2}, [("policy.negative", f) for f in ("notice_minutes", "horizon_days")]),
        ({"granularity_minutes": 0}, [("policy.granularity_out_of_range", "granularity_minutes")]),
        ({"granularity_minutes": 1441}, [("policy.granularity_out_of_range", "granularity_minutes")]),
        ({"max_minutes": 29}, [("policy.no_length_fits", "max_minutes")]),
        ({"granularity_minutes": 45, "min_minutes": 50, "max_minutes": 60}, [("policy.no_length_fits", "max_minutes")]),
        ({"granularity_minutes": 45, "min_minutes": 50, "max_minutes": 90}, []),
    ],
)
def test_a_policy_that_nothing_can_satisfy_cannot_be_made(changes, reasons):
    if not reasons:
        assert policy(**changes).shortest_on_grid_minutes == 90
        return
    with pytest.raises(Refusal) as caught:
        policy(**changes)
    assert [(reason.code, reason.field) for reason in caught.value.reasons] == reasons
    for reason in caught.value.reasons:
        with suppress(Refusal):
            policy(**{**changes, reason.field: least(reason) - 1})
            pytest.fail("one less than the minimum named is enough")
    mended = {reason.field: least(reason) for reason in caught.value.reasons}
    assert policy(**{**changes, **mended})


def test_the_plain_policy_of_these_tests_lets_an_ordinary_request_through():
    assert broken_rules(PLAIN, span(NINE, 60), SHANGHAI, NOW) == []
