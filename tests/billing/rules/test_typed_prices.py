"""A price that is typed into a form and the document that it means: nothing is lost on the way there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billing.ledger.rules.documents import DocumentError
from billing.pricing.rules import parse_schedule
from billing.pricing.rules import typed as typed_rules
from billing.pricing.rules.counted import parse_counted
from billing.pricing.rules.schedule import compile_schedule
from billing.pricing.rules.typed import NotTyped, document_of, field_of, typed_of

SCHEMA: dict[str, Any] = json.loads(
    (Path(typed_rules.__file__).parent / "price_schedule_2.schema.json").read_text(encoding="utf-8")
)
FULL: dict[str, Any] = {
    "format": 2,
    "currency": "CNY",
    "unit": "half_day",
    "unit_minutes": 210,
    "step_minutes": 210,
    "classes": [
        {"code": "inside", "when": {"own": True}},
        {
            "code": "near",
            "name": {"zh": "省内", "en": "In the province"},
            "evidence": {"zh": "营业执照", "en": "Business licence"},
            "when": {"regions": ["63", "62"], "verified": True},
        },
        {"code": "park", "when": {"kinds": ["firm"], "zones": ["XN-HT"]}},
        {"code": "others"},
    ],
    "rates": {"inside": "200", "near": "300", "park": "350", "others": "400"},
    "steps": [{"up_to": "2", "ratio": "1"}, {"ratio": "0.85"}],
    "bands": [
        {"code": "night", "name": {"zh": "夜", "en": "Night"}, "weekdays": [1, 5], "holidays": True, "from": "22:00", "to": "06:00",
         "ratio": "0.5"},
        {"code": "noon", "weekdays": [6], "from": "11:00", "to": "13:00",
         "rates": {"inside": "1", "near": "2", "park": "3", "others": "4"}},
    ],
    "holidays": {"makeup_weekday": 1},
    "setup": {"inside": "0", "near": "50", "park": "50", "others": "60"},
    "operator": {"rates": {"inside": "0", "near": "80", "park": "80", "others": "90"}, "modes": ["assisted"]},
    "addons": [
        {"code": "cell", "name": {"zh": "样品池", "en": "Sample cell"},
         "rates": {"inside": "0", "near": "15", "park": "15", "others": "20"}},
        {"code": "argon", "name": {"zh": "氩气", "en": "Argon"}, "rates": {"inside": "1", "near": "2", "park": "2", "others": "2.50"}},
    ],
    "minimum": {"minutes": 30, "amount": "100"},
    "tax": {"rate": "0.06", "included": False},
    "fees": {"late_cancel": {"share": "0.5", "at_least": "50", "at_most": "500"}, "no_show": {"share": "1"}},
    "rounding": {"step": "yuan", "mode": "down"},
}  # fmt: skip


def test_a_full_document_comes_back_from_what_is_typed() -> None:
    parse_schedule(FULL)
    assert document_of(typed_of(FULL), "CNY") == FULL


def test_the_form_has_fields_for_every_part_of_the_schema_and_drops_none_that_it_does_not_know() -> None:
    assert set(SCHEMA["properties"]) == set(FULL)
    with pytest.raises(NotTyped, match="season"):
        typed_of({**FULL, "season": {}})


def test_an_add_on_typed_for_some_classes_is_free_for_the_others_and_one_without_amounts_is_told() -> None:
    typed = {"class-0-who": "inside", "class-0-rate": "1", "class-1-who": "firm_large", "class-1-rate": "2"}
    made = document_of({**typed, "addon-3-name_en": "Cell", "addon-3-rate-1": "15"}, "CNY")["addons"]
    assert made == [{"code": "addon_4", "name": {"zh": "Cell", "en": "Cell"}, "rates": {"inside": "0", "firm_large": "15"}}]
    wrong = {**typed, "addon-3-name_en": "Cell"}
    with pytest.raises(DocumentError) as refused:
        parse_schedule(document_of(wrong, "CNY"))
    assert {field_of(fault.path, wrong) for fault in refused.value.faults} == {"addon-3-rate-0", "addon-3-rate-1"}
    nameless = {**typed, "addon-0-rate-0": "5"}
    with pytest.raises(DocumentError) as refused:
        parse_schedule(document_of(nameless, "CNY"))
    assert {field_of(fault.path, nameless) for fault in refused.value.faults} == {"addon-0-name_zh"}


def test_a_document_of_format_1_is_typed_and_prices_the_same() -> None:
    one = {
        "format": 1,
        "currency": "CNY",
        "rates": {"inside": "200", "firm_sme": 400},
        "bands": [{"code": "peak", "weekdays": [1], "from": "09:00", "to": "18:00", "ratio": "1.25"}],
        "minimum": {"minutes": 30, "amount": 100},
        "rounding": {"step": "fen", "mode": "half_up"},
    }
    before, after = compile_schedule(one), parse_schedule(document_of(typed_of(one), "CNY"))
    assert (after.rates, after.bands, after.week, after.classes) == (before.rates, before.bands, before.week, ())
    assert (after.minimum_minutes, after.minimum_charge_fen) == (30, 10_000)


def test_a_price_of_samples_comes_back_from_what_is_typed() -> None:
    counted = {
        "format": 2,
        "currency": "CNY",
        "unit": "sample",
        "rates": {"firm_sme": "100", "team": "80"},
        "steps": [{"up_to": "10", "ratio": "1"}, {"rates": {"firm_sme": "90", "team": "70"}}],
        "minimum": {"amount": "500"},
        "rounding": {"step": "fen", "mode": "half_up"},
    }
    parse_counted(counted)
    assert document_of(typed_of(counted), "CNY") == counted


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"class-1-rate": "abc"}, "class-1-rate"),
        ({"class-1-setup": "-1"}, "class-1-setup"),
        ({"class-1-regions": "six"}, "class-1-regions"),
        ({"class-3-who": "inside"}, "class-3-who"),
        ({"class-2-who": "everybody", "class-2-zones": ""}, "class-2-who"),
        ({"band-0-from": "25:00"}, "band-0-from"),
        ({"band-0-percent": "a lot"}, "band-0-percent"),
        ({"band-1-rate-2": "x"}, "band-1-rate-2"),
        ({"band-1-from": "21:00", "band-1-to": "23:00", "band-1-weekdays": ["5"]}, "band-1-from"),
        ({"step-0-up_to": "none"}, "step-0-up_to"),
        ({"unit": "week"}, "unit"),
        ({"step_minutes": "0"}, "step_minutes"),
        ({"minimum_minutes": "long"}, "minimum_minutes"),
        ({"tax_percent": "106"}, "tax_percent"),
        ({"late_least": "600"}, "late_most"),
        ({"noshow_percent": "101"}, "noshow_percent"),
    ],
)
def test_every_fault_is_told_at_the_field_where_it_was_typed(changes: dict[str, Any], field: str) -> None:
    typed = {**typed_of(FULL), **changes}
    with pytest.raises(DocumentError) as error:
        parse_schedule(document_of(typed, "CNY"))
    assert field in {field_of(fault.path, typed) for fault in error.value.faults}


def test_conditions_that_the_form_cannot_say_are_not_dropped() -> None:
    classes = [{"code": "odd", "when": {"kinds": ["team", "firm"]}}, {"code": "others"}]
    with pytest.raises(NotTyped):
        typed_of({**FULL, "classes": classes, "rates": {"odd": 1, "others": 2}})
    with pytest.raises(NotTyped):
        typed_of({"format": 1, "rates": {"vip": 1}, "rounding": {"step": "fen", "mode": "half_up"}})
