"""Outcomes, overage, the review window and room for more: small rules with sharp edges."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.extension import extension_faults, free_until, offered_ends, room_after
from booking.rules.outcome import Outcome, outcome_of
from booking.rules.policy import BookingPolicy
from booking.rules.review import Review, agreement_is_due, proposal_faults, reminder_is_due
from booking.rules.usage import BillableBasis, BillableRule, derive_billable
from booking.rules.week_time import WeekTime
from config.kernel.time_range import TimeRange
from tests.booking.rules.cases import MINUTE, span

TEN = datetime(2026, 5, 5, 2, tzinfo=UTC)
BOOKED = span(TEN, 120)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Asia/Shanghai")


def policy(**changes) -> BookingPolicy:
    usual = {
        "granularity_minutes": 30, "min_minutes": 30, "max_minutes": 480, "notice_minutes": 0, "horizon_days": 60,
        "buffer_before_minutes": 0, "buffer_after_minutes": 0, "approval_required": True, "pending_blocks": True,
        "cancel_notice_minutes": 0,
    }  # fmt: skip
    return BookingPolicy(**(usual | changes))


@pytest.mark.parametrize(
    ("start", "end", "outcome"),
    [
        (0, 120, "normal"),
        (5, 115, "normal"),
        (-30, 125, "normal"),
        (6, 120, "late"),
        (0, 114, "left_early"),
        (0, 126, "overtime"),
        (6, 126, "late_overtime"),
        (6, 114, "late_left_early"),
    ],
)
def test_how_a_session_went_is_one_word(start, end, outcome):
    assert outcome_of(BOOKED, TimeRange(TEN + start * MINUTE, TEN + end * MINUTE)) == outcome


def test_a_session_without_length_was_missed():
    assert outcome_of(BOOKED, None) is Outcome.MISSED


@pytest.mark.parametrize(
    ("actual", "step", "billed_minutes", "reason"),
    [
        (span(TEN, 60), 15, 120, "usage.booked"),
        (span(TEN, 121), 15, 135, "usage.overage"),
        (span(TEN, 120), 15, 120, "usage.booked"),
        (span(TEN - 30 * MINUTE, 160), 30, 150, "usage.overage"),
        (None, 15, 120, "usage.not_measured"),
    ],
)
def test_overage_charges_what_was_booked_and_the_use_behind_it(actual, step, billed_minutes, reason):
    billable = derive_billable(BOOKED, actual, BillableRule(BillableBasis.OVERAGE, step))
    assert (billable.range, billable.minutes, billable.reason) == (span(TEN, billed_minutes), billed_minutes, reason)


@given(st.integers(1, 9000), st.integers(-9000, 9000), st.integers(1, 9000), st.integers(1, 90))
def test_overage_covers_what_was_booked_and_grows_by_whole_steps(length, start, used, step):
    booked = TimeRange(TEN, TEN + timedelta(seconds=length))
    actual = TimeRange(TEN + timedelta(seconds=start), TEN + timedelta(seconds=start + used))
    billed = derive_billable(booked, actual, BillableRule(BillableBasis.OVERAGE, step)).range
    assert billed.starts_at == booked.starts_at and billed.contains(booked)
    beyond = billed.ends_at - booked.ends_at
    assert not beyond % (step * MINUTE)
    assert billed.ends_at >= actual.ends_at and beyond < max(timedelta(0), actual.ends_at - booked.ends_at) + step * MINUTE


def test_a_policy_says_its_rule():
    assert policy().billable_rule == BillableRule(BillableBasis.BOOKED, 1)
    assert policy(billable_basis=BillableBasis.OVERAGE, billable_round_up_minutes=15).billable_rule.round_up_minutes == 15


# --- The window -----------------------------------------------------------------------------------------------------------
UNTIL = TEN + 7 * DAY


@pytest.mark.parametrize(
    ("reminded", "now", "remind", "agree"),
    [
        (None, UNTIL - DAY - MINUTE, False, False),
        (None, UNTIL - DAY, True, False),
        (None, UNTIL + 9 * DAY, True, False),
        (UNTIL - DAY, UNTIL - MINUTE, False, False),
        (UNTIL - DAY, UNTIL, False, True),
        (UNTIL + 9 * DAY, UNTIL + 9 * DAY + MINUTE, False, False),
        (UNTIL + 9 * DAY, UNTIL + 10 * DAY, False, True),
    ],
)
def test_time_tells_a_day_before_it_agrees(reminded, now, remind, agree):
    review = Review(UNTIL, reminded)
    assert (reminder_is_due(review, now), agreement_is_due(review, now)) == (remind, agree)
    for asked in (Review(UNTIL, reminded, late_entered=True), Review(UNTIL, reminded, imported=True)):
        assert (reminder_is_due(asked, now), agreement_is_due(asked, now)) == (False, False)


def test_a_proposal_that_is_within_what_is_charged_and_another_has_no_fault():
    assert proposal_faults(span(TEN, 60), BOOKED, BOOKED, ZONE) == []
    assert proposal_faults(None, BOOKED, BOOKED, ZONE) == []
    assert [one.code for one in proposal_faults(None, None, BOOKED, ZONE)] == ["usage.proposal_same"]
    over = span(TEN, 150)
    assert proposal_faults(span(TEN, 140), over, BOOKED, ZONE) == []
    assert [one.code for one in proposal_faults(span(TEN, 160), over, BOOKED, ZONE)] == ["usage.proposal_outside"]


def test_a_proposal_outside_names_the_limits_by_the_clock_of_the_site():
    (reason,) = proposal_faults(span(TEN, 160), BOOKED, BOOKED, ZoneInfo("Europe/London"))
    assert reason.params == {"earliest_at": "2026-05-05T03:00:00+01:00", "latest_at": "2026-05-05T05:00:00+01:00"}


# --- Room for more --------------------------------------------------------------------------------------------------------
def ends(booked=BOOKED, opening=600, busy=(), now=TEN, **changes):
    room = room_after(booked, [span(TEN - 60 * MINUTE, opening)], list(busy))
    return [(end - TEN) // MINUTE for end in offered_ends(booked, room, policy(**changes), ZONE, now)]


def test_the_offered_ends_lie_on_the_grid_until_somebody_else_the_closing_or_the_longest_booking():
    assert ends()[:3] == [150, 180, 210]
    assert ends(busy=[span(TEN + 200 * MINUTE, 60)]) == [150, 180]
    assert ends(busy=[span(TEN + 200 * MINUTE, 60)], buffer_after_minutes=30) == [150]
    assert ends(opening=240) == [150, 180]
    assert ends(max_minutes=150) == [150]
    assert ends(busy=[span(TEN + 120 * MINUTE, 60)]) == []


def test_what_is_over_already_is_not_offered():
    assert ends(now=TEN + 155 * MINUTE)[0] == 180


def test_each_fault_says_what_is_free():
    room = room_after(BOOKED, [span(TEN, 600)], [span(TEN + 200 * MINUTE, 60)])
    (reason,) = extension_faults(BOOKED, TEN + 240 * MINUTE, room, policy(), ZONE, TEN)
    assert (reason.code, reason.params["free_until_at"]) == ("booking.extension_not_free", "2026-05-05T13:20:00+08:00")
    assert extension_faults(BOOKED, TEN + 180 * MINUTE, room, policy(), ZONE, TEN) == []


@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 60), st.integers(60, 900))
def test_nothing_is_offered_into_somebody_elses_time(start, length, buffer, longest):
    other = span(TEN + (120 + start * 15) * MINUTE, length * 15)
    rules = policy(buffer_after_minutes=buffer, max_minutes=longest)
    room = room_after(BOOKED, [span(TEN, 700)], [other])
    for end in offered_ends(BOOKED, room, rules, ZONE, TEN):
        assert BOOKED.ends_at < end <= free_until(BOOKED, room, rules, ZONE)
        assert not TimeRange(BOOKED.starts_at, end + buffer * MINUTE).overlaps(other)
        assert extension_faults(BOOKED, end, room, rules, ZONE, TEN) == []


@pytest.mark.parametrize(
    ("unlimited", "hours"),
    [
        ((), 3),
        ((WeekTime((2,), 600, 960),), 6),  # Tuesday 10:00 to 16:00: from the start on
        ((WeekTime((2,), 660, 960),), 3),  # from 11:00: the session does not lie in it wholly
        ((WeekTime((2,), 540, 720),), 3),  # until 12:00: the longest booking reaches further
        ((WeekTime((2,), 0, 1440),), 8),  # all day: until the lab closes
    ],
)
def test_in_unlimited_times_a_session_goes_on_beyond_the_longest_booking(unlimited, hours):
    room = room_after(BOOKED, [span(TEN - 60 * MINUTE, 540)], [])
    rules = policy(max_minutes=180, unlimited=unlimited)
    latest = TEN + timedelta(hours=hours)
    assert free_until(BOOKED, room, rules, ZONE) == latest
    assert offered_ends(BOOKED, room, rules, ZONE, TEN)[-1] == min(latest, BOOKED.ends_at + timedelta(hours=4))
    assert not extension_faults(BOOKED, latest, room, rules, ZONE, TEN)
