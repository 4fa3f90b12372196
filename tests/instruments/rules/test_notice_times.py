"""When mail goes, over zones in which clocks jump; compared with looking at every minute."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from instruments.rules.notice_times import (
    MAIL_DELAYS,
    WEBHOOK_DELAYS,
    Digest,
    Rhythm,
    after_quiet,
    due_at,
    is_quiet,
    next_digest,
    retry_at,
)
from instruments.rules.wall_time import to_wall

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC"]
MINUTE = timedelta(minutes=1)
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
BERLIN = ZoneInfo("Europe/Berlin")
# Around changes of clocks half the time: the last weekends of March and October in Europe, the first of April in Australia.
INSTANTS = st.one_of(
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),
    st.datetimes(datetime(2026, 3, 28), datetime(2026, 3, 30)),
    st.datetimes(datetime(2026, 10, 24), datetime(2026, 10, 26)),
    st.datetimes(datetime(2026, 4, 4), datetime(2026, 4, 6)),
    st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 2)),
    st.datetimes(datetime(2011, 12, 29), datetime(2012, 1, 1)),
).map(lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC))
QUIET = st.builds(Rhythm, st.sampled_from(ZONES).map(ZoneInfo), quiet_from=CLOCKS, quiet_until=CLOCKS)
DIGESTS = st.builds(
    Rhythm,
    st.sampled_from(ZONES).map(ZoneInfo),
    st.sampled_from([Digest.DAILY, Digest.WEEKLY]),
    st.integers(0, 23),
    st.integers(0, 6),
    st.none(),
    st.none(),
)


@settings(deadline=None, max_examples=150)
@given(INSTANTS, QUIET)
def test_the_end_of_the_quiet_hours_is_the_first_minute_that_is_not_quiet(instant, rhythm):
    ends = after_quiet(instant, rhythm)
    assert ends >= instant and not is_quiet(ends, rhythm)
    walked = instant
    while is_quiet(walked, rhythm):
        walked += MINUTE
    assert ends == walked


@settings(deadline=None, max_examples=150)
@given(INSTANTS, QUIET, st.integers(0, 2000))
def test_what_happens_later_is_told_no_earlier(instant, rhythm, minutes):
    assert due_at(instant, rhythm) <= due_at(instant + minutes * MINUTE, rhythm)


@settings(deadline=None, max_examples=200)
@given(INSTANTS, DIGESTS)
def test_a_digest_comes_at_its_hour_and_once_on_its_day(instant, rhythm):
    assume(not (rhythm.zone.key == "Pacific/Apia" and instant.year < 2013))  # a day that was left out has no digest
    first = next_digest(instant, rhythm)
    second = next_digest(first, rhythm)
    assert first > instant
    shown = to_wall(first, rhythm.zone)
    jumped = to_wall(first - MINUTE, rhythm.zone)
    assert (shown.hour == rhythm.digest_hour and shown.minute == 0) or jumped < shown.replace(
        hour=rhythm.digest_hour, minute=0
    ) < shown
    days = (to_wall(second, rhythm.zone).date() - shown.date()).days
    assert days == (1 if rhythm.digest is Digest.DAILY else 7)
    assert first - instant <= timedelta(days=days, hours=1)
    if rhythm.digest is Digest.WEEKLY:
        assert shown.weekday() == rhythm.digest_weekday


@settings(deadline=None, max_examples=100)
@given(INSTANTS, DIGESTS, CLOCKS, CLOCKS)
def test_a_digest_whose_hour_is_quiet_waits_for_the_end(instant, rhythm, begins, ends):
    loud = Rhythm(rhythm.zone, rhythm.digest, rhythm.digest_hour, rhythm.digest_weekday, begins, ends)
    due = due_at(instant, loud)
    assert not is_quiet(due, loud)
    assert due == after_quiet(next_digest(instant, rhythm), loud)


def test_the_jump_itself_ends_quiet_hours_that_it_leaves_out():
    rhythm = Rhythm(BERLIN, quiet_from=time(22), quiet_until=time(2, 30))  # 02:00 to 03:00 is not there on 29 March 2026
    assert after_quiet(datetime(2026, 3, 28, 23, 0, tzinfo=UTC), rhythm) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_quiet_twice_and_brings_one_digest():
    rhythm = Rhythm(BERLIN, quiet_from=time(22), quiet_until=time(2, 30))
    assert after_quiet(datetime(2026, 10, 25, 1, 10, tzinfo=UTC), rhythm) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    daily = Rhythm(BERLIN, Digest.DAILY, 2)
    first = next_digest(datetime(2026, 10, 24, 22, 0, tzinfo=UTC), daily)
    assert first == datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    assert next_digest(first, daily) == datetime(2026, 10, 26, 1, 0, tzinfo=UTC)


def test_without_quiet_hours_nothing_waits():
    now = datetime(2026, 11, 23, 18, tzinfo=UTC)
    assert due_at(now, Rhythm(ZoneInfo("Asia/Shanghai"))) == now
    assert due_at(now, Rhythm(ZoneInfo("Asia/Shanghai"), quiet_from=time(8), quiet_until=time(8))) == now


@pytest.mark.parametrize(("delays", "attempts"), [(MAIL_DELAYS, 8), (WEBHOOK_DELAYS, 10)])
def test_attempts_go_on_for_about_a_day(delays, attempts):
    now, tried = datetime(2026, 11, 23, tzinfo=UTC), 1
    moment = now
    while (again := retry_at(delays, tried, moment)) is not None:
        assert again > moment
        moment, tried = again, tried + 1
    assert tried == attempts
    assert timedelta(hours=22) < moment - now < timedelta(hours=26)
