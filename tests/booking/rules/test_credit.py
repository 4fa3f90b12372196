"""Scores, thresholds and how long they hold; what a session's times say; what a document of rules may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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
    document_of,
    measure_reason,
    next_appeal_at,
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
    assert after.score <= before.score
    assert {one.kind for one in before.measures} <= {one.kind for one in after.measures}


COUNTED = {
    "start_points": 100,
    "counts": [
        {"kind": "no_show", "times": 3, "within_days": 90, "leads_to": "no_booking", "days": 14},
        {"kind": "late", "times": 2, "within_days": 30, "leads_to": "notice"},
    ],
}


def test_a_third_miss_within_the_days_keeps_from_booking_for_two_weeks_whatever_the_points():
    missed = [(days(day), 0, 1, "no_show") for day in (-80, -40, 0)]
    assert kinds(standing(*missed[1:], rules=COUNTED)) == []
    (measure,) = standing(*missed, rules=COUNTED).measures
    assert (measure.kind, measure.why, measure.until) == ("no_booking", "count", days(14))
    reason = measure_reason(measure, ZoneInfo("Asia/Shanghai"))
    assert reason.code == "measure.counted_until" and reason.params["times"] == 3 and "until_at" in reason.params
    assert kinds(standing(*missed, rules=COUNTED, at=days(14) - timedelta(seconds=1))) == ["no_booking"]
    assert kinds(standing(*missed, rules=COUNTED, at=days(14))) == []


def test_what_the_platform_counts_at_other_labs_is_not_told_to_a_lab():
    missed = [PastEvent(days(day), 0, 1, "no_show") for day in (-2, -1, 0)]
    (measure,) = standing_of(policy_from(COUNTED, Scope.PLATFORM), Scope.PLATFORM, missed, NOW).measures
    reason = measure_reason(measure, ZoneInfo("Asia/Shanghai"))
    assert (reason.code, list(reason.params)) == ("measure.credit_until", ["until_at"])


def test_misses_too_far_apart_and_other_kinds_are_not_counted_together():
    assert kinds(standing(*[(days(day), 0, 1, "no_show") for day in (-90, -40, 0)], rules=COUNTED)) == []
    assert kinds(standing(*[(days(day), 0, 1, "no_show") for day in (-89, -40, 0)], rules=COUNTED)) == ["no_booking"]
    assert kinds(standing((days(-2), 0, 1, "late"), (days(-1), 0, 1, "no_show"), rules=COUNTED)) == []


def test_a_count_without_days_holds_until_there_are_fewer_within_them():
    late = [(days(-20), 0, 1, "late"), (days(-5), 0, 1, "late")]
    assert kinds(standing(*late, rules=COUNTED, at=days(10) - timedelta(seconds=1))) == ["notice"]
    assert kinds(standing(*late, rules=COUNTED, at=days(10))) == []


def test_a_count_for_an_instrument_holds_where_it_happened():
    rules = {"start_points": 100, "counts": [COUNTED["counts"][0] | {"leads_to": "instrument_list"}]}
    missed = [(days(day), 0, 1, "no_show") for day in (-2, -1, 0)]
    assert kinds(standing(*missed, rules=rules)) == ["instrument_list"]
    assert kinds(standing(*missed, rules=rules, instrument=2)) == []


def test_points_are_given_up_to_the_bound_and_not_saved_beyond_it():
    rules = {"start_points": 100, "gains": {"used": 4}, "most_points": 105}
    used = [(days(-9 + day), 4, 1, "used") for day in range(5)]
    assert standing(*used, rules=rules).score == 105
    assert standing(*used, rules=rules | {"most_points": None}).score == 100
    assert standing(*used, (days(-1), -10, 1, "late"), rules=rules).score == 95
    assert standing((days(-3), -300, 1), (days(-2), 4, 1, "used"), rules=rules).score == 4


HAPPENED = st.lists(
    st.tuples(
        st.sampled_from([-100, -40, -1, 0]).map(days), st.integers(-90, 60), st.sampled_from([1, 2, None]),
        st.sampled_from(["no_show", "late", "used", "manual"]),
    ),
    max_size=10,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(HAPPENED, st.randoms(use_true_random=False), st.integers(0, 400), st.sampled_from([None, 100, 130]))
def test_whatever_the_order_of_arrival_the_standing_is_the_same_within_its_bounds_and_its_counts_end(events, random, later, most):
    """Also of one moment: the days are few, and several events fall on one."""
    rules = RULES | COUNTED | {"most_points": most}
    at, shuffled = days(later), random.sample(events, len(events))
    found = standing(*events, rules=rules, at=at)
    assert standing(*shuffled, rules=rules, at=at) == found
    assert 0 <= found.score <= (most or 100)
    for measure in found.measures:
        if measure.why == "count":
            assert at < measure.until <= days(30)
            ended = standing(*events, rules=rules, at=measure.until).measures
            assert measure not in ended


def test_appeals_are_counted_within_a_year_by_the_stricter_rules():
    three, two, any_many = (policy_from({"start_points": 100, "appeals_a_year": most}, Scope.LAB) for most in (3, 2, None))
    made = [days(-400), days(-300), days(-100)]
    assert next_appeal_at([three, any_many], made, NOW) is None
    assert next_appeal_at([three, two], made, NOW) == days(65)
    assert next_appeal_at([three, two], made, days(65)) is None
    assert next_appeal_at([any_many, None], made, NOW) is None


def test_what_was_understood_is_read_again_as_the_same():
    policy = policy_from(
        RULES | COUNTED | {"gains": {"used": 1, "licence": 5}, "most_points": 120, "appeals_a_year": 3}, Scope.LAB
    )
    assert policy_from(document_of(policy), Scope.LAB) == policy


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
        ({"start_points": 100, "counts": {}}, "counts"),
        ({"start_points": 100, "counts": [COUNTED["counts"][0]] * 11}, "counts"),
        ({"start_points": 100, "counts": [COUNTED["counts"][0] | {"more": 1}]}, "counts"),
        ({"start_points": 100, "counts": [COUNTED["counts"][0] | {"times": 1}]}, "count_1_times"),
        ({"start_points": 100, "counts": [COUNTED["counts"][0] | {"kind": "manual"}]}, "count_1_kind"),
        ({"start_points": 100, "counts": [COUNTED["counts"][0] | {"within_days": None}]}, "count_1_within_days"),
        ({"start_points": 100, "counts": [COUNTED["counts"][0] | {"leads_to": "account_inactive"}]}, "count_1_leads_to"),
        ({"start_points": 100, "gains": {"late": 1}}, "gains"),
        ({"start_points": 100, "gains": {"used": -1}}, "gains_used"),
        ({"start_points": 100, "most_points": 99}, "most_points"),
        ({"start_points": 100, "appeals_a_year": 0}, "appeals_a_year"),
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
