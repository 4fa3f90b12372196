"""Cells of a table: what is written comes back, words of both languages are understood, nonsense is refused by name."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.errors import Refusal
from instruments.rules.registry_values import INSTRUMENT_FIELDS, MAX_VALUE_FEN, clean_fields
from instruments.rules.sheet_cells import KINDS, from_cell, mark_of, to_cell

STATUS = [{"normal": "Running", "retired": "Retired"}, {"normal": "正常", "retired": "停用"}]
ANSWERS = [{"yes": "yes", "no": "no"}, {"yes": "是", "no": "否"}]


def test_every_field_has_a_kind_of_cell():
    assert set(KINDS) == INSTRUMENT_FIELDS | {"site_id"}


@given(st.one_of(st.none(), st.integers(0, MAX_VALUE_FEN)))
def test_an_amount_comes_back_to_the_fen_even_through_a_float(fen):
    cell = to_cell("original_value_fen", fen, {})
    assert cell is None or isinstance(cell, Decimal)
    through_excel = None if cell is None else float(cell)
    if fen is None or fen < 10**13:
        assert from_cell("original_value_fen", through_excel, []) == fen
    assert from_cell("original_value_fen", cell, []) == fen


@given(st.lists(st.text(alphabet="ab;；, 锂", min_size=1, max_size=12), max_size=6))
def test_a_clean_list_comes_back_whatever_its_entries_hold(words):
    clean = clean_fields({"keywords": words}).values["keywords"]
    assert from_cell("keywords", to_cell("keywords", clean, {}), []) == clean or any(";" in w or "；" in w for w in clean)


def test_entries_with_semicolons_stand_on_lines_of_their_own():
    assert to_cell("keywords", ["a; b", "c"], {}) == "a; b\nc"
    assert from_cell("keywords", "a; b\nc", []) == ["a; b", "c"]


@pytest.mark.parametrize("text", ["normal", "Running", "running", "正常"])
def test_a_word_of_either_language_or_the_code_is_understood(text):
    assert from_cell("status", text, STATUS) == "normal"


@pytest.mark.parametrize(("text", "value"), [("是", True), ("NO", False), ("TRUE", True), (True, True), (None, None)])
def test_yes_and_no_in_every_shape(text, value):
    assert from_cell("imported", text, ANSWERS) is value


@pytest.mark.parametrize("cell", [datetime(2026, 11, 23, 9), date(2026, 11, 23), "2026-11-23", "2026/11/23"])
def test_days_come_as_dates_or_as_text(cell):
    assert from_cell("purchased_on", cell, []) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        ("status", "broken", "sheet.word_unknown"),
        ("status", None, "sheet.word_unknown"),
        ("service_modes", "by magic", "sheet.word_unknown"),
        ("imported", "perhaps", "sheet.not_yes_or_no"),
        ("purchased_on", "soon", "sheet.not_a_date"),
        ("original_value_fen", "much", "instrument.value_not_a_number"),
        ("original_value_fen", -1, "instrument.value_negative"),
        ("site_id", "Nowhere", "instrument.site_unknown"),
    ],
)
def test_what_means_nothing_is_refused_at_its_field(field, cell, code):
    with pytest.raises(Refusal) as refused:
        from_cell(field, cell, STATUS if field == "status" else ANSWERS)
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [(code, field)]


def test_numbers_that_are_texts_stay_as_they_look():
    assert from_cell("inner_id", 12.0, []) == "12"
    assert from_cell("model", 0.1, []) == "0.1"


def test_a_mark_depends_on_values_and_not_on_their_order():
    assert mark_of({"a": 1, "b": "锂"}) == mark_of({"b": "锂", "a": 1}) != mark_of({"a": 1, "b": "镁"})
