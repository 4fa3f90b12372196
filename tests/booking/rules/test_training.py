"""Levels include each other; months end on the last day; every (state, action) pair of the three lives is what the table says."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.rules.training import (
    ENROLMENTS,
    LICENCES,
    RECOGNITIONS,
    EnrolmentAction,
    EnrolmentState,
    Level,
    LicenceAction,
    LicenceState,
    RecognitionAction,
    RecognitionState,
    months_after,
    step,
    with_implied,
)
from config.kernel.errors import Refusal

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")

#: What may happen, written again by hand; everything else is refused.
LEGAL = {
    ("waiting", "move_up", "enrolled"),
    ("waiting", "withdraw", "withdrawn"),
    ("waiting", "call_off", "called_off"),
    ("enrolled", "withdraw", "withdrawn"),
    ("enrolled", "call_off", "called_off"),
    ("enrolled", "attend", "attended"),
    ("enrolled", "miss", "absent"),
    ("attended", "pass", "passed"),
    ("attended", "fail", "failed"),
    ("valid", "suspend", "suspended"),
    ("valid", "revoke", "revoked"),
    ("suspended", "restore", "valid"),
    ("suspended", "revoke", "revoked"),
    ("open", "accept", "accepted"),
    ("open", "refuse", "refused"),
    ("open", "withdraw", "withdrawn"),
}
PAIRS = [
    (table, state, action)
    for table, states, actions in (
        (ENROLMENTS, EnrolmentState, EnrolmentAction),
        (LICENCES, LicenceState, LicenceAction),
        (RECOGNITIONS, RecognitionState, RecognitionAction),
    )
    for state in states
    for action in actions
]


@pytest.mark.parametrize(("table", "state", "action"), PAIRS, ids=lambda one: str(one) if not isinstance(one, dict) else "")
def test_every_state_and_action_leads_where_it_should_or_is_refused(table, state, action):
    wanted = next((after for before, done, after in LEGAL if (before, done) == (state.value, action.value)), None)
    if wanted is None:
        with pytest.raises(Refusal, match=r"training\.illegal_step"):
            step(table, state, action)
    else:
        assert step(table, state, action) == wanted


def test_a_level_includes_those_below_it():
    assert with_implied([]) == frozenset()
    assert with_implied(["nonsense"]) == frozenset()
    assert with_implied(["self"]) == {"assisted", "self"}
    assert with_implied(["assisted", "off_hours"]) == set(Level)


def test_a_month_without_that_day_ends_on_its_last():
    granted = datetime(2028, 1, 31, 2, tzinfo=UTC)
    assert months_after(granted, 1, SHANGHAI) == datetime(2028, 2, 29, 2, tzinfo=UTC)
    assert months_after(granted, 12, SHANGHAI) == datetime(2029, 1, 31, 2, tzinfo=UTC)


def test_the_wall_time_stays_when_clocks_change():
    january = datetime(2027, 1, 15, 8, tzinfo=UTC)  # 09:00 in Berlin
    assert months_after(january, 6, BERLIN) == datetime(2027, 7, 15, 7, tzinfo=UTC)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)), st.integers(1, 120), st.integers(1, 120))
def test_more_months_end_later(moment, few, more):
    first, second = months_after(moment, few, SHANGHAI), months_after(moment, few + more, SHANGHAI)
    assert moment < first < second
