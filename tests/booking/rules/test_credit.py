"""Scores, thresholds and how long they hold; what a session's times say; what a document of rules may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.rules.credit import (
    AppealAction,
    AppealState,
    EventKind,
    MeasureKind,
    PastEvent,
    Scope,
    next_appeal_state,
    policy_from,
    session_events,
    standing_of,
    strictest,
)
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
RULES = {
    "start_points": 100,
    "points": {"no_show": 30, "late": 5, "late_cancel": 10},
    "thresholds": [
        {"below": 95, "kind": "notice"},
        {"below": 80, "kind": "no_booking", "days": 7},
        {"below": 50, "kind": "instrument_list", "days": 30},
        {"below": 20, "kind": "lab_list"},
    ],
    "window_days": 365,
}


def days(count):
    return NOW + timedelta(days=count)


def standing(*events, at=NOW, rules=RULES, instrument=1):
    return standing_of(policy_from(rules, Scope.LAB), Scope.LAB, [PastEvent(*one) for one in events], at, instrument)


def kinds(found):
    return [one.kind.value for one in found.measures]


def test_who_did_nothing_has_the_start_points_and_no_measure():
    assert (standing().score, kinds(standing())) == (100, [])


def test_a_missed_booking_keeps_from_booking_for_a_week_and_the_notice_stays():
    missed = (days(-1), -30, 1)
    assert (standing(missed).score, kinds(standing(missed))) == (70, ["no_booking", "notice"])
    assert strictest(standing(missed).measures).until == days(6)
    assert kinds(standing(missed, at=days(6) - timedelta(seconds=1))) == ["no_booking", "notice"]
    assert kinds(standing(missed, at=days(6))) == ["notice"]


def test_a_further_event_below_the_threshold_begins_the_days_anew():
    found = standing((days(-6), -30, 1), (days(-1), -5, 1))
    assert strictest(found.measures).until == days(6)


def test_points_given_back_do_not_begin_the_days_anew():
    found = standing((days(-6), -30, 1), (days(-1), 5, 1))
    assert strictest(found.measures).until == days(1)


def test_a_list_for_an_instrument_holds_where_it_happened():
    events = [(days(-3), -30, 1), (days(-2), -30, 1)]
    assert strictest(standing(*events).measures).kind is MeasureKind.INSTRUMENT_LIST
    assert strictest(standing(*events, instrument=2).measures).kind is MeasureKind.NO_BOOKING
    assert strictest(standing(*events, instrument=None).measures).kind is MeasureKind.INSTRUMENT_LIST


def test_without_days_a_measure_holds_until_the_score_has_risen():
    events = [(days(-40), -30, 1), (days(-39), -30, 1), (days(-38), -30, 1)]
    assert strictest(standing(*events).measures).kind is MeasureKind.LAB_LIST
    assert kinds(standing(*events, (days(-37), 15, 1))) == ["notice"]


def test_old_events_no_longer_count():
    assert standing((days(-365), -30, 1)).score == 100
    assert standing((days(-364), -30, 1)).score == 70
    assert standing((days(-3650), -30, 1), rules=RULES | {"window_days": None}).score == 70


def test_what_happens_later_does_not_count_yet():
    assert standing((days(1), -30, 1)).score == 100


@settings(suppress_health_check=[HealthCheck.too_slow])  # drawing is slow where the machine is busy
@given(st.lists(st.tuples(st.integers(-400, 5), st.integers(-40, 20), st.integers(1, 3)), max_size=8), st.integers(0, 8))
def test_the_order_in_which_events_are_read_changes_nothing(rows, cut):
    """Of one moment the order is kept by the database; here every moment is another."""
    events = [(days(day) + timedelta(seconds=place), points, instrument) for place, (day, points, instrument) in enumerate(rows)]
    assert standing(*events[cut:][::-1], *events[:cut]) == standing(*events)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(-300, 0), st.integers(-40, 20)), max_size=12), st.integers(-300, 0), st.integers(1, 60))
def test_another_bad_event_never_makes_a_standing_milder(rows, day, lost):
    events = [(days(one), points, 1) for one, points in rows]
    before, after = standing(*events), standing(*events, (days(day), -lost, 1))
    assert after.score < before.score
    assert {one.kind for one in before.measures} <= {one.kind for one in after.measures}


def test_no_platform_measure_can_be_set_by_a_lab():
    document = {"start_points": 100, "thresholds": [{"below": 10, "kind": "account_inactive"}]}
    with pytest.raises(Refusal, match=r"credit\.measure_unknown"):
        policy_from(document, Scope.LAB)
    assert policy_from(document, Scope.PLATFORM).thresholds[0].kind is MeasureKind.ACCOUNT_INACTIVE


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (None, "start_points"),
        ([], "start_points"),
        ({"start_points": True}, "start_points"),
        ({"start_points": 1.5}, "start_points"),
        ({"start_points": 0}, "start_points"),
        ({"start_points": 100, "points": {"no_show": -1}}, "points_no_show"),
        ({"start_points": 100, "points": {"manual": 1}}, "points"),
        ({"start_points": 100, "other": 1}, "document"),
        ({"start_points": 100, "window_days": 0}, "window_days"),
        ({"start_points": 100, "late_minutes": 2000}, "late_minutes"),
        ({"start_points": 100, "thresholds": [{"below": 200, "kind": "notice"}]}, "threshold_1_below"),
        ({"start_points": 100, "thresholds": [{"below": 50, "kind": "no_booking"}]}, "threshold_1_days"),
        ({"start_points": 100, "thresholds": ["x"]}, "threshold_1_kind"),
        ({"start_points": 100, "thresholds": [{"below": 5, "kind": "notice"}] * 11}, "thresholds"),
    ],
)
def test_rules_that_make_no_sense_are_refused_on_their_field(document, field):
    with pytest.raises(Refusal) as refused:
        policy_from(document, Scope.LAB)
    assert field in {reason.field for reason in refused.value.reasons}


BOOKED = TimeRange(NOW, NOW + timedelta(hours=2))


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (0, 120, []),
        (15, 120, []),
        (16, 120, [EventKind.LATE]),
        (-10, 90, []),
        (0, 89, [EventKind.LEFT_EARLY]),
        (0, 135, []),
        (0, 136, [EventKind.OVERTIME]),
        (20, 150, [EventKind.LATE, EventKind.OVERTIME]),
        (20, 20, [EventKind.LATE, EventKind.LEFT_EARLY]),
    ],
)
def test_a_sessions_times_say_what_happened_beyond_the_minutes_that_pass(start, end, found):
    policy = policy_from({"start_points": 100}, Scope.LAB)
    assert session_events(policy, BOOKED, NOW + timedelta(minutes=start), NOW + timedelta(minutes=end)) == found


@pytest.mark.parametrize("state", AppealState)
@pytest.mark.parametrize("action", AppealAction)
def test_an_appeal_is_decided_once(state, action):
    if state is AppealState.OPEN:
        assert next_appeal_state(state, action) == {"grant": "granted", "refuse": "refused"}[action]
    else:
        with pytest.raises(Refusal, match=r"credit\.appeal_decided"):
            next_appeal_state(state, action)
