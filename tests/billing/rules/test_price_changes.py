"""What a new price changes: every figure that somebody may pay, and which of them a person confirms one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from billing.pricing.rules.compare import RateChange, sample_changes, schedule_changes, unconfirmed
from billing.pricing.rules.counted import parse_counted
from billing.pricing.rules.samples import SamplePrice
from billing.pricing.rules.schedule import parse_schedule

TIME: dict[str, Any] = {
    "format": 2,
    "currency": "CNY",
    "unit": "hour",
    "rates": {"inside": "200", "firm_sme": "400"},
    "rounding": {"step": "fen", "mode": "half_up"},
}


def changes(**new: Any) -> list[tuple[Any, ...]]:
    """What ``new`` parts change in the price above: class, band, was, becomes, part, beyond, large."""
    return told(schedule_changes(parse_schedule(TIME), parse_schedule({**TIME, **new})))


def told(found: Sequence[RateChange]) -> list[tuple[Any, ...]]:
    return [(*each, each.large) for each in found]


def test_a_marginal_step_is_a_rate_of_its_own_from_where_it_begins() -> None:
    assert changes(steps=[{"up_to": "4", "ratio": "1"}, {"ratio": "0.4"}]) == [
        ("inside", "standard", 20_000, 8_000, "rate", 240, True),
        ("firm_sme", "standard", 40_000, 16_000, "rate", 240, True),
    ]
    old = parse_schedule({**TIME, "steps": [{"up_to": "4", "ratio": "1"}, {"ratio": "0.8"}]})
    new = parse_schedule({**TIME, "steps": [{"up_to": "2", "ratio": "1"}, {"up_to": "6", "ratio": "0.8"}, {"ratio": "0.3"}]})
    assert told(schedule_changes(old, new))[:2] == [
        ("inside", "standard", 20_000, 16_000, "rate", 120, False),  # from two hours on it falls, from four it was so before
        ("inside", "standard", 16_000, 6_000, "rate", 360, True),
    ]
    assert schedule_changes(old, old) == []


def test_setting_up_operator_and_the_least_charge_are_compared_and_a_part_that_was_not_there_was_free() -> None:
    assert changes(setup={"inside": "0", "firm_sme": "80"}) == [("firm_sme", "", 0, 8_000, "setup", 0, True)]
    operator = {"rates": {"inside": "0", "firm_sme": "100"}}
    assert changes(operator=operator) == [("firm_sme", "", 0, 10_000, "operator", 0, True)]
    # 30 minutes are 100.00 and 200.00; the least amount is more than the first of them.
    assert changes(minimum={"minutes": 30, "amount": "150"}) == [
        ("inside", "", 0, 15_000, "minimum", 0, True),
        ("firm_sme", "", 0, 20_000, "minimum", 0, True),
    ]
    dear = parse_schedule({**TIME, "setup": {"inside": "30", "firm_sme": "80"}, "operator": operator})
    dearer = {**TIME, "setup": {"inside": "61", "firm_sme": "160"}, "operator": {"rates": {"inside": "0", "firm_sme": "49.99"}}}
    assert told(schedule_changes(dear, parse_schedule(dearer))) == [
        ("inside", "", 3_000, 6_100, "setup", 0, True),
        ("firm_sme", "", 8_000, 16_000, "setup", 0, False),
        ("firm_sme", "", 10_000, 4_999, "operator", 0, True),
    ]


def test_nothing_of_a_first_price_and_nothing_small_is_asked_about() -> None:
    first = schedule_changes(None, parse_schedule({**TIME, "setup": {"inside": "1", "firm_sme": "1"}}))
    assert first and not any(change.large for change in first)
    assert changes(rates={"inside": "400", "firm_sme": "200"}) == [
        ("inside", "standard", 20_000, 40_000, "rate", 0, False),
        ("firm_sme", "standard", 40_000, 20_000, "rate", 0, False),
    ]


def test_what_is_counted_is_compared_step_by_step_and_another_unit_is_always_asked_about() -> None:
    flat = SamplePrice("sample", 8_000, {"inside": 4_000})
    whole = {
        **TIME,
        "unit": "sample",
        "rates": {"inside": "40", "academic": "80", "team": "80", "firm_sme": "80", "firm_large": "80"},
    }
    stepped = {**whole, "steps": [{"up_to": "10", "ratio": "1"}, {"ratio": "0.25"}], "setup": dict.fromkeys(whole["rates"], "20")}
    found = told(sample_changes(flat, SamplePrice.of_terms(parse_counted(stepped))))
    assert [each for each in found if each[0] == "inside"] == [
        ("inside", "standard", 4_000, 1_000, "rate", 10, True),
        ("inside", "", 0, 2_000, "setup", 0, True),
    ]
    element = sample_changes(flat, SamplePrice("element", 8_000))
    assert {(each.part, each.large) for each in element} == {("unit", True)} and len(element) == 5
    gone = sample_changes(flat, None)
    assert {(each.was_fen, each.becomes_fen, each.large) for each in gone} == {(8_000, None, True), (4_000, None, True)}
    assert sample_changes(None, None) == [] and not any(each.large for each in sample_changes(None, flat))


def test_a_yes_is_to_one_figure_and_to_nothing_else() -> None:
    old, new = parse_schedule(TIME), parse_schedule({**TIME, "setup": {"inside": "5", "firm_sme": "5"}})
    found = schedule_changes(old, new)
    assert len({each.key for each in found}) == 2
    [left] = unconfirmed(found, {found[0].key})
    assert (left.code, left.params["key"], left.field) == ("price.jump_not_confirmed", found[1].key, "confirmed")
    assert unconfirmed(found, {each.key for each in found}) == []


def test_the_key_of_a_change_names_its_place_as_far_as_it_is_no_plain_rate() -> None:
    assert RateChange("inside", "night", 1, 2).key == "inside:night:1:2"
    assert RateChange("inside", "night", 1, 2, beyond=240).key == "inside:night/rate/240:1:2"
    assert RateChange("inside", "", 1, None, "setup").key == "inside:/setup/0:1:None"


def test_a_change_that_goes_on_where_the_other_price_is_cut_is_told_once() -> None:
    old = parse_schedule({**TIME, "steps": [{"up_to": "4", "ratio": "1"}, {"ratio": "1"}]})
    new = parse_schedule({**TIME, "steps": [{"up_to": "2", "ratio": "1"}, {"ratio": "0.5"}]})
    assert [each[:6] for each in told(schedule_changes(old, new))] == [
        ("inside", "standard", 20_000, 10_000, "rate", 120),
        ("firm_sme", "standard", 40_000, 20_000, "rate", 120),
    ]


def test_what_is_counted_in_one_step_changes_from_the_first_on_and_setting_up_for_nothing_is_none() -> None:
    document = {**TIME, "unit": "sample"}
    dearer = {**document, "rates": {"inside": "210", "firm_sme": "400"}}
    free = {**document, "setup": {"inside": "0", "firm_sme": "0"}}
    plain, other, same = (SamplePrice.of_terms(parse_counted(each)) for each in (document, dearer, free))
    assert [tuple(each) for each in sample_changes(plain, other)] == [("inside", "standard", 20_000, 21_000, "rate", 0)]
    assert sample_changes(plain, same) == []
