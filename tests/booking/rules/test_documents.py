"""Rules written as JSON are read whole or refused whole, whatever they hold; what is stored is what was understood."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.credit import MeasureKind, Scope, document_of, policy_from
from booking.rules.policy_layers import MOST_QUOTAS, NUMBERS, SWITCHES, TIMES, read_settings, settings_document
from booking.rules.quota import Counted
from config.kernel.errors import Refusal

LAB = Counted()
NIGHT = {"weekdays": [1, 2, 3, 4, 5], "from_minute": 1320, "until_minute": 360}
WEEKLY = {"subject": "person", "measure": "minutes", "period": "week", "most": 600, "peak_only": True}
SETTINGS = (*NUMBERS, *SWITCHES, *TIMES, "billable_basis", "horizons", "quotas")

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "person", "week", "booked", "a\0", "x" * 99])
)
junk = st.recursive(
    scalars | st.sampled_from([NIGHT, WEEKLY]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["most", "weekdays", "firm", "below", "kind", "late", "surprise\0"]), inner, max_size=3)
        | st.builds(lambda key, value: {**WEEKLY, key: value}, st.sampled_from([*WEEKLY, "instrument", "x"]), inner)
        | st.builds(lambda key, value: {**NIGHT, key: value}, st.sampled_from([*NIGHT, "x"]), inner)
    ),
    max_leaves=6,
)
layers = junk | st.dictionaries(st.sampled_from([*SETTINGS, "surprise"]), junk, max_size=3)
credits_ = junk | st.builds(
    lambda parts: {"start_points": 100, **parts},
    st.dictionaries(
        st.sampled_from(["start_points", "points", "thresholds", "window_days", "late_minutes", "other"]), junk, max_size=3
    ),
)


@settings(max_examples=400, deadline=None)
@given(layers)
def test_a_layer_is_refused_or_read_back_as_what_is_stored(document):
    try:
        said = read_settings(document, LAB)
    except Refusal:
        return
    kept = settings_document(said)
    assert read_settings(kept, LAB) == said and settings_document(read_settings(kept, LAB)) == kept


@settings(max_examples=400, deadline=None)
@given(credits_, st.sampled_from(Scope))
def test_rules_of_credit_are_refused_or_read_back_as_what_is_stored(document, scope):
    try:
        policy = policy_from(document, scope)
    except Refusal:
        return
    assert policy_from(document_of(policy), scope) == policy


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"horizons": []}, "horizons"),
        ({"horizons": {"firm": "4"}}, "horizons"),
        ({"quotas": ["x"]}, "quotas"),
        ({"quotas": {}}, "quotas"),
        ({"quotas": [WEEKLY | {"most": float("inf")}]}, "quotas"),
        ({"quotas": [WEEKLY | {"most": 2.7}]}, "quotas"),
        ({"quotas": [WEEKLY | {"most": True}]}, "quotas"),
        ({"quotas": [WEEKLY | {"peak_only": "false"}]}, "quotas"),
        ({"quotas": [WEEKLY | {"subject": ["person"]}]}, "quotas"),
        ({"quotas": [WEEKLY | {"instrument": 7}]}, "quotas"),
        ({"quotas": [WEEKLY | {"a\0": 1}]}, "quotas"),
        ({"quotas": [WEEKLY] * (MOST_QUOTAS + 1)}, "quotas"),
        ({"peak": [NIGHT | {"from_minute": "1320"}]}, "peak"),
        ({"peak": [NIGHT | {"until_minute": 360.0}]}, "peak"),
        ({"peak": [NIGHT | {"weekdays": "12"}]}, "peak"),
        ({"peak": [NIGHT | {"weekdays": [1, "2"]}]}, "peak"),
        ({"peak": [NIGHT | {"weekdays": [True]}]}, "peak"),
        ({"peak": [NIGHT] * 11}, "peak"),
        ({"billable_basis": []}, "billable_basis"),
        ([], "said"),
    ],
)
def test_a_wrong_shape_is_refused_on_its_field(document: Any, field):
    with pytest.raises(Refusal) as refused:
        read_settings(document, LAB)
    assert {reason.field for reason in refused.value.reasons} == {field}


def test_an_empty_list_says_nothing():
    assert read_settings({"quotas": [], "peak": [], "horizons": {}, "max_minutes": 60}, LAB) == {"max_minutes": 60}


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"points": None}, "points"),
        ({"points": []}, "points"),
        ({"thresholds": None}, "thresholds"),
        ({"thresholds": {}}, "thresholds"),
        ({"thresholds": [{"below": 5, "kind": []}]}, "threshold_1_kind"),
        ({"thresholds": [{"below": 5, "kind": {}}]}, "threshold_1_kind"),
        ({"thresholds": [{"below": 5, "kind": MeasureKind.NOTICE.value, "note\0": 1}]}, "thresholds"),
    ],
)
def test_a_wrong_part_of_credit_rules_is_refused_on_its_field(part, field):
    with pytest.raises(Refusal) as refused:
        policy_from({"start_points": 100, **part}, Scope.LAB)
    assert {reason.field for reason in refused.value.reasons} == {field}


@pytest.mark.parametrize("document", [None, [], "x", 7])
def test_credit_rules_that_are_no_object_are_refused(document):
    with pytest.raises(Refusal) as refused:
        policy_from(document, Scope.LAB)
    assert "document" in {reason.field for reason in refused.value.reasons}
