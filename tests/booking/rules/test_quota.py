"""Quotas: what counts, for whom, in which period; against counting everything anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.quota import (
    OF_SAMPLES,
    Booked,
    Counted,
    Limits,
    Measure,
    Period,
    Quota,
    Subject,
    beyond,
    period_around,
    quota_reason,
)
from booking.rules.week_time import WeekTime
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from tests.booking.rules.cases import MINUTE, places_and_times
from tests.instruments.rules.minute_by_minute import SHANGHAI

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)  # Monday 09:00 in Shanghai
DAYTIME = (WeekTime((1, 2, 3, 4, 5), 8 * 60, 18 * 60),)


def booked(starts: datetime, minutes: int, person: int = 1, organisation: int = 10, instrument: int = 100) -> Booked:
    return Booked(TimeRange(starts, starts + minutes * MINUTE), person, organisation, instrument, "010301")


def quota(subject=Subject.PERSON, measure=Measure.MINUTES, period=Period.WEEK, most=600, **more) -> Quota:
    return Quota(subject, measure, period, most, **more)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


bookings = st.lists(
    st.builds(
        booked,
        st.integers(-60, 60).map(lambda hours: NOW + timedelta(hours=6 * hours)),
        st.integers(1, 16).map(lambda steps: 30 * steps),
        st.sampled_from([1, 2]),
        st.sampled_from([10, 11]),
        st.sampled_from([100, 101]),
    ),
    max_size=12,
)
quotas = st.builds(
    quota,
    st.sampled_from(Subject),
    st.sampled_from([one for one in Measure if one not in OF_SAMPLES]),
    st.sampled_from(Period),
    st.integers(1, 900),
    peak_only=st.booleans(),
    counted=st.sampled_from([Counted(), Counted(100), Counted(None, "01"), Counted(None, "02")]),
)


@settings(max_examples=200, deadline=None)
@given(quotas, bookings, st.integers(0, 200))
def test_no_set_of_bookings_that_passed_one_by_one_is_above_the_quota(rule, wishes, first):
    kept: list[Booked] = []
    for wish in sorted(wishes, key=lambda one: one.during.ends_at):
        if quota_reason(rule, kept, wish, DAYTIME, SHANGHAI, NOW - timedelta(days=30)) is None:
            kept.append(wish)
    for one in kept:
        first_at, after = period_around(rule.period, one.during.starts_at, SHANGHAI, NOW - timedelta(days=30))
        same = [
            other
            for other in kept
            if (
                other.person_id == one.person_id
                if rule.subject is Subject.PERSON
                else other.organisation_id == one.organisation_id
            )
            and rule.counted.counts(other.instrument_id, other.class_code)
            and first_at <= other.during.starts_at
            and (after is None or other.during.starts_at < after)
        ]
        peak = [_peak_minutes(other.during) if rule.peak_only else other.during.seconds // 60 for other in same]
        total = sum(peak) if rule.measure is Measure.MINUTES else sum(minutes > 0 for minutes in peak)
        assert total <= rule.most


def _peak_minutes(during: TimeRange) -> int:
    count = 0
    moment = during.starts_at
    while moment < during.ends_at:
        shown = moment.astimezone(SHANGHAI)
        count += shown.isoweekday() <= 5 and 8 <= shown.hour < 18
        moment += MINUTE
    return count


def test_the_last_minute_of_a_quota_can_be_booked_and_not_one_more():
    rule = quota(most=240)
    before = [booked(wall("2026-11-24T09:00"), 180)]
    assert quota_reason(rule, before, booked(wall("2026-11-25T09:00"), 60), (), SHANGHAI, NOW) is None
    reason = quota_reason(rule, before, booked(wall("2026-11-25T09:00"), 90), (), SHANGHAI, NOW)
    assert reason is not None and reason.code == "quota.person_minutes"
    assert (reason.params["used_minutes"], reason.params["left_minutes"], reason.params["wanted_minutes"]) == (180, 60, 90)
    assert reason.params["again_at"] == "2026-11-30T00:00:00+08:00"
    assert quota_reason(rule, before, booked(wall("2026-11-30T00:00"), 90), (), SHANGHAI, NOW) is None


def test_a_colleague_counts_for_the_organisation_and_not_for_the_person():
    others = [booked(wall("2026-11-24T09:00"), 600, person=2)]
    asked = booked(wall("2026-11-25T09:00"), 60)
    assert quota_reason(quota(), others, asked, (), SHANGHAI, NOW) is None
    reason = quota_reason(quota(Subject.ORGANISATION), others, asked, (), SHANGHAI, NOW)
    assert reason is not None and reason.code == "quota.organisation_minutes"


def test_what_lies_outside_peak_hours_does_not_count_for_a_peak_quota():
    rule = quota(most=60, peak_only=True)
    assert quota_reason(rule, [], booked(wall("2026-11-25T18:00"), 300), DAYTIME, SHANGHAI, NOW) is None
    reason = quota_reason(rule, [], booked(wall("2026-11-25T16:30"), 120), DAYTIME, SHANGHAI, NOW)
    assert reason is not None and reason.params["wanted_minutes"] == 90


def test_what_has_begun_is_no_longer_ahead():
    rule = quota(measure=Measure.COUNT, period=Period.AHEAD, most=1)
    running = [booked(NOW - timedelta(minutes=30), 120)]
    assert quota_reason(rule, running, booked(NOW + timedelta(days=3), 60), (), SHANGHAI, NOW) is None
    waiting = [booked(NOW + timedelta(minutes=30), 120)]
    reason = quota_reason(rule, waiting, booked(NOW + timedelta(days=3), 60), (), SHANGHAI, NOW)
    assert reason is not None and reason.code == "quota.person_count_ahead"


@settings(max_examples=100, deadline=None)
@given(places_and_times(), st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR]))
def test_a_period_holds_its_instant_and_the_next_one_begins_where_it_ends(place, period):
    zone, _day, now = place
    first, after = period_around(period, now, zone, now)
    assert after is not None and first <= now < after
    assert period_around(period, after, zone, now)[0] == after


@settings(max_examples=50, deadline=None)
@given(quotas)
def test_a_written_quota_reads_back(rule):
    counted = {"instrument": rule.counted.instrument_id, "class_code": rule.counted.class_code}
    assert Quota.read_kept(rule.document() | counted) == rule


def test_a_quota_of_nothing_is_refused():
    with pytest.raises(Refusal):
        quota(most=0)


@settings(max_examples=200, deadline=None)
@given(st.lists(quotas, min_size=1, max_size=3), bookings, st.sets(st.integers(0, 11)))
def test_many_judged_together_are_judged_as_each_with_those_before_it(rules, wishes, judged):
    limits = {place: Limits(tuple(rules), DAYTIME, SHANGHAI) for place in judged}
    found = beyond(enumerate(wishes), limits, NOW)
    for place, wish in enumerate(wishes):
        each = (
            []
            if place not in judged
            else [quota_reason(rule, wishes[:place], wish, DAYTIME, SHANGHAI, NOW) for rule in set(rules)]
        )
        # What has begun is no longer ahead: nobody judges it by such a quota.
        begun = wish.during.starts_at < NOW
        expected = [
            reason
            for reason, rule in zip(each, set(rules), strict=False)
            if reason and not (begun and rule.period is Period.AHEAD)
        ]
        assert sorted(map(repr, found.get(place, []))) == sorted(map(repr, expected))
