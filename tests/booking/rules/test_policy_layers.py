"""Layers of a lab's rules: limits add up, choices are the nearest layer's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.policy_layers import (
    HOUSE,
    KEPT_AS_DOCUMENT,
    NUMBERS,
    STRICTER,
    SWITCHES,
    TIMES,
    Layer,
    combine,
    read_rest,
    read_settings,
    rest_document,
)
from booking.rules.quota import Counted
from config.kernel.errors import Refusal

LAB, CLASS, ONE = Counted(), Counted(None, "0103"), Counted(7)
NIGHT = {"weekdays": [1, 2, 3, 4, 5], "from_minute": 1320, "until_minute": 360}
WEEKLY = {"subject": "person", "measure": "minutes", "period": "week", "most": 600, "peak_only": True}


def layer(counted: Counted, **said) -> Layer:
    return Layer(f"{counted.instrument_id or counted.class_code or 'lab'}", counted, read_settings(said, counted))


documents = st.fixed_dictionaries(
    {},
    optional={
        "min_minutes": st.integers(1, 120),
        "max_minutes": st.integers(240, 900),
        "notice_minutes": st.integers(0, 3000),
        "horizon_days": st.integers(0, 90),
        "buffer_after_minutes": st.integers(0, 60),
        "granularity_minutes": st.sampled_from([5, 10, 15, 30, 60]),
        "approval_required": st.booleans(),
        "licence_needed": st.booleans(),
        "pending_blocks": st.booleans(),
        "billable_basis": st.sampled_from(["booked", "actual_within_booked_rounded_up"]),
        "horizons": st.dictionaries(st.sampled_from(["firm", "team", "academic"]), st.integers(0, 60)),
        "quotas": st.lists(st.just(WEEKLY), max_size=1),
        "licensed_times": st.lists(st.just(NIGHT), max_size=1),
        "peak": st.lists(st.just(NIGHT), max_size=1),
    },
)


@settings(max_examples=150, deadline=None)
@given(documents, documents, documents)
def test_no_layer_allows_what_another_forbids(lab, of_class, one):
    layers = [layer(LAB, **lab), layer(CLASS, **of_class), layer(ONE, **one)]
    policy = combine(layers).policy
    for each in layers:
        for name, value in each.said.items():
            held = getattr(policy, name)
            if name in ("min_minutes", "notice_minutes", "buffer_after_minutes"):
                assert held >= value
            elif name in ("max_minutes", "horizon_days"):
                assert held <= value
            elif name == "granularity_minutes":
                assert held % value == 0
            elif name in ("approval_required", "licence_needed"):
                assert held or not value
            elif name in ("quotas", "licensed_times"):
                assert set(value) <= set(held)
            elif name == "horizons":
                assert all(dict(held)[audience] <= days for audience, days in value)


@settings(max_examples=80, deadline=None)
@given(documents, documents, st.permutations([0, 1]))
def test_the_order_in_which_layers_come_does_not_matter(lab, one, order):
    layers = [layer(LAB, **lab), layer(ONE, **one)]
    assert combine([layers[place] for place in order]).policy == combine(layers).policy


@settings(max_examples=80, deadline=None)
@given(documents, documents)
def test_what_is_kept_as_a_document_reads_back(lab, one):
    policy = combine([layer(LAB, **lab), layer(ONE, **one)]).policy
    kept = rest_document(policy)
    assert set(kept) <= set(KEPT_AS_DOCUMENT)
    columns = {name: getattr(policy, name) for name in policy.__dataclass_fields__ if name not in KEPT_AS_DOCUMENT}
    assert replace(HOUSE, **columns, **read_rest(kept)) == policy


def test_the_nearest_layer_chooses_how_the_lab_works():
    layers = [layer(LAB, pending_blocks=True, billable_basis="booked"), layer(ONE, pending_blocks=False)]
    combined = combine(layers)
    assert not combined.policy.pending_blocks
    assert combined.policy.billable_basis == "booked"
    assert combined.sources == {"pending_blocks": ("7",), "billable_basis": ("lab",)}


def test_the_source_of_a_limit_is_the_layer_that_sets_it():
    combined = combine([layer(LAB, max_minutes=240), layer(ONE, max_minutes=480, notice_minutes=60)])
    assert combined.policy.max_minutes == 240
    assert combined.sources == {"max_minutes": ("lab",), "notice_minutes": ("7",)}


def test_two_steps_of_a_grid_become_one_that_keeps_both():
    assert combine([layer(LAB, granularity_minutes=30), layer(ONE, granularity_minutes=20)]).policy.granularity_minutes == 60


def test_layers_that_nothing_satisfies_are_refused():
    with pytest.raises(Refusal):
        combine([layer(LAB, min_minutes=300), layer(ONE, max_minutes=120)])


def test_a_quota_counts_the_instruments_of_its_layer():
    quotas = combine([layer(LAB, quotas=[WEEKLY]), layer(ONE, quotas=[WEEKLY])]).policy.quotas
    assert {quota.counted for quota in quotas} == {LAB, ONE}


def test_everything_wrong_in_a_document_is_said_by_name():
    wrong = {
        "max_minutes": "long",
        "notice_minutes": -5,
        "approval_required": 1,
        "surprise": 3,
        "quotas": [WEEKLY | {"most": 0}],
        "peak": [{"weekdays": []}],
        "horizons": {"aliens": 4},
    }
    with pytest.raises(Refusal) as refused:
        read_settings(wrong, LAB)
    assert {(reason.field, reason.code) for reason in refused.value.reasons} == {
        ("max_minutes", "policy.unreadable"),
        ("notice_minutes", "policy.out_of_range"),
        ("approval_required", "policy.unreadable"),
        ("surprise", "policy.unknown"),
        ("quotas", "quota.most"),
        ("peak", "policy.unreadable"),
        ("horizons", "policy.unreadable"),
    }


def test_every_field_of_a_policy_can_be_said_and_is_a_limit_or_a_choice():
    known = {*NUMBERS, *SWITCHES, *TIMES, "billable_basis", "horizons", "quotas", "auto_approval"}
    assert known == set(HOUSE.__dataclass_fields__)
    assert set(STRICTER) < known
